"""The scripts that bring a PostgreSQL server back to a moment, run against a real one."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chassis.recovery.errors import RecoveryError
from chassis.recovery.stores import SCRIPTS, Archived

SERVICES = ("orders", "payments")


class Machine(Archived):
    """A server with its archive, and what an operator does to it in these tests."""

    TIMEOUT = 0  # segments are archived when a test says so

    @property
    def archive(self) -> Path:
        return self._archive

    @property
    def base(self) -> Path:
        return max(self._bases.iterdir())

    @property
    def data(self) -> Path:
        return self._server.data

    def ask(self, statement: str) -> Any:
        with psycopg.connect(self._server.url, autocommit=True) as conn:
            done = conn.execute(statement.encode())
            row = done.fetchone() if done.description else None
            return row[0] if row else None

    def keep(self, number: int) -> None:
        """Write a row, and have the segment that it is in archived."""
        self.ask(f"INSERT INTO kept VALUES ({number})")
        segment = self.ask("SELECT pg_walfile_name(pg_switch_wal())")
        deadline = time.monotonic() + 20
        while not (self.archive / segment).exists():
            assert time.monotonic() < deadline, f"{segment} was not archived"
            time.sleep(0.02)

    def kept(self) -> str:
        return str(self.ask("SELECT coalesce(string_agg(number::text, ' ' ORDER BY number), '') FROM kept"))

    def recover(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return self._server.command(self._scripts / "recover.sh", *arguments, check=False)

    def start(self) -> None:
        self._server.start()

    def base_backup(self, *before: str) -> subprocess.CompletedProcess[str]:
        script = self._scripts / "base-backup.sh"
        return self._server.command("sh", "-c", "; ".join([*before, f"exec {script}"]), check=False)

    def bases(self) -> list[str]:
        return sorted(path.name for path in self._bases.iterdir())

    def remember(self) -> None:
        """Keep all files as they are now, for `forget`."""
        self._server.kill()
        for folder in (self.data, self._archive, self._bases):
            self._server.command("cp", "-a", folder, f"{folder}.kept")

    def forget(self) -> None:
        """Be again as at `remember`: faster than a new server for each test."""
        self._server.kill()
        for folder in (self.data, self._archive, self._bases):
            shutil.rmtree(folder, ignore_errors=True)
            self._server.command("cp", "-a", f"{folder}.kept", folder)
        self.start()


@pytest.fixture(scope="module")
def prepared() -> Iterator[Machine]:
    """Row 1 is in the base backup and the log, rows 2 and 3 only in the log; each in a segment of its own."""
    with Machine(SERVICES) as machine:
        machine.ask("CREATE TABLE kept (number int)")
        machine.keep(1)
        machine.back_up()
        machine.keep(2)
        machine.keep(3)
        machine.remember()
        yield machine


@pytest.fixture
def machine(prepared: Machine) -> Machine:
    prepared.forget()
    return prepared


def test_all_that_was_archived_comes_back(machine: Machine) -> None:
    machine.ask("INSERT INTO kept VALUES (4)")  # in no archived segment, and so lost with the machine
    machine.lose(SERVICES)
    machine.prepare(SERVICES)
    assert machine.kept() == "1 2 3"
    machine.keep(5)  # it works, and archives, on a timeline of its own


def test_a_moment_comes_back(machine: Machine) -> None:
    moment = str(machine.ask("SELECT now()"))
    machine.ask("DELETE FROM kept")  # the mistake that one goes back behind
    machine.keep(6)
    machine.lose(SERVICES)
    assert machine.recover(machine.base, moment).returncode == 0
    machine.start()
    assert machine.kept() == "1 2 3"


def test_a_second_recovery_does_not_stop_where_the_first_one_did(machine: Machine) -> None:
    moment = str(machine.ask("SELECT now()"))
    machine.keep(4)
    machine.lose(SERVICES)
    assert machine.recover(machine.base, moment).returncode == 0
    machine.start()
    machine.back_up()
    machine.keep(5)
    machine.lose(SERVICES)
    machine.prepare(SERVICES)
    assert machine.kept() == "1 2 3 5"


def test_what_a_failed_start_leaves_is_not_written_over(machine: Machine) -> None:
    refused = machine.recover(machine.base)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert machine.kept() == "1 2 3"


def _lose_a_segment(machine: Machine) -> None:
    segments = sorted(path for path in machine.archive.iterdir() if len(path.name) == 24)
    segments[-2].unlink()


def _cut_the_base_short(machine: Machine) -> None:
    file = machine.base / "base.tar.gz"
    file.write_bytes(file.read_bytes()[:-2000])


def _take_something_else_for_a_base(machine: Machine) -> None:
    (machine.base / "base.tar.gz").unlink()


def _lose_the_archive(machine: Machine) -> None:
    shutil.rmtree(machine.archive)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_lose_a_segment, "the archive has a hole before"),
        (_cut_the_base_short, "base.tar.gz is damaged"),
        (_take_something_else_for_a_base, "it holds no base.tar.gz"),
        (_lose_the_archive, "there is no archive"),
    ],
)
def test_what_can_not_come_back_whole_is_refused(
    machine: Machine, damage: Callable[[Machine], None], said: str
) -> None:
    machine.lose(SERVICES)
    damage(machine)
    with pytest.raises(RecoveryError, match=said):
        machine.prepare(SERVICES)


def test_before_a_hole_a_moment_comes_back(machine: Machine) -> None:
    machine.keep(4)
    moment = str(machine.ask("SELECT now()"))
    machine.keep(5)
    machine.keep(6)
    machine.keep(7)
    machine.lose(SERVICES)
    _lose_a_segment(machine)
    assert machine.recover(machine.base, moment).returncode == 0
    machine.start()
    assert machine.kept() == "1 2 3 4"


@pytest.mark.parametrize(
    "before", ["trap '' XFSZ; ulimit -f 400", "export PGUSER=stranger"], ids=["no room", "no right"]
)
def test_a_base_backup_that_fails_leaves_nothing(machine: Machine, before: str) -> None:
    there = machine.bases()
    assert machine.base_backup(before).returncode == 1
    assert machine.bases() == there


@pytest.fixture
def segment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "archive").mkdir()
    monkeypatch.setenv("WAL_ARCHIVE", str(tmp_path / "archive"))
    path = tmp_path / "000000010000000000000001"
    path.write_bytes(gzip.compress(b"changes"))
    return path


def archive(segment: Path) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPTS / "archive-wal.sh"), str(segment), segment.name]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_segment_is_archived_once_and_may_be_told_twice(segment: Path) -> None:
    # The server asks again when it stopped before it noted the answer.
    assert [archive(segment).returncode, archive(segment).returncode] == [0, 0]
    [kept] = (segment.parent / "archive").iterdir()
    assert (kept.name, kept.read_bytes()) == (segment.name, segment.read_bytes())


def test_what_an_attempt_left_half_done_does_not_count(segment: Path) -> None:
    (segment.parent / "archive" / f"{segment.name}.part").write_bytes(b"half")
    assert archive(segment).returncode == 0
    assert (segment.parent / "archive" / segment.name).read_bytes() == segment.read_bytes()


def test_another_segment_of_that_name_is_refused(segment: Path) -> None:
    kept = segment.parent / "archive" / segment.name
    kept.write_bytes(b"of another server")
    refused = archive(segment)
    assert (refused.returncode, kept.read_bytes()) == (1, b"of another server")
    assert "holds something else" in refused.stderr
