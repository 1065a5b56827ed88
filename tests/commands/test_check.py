"""`archgen architect check`: counter-examples for people and for programs, and what `run` makes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

from archgen import console
from archgen.cli import main
from archgen.commands.check import check
from archgen.commands.run import run
from archgen.errors import ArchgenError
from tests.proof.systems import HEAD, orchestrated

SARIF = Path(__file__).parents[1] / "reports" / "schemas" / "sarif-2.1.0.json"
NO_UNDO = orchestrated("do: payments.charge", "do: stock.reserve, undo: stock.release")


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "_level", console.NORMAL)
    path = Path("system.yaml")
    path.write_text(NO_UNDO, "utf-8")
    return path


def as_json(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_the_counter_example_stands_below_its_line(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(spec) == 1
    out, err = capsys.readouterr()
    first, *steps = out.splitlines()
    assert first.startswith("system.yaml:45:14: warning: sagas.s.steps[0].do: `payments.charge` stays done")
    assert steps == [
        "      1. `order.created` starts the saga",
        "      2. payments does `charge`",
        "      3. stock refuses `reserve` (`hold.rejected`)",
        "      4. orders does `cancel`",
        "      5. the saga ends as compensated, and `payments.charge` is still done",
    ]
    assert "1 saga, none proved; 1 warning" in err


def test_json(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(spec, "json") == 1
    found = as_json(capsys)
    assert (found["schema"], found["file"], found["system"], found["valid"]) == (
        "archgen-check/1",
        "system.yaml",
        "shop",
        True,
    )
    [warning] = [each for each in found["findings"] if each["severity"] == "warning"]
    assert (warning["code"], warning["line"], warning["key"]) == ("no-undo", 45, "sagas.s.steps[0].do")
    assert warning["steps"][1] == "payments does `charge`"
    [saga] = found["sagas"]
    assert (saga["name"], saga["style"], saga["verdict"]) == ("s", "orchestration", "refuted")
    assert saga["states"] > 10 and saga["moves"] > 10


def test_a_file_that_is_not_valid_is_told_in_the_same_form(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec.write_text(NO_UNDO.replace("do: stock.reserve", "do: stock.rserve"), "utf-8")
    assert check(spec, "json") == 2
    found = as_json(capsys)
    assert not found["valid"]
    assert [(each["severity"], each["line"], each["key"]) for each in found["findings"]] == [
        ("error", 46, "sagas.s.steps[1].do")
    ]


@pytest.mark.parametrize("text", [NO_UNDO, HEAD, "archgen: 2\n"])
def test_sarif_follows_its_schema(spec: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    spec.write_text(text, "utf-8")
    check(spec, "sarif")
    log = as_json(capsys)
    assert [error.message for error in Draft4Validator(json.loads(SARIF.read_text())).iter_errors(log)] == []
    if text == NO_UNDO:
        texts = [each["message"]["text"] for each in log["runs"][0]["results"] if each["level"] == "warning"]
        assert "\n2. payments does `charge`\n" in texts[0]


def test_no_such_format(spec: Path) -> None:
    with pytest.raises(ArchgenError, match="unknown format 'xml'"):
        check(spec, "xml")


def test_what_no_code_can_make_right_is_not_generated(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = orchestrated(
        "do: payments.charge, undo: payments.refund", "do: stock.reserve, undo: payments.refund"
    )
    spec.write_text(text, "utf-8")
    assert run(spec, audit=False) == 1
    err = capsys.readouterr().err
    assert (
        "sagas.s.steps[1].undo: `stock.reserve` stays done: `payments.refund` goes to another service" in err
    )
    assert "1. `order.created` starts the saga" in err
    assert [path.name for path in Path().iterdir()] == ["system.yaml"]


def test_a_warning_does_not_keep_it_from_being_generated(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(spec, audit=False) == 0
    assert "1 warning about the description: archgen architect check system.yaml" in capsys.readouterr().err


def test_from_the_command_line(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sys.argv", ["archgen", "architect", "check", "system.yaml", "--format", "json", "-q"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert as_json(capsys)["sagas"][0]["verdict"] == "refuted"
