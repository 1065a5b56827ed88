"""Do state and messages change together, and does a message that comes twice change nothing?"""

import re

from archgen.rules import grounds
from archgen.rules.model import Hit, Item, Judgement, Seen, Verdict
from archgen.rules.paths import straight


def judge(seen: Seen) -> Judgement:
    facts = seen.facts
    outbox, inbox = seen.shows("DTC-E01"), seen.shows("DTC-E02")
    local = seen.shows("DTC-E03", "DTC-E04", "DTC-E05")
    sends, hears = facts.has("publisher"), facts.has("consumer")
    writes = any(e.kind == "db.write" for _, f in facts.program.functions() for e in f.effects)
    errors = seen.errors()
    but = f"; but {errors[0].message}" if errors else ""
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
    crosses = any(e.kind == "remote" and e.write for _, f in facts.program.functions() for e in f.effects)
    loose = _loose(seen)
    if local and not errors and not sends and not hears and not crosses and loose:
        return Judgement(Verdict.PARTIAL, f"changes are made in transactions, but {loose.message}", (loose,))
    if local and not errors and not sends and not hears and not crosses:
        return Judgement(
            Verdict.PASS, "changes are made in transactions, and no message or second store takes part"
        )
    if local or inbox or facts.has("idempotent"):
        return Judgement(Verdict.PARTIAL, f"changes are guarded within one store, not across services{but}")
    return Judgement(
        Verdict.FAIL,
        f"no transaction, outbox, version check or deduplication was found{but}",
        grounds.writes(seen.facts),
    )


_WHOLE = re.compile(r"migrat|seed|setup|init|fixture|import|install|bootstrap|demo|load", re.IGNORECASE)


def _loose(seen: Seen) -> Hit | None:
    """A function that writes two tables one after the other, with no transaction around it or its callers."""
    whole = {(f.file, f["function"]) for f in seen.facts.of("transaction")}
    for module, function in seen.facts.program.functions():
        writes = [e for e in function.reach if e.kind == "db.write" and e.table and straight(e.call)]
        if len({e.table for e in writes}) < 2 or len({id(e.call) for e in writes}) < 2:
            continue
        ways = [function, *function.callers, *(c for f in function.callers for c in f.callers)]
        if _WHOLE.search(function.title + module.path) or any(
            (f.file, f.title) in whole
            or (f.file, f.name) in whole
            or any(e.kind in ("tx", "commit") for e in f.reach)
            for f in ways
        ):
            continue
        first, last = writes[0], writes[-1]
        return Hit(
            module.path, first.call.line,
            f"{function.title or 'a module'} writes {first.table} and {last.table} one by one, outside of any",
        )  # fmt: skip
    return None


ITEM = Item("data_consistency", "Data consistency", judge)
