"""The table of the design: base against disk against new, one row per case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.base import Record
from archgen.files import File
from archgen.merge import MINE, THEIRS
from archgen.reconcile import Action, Decision, OnDisk, reconcile


def _decide(base: bytes | None, disk: bytes | None, new: bytes | None) -> Decision:
    return reconcile(
        None if base is None else Record.of(base, False),
        None if disk is None else OnDisk(disk),
        None if new is None else File("f", new),
    )


@pytest.mark.parametrize(
    ("base", "disk", "new", "action", "after"),
    [
        (None, None, b"n\n", Action.CREATED, b"n\n"),
        (None, b"n\n", b"n\n", Action.UNCHANGED, b"n\n"),
        (None, b"mine\n", b"n\n", Action.KEPT, b"mine\n"),
        (b"b\n", b"b\n", b"b\n", Action.UNCHANGED, b"b\n"),
        (b"b\n", b"b\n", b"n\n", Action.UPDATED, b"n\n"),
        (b"b\n", b"mine\n", b"b\n", Action.KEPT, b"mine\n"),
        (b"b\n", b"n\n", b"n\n", Action.UNCHANGED, b"n\n"),
        (b"1\n2\n3\n", b"0\n1\n2\n3\n", b"1\n2\n4\n", Action.MERGED, b"0\n1\n2\n4\n"),
        (b"b\n", None, b"b\n", Action.ABSENT, None),
        (b"b\n", None, b"n\n", Action.ABSENT, None),
        (b"b\n", b"b\n", None, Action.REMOVED, None),
        (b"b\n", None, None, Action.UNCHANGED, None),
        (b"\0b", b"\0mine", b"\0n", Action.CONFLICT, b"\0mine"),
        (b"\0b", b"\0b", b"\0n", Action.UPDATED, b"\0n"),
        (b"", b"", b"n", Action.UPDATED, b"n"),
    ],
)
def test_every_case(
    base: bytes | None, disk: bytes | None, new: bytes | None, action: Action, after: bytes | None
) -> None:
    decision = _decide(base, disk, new)
    assert (decision.action, decision.contents) == (action, after)


def test_a_clash_shows_both_versions() -> None:
    decision = _decide(b"b\n", b"mine\n", b"new\n")
    assert decision.action is Action.CONFLICT
    assert "1 place" in decision.note
    assert decision.contents
    assert {b"mine", b"b", b"new"} <= set(decision.contents.split(b"\n"))


def test_what_archgen_dropped_and_you_changed_is_left_to_you() -> None:
    decision = _decide(b"b\n", b"mine\n", None)
    assert decision.action is Action.LEFT
    assert not decision.record


MARKED = MINE + b"\nmine\n" + THEIRS + b"\n"


@pytest.mark.parametrize("base", [None, b"b\n", b"new\n"])
def test_a_file_with_markers_is_not_merged_again(base: bytes | None) -> None:
    decision = _decide(base, MARKED, b"new\n")
    assert (decision.action, decision.contents, decision.record) == (Action.CONFLICT, MARKED, base is None)


def test_markers_that_archgen_itself_writes_are_text_like_any_other() -> None:
    assert _decide(MARKED, MARKED, MARKED + b"x\n").action is Action.UPDATED
    assert _decide(MARKED, MARKED + b"mine\n", b"x\n" + MARKED).action is Action.MERGED


def test_a_symbolic_link_is_nobody_elses_business() -> None:
    link = OnDisk(b"", link=True)
    assert reconcile(Record.of(b"b", False), link, File("f", b"n")).action is Action.KEPT
    assert reconcile(None, link, File("f", b"n")).action is Action.KEPT
    assert reconcile(Record.of(b"", False), link, None).action is Action.LEFT


lines = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=8).map(
    lambda found: "".join(f"{x}\n" for x in found).encode()
)


@given(lines, lines, lines)
def test_line_ends_of_windows_change_nothing_but_themselves(base: bytes, disk: bytes, new: bytes) -> None:
    plain, windows = _decide(base, disk, new), _decide(base, disk.replace(b"\n", b"\r\n"), new)
    assert windows.action is plain.action
    assert plain.contents is not None
    if b"\n" in disk:
        assert windows.contents == plain.contents.replace(b"\n", b"\r\n")


def test_a_file_with_line_ends_of_windows_counts_as_untouched_when_dropped() -> None:
    assert _decide(b"a\nb\n", b"a\r\nb\r\n", None).action is Action.REMOVED


def test_mixed_line_ends_are_an_edit() -> None:
    assert _decide(b"a\nb\nc\n", b"a\r\nb\nc\n", b"a\nb\nd\n").contents == b"a\r\nb\nd\n"


@pytest.mark.parametrize(
    ("base", "disk", "new", "after"),
    [
        (False, False, True, True),
        (False, True, False, True),
        (True, False, True, False),
        (True, True, False, False),
        (False, True, True, True),
        (False, None, True, True),
        (True, None, True, True),
    ],
)
def test_the_executable_bit_is_merged_too(base: bool, disk: bool | None, new: bool, after: bool) -> None:
    decision = reconcile(Record.of(b"x", base), OnDisk(b"x", disk), File("f", b"x", new))
    changes = disk is not None and disk != after
    assert (decision.action, decision.executable) == (Action.UPDATED if changes else Action.UNCHANGED, after)


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_any_bytes_will_do(base: bytes, new: bytes) -> None:
    assert _decide(base, base, new).contents == new
    assert _decide(base, new, base).contents == new
    assert _decide(base, new, new).contents == new
