"""Does a caller stop asking a peer that does not answer?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    facts, errors = seen.facts, seen.errors()
    remote = any(e.kind == "remote" for _, f in facts.program.functions() for e in f.effects)
    but = f"; but {errors[0].message}" if errors else ""
    if seen.shows("RES-E01"):
        return Judgement(
            Verdict.PARTIAL if errors else Verdict.PASS, f"calls to peers go through a breaker{but}"
        )
    if remote:
        limits = ", with a time limit at most" if seen.shows("RES-E02") else ", and no time limit either"
        return Judgement(
            Verdict.FAIL, f"peers are called without a breaker{limits}", grounds.calls(seen.facts)
        )
    if facts.services and facts.has("consumer") and facts.has("publisher"):
        return Judgement(
            Verdict.NOT_APPLICABLE,
            "services only send messages: no call waits for a peer",
            grounds.starts(seen.facts),
        )
    return Judgement(Verdict.UNKNOWN, "no call to a peer was recognised")


ITEM = Item("circuit_breaker", "Circuit breakers", judge)
