"""Can what is lost be brought back, and has that been tried?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict, missing


def judge(seen: Seen) -> Judgement:
    facts = seen.facts
    parts = {
        "a scheduled backup": seen.shows("DRP-E01"),
        "a restore procedure": seen.shows("DRP-E02"),
        "RPO and RTO": seen.shows("DRP-E03"),
    }
    if not any((*parts.values(), seen.shows("DRP-E04"))):
        writes = any(e.kind == "db.write" for _, f in facts.program.functions() for e in f.effects)
        if writes or facts.has("datastore", "database.binding", "store.driver"):
            return Judgement(
                Verdict.FAIL,
                "data is kept, and there is no backup, no restore procedure and no RPO or RTO",
                grounds.stores(seen.facts),
            )
        if grounds.library(facts):
            return Judgement(Verdict.NOT_APPLICABLE, "a library that keeps no data of its own")
        if nothing := grounds.keeps_nothing(facts):
            return Judgement(Verdict.NOT_APPLICABLE, nothing)
        if not facts.services:
            return Judgement(Verdict.UNKNOWN, "no service and no store of data was recognised")
        return Judgement(
            Verdict.FAIL,
            "no backup, no restore procedure and no RPO or RTO; where data is kept was not seen",
            grounds.starts(facts),
        )
    errors = seen.errors()
    if all(parts.values()) and not errors:
        return Judgement(
            Verdict.PASS, "backups are scheduled, and how to restore, RPO and RTO are written down"
        )
    there = [name for name, has in parts.items() if has] or ["a backup by hand"]
    lacks = f", but no {missing(parts)}" if not all(parts.values()) else ""
    return Judgement(
        Verdict.PARTIAL,
        f"there is {' and '.join(there)}{lacks}" + (f"; {errors[0].message}" if errors else ""),
    )


ITEM = Item("disaster_recovery", "Disaster recovery", judge)
