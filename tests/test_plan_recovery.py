import tomllib

import pytest

from archgen.plan import plan
from archgen.plan_recovery import duration, frequent
from archgen.render import render
from archgen.spec import loads
from tests.commands.test_run import SPEC

PROMISED = SPEC + 'recovery: {rpo: 5m, rto: 30m, backup: "30 1 * * *"}\n'


def files(text: str) -> dict[str, str]:
    made = render(plan(loads(text, "system.yaml")))
    return {file.path: file.contents.decode() for file in made if not file.path.startswith("chassis/")}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(300.0, "5m"), (90.0, "90s"), (7200.0, "2h"), (86400.0, "1d"), (0.5, "0.5s"), (None, "")],
)
def test_durations_are_told_as_people_write_them(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("rpo", "line"),
    [
        (None, ""),
        (30.0, "*/1 * * * *"),
        (300.0, "*/5 * * * *"),
        (420.0, "*/6 * * * *"),  # 7 does not divide an hour, and its last gap would be shorter only
        (3600.0, "0 */1 * * *"),
        (5 * 3600.0, "0 */4 * * *"),
        (86400.0, ""),
    ],
)
def test_copies_are_never_older_than_promised(rpo: float | None, line: str) -> None:
    assert frequent(rpo) == line


def test_the_promises_reach_every_file_that_needs_them() -> None:
    made = files(PROMISED)
    assert tomllib.loads(made["recovery.toml"]) == {
        "system": "tiny",
        "services": ["things"],
        "rpo_seconds": 300.0,
        "rto_seconds": 1800.0,
    }
    crontab = made["scripts/backup.crontab"].splitlines()
    assert any(line.startswith("30 1 * * * ") for line in crontab)
    assert any(line.startswith("*/5 * * * * ") for line in crontab)
    assert "| RPO | 5m |" in made["docs/disaster-recovery.md"]
    assert "include recovery.mk" in made["Makefile"]
    assert "drill" in made["recovery.mk"]
    assert "tests/test_drill.py" in made


def test_without_promises_nothing_is_made_up() -> None:
    made = files(SPEC)
    assert tomllib.loads(made["recovery.toml"]) == {"system": "tiny", "services": ["things"]}
    assert "nothing yet" in made["docs/disaster-recovery.md"]
    assert "frequent" not in made["scripts/backup.crontab"]


def test_without_anything_to_do_there_is_no_drill() -> None:
    made = files("archgen: 1\nsystem: idle\nservices:\n  things: {}\n")
    assert "scripts/drill.py" not in made
    assert "tests/test_drill.py" not in made
    assert "drill" not in made["recovery.mk"]
