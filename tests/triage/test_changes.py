"""What changed since a commit, in real repositories."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from archgen.checklist import audit
from archgen.errors import ArchgenError
from archgen.triage.changes import Changes, since
from tests.triage.projects import NAIVE, PLACE, naive, write

_WHO = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *_WHO, *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _commit(root: Path, message: str = "x") -> None:
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "--allow-empty", "-m", message)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = naive(tmp_path / "shop")
    _git(root, "init", "-q", "-b", "main")
    _commit(root)
    _git(root, "checkout", "-q", "-b", "work")
    return root


def test_only_findings_on_changed_lines_decide_and_they_come_first(repo: Path) -> None:
    naive(repo, place=PLACE.replace('"orders", order', '"orders", order.id'))
    result = audit(repo, since="main")
    changed = {(f.rule, f.line) for f in result.findings if f.changed}
    assert changed == {("DTC-001", 8)}
    assert len(result.findings) > 1
    for item in result.items:
        assert [f.changed for f in item.findings] == sorted((f.changed for f in item.findings), reverse=True)


def test_a_change_that_touches_no_finding_decides_nothing(repo: Path) -> None:
    write(repo, {"orders/other.py": "x = 1\n"})
    result = audit(repo, since="main")
    assert result.findings
    assert result.worst() is None


@pytest.mark.parametrize(
    "place", [PLACE.replace('"orders", order', '\n        "orders",\n        order.id,\n    ')]
)
def test_a_change_inside_a_statement_of_several_lines_touches_it(repo: Path, place: str) -> None:
    naive(repo, place=place)
    _commit(repo)
    naive(repo, place=place.replace("order.id", "order.number"))
    assert {f.rule for f in audit(repo, since="HEAD").findings if f.changed} == {"DTC-001"}


def test_what_is_removed_touches_the_lines_beside_it(repo: Path) -> None:
    naive(repo, place=PLACE.replace("    session.commit()\n", ""))
    assert "DTC-001" in {f.rule for f in audit(repo, since="main").findings if f.changed}


@pytest.mark.parametrize("commit", [True, False])
def test_new_files_are_changed_as_a_whole(repo: Path, commit: bool) -> None:
    write(repo, {'orders/ünïcode "q".py': "x = 1\n", ".gitignore": "*.log\n", "a.log": "x"})
    if commit:
        _commit(repo)
    changes = since(repo, "main")
    assert changes.lines == {'orders/ünïcode "q".py': None, ".gitignore": None}
    assert changes.touches('orders/ünïcode "q".py', 1, 1)


def test_a_renamed_file_is_changed_only_where_it_was_edited(repo: Path) -> None:
    long = PLACE + "".join(f"x{n} = {n}\n" for n in range(60))
    naive(repo, place=long)
    _commit(repo)
    _git(repo, "mv", "orders/place.py", "orders/put.py")
    _commit(repo)
    assert since(repo, "HEAD~1").lines == {}
    (repo / "orders" / "put.py").write_text(long.replace("x7 = 7", "x7 = 8"))
    assert since(repo, "HEAD~1").lines == {"orders/put.py": {16}}


def test_what_the_other_branch_did_meanwhile_is_no_change_of_ours(repo: Path) -> None:
    write(repo, {"ours.py": "x = 1\n"})
    _commit(repo)
    _git(repo, "checkout", "-q", "main")
    naive(repo, place=PLACE.replace("orders", "bills"))
    _commit(repo)
    _git(repo, "checkout", "-q", "work")
    assert since(repo, "main").lines == {"ours.py": None}


def test_a_folder_inside_a_repository_has_its_own_paths(repo: Path) -> None:
    naive(repo, place=PLACE + "x = 1\n")
    write(repo, {"payments/more.py": "x = 1\n"})
    assert since(repo / "orders", "main").lines == {"place.py": {9}}


def test_deleted_and_binary_files_are_no_trouble(repo: Path) -> None:
    (repo / "payments" / "main.py").unlink()
    (repo / "photo.png").write_bytes(b"\0\1\2")
    _commit(repo)
    (repo / "photo.png").write_bytes(b"\0\1\3")
    assert since(repo, "main").lines == {}


def test_the_users_own_settings_of_git_change_nothing(repo: Path) -> None:
    for key, value in {"diff.noprefix": "true", "diff.mnemonicPrefix": "true", "color.ui": "always",
                       "diff.external": "false", "core.quotePath": "false", "diff.renames": "false",
                       "diff.context": "9", "diff.interHunkContext": "9"}.items():  # fmt: skip
        _git(repo, "config", key, value)
    naive(repo, place=PLACE.replace("requests.post", "requests.put"))
    assert since(repo, "main").lines == {"orders/place.py": {5}}


@pytest.mark.parametrize("ref", ["nowhere", "main..work", "-p", "--help", "main:orders", "", "HEAD~99"])
def test_an_unknown_commit_is_a_clear_word(repo: Path, ref: str) -> None:
    with pytest.raises(ArchgenError, match="there is no commit"):
        since(repo, ref)


def test_before_the_first_commit_everything_is_new(tmp_path: Path) -> None:
    root = naive(tmp_path)
    _git(root, "init", "-q")
    _git(root, "add", "orders")
    assert set(since(root, "HEAD").lines) == set(NAIVE)
    assert all(f.changed for f in audit(root, since="HEAD").findings)


def test_no_repository_is_a_clear_word(tmp_path: Path) -> None:
    with pytest.raises(ArchgenError, match="needs a git work tree"):
        audit(naive(tmp_path), since="main")


def test_no_git_is_a_clear_word(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ArchgenError, match="git is not installed"):
        since(repo, "main")


def test_lines_that_look_like_a_header_are_no_header(repo: Path) -> None:
    write(repo, {"a.txt": "one\n"})
    _commit(repo)
    write(repo, {"a.txt": "one\n++ b/evil.py\n@@ -1 +1 @@\ndiff --git a/x b/x\n"})
    assert since(repo, "HEAD").lines == {"a.txt": {2, 3, 4}}


@pytest.mark.parametrize(
    ("file", "first", "last", "touched"),
    [
        ("a", 5, 5, True),
        ("a", 3, 4, False),
        ("a", 3, 6, True),
        ("a", 0, 0, True),
        ("b", 0, 0, False),
        ("c", 9, 9, True),
    ],
)
def test_touches(file: str, first: int, last: int, touched: bool) -> None:
    assert Changes({"a": {5}, "c": None}).touches(file, first, last) is touched
