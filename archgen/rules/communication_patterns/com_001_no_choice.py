"""Services wait for each other, and no document says why."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.communication_patterns.waits import waits
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    if any(
        t["topic"] == "communication" and not t["planned"]
        for t in facts.of("doc.topic", at_least=Strength.CLAIMED)
    ):
        return
    edges = [edge for peers in waits(facts).values() for edge in peers.values()]
    if edges:
        first = min(edges, key=lambda e: (e.file, e.line))
        yield Hit(
            first.file,
            first.line,
            f"{first.source} waits for {first.target}, and no document says why it does not send a message",
            first.strength,
        )


_CODE = {
    "orders/requirements.txt": "",
    "orders/main.py": "from flask import Flask\napp = Flask('a')\n",
    "orders/client.py": "import requests\ndef ask():\n    requests.get('http://payments/x', timeout=1)  # <-\n",
    "payments/requirements.txt": "",
    "payments/main.py": "from flask import Flask\napp = Flask('a')\n",
}
RULE = Rule(
    id="COM-001",
    item="communication_patterns",
    kind="defect",
    severity=Severity.NOTE,
    title="Edge without a choice",
    why="Nobody knows whether the caller needs the answer, or only nobody thought of a message.",
    remedy="Write down, edge by edge, which calls are awaited and which are messages, and why.",
    languages=("docs",),
    valid=(
        Sample(
            "docs",
            {**_CODE, "README.md": "# Shop\n\nOrders asks payments by HTTP, as it needs the answer.\n"},
        ),
    ),
    invalid=(Sample("docs", {**_CODE, "README.md": "# Shop\n\nTODO: HTTP or messages?\n"}),),
    check=check,
)
