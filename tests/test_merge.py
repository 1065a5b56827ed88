import random
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.merge import BASE, MINE, SPLIT, THEIRS, is_text, matches, merge, unresolved

# Few different lines, so that they repeat; and with and without an end at the end of the file.
line = st.sampled_from([b"a", b"b", b"c", b"}", b"", b"x\r"])
text = st.builds(
    lambda lines, end: b"\n".join(lines) + end, st.lists(line, max_size=12), st.sampled_from([b"", b"\n"])
)


@given(text, text)
def test_without_edits_the_new_version_comes(base: bytes, new: bytes) -> None:
    merged = merge(base, base, new)
    assert (merged.contents, merged.conflicts) == (new, 0)


@given(text, text)
def test_without_news_yours_stays(base: bytes, yours: bytes) -> None:
    merged = merge(base, yours, base)
    assert (merged.contents, merged.conflicts) == (yours, 0)


@given(text, text)
def test_the_same_change_on_both_sides_is_made_once(base: bytes, both: bytes) -> None:
    merged = merge(base, both, both)
    assert (merged.contents, merged.conflicts) == (both, 0)


@given(text, text, text)
def test_both_sides_are_treated_alike(base: bytes, one: bytes, other: bytes) -> None:
    there, back = merge(base, one, other), merge(base, other, one)
    assert there.conflicts == back.conflicts
    if not there.conflicts:
        assert there.contents == back.contents


@given(text, text, text)
def test_every_conflict_is_marked_once(base: bytes, yours: bytes, new: bytes) -> None:
    merged = merge(base, yours, new)
    lines = merged.contents.split(b"\n")
    assert [lines.count(marker) for marker in (MINE, BASE, SPLIT, THEIRS)] == [merged.conflicts] * 4
    assert unresolved(merged.contents) == bool(merged.conflicts)


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[bytes], list[bytes], list[bytes], list[bytes]]:
    """A base of distinct lines, edited on both sides at places that do not touch; and what must come out."""
    base = [b"line %d" % number for number in range(draw(st.integers(2, 20)))]
    yours, new, wanted = [], [], []
    last = ""
    for index, old in enumerate(base):
        who = draw(st.sampled_from(["", "", "yours", "new"]))
        # A line that nobody touches between changes of different sides keeps them apart.
        if last and who and who != last:
            who = ""
        last = who
        what = draw(st.sampled_from(["insert", "change", "delete"]))
        changed = {
            "insert": [b"%s %d" % (who.encode(), index), old],
            "change": [b"%s %d" % (who.encode(), index)],
        }
        edited = changed.get(what, [])
        yours += edited if who == "yours" else [old]
        new += edited if who == "new" else [old]
        wanted += edited if who else [old]
    return base, yours, new, wanted


def _joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


@given(edits())
def test_changes_at_different_places_all_appear(
    case: tuple[list[bytes], list[bytes], list[bytes], list[bytes]],
) -> None:
    base, yours, new, wanted = map(_joined, case)
    merged = merge(base, yours, new)
    assert (merged.contents, merged.conflicts) == (wanted, 0)


@given(st.lists(st.integers(0, 10)), text, text)
def test_a_line_of_yours_is_never_lost(places: list[int], base: bytes, new: bytes) -> None:
    lines = base.split(b"\n")
    mine = [b"mine %d" % number for number in range(len(places))]
    for place, inserted in zip(places, mine, strict=True):
        lines.insert(min(place, len(lines)), inserted)
    merged = merge(base, b"\n".join(lines), new)
    assert set(mine) <= set(merged.contents.split(b"\n"))


def test_a_conflict_reads_like_git_shows_it() -> None:
    merged = merge(b"a\nb\nc\n", b"a\nmine\nc\n", b"a\nnew\nc\n")
    assert merged.contents == b"".join(
        part + b"\n" for part in (b"a", MINE, b"mine", BASE, b"b", SPLIT, b"new", THEIRS, b"c")
    )


