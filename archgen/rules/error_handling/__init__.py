"""Is every failure answered, tried again or put aside, and none lost?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict, missing


def judge(seen: Seen) -> Judgement:
    hears = seen.facts.has("consumer")
    calls = any(e.kind == "remote" for _, f in seen.facts.program.functions() for e in f.effects)
    parts = {"errors mapped to answers": seen.shows("ERR-E01")}
    if calls or hears:
        parts["retries with backoff"] = seen.shows("ERR-E02")
    if hears:
        parts["dead letters"] = seen.shows("ERR-E03")
    errors = seen.errors()
    but = f"; {errors[0].message}" if errors else ""
    if not any(parts.values()) and not seen.shows("ERR-E04", "ERR-E05"):
        if not seen.facts.services and not grounds.library(seen.facts):
            return Judgement(Verdict.UNKNOWN, "no service was recognised")
        return Judgement(Verdict.FAIL, f"no {missing(parts)} were found{but}", grounds.starts(seen.facts))
    if all(parts.values()) and not errors:
        return Judgement(Verdict.PASS, f"{', '.join(parts)} are in place")
    there = [name for name, has in parts.items() if has]
    if seen.shows("ERR-E05") and not seen.shows("ERR-E01"):
        there.insert(0, "answers to some errors")
    there = there or ["fallbacks"]
    lacks = f", but no {missing(parts)}" if not all(parts.values()) else ""
    return Judgement(Verdict.PARTIAL, f"{', '.join(there)} are in place{lacks}{but}")


ITEM = Item("error_handling", "Error handling", judge)
