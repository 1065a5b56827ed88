"""Generates the shop that is tortured: the blueprint as it is, but impatient.

A saga soon gives up a step, a snapshot is taken every other event, jobs are tried again soon and a
scheduled one is due every minute. And there are two workers for notifications.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
STYLES = ("orchestration", "choreography")
TIMEOUT = 1.0
ATTEMPTS = 3
GIVES_UP = TIMEOUT * (2**ATTEMPTS - 1)  # each attempt waits twice as long as the one before
LEASE = 2.0  # seconds until a job is taken from a worker that is away

CHANGES = (
    ("        event_sourced: true\n", "        event_sourced: true\n        snapshot_every: 2\n"),
    ('        schedule: "0 3 * * *"\n', '        schedule: "* * * * *"\n'),
    (
        "        attempts: 5\n        backoff: {type: exponential, delay: 2s}\n",
        "        attempts: 5\n        backoff: {type: exponential, delay: 300ms}\n",
    ),
)
ORCHESTRATED = (
    "    style: orchestration\n",
    f"    style: orchestration\n    timeout: {TIMEOUT:.0f}s\n    attempts: {ATTEMPTS}\n",
)
SECOND_WORKER = (
    "notifications-worker-2: PORT=$NOTIFICATIONS_WORKER_2_PORT "
    "DATABASE_URL=$NOTIFICATIONS_DATABASE_URL exec python -m notifications.worker\n"
)


def generate(folder: Path, style: str) -> Path:
    """The project in `folder`, which must be new. Raises RuntimeError when archgen refuses."""
    _archgen("new", "shop", str(folder), "--defaults", "--data", f"style={style}")
    description = folder / "system.yaml"
    text = description.read_text("utf-8")
    for old, new in (*CHANGES, *((ORCHESTRATED,) if style == "orchestration" else ())):
        assert text.count(old) == 1, f"the blueprint looks different now: {old}"
        text = text.replace(old, new)
    description.write_text(text, "utf-8")
    _archgen("architect", "run", str(description))
    with (folder / "Procfile").open("a", encoding="utf-8") as procfile:
        procfile.write(SECOND_WORKER)
    with (folder / ".env.example").open("a", encoding="utf-8") as env:
        env.write("NOTIFICATIONS_WORKER_2_PORT=9998\n")
    return folder


def _archgen(*arguments: str) -> None:
    command = [sys.executable, "-m", "archgen", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    # 1 says that the audit found something, which is no matter here.
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
