"""Is an operation that changes several services taken back when it cannot be finished?"""

from archgen.rules import grounds
from archgen.rules.model import Hit, Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    facts, errors = seen.facts, seen.errors()
    if seen.shows("SAG-E01"):
        count = len({(e.file, e.line, e.what) for e in seen.evidence["SAG-E01"]})
        if errors:
            return Judgement(Verdict.PARTIAL, f"{count} compensations are defined; but {errors[0].message}")
        return Judgement(Verdict.PASS, f"{count} compensations are defined, and no defect in them was found")
    if errors and seen.breaks("SAG-001", "SAG-002"):
        return Judgement(Verdict.FAIL, errors[0].message)
    if grounds.library(facts):
        return Judgement(Verdict.NOT_APPLICABLE, "a library: it has no operation of its own")
    if not facts.services:
        return Judgement(
            Verdict.UNKNOWN, "no service was recognised, so it is not known what an operation changes"
        )
    functions = sum(1 for _, f in facts.program.functions() if f.name)
    if len(facts.services) == 1:
        but = f"; but {seen.findings[0].message}" if seen.findings else ""
        return Judgement(
            Verdict.NOT_APPLICABLE,
            f"one deployable: its operations can be transactions{but}",
            grounds.starts(seen.facts),
        )
    if facts.has("publisher") and facts.has("consumer"):
        chain = _chain(seen)
        if chain:
            return Judgement(
                Verdict.FAIL,
                f"{chain.message}, and nothing in the project takes anything back",
                (chain,),
            )
        return Judgement(
            Verdict.NOT_APPLICABLE,
            "services follow each other's messages, and none of them passes an operation on",
            grounds.starts(seen.facts),
        )
    return Judgement(
        Verdict.NOT_APPLICABLE,
        f"none of {functions} functions writes in two services",
        grounds.starts(seen.facts),
    )


def _chain(seen: Seen) -> Hit | None:
    """A handler of messages that changes its store and sends a message on: an operation over services."""
    heard = {(f.file, f["function"]) for f in seen.facts.of("consumer")}
    for module, function in seen.facts.program.functions():
        if not function.name:
            continue
        if (module.path, function.name) not in heard and (module.path, function.title) not in heard:
            continue
        kinds = {e.kind for e in function.reach}
        if "db.write" in kinds and kinds & {"publish", "outbox"}:
            return Hit(
                module.path, function.line, f"{function.title} changes its store and passes the operation on"
            )
    return None


ITEM = Item("saga", "Sagas", judge)
