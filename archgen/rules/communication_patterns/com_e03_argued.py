"""A recorded decision about how services talk."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity

_REASON = re.compile(
    r"\b(because|so that|trade-?offs?|consequences|rationale|instead of|rather than|in order to)\b",
    re.IGNORECASE,
)


def check(facts: Facts) -> Iterable[Hit]:
    for decision in facts.of("decision", at_least=Strength.CLAIMED):
        text = str(decision["text"])
        if re.search(r"\b(a?synchronous|messag|broker|REST|gRPC|HTTP)", text) and _REASON.search(text):
            yield Hit(decision.file, 1, "the choice of communication is argued", decision.strength)


RULE = Rule(
    id="COM-E03",
    item="communication_patterns",
    kind="evidence",
    severity=Severity.NOTE,
    title="The choice is argued",
    why="A choice without its reason is copied where the reason does not hold.",
    remedy="Write an architecture decision record: which edges wait, which send messages, and why.",
    languages=("docs",),
    valid=(
        Sample("docs", {
            "docs/adr/0002-messaging.md": """
                # <- Messaging

                Services use asynchronous messages because payments are slow.
            """,
            "a.py": "x = 1\n",
        }),
    ),
    invalid=(
        Sample("docs", {
            "README.md": "We use asynchronous messages because they scale.\n",
            "a.py": "x = 1\n",
        }),
    ),
    check=check,
)  # fmt: skip
