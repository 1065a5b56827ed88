import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archgen.errors import ProjectError
from archgen.files import File
from archgen.project import Report, write
from archgen.reconcile import Action
from tests.faults import snapshot, watching


def _files(**texts: str) -> list[File]:
    return [
        File(path.replace("__", "/").replace("_py", ".py"), text.encode()) for path, text in texts.items()
    ]


def _actions(report: Report) -> dict[str, str]:
    return {entry.path: entry.action.value for entry in report.entries}


def test_a_new_project_gets_its_files_and_a_base_to_commit(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "shop"
    report = write(target, [File("a/run.sh", b"#!/bin/sh\n", executable=True), File("b.md", b"b\r\n")])
    assert _actions(report) == {"a/run.sh": "created", "b.md": "created"}
    found = snapshot(target)
    assert found["a/run.sh"] == (b"#!/bin/sh\n", os.name != "nt")
    assert found["b.md"][0] == b"b\r\n"
    assert {path for path in found if path.startswith(".archgen")} == {
        ".archgen/.gitattributes",
        ".archgen/.gitignore",
        ".archgen/base.jsonl",
    }


def test_running_again_without_a_change_writes_nothing(tmp_path: Path) -> None:
    files = _files(a="a\n", src__b_py="b\n", gone="x\n", edited="1\n2\n")
    write(tmp_path, files)
    (tmp_path / "gone").unlink()
    (tmp_path / "edited").write_text("1\n2\n3\n")
    write(tmp_path, files)
    with watching(tmp_path, lambda _: None) as touched:
        times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        report = write(tmp_path, files)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == times
    assert {Path(path).name for path in touched} <= {".archgen", "lock"}
    assert _actions(report) == {"a": "unchanged", "edited": "kept", "gone": "absent", "src/b.py": "unchanged"}


def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "shop"
    planned = write(target, _files(a="a\n"), dry_run=True)
    assert not target.exists()
    assert planned == write(target, _files(a="a\n"))
    (target / "a").write_text("mine\n")
    before = snapshot(target)
    planned = write(target, _files(a="b\n", c="c\n"), dry_run=True)
    assert snapshot(target) == before
    assert planned == write(target, _files(a="b\n", c="c\n"))
    assert _actions(planned) == {"a": "conflict", "c": "created"}


def test_files_from_a_blueprint_stay_and_merge_from_then_on(tmp_path: Path) -> None:
    write(tmp_path, _files(domain_py="real\ncode\n"), remember=False)
    report = write(tmp_path, _files(domain_py="skeleton\n", other_py="x\n"))
    assert _actions(report) == {"domain.py": "kept", "other.py": "created"}
    assert "before archgen" in report.entries[0].note
    write(tmp_path, _files(domain_py="skeleton\nmore\n", other_py="x\n"))
    assert "real\ncode\n" in (tmp_path / "domain.py").read_text()


def test_a_deleted_file_stays_deleted_until_it_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path, _files(a="a\n", b="b\n"))
    (tmp_path / "a").unlink()
    for text in ("a\n", "changed\n"):
        assert _actions(write(tmp_path, _files(a=text, b="b\n")))["a"] == "absent"
    assert not (tmp_path / "a").exists()
    write(tmp_path, _files(a="again\n", b="b\n"), take=["a"])
    assert (tmp_path / "a").read_text() == "again\n"


def test_take_replaces_an_edit(tmp_path: Path) -> None:
    write(tmp_path, [File("logo", b"\0old")])
    (tmp_path / "logo").write_bytes(b"\0mine")
    report = write(tmp_path, [File("logo", b"\0new")])
    assert [entry.path for entry in report.conflicts] == ["logo"]
    assert (tmp_path / "logo").read_bytes() == b"\0mine"
    assert not write(tmp_path, [File("logo", b"\0new")], take=["logo"]).conflicts
    assert (tmp_path / "logo").read_bytes() == b"\0new"


def test_take_of_an_unknown_path_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"did you mean src/a\.py"):
        write(tmp_path / "x", _files(src__a_py="a"), take=["src/b.py"])


