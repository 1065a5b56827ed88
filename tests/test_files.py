import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgen.errors import ProjectError
from archgen.files import File, parents, path_trouble, tree


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "a/b/c.py",
        ".env.example",
        ".github/workflows/ci.yml",
        "docs/übersicht.md",
        "con/sole.md"[4:],
    ],
)
def test_ordinary_paths_are_fine(path: str) -> None:
    assert path_trouble(path) == ""


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("a//b", "empty part"),
        ("a/", "empty part"),
        ("../x", "leaves"),
        ("a/../../x", "leaves"),
        ("a/./b", "leaves"),
        ("C:/x", "':'"),
        ("a\\b", "holds"),
        ("a\nb", "holds"),
        ("a\0b", "holds"),
        ("what?.md", "'?'"),
        ("CON", "device"),
        ("docs/nul.md", "device"),
        ("com1.tar.gz", "device"),
        ("aux ", "space"),
        ("a./b", "dot"),
        (".archgen/base.jsonl", "reserved"),
        (".ArchGen/x", "reserved"),
        (".git/hooks/pre-commit", "reserved"),
        ("x" * 256, "longer"),
        ("é" * 128, "longer"),
        ("\ud800", "Unicode"),
    ],
)
def test_a_file_with_a_bad_path_cant_be_made(path: str, why: str) -> None:
    with pytest.raises(ProjectError, match=why):
        File(path, b"")


@given(st.text(max_size=30))
def test_what_passes_stays_below_its_folder(path: str) -> None:
    if not path_trouble(path):
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))
        assert path == path.replace("\\", "")


def test_a_tree_is_sorted() -> None:
    assert [file.path for file in tree([File("b", b""), File("a/z", b""), File("a/b", b"")])] == [
        "a/b",
        "a/z",
        "b",
    ]


@pytest.mark.parametrize(
    "paths",
    [
        ("a.py", "a.py"),
        ("A.py", "a.py"),
        ("straße.md", "STRASSE.md"),
        ("e\u0301.md", "\u00e9.md"),
        ("docs", "docs/a.md"),
        ("Docs", "docs/a.md"),
        ("docs/a.md", "Docs/b.md"),
    ],
)
def test_files_that_cant_live_beside_each_other_are_refused(paths: tuple[str, ...]) -> None:
    with pytest.raises(ProjectError):
        tree(File("".join(path), b"") for path in paths)


def test_every_clash_is_told_at_once() -> None:
    with pytest.raises(ProjectError) as caught:
        tree(File(path, b"") for path in ("a", "A", "b", "B"))
    assert len(caught.value.problems) == 2


def test_parents_are_outermost_first() -> None:
    assert parents("a/b/c.py") == ["a", "a/b"]
    assert parents("c.py") == []
