"""Files as they come: too large, missing, in other encodings."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from archgen.errors import SpecError
from archgen.spec import load, loads
from archgen.spec.text import MAX_BYTES
from tests.spec.samples import BASE


def refusal(path: Path) -> str:
    with pytest.raises(SpecError) as refused:
        load(path)
    return str(refused.value).replace(str(path), "s.yaml")


def test_a_file_of_50_megabytes_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    tracemalloc.start()
    message = refusal(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert message == "s.yaml: the file is larger than 4 MiB (split the system in several files)"
    assert peak < 3 * MAX_BYTES


def test_the_largest_file(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    text = BASE.encode()
    path.write_bytes(text + b"#" + b"x" * (MAX_BYTES - len(text) - 2) + b"\n")
    assert load(path).system == "shop"


def test_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "s.yaml") == "s.yaml: there is no such file"


def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "s.yaml: this is a folder, expected a YAML file"


def test_a_path_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    assert refusal(tmp_path / "a" / "b") == "s.yaml: cannot be read: Not a directory"


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes("archgen: 1\nabout: réel".encode("latin-1"))
    assert refusal(path) == "s.yaml:2:9: the byte 0xe9 is not UTF-8 (save the file as UTF-8)"


def test_utf16(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(BASE.encode("utf-16"))
    assert "is not UTF-8" in refusal(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_mark_and_line_ends(encoding: str, end: str) -> None:
    text = BASE.replace("system: shop", "system: shop\nabout: Réel 🛒").replace("\n", end)
    assert loads(text.encode(encoding)).about == "Réel 🛒"


def test_columns_count_characters_after_a_byte_order_mark() -> None:
    with pytest.raises(SpecError) as refused:
        loads("about: é🛒 # x\narchgen: 2\n".encode("utf-8-sig"), "s.yaml")
    assert "s.yaml:2:10: archgen" in str(refused.value)
