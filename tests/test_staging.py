"""Whatever happens while a project is written, it ends as it was or as it should be."""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from archgen import base, staging
from archgen.errors import ProjectError
from archgen.files import File
from archgen.project import write
from tests.faults import failing, snapshot, watching

BEFORE = (
    File("README.md", b"one\ntwo\nthree\n"),
    File("dropped/deep/a.py", b"a\n"),
    File("dropped/deep/b.py", b"b\n"),
    File("turns/folder", b"was a file\n"),
    File("src/a.py", b"1\n2\n3\n4\n5\n"),
    File("src/clash.py", b"old\n"),
    File("src/kept.py", b"kept\n"),
    File("src/updated.py", b"old\n"),
    File("src/script", b"#!/bin/sh\n"),
)
AFTER = (
    File("README.md", b"ONE\ntwo\nthree\n"),
    File("fresh/deep/c.py", b"c\n"),
    File("fresh/d.py", b"d\n"),
    File("src/a.py", b"1\n2\n3\n4\nFIVE\n"),
    File("src/clash.py", b"new\n"),
    File("src/kept.py", b"kept\n"),
    File("src/new.py", b"new\n"),
    File("src/updated.py", b"new\n"),
    File("src/script", b"#!/bin/sh\n", executable=True),
    File("turns/folder/x", b"is a folder now\n"),
)


def _used(target: Path) -> Path:
    """A project that archgen made and somebody worked in."""
    write(target, BEFORE)
    (target / "README.md").write_bytes(b"one\ntwo\nthree\nmine\n")
    (target / "src/a.py").write_bytes(b"zero\n1\n2\n3\n4\n5\n")
    (target / "src/clash.py").write_bytes(b"mine\n")
    (target / "src/kept.py").write_bytes(b"kept and mine\n")
    (target / "src/own.py").write_bytes(b"own\n")
    (target / "empty").mkdir()
    return target


def _wanted(folder: Path) -> dict[str, tuple[bytes, bool]]:
    write(_used(folder), AFTER)
    return snapshot(folder)


def _steps(folder: Path) -> int:
    _used(folder)
    with watching(folder, lambda _: None) as seen:
        write(folder, AFTER)
    return len(seen)


def test_the_example_changes_files_in_every_way(tmp_path: Path) -> None:
    wanted = _wanted(tmp_path)
    assert wanted["README.md"][0] == b"ONE\ntwo\nthree\nmine\n"
    assert wanted["src/a.py"][0] == b"zero\n1\n2\n3\n4\nFIVE\n"
    assert b"mine\n" in wanted["src/clash.py"][0]
    assert b"new\n" in wanted["src/clash.py"][0]
    assert wanted["src/kept.py"][0] == b"kept and mine\n"
    assert wanted["src/own.py"][0] == b"own\n"
    assert wanted["src/script"] == (b"#!/bin/sh\n", os.name != "nt")
    assert wanted["turns/folder/x"][0] == b"is a folder now\n"
    assert not [path for path in wanted if path.startswith(("dropped", ".archgen/staging"))]
    assert "empty/" in wanted


@pytest.mark.parametrize("lasting", [False, True], ids=["one failure", "nothing works any more"])
def test_a_failure_at_any_step_leaves_the_project_as_it_was_or_to_be_finished(
    tmp_path: Path, lasting: bool
) -> None:
    wanted = _wanted(tmp_path / "wanted")
    outcomes = set()
    for at in range(_steps(tmp_path / "count")):
        target = _used(tmp_path / f"at{at}")
        before = snapshot(target)
        try:
            with failing(target, at, lasting):
                write(target, AFTER)
            outcome = "done"
        except ProjectError as error:
            assert error.problems[0].remedy
            outcome = "to be finished" if staging.interrupted(target) else "as it was"
        outcomes.add(outcome)
        if outcome != "to be finished":
            assert _essence(target) == (before if outcome == "as it was" else wanted), f"step {at}"
        write(target, AFTER)
        assert _essence(target) == wanted, f"step {at}"
        assert not (target / ".archgen/staging").exists()
    # A single failure is always taken back; only when nothing works any more must the next run help.
    assert outcomes == {"as it was", "done", "to be finished"} if lasting else {"as it was", "done"}


def _essence(target: Path) -> dict[str, tuple[bytes, bool]]:
    """What counts after a failure: what could not be tidied up is no harm."""
    found = snapshot(target)
    for path in [*found]:
        if path.startswith(".archgen/staging/") or path in {"dropped/", "dropped/deep/"}:
            del found[path]
    return found


@pytest.mark.parametrize("lasting", [False, True])
def test_a_failure_while_a_new_project_is_made_leaves_nothing(tmp_path: Path, lasting: bool) -> None:
    with watching(tmp_path / "count", lambda _: None) as seen:
        write(tmp_path / "count", AFTER)
    for at in range(len(seen)):
        target = tmp_path / "deep" / f"at{at}"
        try:
            with failing(target, at, lasting):
                write(target, AFTER)
        except ProjectError:
            assert lasting or not target.parent.exists(), f"step {at}"
        write(target, AFTER)
        assert snapshot(target) == snapshot(tmp_path / "count"), f"step {at}"
        _remove(target.parent)


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked process")
@pytest.mark.parametrize("fresh", [False, True], ids=["project in use", "new project"])
def test_kill_9_at_any_step_is_finished_by_the_next_run(tmp_path: Path, fresh: bool) -> None:
    wanted = _wanted(tmp_path / "wanted") if not fresh else _fresh(tmp_path / "wanted")
    for at in range(1000):
        target = tmp_path / f"at{at}"
        if not fresh:
            _used(target)
        before = snapshot(target)
        killed = _killed(target, at)
        left = snapshot(target)
        if not staging.interrupted(target) and killed:
            plain = {path: found for path, found in left.items() if not path.startswith(".archgen/")}
            old, new = (
                {p: f for p, f in tree.items() if not p.startswith(".archgen/")} for tree in (before, wanted)
            )
            assert plain in (old, new, {}), f"step {at}"
        write(target, AFTER)
        assert snapshot(target) == wanted, f"step {at}"
        if not killed:
            assert at > 20
            return
    raise AssertionError("it never ends")


