"""`archgen architect check` and `schema`: what goes where, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archgen import console
from archgen.commands.check import check
from archgen.commands.schema import schema
from archgen.errors import SpecError
from tests.spec.samples import BASE, SHOP


def test_notices_alone_are_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(SHOP, "utf-8")
    assert check(path) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "shop: 6 services, 1 saga proved; 3 notices (--verbose shows them)\n"


def test_verbose_prints_notices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_level", console.VERBOSE)
    path = tmp_path / "s.yaml"
    path.write_text(SHOP, "utf-8")
    assert check(path) == 0
    out, err = capsys.readouterr()
    assert [": notice: " in line for line in out.splitlines()] == [True, True, True]
    proof, summary = err.splitlines()
    assert proof.startswith("saga place_order (orchestration): proved; ")
    assert summary == "shop: 6 services, 1 saga proved; 3 notices"


def test_an_error_is_told_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.yaml").write_text(BASE + "broker: kafka\n", "utf-8")
    assert check(Path("s.yaml")) == 1
    assert (
        "s.yaml:11:9: error: broker: the broker `kafka` is not available in this version [not-available] "
        "(use `nats` for now)\n"
    ) in capsys.readouterr().out


def test_bad_input_is_left_to_the_command_line(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such file"):
        check(tmp_path / "s.yaml")


def test_the_schema_is_all_there_is_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema() == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert err == ""
