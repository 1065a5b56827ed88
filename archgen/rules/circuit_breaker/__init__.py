"""Does a caller stop asking a peer that does not answer?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    facts, errors = seen.facts, seen.errors()
    remote = any(e.kind == "remote" for _, f in facts.program.functions() for e in f.effects)
    but = f"; but {errors[0].message}" if errors else ""
    if seen.shows("RES-E01"):
        bare = _unguarded(seen)
        if bare and not errors:
            but = f"; but {', '.join(bare)} call peers without one"
        return Judgement(
            Verdict.PARTIAL if errors or bare else Verdict.PASS, f"calls to peers go through a breaker{but}"
        )
    if remote or errors:
        limits = ", with a time limit at most" if seen.shows("RES-E02") else ", and no time limit either"
        return Judgement(Verdict.FAIL, f"peers are called without a breaker{limits}", grounds.calls(facts))
    if facts.services and facts.has("consumer") and facts.has("publisher"):
        return Judgement(
            Verdict.NOT_APPLICABLE,
            "services only send messages: no call waits for a peer",
            grounds.starts(seen.facts),
        )
    if grounds.library(facts):
        return Judgement(Verdict.NOT_APPLICABLE, "a library that calls no peer")
    if facts.services and len(facts.services) == 1:
        return Judgement(
            Verdict.NOT_APPLICABLE,
            "one deployable, and none of its functions waits for a peer",
            grounds.starts(seen.facts),
        )
    if len(facts.services) > 1:
        return Judgement(
            Verdict.FAIL, "no breaker was found, nor a time limit on a call", grounds.starts(facts)
        )
    return Judgement(Verdict.UNKNOWN, "no call to a peer was recognised")


def _unguarded(seen: Seen) -> list[str]:
    """Services that call peers and have no breaker of their own, where breakers belong to services."""
    homes = {facts_of.name for e in seen.evidence["RES-E01"] if (facts_of := seen.facts.service_of(e.file))}
    if not homes or any(seen.facts.service_of(e.file) is None for e in seen.evidence["RES-E01"]):
        return []  # a library, a mesh or a gateway guards for all
    calling = {s.name for f in seen.findings if f.rule == "RES-002" and (s := seen.facts.service_of(f.file))}
    return sorted(calling - homes)


ITEM = Item("circuit_breaker", "Circuit breakers", judge)
