"""The model moves as the chassis does: saga log, participants, inboxes and outboxes on real databases."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

from archgen.plan import plan
from archgen.render import render
from archgen.spec import loads
from tests.generated.environment import dependencies, environment
from tests.proof.real import CHASSIS
from tests.proof.traces import as_json, random_shape, walk
from tests.spec.samples import BASE

RUNS = 40
REPLAY = Path(__file__).parent / "replay_chassis.py"


def python() -> Path:
    """An interpreter with what generated projects depend on."""
    files = {file.path: file.contents for file in render(plan(loads(BASE)))}
    return environment(dependencies(files))


def test_the_chassis_follows_the_model() -> None:
    dice = random.Random(20261126)
    runs = [as_json(shape, walk(shape, dice)) for shape in (random_shape(dice) for _ in range(RUNS))]
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
    assert int(done.stdout) == sum(len(run["run"]) for run in runs)
