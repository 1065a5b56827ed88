"""Suppressions: what hides a finding, what does not, and that each says why and until when."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from archgen.checklist import Audit, audit
from archgen.errors import ArchgenError
from archgen.rules.marks import State
from archgen.rules.model import Severity, Verdict
from archgen.triage.listed import NAME
from tests.triage.projects import PLACE, naive

TODAY = date(2026, 11, 26)
SEND = '    await producer.send("orders", order)'
GOOD = "archgen: ignore[DTC-001] until=2027-01-31 because the relay comes in January"


def _audit(root: Path) -> Audit:
    return audit(root, today=TODAY)


def _rules(result: Audit) -> set[str]:
    return {f.rule for f in result.findings}


def _states(result: Audit) -> list[State]:
    return [one.state for one in result.suppressions]


@pytest.mark.parametrize(
    "place",
    [
        PLACE.replace(SEND, f"{SEND}  # {GOOD}"),
        PLACE.replace(SEND, f"    # {GOOD}\n{SEND}"),
        PLACE.replace(SEND, f"    # {GOOD}\n    # more words\n{SEND}"),
        PLACE.replace(SEND, f"    # {GOOD.replace('[DTC-001]', '[DTC-001, RES-001]')}\n{SEND}"),
    ],
    ids=["behind", "above", "above a comment", "two rules"],
)
def test_a_comment_hides_the_finding_of_its_line(tmp_path: Path, place: str) -> None:
    result = _audit(naive(tmp_path, place=place))
    assert "DTC-001" not in _rules(result)
    assert "RES-001" in _rules(result)
    (hidden,) = result.suppressed
    assert hidden.suppressed is not None
    assert (hidden.suppressed.reason, hidden.suppressed.until) == (
        "the relay comes in January",
        date(2027, 1, 31),
    )
    assert result.suppressions[0].state is State.ACTIVE


@pytest.mark.parametrize(
    "place",
    [
        PLACE.replace(SEND, f'    """{GOOD}"""\n{SEND}'),
        PLACE.replace(SEND, f'    x = "# {GOOD}"\n{SEND}'),
        PLACE.replace("    session.add", f"    # {GOOD}\n    session.add"),
        PLACE.replace(SEND, f"    # {GOOD}\n\n{SEND}"),
        f"# {GOOD}\n{PLACE}",
    ],
    ids=["docstring", "string", "another line", "blank between", "top of the file"],
)
def test_what_is_elsewhere_or_no_comment_hides_nothing(tmp_path: Path, place: str) -> None:
    result = _audit(naive(tmp_path, place=place))
    assert "DTC-001" in _rules(result)
    assert not result.suppressed
    assert set(_states(result)) <= {State.UNUSED}


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        ("archgen: ignore", "name the rules in brackets"),
        ("archgen: ignore[]", "name the rules in brackets"),
        ("archgen: ignore[DTC-001]", "say until when, as in until=2027-02-24"),
        ("archgen: ignore[DTC-001] until=2027-01-31", "say why"),
        ("archgen: ignore[DTC-001] until=2027-01-31 because", "say why"),
        ("archgen: ignore[DTC-001] because x", "say until when"),
        ("archgen: ignore[DTC-001] until=soon because x", "'soon' is no day"),
        ("archgen: ignore[DTC-001] until=2027-02-30 because x", "'2027-02-30' is no day"),
        ("archgen: ignore[DTC-001] until=2029-01-31 because x", "too far off"),
        ("archgen: ignore[DTC-01] until=2027-01-31 because x", "did you mean DTC-001?"),
        ("archgen: ignore[DTC-E01] until=2027-01-31 because x", "is evidence"),
        ("archgen: ignore[saga] until=2027-01-31 because x", "is an item"),
    ],
)
def test_a_comment_that_lacks_something_hides_nothing_and_is_told(
    tmp_path: Path, comment: str, problem: str
) -> None:
    result = _audit(naive(tmp_path, place=PLACE.replace(SEND, f"{SEND}  # {comment}")))
    assert "DTC-001" in _rules(result)
    (one,) = result.suppressions
    assert one.state is State.INVALID
    assert problem in one.problem
    assert (one.file, one.line) == ("orders/place.py", 8)


def test_its_last_day_counts_and_the_day_after_does_not(tmp_path: Path) -> None:
    root = naive(tmp_path, place=PLACE.replace(SEND, f"{SEND}  # {GOOD}"))
    assert "DTC-001" not in _rules(audit(root, today=date(2027, 1, 31)))
    late = audit(root, today=date(2027, 2, 1))
    assert "DTC-001" in _rules(late)
    assert _states(late) == [State.EXPIRED]
    assert late.idle[0].told() == "the suppression of DTC-001 expired on 2027-01-31"


def test_a_suppression_without_a_finding_is_told_with_its_place(tmp_path: Path) -> None:
    root = naive(tmp_path)
    main = root / "payments" / "main.py"
    main.write_text(main.read_text() + f"# {GOOD}\n")
    (one,) = _audit(root).idle
    assert (one.state, one.file, one.line) == (State.UNUSED, "payments/main.py", 3)


def test_a_comment_covers_its_line_and_no_line_of_another_file(tmp_path: Path) -> None:
    root = naive(tmp_path)
    main = root / "payments" / "main.py"
    main.write_text("import uvicorn\n" + "x = 1\n" * 6 + f"uvicorn.run('app')  # {GOOD}\n")
    assert "DTC-001" in _rules(_audit(root))


def _listed(root: Path, text: str) -> Path:
    (root / NAME).write_text(text)
    return root


def _entries(rules: list[str]) -> str:
    return "".join(f"  - {{rule: {rule}, reason: accepted, until: 2027-01-31}}\n" for rule in rules)


ENTRY = "suppressions:\n  - {{rule: {}, path: '{}', reason: the relay comes, until: 2027-01-31}}\n"


@pytest.mark.parametrize(
    ("path", "hides"),
    [
        ("", True),
        ("orders/**", True),
        ("orders", True),
        ("./orders/place.py", True),
        ("*.py", True),
        ("place.py", True),
        ("order/*", False),
        ("payments/**", False),
        ("/place.py", False),
    ],
)
def test_the_file_hides_by_path_as_a_gitignore_does(tmp_path: Path, path: str, hides: bool) -> None:
    result = _audit(_listed(naive(tmp_path), ENTRY.format("DTC-001", path)))
    assert ("DTC-001" not in _rules(result)) is hides
    assert _states(result) == [State.ACTIVE if hides else State.UNUSED]
    assert (result.suppressions[0].file, result.suppressions[0].line) == (NAME, 2)


def test_verdict_and_score_leave_suppressed_findings_out_and_both_are_shown(tmp_path: Path) -> None:
    before = _audit(naive(tmp_path))
    after = _audit(_listed(tmp_path, f"suppressions:\n{_entries(sorted(_rules(before)))}"))
    assert not after.findings
    assert len(after.suppressed) == len(before.findings)
    assert [item.counted for item in after.items] == [item.verdict for item in before.items]
    assert after.counted_score == before.score


def test_a_failed_item_is_accepted_by_its_id_and_stays_failed(tmp_path: Path) -> None:
    result = _audit(_listed(naive(tmp_path), ENTRY.format("observability", "")))
    item = next(i for i in result.items if i.id == "observability")
    assert item.verdict is Verdict.FAIL
    assert item.accepted is not None
    assert not item.decides


def test_what_is_idle_counts_expired_more_than_unused(tmp_path: Path) -> None:
    root = naive(tmp_path)
    listed = _entries(sorted(_rules(_audit(root))))
    _listed(root, f"suppressions:\n{listed}")
    assert _audit(root).worst() is Severity.ERROR
    listed += _entries([i.id for i in _audit(root).items if i.verdict is Verdict.FAIL])
    _listed(root, f"suppressions:\n{listed}")
    assert _audit(root).worst() is None
    _listed(root, f"suppressions:\n{listed}  - {{rule: EVS-004, reason: x, until: 2027-01-31}}\n")
    assert _audit(root).worst() is Severity.NOTE
    _listed(root, f"suppressions:\n{listed}  - {{rule: EVS-004, reason: x, until: 2026-11-01}}\n")
    assert _audit(root).worst() is Severity.WARNING


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        ("suppressions: [", 2, "", "not YAML"),
        ("a: b: c", 1, "", "not YAML"),
        ("- 1\n", 1, "", "a mapping is expected"),
        ("ignore: []\n", 1, "ignore", "unknown key"),
        ("suppressions: yes\n", 1, "suppressions", "a list is expected"),
        ("suppressions:\n  - DTC-001\n", 2, "suppressions[0]", "are expected"),
        (
            "suppressions:\n  - {rule: DTC-001, until: 2027-01-31}\n",
            2,
            "suppressions[0]",
            "reason is missing",
        ),
        (
            "suppressions:\n  - {rule: DTC-001, reason: '', until: 2027-01-31}\n",
            2,
            "suppressions[0]",
            "reason",
        ),
        ("suppressions:\n  - {rule: DTC-001, reason: x}\n", 2, "suppressions[0]", "until is missing"),
        ("suppressions:\n  - {reason: x, until: 2027-01-31}\n", 2, "suppressions[0]", "rule is missing"),
        (
            "suppressions:\n  - rule: DTC-001\n    reason: x\n    until: soon\n",
            4,
            "suppressions[0].until",
            "is no day",
        ),
        (
            "suppressions:\n  - rule: DTC-001\n    reason: x\n    until: 2030-01-01\n",
            4,
            "suppressions[0].until",
            "too far off",
        ),
        (
            "suppressions:\n  - rule: DTC-01\n    reason: x\n    until: 2027-01-31\n",
            2,
            "suppressions[0].rule",
            "did you mean DTC-001?",
        ),
        (
            "suppressions:\n  - rule: DTC-001\n    reason: [x]\n    until: 2027-01-31\n",
            3,
            "suppressions[0].reason",
            "a text is expected",
        ),
        (
            "suppressions:\n  - rule: DTC-001\n    reason: x\n    until: 2027-01-31\n    paht: a\n",
            5,
            "suppressions[0].paht",
            "unknown key",
        ),
        (
            "suppressions:\n  - rule: DTC-001\n    reason: x\n    until: 2027-01-31\n    path: '!a'\n",
            5,
            "suppressions[0].path",
            "no pattern",
        ),
    ],
)
def test_a_broken_file_is_refused_with_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, message: str
) -> None:
    with pytest.raises(ArchgenError) as caught:
        _audit(_listed(naive(tmp_path), text))
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (line, key)
    assert message in problem.message
    assert problem.file.endswith(NAME)


def test_all_problems_of_the_file_are_told_at_once(tmp_path: Path) -> None:
    text = "suppressions:\n  - {rule: A}\n  - {rule: DTC-001, reason: x, until: never}\nother: 1\n"
    with pytest.raises(ArchgenError) as caught:
        _audit(_listed(naive(tmp_path), text))
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    "text", [b"", b"# nothing\n", b"suppressions:\n", b"suppressions: []\n", b"\xef\xbb\xbf"]
)
def test_a_file_without_suppressions_is_no_error(tmp_path: Path, text: bytes) -> None:
    (naive(tmp_path) / NAME).write_bytes(text)
    assert not _audit(tmp_path).suppressions


@pytest.mark.parametrize("text", [b"\xff\xfe\0", b"a: &a [*a, *a]\nb: *c\n", b"[" * 5000, b"\0"])
def test_a_file_that_cannot_be_read_is_a_clear_word(tmp_path: Path, text: bytes) -> None:
    (naive(tmp_path) / NAME).write_bytes(text)
    with pytest.raises(ArchgenError, match=r"not YAML|not UTF-8"):
        _audit(tmp_path)


def test_a_folder_in_its_place_is_a_clear_word(tmp_path: Path) -> None:
    (naive(tmp_path) / NAME).mkdir()
    with pytest.raises(ArchgenError, match="not a file"):
        _audit(tmp_path)
