"""Are services cut by capability, each with its own data?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    services = seen.facts.services
    if not services and grounds.library(seen.facts):
        return Judgement(Verdict.NOT_APPLICABLE, "a library: nothing in it starts by itself")
    if not services:
        return Judgement(Verdict.UNKNOWN, "no entry point of a service was recognised")
    if len(services) == 1:
        return Judgement(
            Verdict.NOT_APPLICABLE,
            f"one deployable ({services[0].name}), so there is no boundary between services",
            grounds.starts(seen.facts),
        )
    own = f"{len(services)} services, each with its own folder and entry point"
    if seen.errors():
        return Judgement(Verdict.PARTIAL, f"{own}; but {seen.errors()[0].message}")
    return Judgement(Verdict.PASS, own + ("" if not seen.shows("BND-E02") else ", and each its own database"))


ITEM = Item("service_boundaries", "Service boundaries", judge)
