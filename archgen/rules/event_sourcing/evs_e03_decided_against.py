"""A record that says why event sourcing is not used."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity

_AGAINST = re.compile(
    r"(do(es)? not|don't|won't|not to|decided against|reject(ed)?|no)\b[^.\n]{0,60}\bevent[- ]sourc|"
    r"event[- ]sourc\w*[^.\n]{0,40}\b(rejected|not adopted|not used|declined)",
    re.I,
)


def check(facts: Facts) -> Iterable[Hit]:
    for decision in facts.of("decision", at_least=Strength.CLAIMED):
        match = _AGAINST.search(str(decision["text"]))
        if match:
            line = str(decision["text"]).count("\n", 0, match.start()) + 1
            yield Hit(decision.file, line, "event sourcing was decided against", decision.strength)


RULE = Rule(
    id="EVS-E03",
    item="event_sourcing",
    kind="evidence",
    severity=Severity.NOTE,
    title="Decided against",
    why=(
        "Most aggregates are better off without event sourcing; saying so once spares everybody "
        "the question."
    ),
    remedy="Record the decision with its reason.",
    languages=("docs",),
    valid=(
        Sample("docs", {
            "a.py": "x = 1\n",
            "docs/adr/0003-state.md": """
                # State

                We do not use event sourcing: nobody asks for history. <-
            """,
        }),
    ),
    invalid=(
        Sample("docs", {
            "a.py": "x = 1\n",
            "README.md": "We do not use event sourcing.\n",
        }),
    ),
    check=check,
)  # fmt: skip
