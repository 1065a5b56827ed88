"""The tool that measures: what it keeps, and that it leaves nothing behind. What it measures is no test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import benchmarks.__main__ as bench
from benchmarks import audit_speed, document


def test_one_table_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n<!-- a -->\nold\n<!-- end of a -->\nwords\n<!-- b -->\nb\n<!-- end of b -->\n")
    document.keep("a", "| new |", page)
    text = page.read_text()
    assert text.startswith("# Title\n<!-- a -->\n\n| new |\n\nMeasured on ")
    assert text.endswith("<!-- end of a -->\nwords\n<!-- b -->\nb\n<!-- end of b -->\n")
    assert "old" not in text
    once = page.read_text()
    document.keep("a", "| new |", page)
    assert page.read_text() == once
    with pytest.raises(ValueError, match="no place"):
        document.keep("c", "| new |", page)


def test_every_table_has_its_place_in_the_document() -> None:
    text = document.DOCUMENT.read_text("utf-8")
    for name in bench.ALL:
        assert text.count(f"<!-- {name} -->") == text.count(f"<!-- end of {name} -->") == 1


def test_a_table_that_does_not_exist_is_told_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["nothing"])
    told = capsys.readouterr().err
    assert "there is no nothing" in told
    assert "sagas" in told


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_what_is_stopped_takes_with_it_what_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a child that will not hear of it."""
    monkeypatch.setattr(bench, "TIDYING", 0.3)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    child = f"{deaf}; print('up', flush=True); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    bench.end(process)
    process.wait(5)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("something of the group is still there")


def test_one_that_fails_or_takes_too_long_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept: list[str] = []
    monkeypatch.setattr(document, "keep", lambda name, _table: kept.append(name))
    outcomes = {"startup": None, "shop": "| table |"}
    monkeypatch.setattr(bench, "measured", lambda name, _limit: outcomes[name])
    assert bench.main(["startup", "shop"]) == 1
    assert kept == ["shop"]
    assert "not measured: startup" in capsys.readouterr().err


def test_what_the_audit_looks_for_can_be_asked_of_a_tool_that_cannot_look_around() -> None:
    assert len(audit_speed.NAMES) > 30
    for pattern in map(audit_speed._native, audit_speed.NAMES.values()):
        assert not re.search(r"\(\?<?[!=]", pattern)
        re.compile(pattern)
