"""The command around the audit: reports and where they go, exit codes, and clear words for bad input."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from archgen.commands.audit import audit as command
from archgen.commands.catalogue import schema
from archgen.errors import ArchgenError
from archgen.rules.model import Verdict
from archgen.triage.listed import NAME
from tests.triage.projects import MAIN, naive


def _run(root: Path, **options: object) -> tuple[int, str]:
    out = io.StringIO()
    return command(root, out=out, **options), out.getvalue()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.json", '{\n  "schema": "archgen-audit/1"'),
        ("a.sarif", '{\n  "$schema"'),
        ("a.xml", "<?xml"),
        ("a.md", "# Audit of shop"),
        ("a.txt", "Audit of shop, "),
        ("sub/folder/a.JSON", "{"),
    ],
)
def test_the_name_of_the_output_tells_the_format(tmp_path: Path, name: str, start: str) -> None:
    code, out = _run(naive(tmp_path / "shop"), output=tmp_path / name)
    assert (code, out) == (1, "")
    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_several_formats_come_from_one_run(tmp_path: Path) -> None:
    formats = [f"json={tmp_path / 'a.json'}", f"sarif={tmp_path / 'b.sarif'}", "markdown"]
    _, out = _run(naive(tmp_path / "shop"), formats=formats)
    assert out.startswith("# Audit of shop")
    assert json.loads((tmp_path / "a.json").read_text())["project"] == "shop"
    assert json.loads((tmp_path / "b.sarif").read_text())["version"] == "2.1.0"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"formats": ["pdf"]}, "unknown format 'pdf'"),
        ({"formats": ["json", "sarif"]}, "same place"),
        ({"formats": ["json=a", "sarif=a"]}, "same place"),
        ({"formats": ["json", "sarif"], "output": Path("a")}, "--output is for one format"),
        ({"formats": ["json=a"], "output": Path("b")}, "--output is for one format"),
        ({"output": Path("report")}, "tells no format"),
        ({"output": Path("/dev/null/x.json")}, "cannot be written"),
        ({"fail_on": "sometimes"}, "unknown level"),
        ({"baseline": Path("nowhere")}, "no such baseline"),
        ({"since": "main"}, "needs a git work tree"),
        ({"rules": [Path("nowhere")]}, "no such folder of rules"),
    ],
)
def test_wrong_options_are_a_clear_word(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(ArchgenError, match=message):
        _run(naive(tmp_path / "shop"), **options)


def test_an_output_that_exists_is_replaced_and_a_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text("what was here")
    _run(naive(tmp_path / "shop"), output=file)
    assert "what was here" not in file.read_text()
    with pytest.raises(ArchgenError, match="cannot be written"):
        _run(tmp_path / "shop", output=tmp_path, formats=["json"])


def test_a_baseline_makes_an_old_project_pass_until_something_is_new(tmp_path: Path) -> None:
    root, file = naive(tmp_path / "shop"), tmp_path / "b.jsonl"
    assert _run(root)[0] == 1
    assert _run(root, write_baseline=file)[0] == 0
    code, out = _run(root, baseline=file)
    assert code == 0
    assert "0 new" in " ".join(out.split())
    (root / "orders" / "main.py").write_text(
        MAIN.replace("uvicorn.run", "requests.get(settings.url)\nuvicorn.run")
    )
    code, out = _run(root, baseline=file)
    assert code == 1
    assert "2 new" in " ".join(out.split())


def test_suppressions_change_the_exit_code_and_stay_visible(tmp_path: Path) -> None:
    root = naive(tmp_path / "shop")
    before = json.loads(_run(root, formats=["json"])[1])
    rules = {f["rule"] for item in before["items"] for f in item["findings"]}
    items = {item["id"] for item in before["items"]}
    text = "suppressions:\n" + "".join(
        f"  - {{rule: {rule}, reason: accepted, until: {_soon()}}}\n" for rule in sorted(rules | items)
    )
    (root / NAME).write_text(text)
    code, out = _run(root, formats=["json"])
    after = json.loads(out)
    assert code == 0
    assert sum(len(item["suppressed"]) for item in after["items"]) == sum(
        len(item["findings"]) for item in before["items"]
    )
    assert after["score_without_suppressions"] == before["score"]
    assert any(one["state"] == "unused" for one in after["suppressions"])
    assert _run(root, fail_on="note")[0] == 1
    code, out = _run(root, formats=["json"], suppress=False)
    assert code == 1
    assert json.loads(out)["items"] == before["items"]


def _soon() -> str:
    from datetime import date, timedelta

    return str(date.today() + timedelta(days=30))


def test_the_schema_is_printed_and_the_report_follows_it(tmp_path: Path) -> None:
    out = io.StringIO()
    assert schema(out) == 0
    report = json.loads(_run(naive(tmp_path / "shop"), formats=["json"])[1])
    assert list(Draft202012Validator(json.loads(out.getvalue())).iter_errors(report)) == []


def test_a_link_that_leads_to_itself_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ArchgenError, match="no such folder"):
        _run(tmp_path / "loop")


def test_nothing_that_could_be_judged_is_never_a_pass(tmp_path: Path) -> None:
    code, out = _run(tmp_path, formats=["json"], strict=True)
    assert code == 4
    assert {item["verdict"] for item in json.loads(out)["items"]} == {Verdict.UNKNOWN.value}
    assert _run(tmp_path, formats=["junit"])[1].count("<skipped") > 10