def test_a_conflict_is_told_until_it_is_resolved_and_then_merges_on(tmp_path: Path) -> None:
    write(tmp_path, _files(a="1\n2\n3\n4\n5\n"))
    (tmp_path / "a").write_text("1\n2\nmine\n4\n5\n")
    assert write(tmp_path, _files(a="1\n2\nnew\n4\n5\n")).conflicts
    marked = (tmp_path / "a").read_text()
    assert write(tmp_path, _files(a="1\n2\nnew\n4\nfive\n")).conflicts
    assert (tmp_path / "a").read_text() == marked
    (tmp_path / "a").write_text("1\n2\nmine and new\n4\n5\n")
    assert not write(tmp_path, _files(a="1\n2\nnew\n4\nfive\n")).conflicts
    assert (tmp_path / "a").read_text() == "1\n2\nmine and new\n4\nfive\n"


def test_a_dropped_service_goes_with_its_folders_and_leaves_what_is_yours(tmp_path: Path) -> None:
    write(tmp_path, _files(pay__a_py="a\n", pay__deep__b_py="b\n", pay__c_py="c\n", keep="k\n"))
    (tmp_path / "pay/c.py").write_text("mine\n")
    (tmp_path / "pay/notes.txt").write_text("own\n")
    report = write(tmp_path, _files(keep="k\n"))
    assert _actions(report) == {
        "keep": "unchanged",
        "pay/a.py": "removed",
        "pay/c.py": "left",
        "pay/deep/b.py": "removed",
    }
    assert sorted(path.name for path in (tmp_path / "pay").iterdir()) == ["c.py", "notes.txt"]
    assert _actions(write(tmp_path, _files(keep="k\n"))) == {"keep": "unchanged"}
    write(tmp_path, _files(keep="k\n", pay__c_py="back\n"))
    assert (tmp_path / "pay/c.py").read_text() == "mine\n"


@pytest.mark.parametrize("entries", [["src/main.c"], ["notes.txt"], [".env"]])
def test_a_folder_that_archgen_did_not_make_is_refused(tmp_path: Path, entries: list[str]) -> None:
    for entry in entries:
        (tmp_path / entry).parent.mkdir(exist_ok=True)
        (tmp_path / entry).write_text("precious")
    before = snapshot(tmp_path)
    with pytest.raises(ProjectError, match="did not make it") as caught:
        write(tmp_path, _files(a="a\n"))
    assert entries[0].split("/")[0] in str(caught.value)
    assert snapshot(tmp_path) == before


def test_a_fresh_clone_and_the_description_itself_are_no_hindrance(tmp_path: Path) -> None:
    for name in ("LICENSE", "README.md", ".gitignore", "my.yaml"):
        (tmp_path / name).write_text("mine\n")
    (tmp_path / ".git").mkdir()
    report = write(tmp_path, [File("README.md", b"archgen's\n"), File("a", b"a\n")], own=["my.yaml"])
    assert _actions(report) == {"README.md": "kept", "a": "created"}