def _fresh(folder: Path) -> dict[str, tuple[bytes, bool]]:
    write(folder, AFTER)
    return snapshot(folder)


def _killed(target: Path, at: int) -> bool:
    """Writes in a process that dies by SIGKILL before its operation number `at`; False if it had fewer."""
    child = os.fork()
    if not child:
        try:

            def step(number: int) -> None:
                if number == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            with watching(target, step):
                write(target, AFTER)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _interrupted(target: Path, after: int, patch: pytest.MonkeyPatch) -> Path:
    """A project in which a run was cut off once `after` of its moves were made."""

    class Cut(BaseException):
        pass

    moves: list[str] = []
    move = staging._move

    def cut(source: Path, target: Path, path: str, existing: set[str]) -> None:
        if len(moves) == after:
            raise Cut
        moves.append(path)
        move(source, target, path, existing)

    _used(target)
    patch.setattr(staging, "_move", cut)
    patch.setattr(staging, "_take_back", lambda *_: None)
    with pytest.raises(Cut):
        write(target, AFTER)
    patch.undo()
    assert staging.interrupted(target)
    return target


@pytest.mark.parametrize("after", range(6))
def test_an_edit_between_a_crash_and_the_next_run_is_not_lost(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = _interrupted(tmp_path, after, monkeypatch)
    for name in ("README.md", "src/a.py", "src/kept.py", "src/updated.py"):
        path = target / name
        path.write_bytes(path.read_bytes() + b"late edit\n")
    write(target, AFTER)
    for name in ("README.md", "src/a.py", "src/kept.py", "src/updated.py"):
        assert b"late edit\n" in (target / name).read_bytes(), name
    assert b"ONE\n" in (target / "README.md").read_bytes()
    assert b"new\n" in (target / "src/updated.py").read_bytes()


def test_a_dry_run_does_not_finish_what_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = _interrupted(tmp_path, 2, monkeypatch)
    before = snapshot(target)
    with pytest.raises(ProjectError, match="interrupted"):
        write(target, AFTER, dry_run=True)
    assert snapshot(target) == before


def test_what_somebody_saves_during_the_run_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = _used(tmp_path)
    finish = staging.finish

    def save_first(folder: Path) -> list[str]:
        (folder / "README.md").write_bytes(b"one\ntwo\nthree\nsaved at the last moment\n")
        return finish(folder)

    monkeypatch.setattr(staging, "finish", save_first)
    report = write(target, AFTER)
    assert "README.md" in [entry.path for entry in report.conflicts]
    assert (target / "README.md").read_bytes() == b"one\ntwo\nthree\nsaved at the last moment\n"
    monkeypatch.undo()
    write(target, AFTER)
    assert (target / "README.md").read_bytes() == b"ONE\ntwo\nthree\nsaved at the last moment\n"


@pytest.mark.parametrize("path", ["../outside", "/etc/outside", ".git/config", "a/../../b"])
def test_a_journal_that_came_with_a_repository_leads_nowhere(tmp_path: Path, path: str) -> None:
    target = tmp_path / "project"
    write(target, BEFORE)
    stage = target / ".archgen/staging"
    stage.mkdir()
    change = {"path": path, "remove": True, "before": base.digest(b"precious\n")}
    (stage / "journal.json").write_text(json.dumps({"changes": [change], "folders": []}), "utf-8")
    (tmp_path / "outside").write_bytes(b"precious\n")
    with pytest.raises(ProjectError, match=r"journal\.json"):
        write(target, BEFORE)
    assert (tmp_path / "outside").exists()


@pytest.mark.parametrize("contents", [b"", b"[]", b"{}", b'{"changes": [1]}', b"\xff"])
def test_a_damaged_journal_is_told(tmp_path: Path, contents: bytes) -> None:
    write(tmp_path, BEFORE)
    (tmp_path / ".archgen/staging").mkdir()
    (tmp_path / ".archgen/staging/journal.json").write_bytes(contents)
    with pytest.raises(ProjectError, match="journal"):
        write(tmp_path, BEFORE)


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_replaced_file_keeps_its_mode(tmp_path: Path) -> None:
    write(tmp_path, BEFORE)
    for name, mode in (("README.md", 0o640), ("src/script", 0o640), ("src/updated.py", 0o755)):
        (tmp_path / name).chmod(mode)
    write(tmp_path, AFTER)
    modes = [
        (tmp_path / name).stat().st_mode & 0o777 for name in ("README.md", "src/script", "src/updated.py")
    ]
    assert modes == [0o640, 0o750, 0o755]


def test_progress_counts_every_file_written(tmp_path: Path) -> None:
    written: list[int] = []
    count: Callable[[], None] = lambda: written.append(1)  # noqa: E731
    write(tmp_path, BEFORE, progress=count)
    assert len(written) == len(BEFORE)
