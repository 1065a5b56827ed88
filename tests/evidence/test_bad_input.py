"""Whatever lies on the disk: a clear word, never a traceback, never a pass."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archgen.checklist import Audit, audit
from archgen.errors import ArchgenError
from archgen.evidence.code.parse import parse
from archgen.rules.model import Verdict

_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs links or modes of POSIX")


def _notes(result: Audit) -> str:
    return "\n".join(f"{note.file}: {note.message}" for note in result.notes)


def _never_passes(result: Audit) -> None:
    assert {item.verdict for item in result.items} == {Verdict.UNKNOWN}
    assert result.score is None
    assert result.coverage == 0.0


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(ArchgenError, match="no such folder"):
        audit(Path("nowhere/at/all"))


def test_a_file_instead_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    with pytest.raises(ArchgenError, match="not a folder"):
        audit(tmp_path / "a.py")


def test_an_empty_folder_is_unknown(tmp_path: Path) -> None:
    _never_passes(audit(tmp_path))


def test_a_folder_without_code_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir, we back up every night and use sagas.\n")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\0\0")
    _never_passes(audit(tmp_path))


def test_a_folder_with_only_tests_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("import httpx\nhttpx.get('/')\n")
    _never_passes(audit(tmp_path))


@pytest.mark.parametrize("name", ["a.py", "a.ts", "a.js", "a.go", "A.java", "a.tsx"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00\x00",
        b"((((((((((",
        b"}{)(\"'`" * 50,
        b"\xef\xbb\xbfx = 1\n",
        "naïve = 'é'\n".encode("latin-1"),
    ],
    ids=["empty", "binary", "unclosed", "noise", "mark", "latin-1"],
)
def test_any_bytes_in_a_source_file(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert all(item.verdict is Verdict.UNKNOWN for item in audit(tmp_path).items)


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("x = 'é'\n".encode("latin-1"))
    assert "a.py: not UTF-8" in _notes(audit(tmp_path))


def test_code_that_does_not_parse_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\ndef f(:\n    ]\n")
    assert "a.py: line 2 does not parse" in _notes(audit(tmp_path))


def test_a_huge_file_is_passed_over_and_told(tmp_path: Path) -> None:
    with (tmp_path / "big.py").open("wb") as stream:
        stream.truncate(6_000_000)
    assert "big.py: not read: 6 MB" in _notes(audit(tmp_path))


@pytest.mark.parametrize("name", ["a.yaml", "compose.yml", "package.json", "dashboard.json"])
@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "{" * 5000,
        "services: [1, 2]\n",
        "services:\n  a: 3\n  b:\n",
        "apiVersion: v1\nkind: Deployment\nspec: 7\n",
        "services: {a: {image: [x], environment: 5}}\n",
        '{"dependencies": 5}',
        "a: b: c: d\n\t- x",
        "alert: 1\nexpr:\n",
    ],
    ids=[
        "brackets",
        "braces",
        "list",
        "scalar",
        "kubernetes",
        "types",
        "dependencies",
        "syntax",
        "alert",
    ],
)
def test_any_text_in_a_configuration(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "a.py").write_text("x = 1\n")
    assert Verdict.ERROR not in {item.verdict for item in audit(tmp_path).items}


def test_a_bomb_of_aliases_is_told_and_costs_no_memory(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    (tmp_path / "a.py").write_text("x = 1\n")
    assert "bomb.yaml: not read as YAML" in _notes(audit(tmp_path))


def test_folders_nested_without_end(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 90)
    deep.mkdir(parents=True)
    (deep / "a.py").write_text("x = 1\n")
    assert "nested deeper than" in _notes(audit(tmp_path))


def test_code_nested_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = " + "(" * 3000 + "f()" + ")" * 3000 + "\n")
    (tmp_path / "b.ts").write_text("{" * 3000 + "f();" + "}" * 3000)
    assert Verdict.ERROR not in {item.verdict for item in audit(tmp_path).items}


@_POSIX
def test_links_are_told_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("import uvicorn\nuvicorn.run('x')\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "loop").symlink_to(project, target_is_directory=True)
    (project / "out").symlink_to(outside, target_is_directory=True)
    (project / "file.py").symlink_to(outside / "secret.py")
    (project / "dangling").symlink_to(project / "nowhere")
    result = audit(project)
    _never_passes(result)
    assert result.files == 0
    assert _notes(result).count("link not followed") == 4


@_POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / "a.py").chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    try:
        assert {"a.py", "closed"} <= {note.file for note in audit(tmp_path).notes}
    finally:
        (tmp_path / "closed").chmod(0o700)


@_POSIX
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    _never_passes(audit(tmp_path))


def test_names_that_hurt(tmp_path: Path) -> None:
    for name in ("a b.py", "ü.py", "[x].py", "a;rm -rf.py"):
        (tmp_path / name).write_text("import requests\nrequests.get('/x')\n")
    result = audit(tmp_path)
    assert {f.file for item in result.items for f in item.findings} >= {"a b.py", "ü.py", "[x].py"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(["a.py", "a.ts", "a.go", "A.java"]),
    st.lists(
        st.sampled_from(
            ["def f(", "):", "\n    ", "class A", "{", "}", "(", ")", "try", "catch", "except:", "=>",
             "func ", "@x", '"', "'", "`", "await ", "for ", "if ", "a.b.c", ",", ";", "\n", "é", "😀", "#",
             "//", "/*", "return", "package a\n"]
        ),
        max_size=60,
    ),
)  # fmt: skip
def test_no_text_makes_the_reader_stumble(path: str, parts: list[str]) -> None:
    module = parse(path, "".join(parts))
    assert module is not None
    assert all(f.line >= 1 for f in module.functions)


_LONG = {
    "a.py": "def apply(events):\n    db.execute('select 1')\n"
    + "    for x in y: range(of, x.apply_events" + ", in_x for z in reduce" * 3_000 + ")\n",
    "a.ts": "export function f() { db.query(1); " + "for (const x of y) { a.b(x => c); } " * 3_000 + "}\n",
    "a.go": "package a\nfunc f() { " + "for _, x := range y { try(x, func() { g(x) }) }; " * 3_000 + "}\n",
    "A.java": "class A { void f() { " + "for (E e : es) { try { g(e); } catch (E x) { } } " * 3_000 + "} }\n",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(_LONG))
def test_lines_without_an_end_take_no_time_without_an_end(tmp_path: Path, name: str) -> None:
    """Patterns that look ahead over long lines have taken hours over a bundled script."""
    (tmp_path / name).write_text(_LONG[name])
    started = time.process_time()
    audit(tmp_path)
    assert time.process_time() - started < 60


def test_a_packed_script_is_nobodys_code(tmp_path: Path) -> None:
    (tmp_path / "app.js").write_text("import axios from 'axios'\naxios.get('/x')\n")
    (tmp_path / "bundle.js").write_text("axios.get('http://payments/x');" * 1_000)
    assert {f.file for item in audit(tmp_path).items for f in item.findings} == {"app.js"}
