"""Services that wait for each other in a circle."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.communication_patterns.waits import between, waits
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    graph = waits(facts)
    told: set[frozenset[str]] = set()
    for source in sorted(graph):
        for target in sorted(graph[source]):
            back = between(graph, target, source)
            circle = frozenset((source, *back))
            if back and circle not in told:
                told.add(circle)
                edge = graph[source][target]
                path = " → ".join((source, *back))
                yield Hit(edge.file, edge.line, f"each waits for the next: {path}", edge.strength)


_ASKS = """
import requests
def ask():
    return requests.get('http://{0}:80/x', timeout=1)
"""


def _service(name: str, asks: str, mark: str = "") -> dict[str, str]:
    code = _ASKS.format(asks) if asks else "\nx = 1\n"
    return {
        f"{name}/requirements.txt": "",
        f"{name}/main.py": "from flask import Flask\napp = Flask('a')\n",
        f"{name}/client.py": code.replace("timeout=1)", f"timeout=1){mark}"),
    }


_TS = """
import axios from 'axios';
export const ask = () => axios.get(`http://{0}/x`, {{ timeout: 1 }});{1}
"""


def _app(name: str, asks: str, mark: str = "") -> dict[str, str]:
    return {
        f"{name}/package.json": "{}",
        f"{name}/src/main.ts": "app.listen(3000);\n",
        f"{name}/src/client.ts": _TS.format(asks, mark) if asks else "export const x = 1;\n",
    }


RULE = Rule(
    id="COM-002",
    item="communication_patterns",
    kind="defect",
    severity=Severity.WARNING,
    title="Circle of waiting services",
    why="When one of them is slow all are, none can be started or deployed first, and retries multiply.",
    remedy="Turn one call of the circle into a message, or move what both need to where it is asked from.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", {**_service("orders", "payments"), **_service("payments", "")}),
        Sample("typescript", {**_app("orders", "payments"), **_app("payments", "")}),
    ),
    invalid=(
        Sample("python", {**_service("orders", "payments", "  # <-"), **_service("payments", "orders")}),
        Sample("typescript", {**_app("orders", "payments", " // <-"), **_app("payments", "orders")}),
    ),
    check=check,
)