def test_a_target_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for target in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ProjectError):
            write(target, _files(a="a\n"))
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="needs permissions that bind us")
def test_a_folder_without_permission_is_told(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(ProjectError, match="Permission denied"):
        write(tmp_path / "shut" / "shop", _files(a="a\n"))


def test_a_file_in_the_place_of_a_folder_is_told_before_anything_is_written(tmp_path: Path) -> None:
    write(tmp_path, _files(a="a\n"))
    (tmp_path / "src").write_text("mine")
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir/x").write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(ProjectError) as caught:
        write(tmp_path, _files(a="b\n", src__b_py="b\n", dir="d\n"))
    assert len(caught.value.problems) == 2
    assert snapshot(tmp_path) == before


def _link(link: Path, to: Path) -> None:
    try:
        link.symlink_to(to, target_is_directory=to.is_dir())
    except OSError:
        pytest.skip("can't make symbolic links here")


def test_nothing_is_written_through_a_link_that_leaves_the_target(tmp_path: Path) -> None:
    target, outside = tmp_path / "shop", tmp_path / "outside"
    outside.mkdir()
    write(target, _files(a="a\n"))
    _link(target / "src", outside)
    for files in (_files(a="a\n", src__b_py="b\n"), _files(a="a\n", src__deep__b_py="b\n")):
        with pytest.raises(ProjectError, match="leads outside"):
            write(target, files)
    assert not any(outside.iterdir())


def test_nothing_is_removed_through_a_link_that_leaves_the_target(tmp_path: Path) -> None:
    target, outside = tmp_path / "shop", tmp_path / "outside"
    write(target, _files(src__b_py="b\n"))
    shutil.move(target / "src", outside)
    _link(target / "src", outside)
    with pytest.raises(ProjectError, match="leads outside"):
        write(target, _files(a="a\n"))
    assert (outside / "b.py").exists()


def test_a_link_inside_the_target_is_followed(tmp_path: Path) -> None:
    write(tmp_path, _files(src__a_py="a\n"))
    (tmp_path / "src").rename(tmp_path / "code")
    _link(tmp_path / "src", tmp_path / "code")
    write(tmp_path, _files(src__a_py="changed\n"))
    assert (tmp_path / "code/a.py").read_text() == "changed\n"
    assert (tmp_path / "src").is_symlink()


def test_a_file_that_became_a_link_stays_one(tmp_path: Path) -> None:
    target = tmp_path / "shop"
    write(target, _files(a="a\n"))
    (tmp_path / "real").write_text("mine\n")
    (target / "a").unlink()
    _link(target / "a", tmp_path / "real")
    for files in (_files(a="b\n"), _files(c="c\n")):
        write(target, files)
        assert (target / "a").is_symlink()
        assert (tmp_path / "real").read_text() == "mine\n"


def test_a_target_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    _link(tmp_path / "shop", tmp_path / "real")
    write(tmp_path / "shop", _files(src__a_py="a\n"))
    assert (tmp_path / "real/src/a.py").exists()


def test_a_new_spelling_of_a_name_does_not_lose_the_file(tmp_path: Path) -> None:
    write(tmp_path, _files(Readme="one\n"))
    write(tmp_path, _files(README="two\n"))
    assert [path.read_text() for path in tmp_path.glob("R*")] == ["two\n"]


def test_two_runs_at_once_do_not_mix(tmp_path: Path) -> None:
    versions = [
        [File(f"d{n}/f{m}", b"%d\n" % version) for n in range(5) for m in range(5)] for version in range(6)
    ]
    write(tmp_path, versions[0])
    threads = [threading.Thread(target=write, args=(tmp_path, version)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / file.path).read_bytes() for file in versions[0]}) == 1
    assert not (tmp_path / ".archgen/staging").exists()


@pytest.mark.skipif(not shutil.which("git"), reason="no git here")
def test_two_branches_that_both_ran_archgen_merge(tmp_path: Path) -> None:
    def git(*args: str) -> int:
        name = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
        return subprocess.run(
            ["git", *name, *args], cwd=tmp_path, capture_output=True, check=False
        ).returncode

    texts = {f"f{n}": f"{n}\n" for n in range(9)}
    write(tmp_path, _files(**texts))
    git("init")
    git("add", "-A")
    git("commit", "-m", "base")
    git("checkout", "-b", "other")
    write(tmp_path, _files(**{**texts, "f1": "one\n"}))
    git("commit", "-am", "one")
    git("checkout", "main")
    write(tmp_path, _files(**{**texts, "f7": "seven\n"}))
    git("commit", "-am", "seven")
    assert git("merge", "other", "-m", "both") == 0
    both = {**texts, "f1": "one\n", "f7": "seven\n"}
    report = write(tmp_path, _files(**both))
    assert not report.changes
    assert git("diff", "--exit-code") == 0


def test_the_report_tells_contents_for_a_diff(tmp_path: Path) -> None:
    write(tmp_path, _files(a="a\n", b="b\n"))
    report = write(tmp_path, _files(a="A\n"))
    assert [(entry.path, entry.action, entry.before, entry.after) for entry in report.changes] == [
        ("a", Action.UPDATED, b"a\n", b"A\n"),
        ("b", Action.REMOVED, b"b\n", None),
    ]


def test_an_edit_in_a_generated_file_stays_and_is_told_where_it_belongs(tmp_path: Path) -> None:
    def files(text: bytes) -> list[File]:
        return [File("a", text, kind="generated"), File("b", text)]

    write(tmp_path, files(b"1\n2\n3\n"))
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"0\n1\n2\n3\n")
    for text, action in ((b"1\n2\n3\n", "kept"), (b"1\n2\n4\n", "merged"), (b"9\n", "conflict")):
        generated, yours = write(tmp_path, files(text)).entries
        assert generated.action == yours.action == action
        assert "better change the description" in generated.note
        assert "description" not in yours.note
