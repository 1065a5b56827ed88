"""Is state kept as events where that was decided, and is the decision on record?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    errors = seen.errors()
    if seen.shows("EVS-E01"):
        where = seen.evidence["EVS-E01"][0]
        if errors:
            return Judgement(
                Verdict.PARTIAL, f"an aggregate is kept as its events ({where.file}); but {errors[0].message}"
            )
        return Judgement(Verdict.PASS, f"an aggregate is kept as its events ({where.file})")
    if seen.shows("EVS-E02"):
        return Judgement(
            Verdict.PARTIAL,
            "a ledger is only appended to and state derives from it, but nothing is built on events",
        )
    if seen.facts.has("es.append") and seen.facts.has("es.replay"):
        return Judgement(
            Verdict.FAIL,
            "an event store is there, and no aggregate is kept in it",
            grounds.writes(seen.facts),
        )
    if seen.shows("EVS-E03"):
        return Judgement(
            Verdict.NOT_APPLICABLE, f"decided against on record ({seen.evidence['EVS-E03'][0].file})"
        )
    kept = any(
        e.kind == "db.write" for _, f in seen.facts.program.functions() for e in f.effects
    ) or seen.facts.has("datastore", "store.driver")
    if not kept and not seen.facts.services and not grounds.library(seen.facts):
        return Judgement(Verdict.UNKNOWN, "no state that is kept was recognised")
    if not kept:
        return Judgement(Verdict.FAIL, "nothing is kept as events", grounds.starts(seen.facts))
    return Judgement(
        Verdict.FAIL,
        "state is overwritten, and no decision about event sourcing is on record",
        grounds.writes(seen.facts),
    )


ITEM = Item("event_sourcing", "Event sourcing", judge)
