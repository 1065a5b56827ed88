import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen import base
from archgen.base import Record
from archgen.errors import ProjectError
from archgen.project import write

contents = st.binary(max_size=200)
paths = st.sampled_from(["README.md", "src/a.py", "docs/übersicht.md", ".env.example"])


@given(st.dictionaries(paths, st.builds(Record.of, contents, st.booleans())))
def test_records_read_back(records: dict[str, Record]) -> None:
    assert base.loads(base.dump(records)) == records


@given(contents)
def test_contents_read_back(data: bytes) -> None:
    assert Record.of(data, False).contents == data


def test_there_is_one_line_per_file_in_order() -> None:
    records = {path: Record.of(b"x", False) for path in ("b", "a/z", "a")}
    head, *lines = base.dump(records).decode().splitlines()
    assert json.loads(head)["format"] == 1
    assert [json.loads(line)["path"] for line in lines] == ["a", "a/z", "b"]


def test_a_folder_without_a_base_has_no_records(tmp_path: Path) -> None:
    assert base.load(tmp_path) == {}
    assert not base.exists(tmp_path)


GOOD = base.dump({"a": Record.of(b"one\n", False), "b": Record.of(b"two\n", False)}).decode()


@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        ("", "first line"),
        ("hello\n", "first line"),
        (GOOD.replace('"format": 1', '"format": 2'), "format 2"),
        (GOOD + "not json\n", "line|not a record"),
        (GOOD + '{"path": "c"}\n', "not a record"),
        (GOOD + "[]\n", "not a record"),
        (GOOD.replace('"path": "a"', '"path": "../../etc/passwd"'), "leaves"),
        (GOOD.replace('"path": "a"', '"path": 5'), "not a record"),
        ("<<<<<<< HEAD\n" + GOOD + "=======\n" + GOOD + ">>>>>>> other\n", "conflict markers"),
        (GOOD[:-20] + "\n", "not a record"),
    ],
)
def test_a_damaged_base_is_told_and_says_the_way_out(tmp_path: Path, damaged: str, why: str) -> None:
    (tmp_path / ".archgen").mkdir()
    (tmp_path / ".archgen/base.jsonl").write_text(damaged, "utf-8")
    with pytest.raises(ProjectError, match=why) as caught:
        write(tmp_path, [])
    assert caught.value.problems[0].file == ".archgen/base.jsonl"
    assert caught.value.problems[0].remedy


def test_a_base_that_is_not_utf_8_is_told() -> None:
    with pytest.raises(ProjectError, match="UTF-8"):
        base.loads(b"\xff\xfe")


@pytest.mark.parametrize("packed", ["", "!", "eJzLyOcCAAIjAOI=", "AAAA"])
def test_contents_that_dont_match_their_digest_are_not_used(packed: str) -> None:
    with pytest.raises(ProjectError, match="digest"):
        _ = Record(base.digest(b"something else"), False, packed).contents


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_base_that_git_gave_other_line_ends_still_reads(ending: str) -> None:
    assert set(base.loads(GOOD.replace("\n", ending).encode())) == {"a", "b"}
