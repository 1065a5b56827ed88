"""How much may be lost and how long it may take, in numbers."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity

_NUMBER = re.compile(r"\d+\s*(s|sec|seconds?|m|min|minutes?|h|hours?|days?)\b|\b\d+[smhd]\b", re.IGNORECASE)


def check(facts: Facts) -> Iterable[Hit]:
    for topic in facts.of("doc.topic", at_least=Strength.CLAIMED):
        if topic["topic"] in ("rpo", "rto") and _NUMBER.search(str(topic["text"])) and not topic["planned"]:
            yield Hit(
                topic.file, topic.line, f"{str(topic['topic']).upper()}: {topic['text'][:80]}", topic.strength
            )


RULE = Rule(
    id="DRP-E03",
    item="disaster_recovery",
    kind="evidence",
    severity=Severity.NOTE,
    title="RPO and RTO",
    why="Without a number nobody knows whether an hourly backup is too much or too little.",
    remedy="Agree with the owners how much may be lost and how long it may take, and write it down.",
    languages=("docs",),
    valid=(
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/dr.md": """
                # Recovery

                RPO: 5 minutes <-
            """,
        }),
    ),
    invalid=(
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/dr.md": """
                # Recovery

                TODO: RPO and RTO
            """,
        }),
    ),
    check=check,
)  # fmt: skip
