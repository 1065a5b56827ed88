"""Do state and messages change together, and does a message that comes twice change nothing?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    facts = seen.facts
    outbox, inbox = seen.shows("DTC-E01"), seen.shows("DTC-E02")
    local = seen.shows("DTC-E03", "DTC-E04", "DTC-E05")
    sends, hears = facts.has("publisher"), facts.has("consumer")
    writes = any(e.kind == "db.write" for _, f in facts.program.functions() for e in f.effects)
    errors = seen.errors()
    but = f"; but {errors[0].message}" if errors else ""
    crosses = any(e.kind == "remote" and e.write for _, f in facts.program.functions() for e in f.effects)
    if not (outbox or inbox or crosses) and (nothing := grounds.keeps_nothing(facts)):
        return Judgement(Verdict.NOT_APPLICABLE, nothing)
    if not (writes or sends or hears or outbox or local):
        if facts.services:
            return Judgement(Verdict.UNKNOWN, "no write to a database and no message was recognised")
        return Judgement(Verdict.UNKNOWN, "no service and no write to a database was recognised")
    if outbox and (inbox or not hears):
        return Judgement(
            Verdict.PARTIAL if errors else Verdict.PASS,
            f"state and messages commit together{', duplicates are dropped' if inbox else ''}{but}",
        )
    if outbox:
        return Judgement(
            Verdict.PARTIAL,
            f"state and messages commit together, but a message that comes twice is not noticed{but}",
        )
    if seen.breaks("DTC-001") and not local:
        return Judgement(
            Verdict.FAIL, f"{errors[0].message}, and nothing makes it whole", grounds.writes(seen.facts)
        )
    torn = next((f for f in seen.findings if f.rule == "DTC-007"), None)
    if local and not errors and not sends and not hears and not crosses and torn:
        return Judgement(Verdict.PARTIAL, f"changes are made in transactions, but {torn.message}")
    if local and not errors and not sends and not hears and not crosses:
        return Judgement(
            Verdict.PASS, "changes are made in transactions, and no message or second store takes part"
        )
    if local or inbox or facts.has("idempotent"):
        return Judgement(Verdict.PARTIAL, f"changes are guarded within one store, not across services{but}")
    if not (errors or sends or hears or crosses or torn) and (alone := grounds.one_change_each(facts)):
        return Judgement(Verdict.PASS, alone)
    return Judgement(
        Verdict.FAIL,
        f"no transaction, outbox, version check or deduplication was found{but}",
        grounds.writes(seen.facts),
    )


ITEM = Item("data_consistency", "Data consistency", judge)
