"""Is it a choice, edge by edge, whether services wait for each other or send messages?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    waits, sends, argued = seen.shows("COM-E01"), seen.shows("COM-E02"), seen.shows("COM-E03")
    if waits and sends:
        verdict, reason = Verdict.PASS, "both are in use: calls that are awaited, and messages"
    elif sends:
        verdict, reason = (
            (Verdict.PASS if argued or _both_ways(seen) else Verdict.PARTIAL),
            "services talk by messages",
        )
    elif waits:
        verdict, reason = (
            (Verdict.PASS if argued else Verdict.PARTIAL),
            "services only call each other and wait",
        )
    elif len(seen.facts.services) == 1:
        return Judgement(
            Verdict.NOT_APPLICABLE,
            "one deployable that calls no peer and sends no message",
            grounds.starts(seen.facts),
        )
    elif grounds.library(seen.facts):
        return Judgement(Verdict.NOT_APPLICABLE, "a library that calls no peer and sends no message")
    elif not seen.facts.services:
        return Judgement(Verdict.UNKNOWN, "no service, no call to a peer and no message was recognised")
    else:
        return Judgement(
            Verdict.FAIL, "no call between services and no message was found", grounds.starts(seen.facts)
        )
    if verdict is Verdict.PARTIAL:
        reason += ", and the choice is not argued anywhere"
    elif argued:
        reason += "; the choice is argued"
    if verdict is Verdict.PASS and seen.errors():
        return Judgement(Verdict.PARTIAL, f"{reason}; but {seen.errors()[0].message}")
    return Judgement(verdict, reason)


def _both_ways(seen: Seen) -> bool:
    """Messages between services, and HTTP at the edge: then the choice is visible."""
    consumers, routes = seen.facts.has("consumer"), seen.facts.has("route")
    one = len(seen.facts.services) == 1
    return consumers and routes and (one or seen.facts.has("publisher"))


ITEM = Item("communication_patterns", "Communication patterns", judge)
