"""A finding keeps its fingerprint through edits that leave it what it was, and shares it with no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archgen.checklist import audit
from archgen.triage.fingerprints import statement
from tests.triage.projects import PLACE, naive, write


def _marks(root: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in audit(root).findings:
        found.setdefault(finding.rule, set()).add(finding.fingerprint)
    return found


def _edits() -> list[object]:
    def edit(name: str, *pairs: tuple[str, str]) -> object:
        text = PLACE
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        return pytest.param(text, id=name)

    send = 'producer.send("orders", order)'
    return [
        edit("blank lines", ("\n    session.add", "\n\n\n    session.add")),
        edit(
            "comments", ("    session.add", "    # saves it\n    session.add"), (send, f"{send}  # and tells")
        ),
        edit("renamed function", ("def place", "def put_order")),
        edit("split over lines", (send, 'producer.send(\n        "orders",\n        order,\n    )')),
        edit("other quotes", ('"orders"', "'orders'")),
        edit("other blanks", ('("orders", order)', '( "orders" ,order )')),
        edit("more code below", ("order)\n", "order)\n    return 1\n")),
        edit("another function above", ("async def", "def other():\n    return 1\n\n\nasync def")),
        edit("windows", ("\n", "\r\n")),
    ]


@pytest.mark.parametrize("text", _edits())
def test_edits_that_change_nothing_keep_every_fingerprint(tmp_path: Path, text: str) -> None:
    (tmp_path / "b").mkdir()
    root = naive(tmp_path / "b")
    (root / "orders" / "place.py").write_bytes(text.encode())
    if "put_order" in text:
        (root / "orders" / "main.py").write_text(
            "import uvicorn\nfrom place import put_order\nuvicorn.run('app')\n"
        )
    assert _marks(root) == _marks(naive(tmp_path / "a"))


def test_into_a_class_and_deeper_is_the_same_finding(tmp_path: Path) -> None:
    head, body = PLACE.split("async def")
    inner = ("async def" + body).replace("place(session", "place(self, session").replace("\n", "\n    ")
    moved = naive(tmp_path / "b", place=f"{head}class Desk:\n    {inner}\n")
    assert _marks(moved)["DTC-001"] == _marks(naive(tmp_path / "a"))["DTC-001"]


def test_another_statement_is_another_finding(tmp_path: Path) -> None:
    other = naive(tmp_path / "b", place=PLACE.replace('"orders"', '"invoices"'))
    assert _marks(other)["DTC-001"].isdisjoint(_marks(naive(tmp_path / "a"))["DTC-001"])


def test_no_two_findings_of_an_audit_share_a_fingerprint(tmp_path: Path) -> None:
    twice = PLACE + PLACE.replace("import requests\n", "").replace("def place", "def again")
    found = audit(naive(tmp_path, place=twice)).findings
    prints = [f.fingerprint for f in found]
    assert len([f for f in found if f.rule == "DTC-001"]) == 2
    assert len(set(prints)) == len(prints)
    assert all(len(one) == 32 for one in prints)


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("a.py", "f(a,\n  b,  # c\n)\ng()\n", ("f(a,b)", 3)),
        ("a.py", "x = a // b  # c\n", ("x=a//b", 1)),
        ("a.py", "return await f('a # b')\n", ('return await f("a # b")', 1)),
        ("a.ts", "await f(`a`, {\n  b: 1,\n}); // c\n", ('await f("a",{b:1})', 3)),
        ("a.ts", "this.#x = a; // c\n", ("this.#x=a", 1)),
        ("a.ts", "await tx(async (t) => {\n  await t.x();\n});\n", ("await tx(async(t)=>", 1)),
        ("a.go", "if err := f(ctx); err != nil {\n", ("if err:=f(ctx);err!=nil", 1)),
        ("A.java", "void f() throws E {\n", ("void f()throws E", 1)),
        ("a.yaml", "image: postgres:17 # c\n", ("image:postgres:17", 1)),
        ("Procfile", "web: python -m a # c\n", ("web:python-m a", 1)),
        ("a.py", "f((((\n" * 100, ("f((((" * 40, 40)),
        ("a.py", "", ("", 1)),
    ],
)
def test_statements(file: str, text: str, expected: tuple[str, int]) -> None:
    found, last = statement(text.split("\n"), 1, file)
    assert (found[:200], last) == (expected[0][:200], expected[1])


def test_the_name_of_what_is_defined_on_the_line_is_left_out() -> None:
    assert statement(["async def place(order):"], 1, "a.py", {"place"}) == ("async def _(order)", 1)
    assert statement(["func (s *Shop) Place(o Order) {"], 1, "a.go", {"Place"}) == (
        "func(s*Shop)_(o Order)",
        1,
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    above=st.integers(0, 30),
    between=st.lists(st.sampled_from(["", "# words", "    # more words"]), max_size=5),
    width=st.sampled_from([20, 40, 88, 200]),
    name=st.from_regex(r"[a-z]{3,12}_x", fullmatch=True),
)
def test_shifts_comments_reformats_and_renames_change_no_fingerprint(
    tmp_path_factory: pytest.TempPathFactory, above: int, between: list[str], width: int, name: str
) -> None:
    lines = PLACE.replace("place", name).split("\n")
    lines[5:5] = between
    lines[1:1] = ["x = 1"] * above
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", str(width), "-"],
        input="\n".join(lines), text=True, capture_output=True, check=True,
    ).stdout  # fmt: skip
    changed = naive(tmp_path_factory.mktemp("b"), place=formatted)
    write(changed, {"orders/main.py": f"import uvicorn\nfrom place import {name}\nuvicorn.run('app')\n"})
    assert _marks(changed) == _marks(naive(tmp_path_factory.mktemp("a")))
