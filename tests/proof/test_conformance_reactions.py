"""The model of choreographies moves as the chassis's reactions do, and addresses the same aggregates."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

from archgen.proof.choreographed import Handled, Run, begin, moves
from archgen.proof.tree import Tree
from archgen.spec import loads
from archgen.spec.analysis import Analysis, analyse
from tests.proof.real import CHASSIS
from tests.proof.systems import choreographed
from tests.proof.test_conformance_chassis import python
from tests.proof.test_mistakes_choreographed import SOUND
from tests.proof.test_random_choreographies import TANGLED, UNSOUND

RUNS = 60
REPLAY = Path(__file__).parent / "replay_reactions.py"
OTHER_ID = choreographed(
    *SOUND[:4], "hold.rejected > payments.refund, with: {payment_id: $order_id}", SOUND[5]
)
TEXTS = (choreographed(*SOUND), *(choreographed(*steps) for steps in UNSOUND), *TANGLED, OTHER_ID)


def test_the_chassis_follows_the_model() -> None:
    dice = random.Random(20261126)
    runs = [recorded(TEXTS[number % len(TEXTS)], dice) for number in range(RUNS)]
    assert any(not each["done"] for run in runs for each in run["moves"]), "some events become dead letters"
    ids = [node["id"] for run in runs for each in run["moves"] for node in each["nodes"]]
    unknown = {id for id in ids if not id.startswith(("made by ", "trigger."))}
    assert unknown <= {"some payment_id of Order trigger.order_id"}, "the others are known, and so compared"
    done = subprocess.run(
        [python(), REPLAY],
        input=json.dumps(runs),
        env={**os.environ, "PYTHONPATH": str(CHASSIS), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert int(done.stdout) == sum(len(run["moves"]) for run in runs)


def recorded(text: str, dice: random.Random) -> dict[str, Any]:
    """A random run of the model, and all that the chassis needs to know to follow it."""
    analysis = analyse(loads(text))
    tree = Tree(analysis.choreographies["s"], analysis, "order.created")
    run: Run = begin(tree)
    taken = []
    while choices := list(moves(tree, run)):
        handled, run = dice.choice(choices)
        taken.append(_move(tree, handled))
    return {**_system(analysis, tree), "moves": taken}


def _move(tree: Tree, handled: Handled) -> dict[str, Any]:
    failed = {each.node: each.failed for each in handled.done}
    nodes = [
        {
            "number": number,
            "command": tree.command(tree.nodes[number].step).name,
            "failed": failed.get(number, False),
            "told": tree.told(number, failed.get(number, False)).event,
            "id": tree.nodes[number].target.id,
        }
        for number in handled.group
    ]
    first = tree.nodes[handled.group[0]]
    service = tree.command(first.step).service
    return {"service": service, "because": first.because, "nodes": nodes, "done": bool(handled.done)}


def _system(analysis: Analysis, tree: Tree) -> dict[str, Any]:
    saga = tree.saga
    steps = []
    for step in saga.steps:
        given = {
            name: {"field": source.field} if source.field else {"value": source.value}
            for name, source in step.do.arguments.items()
            if source.kind != "saga_id" and source.field != name
        }
        service = analysis.commands[step.do.command].service
        steps.append(
            {
                "when": step.when,
                "do": step.do.command,
                "service": service,
                "given": given,
                "starts": step.when in saga.starts_on,
            }
        )
    return {
        "start": tree.start,
        "carries": saga.carries,
        "steps": steps,
        "created": sorted((target.aggregate, target.id) for target in tree.created),
        "events": {name: list(event.fields) for name, event in analysis.events.items()},
        "commands": {
            command.name: {
                "aggregate": f"{command.service}.{command.aggregate}",
                "id": command.id_field,
                "takes": list(command.arguments),
                "creates": command.creates,
                "emits": command.emits,
                "fails": command.fails,
            }
            for command in analysis.commands.values()
        },
    }
