"""A request that waits for a chain of services, or for a crowd of them."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.communication_patterns.waits import longest, waits
from archgen.rules.model import Hit, Rule, Sample, Severity

_DEEPEST = 3
_WIDEST = 7
_LARGEST = 60  # beyond this many services every chain is no longer walked


def check(facts: Facts) -> Iterable[Hit]:
    graph = waits(facts)
    for source in sorted(graph):
        peers = graph[source]
        if len(peers) > _WIDEST:
            edge = peers[min(peers)]
            yield Hit(edge.file, edge.line, f"{source} waits for {len(peers)} services", edge.strength)
    entered = {target for peers in graph.values() for target in peers}
    for source in sorted(set(graph) - entered) if len(graph) <= _LARGEST else ():
        chain = longest(graph, source)
        if len(chain) - 1 > _DEEPEST:
            edge = graph[source][chain[1]]
            message = f"{len(chain) - 1} services wait one for the other: {' → '.join(chain)}"
            yield Hit(edge.file, edge.line, message, edge.strength)


def _chain(*names: str, mark: str = "") -> dict[str, str]:
    files: dict[str, str] = {}
    for name, asks in zip(names, (*names[1:], ""), strict=True):
        code = (
            f"import requests\ndef ask():\n    requests.get('http://{asks}/x', timeout=1){mark}\n"
            if asks
            else ""
        )
        files |= {
            f"{name}/requirements.txt": "",
            f"{name}/main.py": "from flask import Flask\napp = Flask('a')\n",
            f"{name}/client.py": code,
        }
        mark = ""
    return files


def _apps(*names: str, mark: str = "") -> dict[str, str]:
    files: dict[str, str] = {}
    for name, asks in zip(names, (*names[1:], ""), strict=True):
        code = (
            f"import axios from 'axios';\nexport const a = () => axios.get('http://{asks}/x');{mark}\n"
            if asks
            else ""
        )
        files |= {
            f"{name}/package.json": "{}",
            f"{name}/src/main.ts": "app.listen(3000);\n",
            f"{name}/src/client.ts": code,
        }
        mark = ""
    return files


_FIVE = ("web", "orders", "stock", "suppliers", "customs")
RULE = Rule(
    id="COM-003",
    item="communication_patterns",
    kind="defect",
    severity=Severity.WARNING,
    title="Long chain of waiting services",
    why="The chain is up only while every link is, and as slow as all of them together.",
    remedy="Keep a copy of what is asked for, or send a message where the answer is not needed at once.",
    languages=("python", "typescript"),
    valid=(Sample("python", _chain(*_FIVE[1:])), Sample("typescript", _apps(*_FIVE[1:]))),
    invalid=(
        Sample("python", _chain("bff", *_FIVE[1:], mark="  # <-")),
        Sample("typescript", _apps("bff", *_FIVE[1:], mark=" // <-")),
    ),
    check=check,
)