def test_a_last_line_without_end_does_not_run_into_a_marker() -> None:
    merged = merge(b"a", b"mine", b"new")
    assert merged.contents == b"".join(
        part + b"\n" for part in (MINE, b"mine", BASE, b"a", SPLIT, b"new", THEIRS)
    )


def test_a_function_added_on_each_side_of_one_stays_whole() -> None:
    base = b"def a():\n    return 1\n\n\ndef z():\n    return 9\n"
    yours = b"def a():\n    return 1\n\n\ndef mine():\n    return 2\n\n\ndef z():\n    return 9\n"
    new = base + b"\n\ndef new():\n    return 3\n"
    merged = merge(base, yours, new)
    assert (merged.contents, merged.conflicts) == (yours + b"\n\ndef new():\n    return 3\n", 0)


lines_of = st.lists(st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"]), max_size=30)


@given(lines_of, lines_of)
def test_matches_are_equal_lines_in_order(a: list[bytes], b: list[bytes]) -> None:
    found = matches(a, b)
    assert all(a[i] == b[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))


@given(st.lists(st.integers(), unique=True, max_size=40), st.data())
def test_among_distinct_lines_the_most_are_matched(numbers: list[int], data: st.DataObject) -> None:
    a = [b"%d" % number for number in numbers]
    b = data.draw(st.permutations(a))
    assert len(matches(a, b)) == _longest_increasing([a.index(line) for line in b])


def _longest_increasing(numbers: list[int]) -> int:
    best: list[int] = []
    for index, number in enumerate(numbers):
        best.append(1 + max((best[k] for k in range(index) if numbers[k] < number), default=0))
    return max(best, default=0)


def test_a_long_file_of_equal_lines_is_no_trap() -> None:
    alike = [b"}\n"] * 6000
    a, b = b"".join([b"x\n", *alike, b"y\n"]), b"".join([b"p\n", *alike, b"\n", *alike, b"q\n"])
    assert merge(a, a, b).contents == b


@pytest.mark.parametrize(
    ("contents", "answer"), [(b"", True), ("ü".encode("latin-1"), True), (b"a\0b", False)]
)
def test_what_holds_a_nul_is_no_text(contents: bytes, answer: bool) -> None:
    assert is_text(contents) is answer


@pytest.mark.parametrize(
    ("contents", "answer"),
    [
        (MINE + b"\n", True),
        (b"a\r\n" + THEIRS + b"\r\n", True),
        (b"  " + MINE, False),
        (b"<<<<<<< HEAD\n", False),
        (b"Text about <<<<<<< yours\n", False),
    ],
)
def test_only_our_own_markers_count_as_unresolved(contents: bytes, answer: bool) -> None:
    assert unresolved(contents) is answer


@pytest.mark.skipif(not shutil.which("git"), reason="no git here")
@pytest.mark.parametrize("seed", range(20))
def test_what_git_merges_cleanly_we_merge_alike(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    base = [f"{dice.choice(['def', 'x =', 'return', '}', ''])} {dice.randrange(8)}\n" for _ in range(60)]
    versions = [base, _edited(base, dice, "yours"), _edited(base, dice, "new")]
    names = [tmp_path / name for name in ("base", "yours", "new")]
    for name, version in zip(names, versions, strict=True):
        name.write_text("".join(version), "utf-8")
    git = subprocess.run(
        ["git", "merge-file", "-p", "--diff3", *map(str, (names[1], names[0], names[2]))],
        capture_output=True,
        check=False,
    )
    ours = merge(*(name.read_bytes() for name in names))
    if git.returncode == 0 and ours.conflicts == 0:
        assert ours.contents == git.stdout
    # Where lines repeat, two correct diffs may pair them differently; a conflict more or less is fair.
    assert abs(ours.conflicts - git.returncode) <= 1


def _edited(base: list[str], dice: random.Random, who: str) -> list[str]:
    lines = list(base)
    for number in range(3):
        place = dice.randrange(len(lines))
        lines[place : place + dice.randrange(2)] = [f"{who} {number}\n"] * dice.randrange(3)
    return lines
