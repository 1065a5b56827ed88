"""Random edits by people against random new versions by archgen: an edit is never lost."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from archgen.errors import ProjectError
from archgen.files import File
from archgen.merge import unresolved
from archgen.plan import plan
from archgen.project import write
from archgen.render import render
from archgen.spec.model import System
from tests.faults import failing, snapshot
from tests.strategies import systems

PATHS = ("a.py", "b.py", "src/c.py", "src/deep/d.py", "docs/e.md")
paths = st.sampled_from(PATHS)
lines = st.lists(st.sampled_from(["def f():", "    pass", "}", "", "x = 1", "y = 2"]), max_size=8)
versions = st.dictionaries(paths, st.tuples(lines, st.booleans()), max_size=len(PATHS))


class Editing(RuleBasedStateMachine):
    """People type lines that nobody else writes, so that each can be recognised afterwards."""

    @initialize()
    def start(self) -> None:
        self.target = Path(tempfile.mkdtemp(prefix="archgen-test-"))
        self.typed = 0
        self.wanted: dict[str, File] = {}
        # What the file was after the last run where nobody touched it since, by path.
        self.untouched: dict[str, bytes] = {}
        self.deleted: set[str] = set()
        write(self.target, [])

    def teardown(self) -> None:
        if hasattr(self, "target"):
            shutil.rmtree(self.target)

    def _touched(self, path: str) -> None:
        self.untouched.pop(path, None)
        self.deleted.discard(path)

    @rule(path=paths, place=st.integers(0, 20), windows=st.booleans())
    def type_a_line(self, path: str, place: int, windows: bool) -> None:
        file = self.target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        found = file.read_bytes().replace(b"\r\n", b"\n").split(b"\n") if file.exists() else [b""]
        self.typed += 1
        found.insert(min(place, len(found) - 1), b"typed %d" % self.typed)
        file.write_bytes((b"\r\n" if windows else b"\n").join(found))
        self._touched(path)

    @rule(path=paths, place=st.integers(0, 20))
    def delete_a_line_of_archgen(self, path: str, place: int) -> None:
        file = self.target / path
        if file.exists():
            found = file.read_bytes().split(b"\n")
            place = min(place, len(found) - 1)
            if not found[place].startswith(b"typed"):
                del found[place]
                file.write_bytes(b"\n".join(found))
                self._touched(path)

    @rule(path=paths)
    def delete(self, path: str) -> None:
        if (self.target / path).exists():
            (self.target / path).unlink()
            self._touched(path)
            if path in self.wanted:
                self.deleted.add(path)

    @rule(path=paths)
    def resolve(self, path: str) -> None:
        """Keeps all lines and takes the markers out, as the most careful person would."""
        file = self.target / path
        if file.exists():
            kept = [
                line
                for line in file.read_bytes().split(b"\n")
                if line[:7] not in {b"<" * 7, b"|" * 7, b"=" * 7, b">" * 7}
            ]
            if b"\n".join(kept) != file.read_bytes():
                file.write_bytes(b"\n".join(kept))
                self._touched(path)

    @rule(version=versions, fault=st.none() | st.tuples(st.integers(0, 60), st.booleans()))
    def run(self, version: dict[str, tuple[list[str], bool]], fault: tuple[int, bool] | None) -> None:
        wanted = {
            path: File(path, "".join(f"{line}\n" for line in text).encode(), executable)
            for path, (text, executable) in version.items()
        }
        before = snapshot(self.target)
        if fault:
            try:
                with failing(self.target, *fault):
                    write(self.target, wanted.values())
            except ProjectError:
                self._nothing_typed_is_lost(before)
        report = write(self.target, wanted.values())
        after = snapshot(self.target)
        self._nothing_typed_is_lost(before)
        for path, file in wanted.items():
            if path in self.deleted:
                assert path not in after
            elif path not in before or self.untouched.get(path) == before[path][0]:
                assert after[path] == (file.contents, file.executable)
        for path in set(self.wanted) - set(wanted):
            if self.untouched.get(path) == before.get(path, (None, False))[0]:
                assert path not in after
        conflicts = {entry.path for entry in report.conflicts}
        assert conflicts == {
            path for path, (contents, _) in after.items() if path in wanted and unresolved(contents)
        }
        again = write(self.target, wanted.values())
        assert not again.changes
        self.deleted = {entry.path for entry in again.entries if entry.action == "absent"}
        self.untouched = {
            path: file.contents
            for path, file in wanted.items()
            if after.get(path, (None, False))[0] == file.contents
        }
        self.wanted = wanted

    def _nothing_typed_is_lost(self, before: dict[str, tuple[bytes, bool]]) -> None:
        after = snapshot(self.target)
        for path, (contents, _) in before.items():
            typed = [line.rstrip(b"\r") for line in contents.split(b"\n") if line.startswith(b"typed")]
            if typed and not path.startswith(".archgen"):
                left = [line.rstrip(b"\r") for line in after[path][0].split(b"\n")]
                assert [line for line in left if line in typed] == typed, path

    @invariant()
    def nothing_is_left_behind(self) -> None:
        if hasattr(self, "target"):
            assert not (self.target / ".archgen/staging").exists()


TestEditing = Editing.TestCase
TestEditing.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(systems(), min_size=2, max_size=3), st.data())
def test_an_edit_survives_any_change_of_the_description(described: list[System], data: st.DataObject) -> None:
    trees = [render(plan(system)) for system in described]
    target = Path(tempfile.mkdtemp(prefix="archgen-test-"))
    try:
        write(target, trees[0])
        edited = data.draw(
            st.lists(st.sampled_from([file.path for file in trees[0]]), max_size=8, unique=True)
        )
        typed = {}
        for path in edited:
            found = (target / path).read_bytes().split(b"\n")
            typed[path] = b"typed in %s" % path.encode()
            found.insert(data.draw(st.integers(0, len(found) - 1)), typed[path])
            (target / path).write_bytes(b"\n".join(found))
        for tree in [*trees[1:], trees[0]]:
            write(target, tree)
            for path, line in typed.items():
                assert line in (target / path).read_bytes().split(b"\n")
            for file in tree:
                if file.path not in typed:
                    assert (target / file.path).read_bytes() == file.contents
    finally:
        shutil.rmtree(target)
