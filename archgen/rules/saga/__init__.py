"""Is an operation that changes several services taken back when it cannot be finished?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    facts, errors = seen.facts, seen.errors()
    if seen.shows("SAG-E01"):
        count = len({(e.file, e.line, e.what) for e in seen.evidence["SAG-E01"]})
        if errors:
            return Judgement(Verdict.PARTIAL, f"{count} compensations are defined; but {errors[0].message}")
        return Judgement(Verdict.PASS, f"{count} compensations are defined, and no defect in them was found")
    if seen.breaks("SAG-001", "SAG-002"):
        return Judgement(Verdict.FAIL, errors[0].message)
    if not facts.services:
        return Judgement(
            Verdict.UNKNOWN, "no service was recognised, so it is not known what an operation changes"
        )
    functions = sum(1 for _, f in facts.program.functions() if f.name)
    if len(facts.services) == 1:
        return Judgement(
            Verdict.NOT_APPLICABLE,
            "one deployable: its operations can be transactions",
            grounds.starts(seen.facts),
        )
    if facts.has("publisher") and facts.has("consumer"):
        return Judgement(
            Verdict.UNKNOWN,
            "services react to each other's messages, and it was not seen whether an operation spans them",
            grounds.starts(seen.facts),
        )
    return Judgement(
        Verdict.NOT_APPLICABLE,
        f"none of {functions} functions writes in two services",
        grounds.starts(seen.facts),
    )


ITEM = Item("saga", "Sagas", judge)
