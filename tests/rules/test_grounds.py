"""What a verdict rests on when there is nothing to see."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.checklist import audit
from archgen.rules.model import Severity, Verdict

_BRIDGE = "".join(f"def step_{n}(message):\n    return message + {n}\n\n" for n in range(60))
_ITEMS = ("data_consistency", "disaster_recovery")


def _verdicts(root: Path, more: str = "", compose: str = "") -> set[Verdict]:
    (root / "Dockerfile").write_text('FROM python:3\nCMD ["python", "main.py"]\n', encoding="utf-8")
    code = f"import uvicorn\n\n{_BRIDGE}{more}\nuvicorn.run('app')\n"
    (root / "main.py").write_text(code, encoding="utf-8")
    if compose:
        (root / "compose.yaml").write_text(compose, encoding="utf-8")
    return {item.verdict for item in audit(root).items if item.id in _ITEMS}


def test_what_keeps_nothing_has_nothing_to_lose(tmp_path: Path) -> None:
    assert _verdicts(tmp_path) == {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("more", "compose"),
    [
        ("def keep(text):\n    with open('state', 'w') as file:\n        file.write(text)\n", ""),
        ("def keep(text):\n    Path('state').write_text(text)\n", ""),
        ("import sqlalchemy\n", ""),
        ("import boto3\n", ""),
        ("def keep(conn):\n    conn.execute('INSERT INTO a VALUES (1)')\n", ""),
        ("", "services:\n  queue:\n    image: rabbitmq:4\n"),
        ("", "services:\n  db:\n    image: postgres:17\n"),
    ],
)
def test_what_may_keep_something_is_judged(tmp_path: Path, more: str, compose: str) -> None:
    assert Verdict.NOT_APPLICABLE not in _verdicts(tmp_path, more, compose)


def test_of_little_code_nothing_follows(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import uvicorn\nuvicorn.run('app')\n", encoding="utf-8")
    (tmp_path / "Procfile").write_text("web: python main.py\n", encoding="utf-8")
    verdicts = {item.verdict for item in audit(tmp_path).items if item.id in _ITEMS}
    assert Verdict.NOT_APPLICABLE not in verdicts


_ONE_EACH = """
import sqlite3
db = sqlite3.connect("shop.db")
def open_(id):
    db.execute("INSERT INTO orders (id) VALUES (?)", (id,))
def rename(id, name):
    if name:
        db.execute("UPDATE orders SET name = ? WHERE id = ?", (name, id))
    else:
        db.execute("UPDATE orders SET name = NULL WHERE id = ?", (id,))
def close(id):
    db.execute("DELETE FROM orders WHERE id = ?", (id,))
"""


def test_an_operation_of_one_change_is_whole_by_itself(tmp_path: Path) -> None:
    _verdicts(tmp_path, _ONE_EACH)
    judged = next(item for item in audit(tmp_path).items if item.id == "data_consistency")
    assert (judged.verdict, judged.reason) == (
        Verdict.PASS,
        "each of 3 functions that write makes one change, which the store keeps as a whole",
    )


@pytest.mark.parametrize(
    "more",
    [
        'def both(id):\n    open_(id)\n    db.execute("UPDATE stock SET n = n - 1")\n',  # two changes
        'def note(text):\n    open("notes", "w").write(text)\n',  # another store
        "import boto3\n",  # what another store may do is not known
    ],
)
def test_two_changes_are_not_whole_by_themselves(tmp_path: Path, more: str) -> None:
    _verdicts(tmp_path, _ONE_EACH + more)
    judged = next(item for item in audit(tmp_path).items if item.id == "data_consistency")
    assert judged.verdict is not Verdict.PASS


def test_two_functions_that_write_are_too_few_to_go_by(tmp_path: Path) -> None:
    _verdicts(tmp_path, _ONE_EACH.partition("def close")[0])
    judged = next(item for item in audit(tmp_path).items if item.id == "data_consistency")
    assert judged.verdict is not Verdict.PASS


_PAYS = """
import requests
import sqlite3
db = sqlite3.connect("shop.db")
def pay(id):
    requests.post("https://pay.example.com/payments", json={"order": id}, timeout=3)
    db.execute("UPDATE orders SET paid = 1 WHERE id = ?", (id,))
"""
_SHIPS = '    requests.post("https://ship.example.com/shipments", json={"order": id}, timeout=3)\n'


@pytest.mark.parametrize(
    ("more", "verdict", "severity"),
    [("", Verdict.NOT_APPLICABLE, Severity.WARNING), (_SHIPS, Verdict.FAIL, Severity.ERROR)],
)
def test_one_third_party_makes_no_saga_of_a_single_deployable(
    tmp_path: Path, more: str, verdict: Verdict, severity: Severity
) -> None:
    _verdicts(tmp_path, _PAYS + more)
    judged = next(item for item in audit(tmp_path).items if item.id == "saga")
    assert (judged.verdict, [(f.rule, f.severity) for f in judged.findings]) == (
        verdict,
        [("SAG-001", severity)],
    )
    assert "pay changes a peer (post)" in judged.reason
