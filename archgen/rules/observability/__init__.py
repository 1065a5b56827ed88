"""Can one see from outside what the system does, and is somebody called when it stops?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict, missing


def judge(seen: Seen) -> Judgement:
    parts = {
        "metrics": seen.shows("OBS-E01"),
        "traces": seen.shows("OBS-E02"),
        "alerts": seen.shows("OBS-E03"),
        "health checks": seen.shows("OBS-E04"),
    }
    errors = seen.errors()
    if not any(parts.values()):
        if not seen.facts.services and not grounds.library(seen.facts):
            return Judgement(Verdict.UNKNOWN, "no service was recognised")
        return Judgement(
            Verdict.FAIL, "no metrics, traces, alerts or health checks were found", grounds.starts(seen.facts)
        )
    if all(parts.values()) and not errors:
        return Judgement(Verdict.PASS, "metrics, traces, alerts and health checks are in place")
    there = [name for name, has in parts.items() if has]
    lacks = f", but no {missing(parts)}" if not all(parts.values()) else ""
    but = f"; {errors[0].message}" if errors else ""
    return Judgement(Verdict.PARTIAL, f"{', '.join(there)} are in place{lacks}{but}")


ITEM = Item("observability", "Observability", judge)
