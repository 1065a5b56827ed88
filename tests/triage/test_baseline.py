"""The baseline: what was known does not count, what is new does, what was fixed leaves it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.checklist import Audit, audit
from archgen.errors import ArchgenError
from archgen.rules.marks import Mark
from archgen.triage.baseline import Baseline, compare, dump, load
from tests.triage.projects import MAIN, PLACE, naive


def _based(root: Path, file: Path) -> Audit:
    return audit(root, baseline=file)


@pytest.fixture
def old(tmp_path: Path) -> tuple[Path, Path]:
    """The naive project and its baseline."""
    root, file = naive(tmp_path / "shop"), tmp_path / "baseline.jsonl"
    file.write_text(dump(audit(root).marks()), "utf-8")
    return root, file


def test_what_was_known_decides_nothing_and_verdicts_stay(old: tuple[Path, Path]) -> None:
    root, file = old
    result = _based(root, file)
    assert result.findings
    assert all(f.known for f in result.findings)
    assert result.worst() is None
    assert not result.fixed
    assert [i.verdict for i in result.items] == [i.verdict for i in audit(root).items]


def test_new_findings_come_first_and_decide(old: tuple[Path, Path]) -> None:
    root, file = old
    naive(root, place=PLACE + '    await producer.send("mails", order)\n')
    (root / "orders" / "more.py").write_text(PLACE.replace("place", "more"))
    (root / "orders" / "main.py").write_text(MAIN.replace("place\n", "place\nfrom more import more\n", 1))
    result = _based(root, file)
    new = [f for f in result.findings if not f.known]
    assert {("DTC-001", "orders/more.py")} <= {(f.rule, f.file) for f in new}
    assert all(f.file == "orders/more.py" for f in new)
    for item in result.items:
        assert [f.known for f in item.findings] == sorted(f.known for f in item.findings)


def test_fixed_findings_are_told_so_that_it_shrinks(old: tuple[Path, Path]) -> None:
    root, file = old
    naive(root, place=PLACE.replace('    await producer.send("orders", order)\n', ""))
    result = _based(root, file)
    assert "DTC-001" in {mark.rule for mark in result.fixed}
    assert len(dump(result.marks()).splitlines()) < len(file.read_text().splitlines())


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda root: (root / "orders").rename(root / "ordering"), "a renamed folder"),
        (lambda root: naive(root, place="# x\n" * 30 + PLACE), "shifted lines"),
        (lambda root: naive(root, place=PLACE.replace('"orders", order', '"orders", order, 7')), "an edit"),
    ],
    ids=["folder", "lines", "statement"],
)
def test_a_moved_or_edited_finding_is_still_known(old: tuple[Path, Path], change: object, key: str) -> None:
    root, file = old
    change(root)  # type: ignore[operator]
    result = _based(root, file)
    assert [f for f in result.findings if not f.known and f.line] == []


def test_the_file_is_sorted_a_line_each_without_line_numbers(old: tuple[Path, Path]) -> None:
    lines = old[1].read_text().splitlines()
    assert json.loads(lines[0]) == {"archgen-baseline": 1}
    entries = [json.loads(line) for line in lines[1:]]
    assert {"item": "saga", "verdict": "fail"} in entries
    marks = [entry for entry in entries if "rule" in entry]
    assert marks == sorted(marks, key=lambda e: (e["file"], e["rule"], e["text"], e["n"]))
    assert {
        "file": "orders/place.py",
        "rule": "DTC-001",
        "in": "place",
        "text": 'await producer.send("orders",order)',
        "n": 0,
    } in marks


def test_two_branches_that_change_it_merge_in_git(tmp_path: Path) -> None:
    marks = [Mark("DTC-001", f"s{n}/a.py", "f", f"x{n}") for n in range(0, 90, 3)]
    base, ours, theirs = (tmp_path / name for name in ("base", "ours", "theirs"))
    base.write_text(dump(Baseline(tuple(marks))))
    ours.write_text(dump(Baseline((*marks[1:], Mark("DTC-001", "s10/a.py", "f", "x")))))
    theirs.write_text(dump(Baseline((*marks[:-1], Mark("DTC-001", "s70/a.py", "f", "x")))))
    merged = subprocess.run(["git", "merge-file", "-p", ours, base, theirs], capture_output=True, check=True)
    ours.write_bytes(merged.stdout)
    assert len(load(ours).marks) == len(marks)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 0, "is empty"),
        ("{}\n", 1, "its first line is missing"),
        ("hello\n", 1, "its first line is missing"),
        ('{"archgen-baseline": 2}\n', 1, "version 2"),
        ('{"archgen-baseline": 1}\nhello\n', 2, "not JSON"),
        ('{"archgen-baseline": 1}\n{"rule": 1}\n', 2, "rule, file, in and text"),
        ('{"archgen-baseline": 1}\n[]\n', 2, "rule, file, in and text"),
        ('{"archgen-baseline": 1}\n<<<<<<< HEAD\n', 2, "a merge left its markers"),
        ('{"archgen-baseline": 1}\n' + "[" * 100_000 + "\n", 2, "not JSON"),
    ],
)
def test_a_broken_baseline_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    file = tmp_path / "b.jsonl"
    file.write_text(text)
    with pytest.raises(ArchgenError) as caught:
        audit(naive(tmp_path / "shop"), baseline=file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.file) == (line, str(file))
    assert message in problem.message


def test_a_baseline_that_is_not_there_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(ArchgenError, match="--write-baseline"):
        load(tmp_path / "nowhere")


def test_binary_and_folders_are_a_clear_word(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"\xff\xfe\0")
    with pytest.raises(ArchgenError, match="not UTF-8"):
        load(tmp_path / "b")
    with pytest.raises(ArchgenError, match="cannot be read"):
        load(tmp_path)


_MARKS = st.builds(
    Mark,
    rule=st.sampled_from(["DTC-001", "RES-001"]),
    file=st.sampled_from(["a.py", "b/a.py", "c.py", "ü \n.py", "\udcff.py"]),
    owner=st.sampled_from(["", "f", "A.g"]),
    text=st.sampled_from(["", "f()", 'g("é\u2028")', "h(\x00)"]),
    number=st.integers(0, 2),
)


@given(st.lists(_MARKS, unique=True, max_size=12), st.sets(st.sampled_from(["saga", "job_queues"])))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, marks: list[Mark], failed: set[str]
) -> None:
    file = tmp_path_factory.mktemp("b") / "b.jsonl"
    baseline = Baseline(tuple(marks), frozenset(failed))
    file.write_text(dump(baseline), "utf-8")
    again = load(file)
    assert (set(again.marks), again.failed) == (set(marks), frozenset(failed))
    assert dump(again) == dump(baseline)


# No two findings of one audit share a fingerprint.
_AUDITS = st.lists(_MARKS, unique_by=lambda mark: mark.fingerprint, max_size=12)


@given(_AUDITS, _AUDITS)
def test_each_entry_answers_for_one_finding_at_most(before: list[Mark], now: list[Mark]) -> None:
    known, gone = compare(Baseline(tuple(before)), now)
    assert sum(known) + len(gone) == len(before)
    same = {mark.fingerprint for mark in before}
    assert all(known[n] for n, mark in enumerate(now) if mark.fingerprint in same)


@given(_AUDITS)
def test_nothing_changed_means_all_known_and_nothing_fixed(marks: list[Mark]) -> None:
    assert compare(Baseline(tuple(marks)), reversed(marks)) == ([True] * len(marks), ())
