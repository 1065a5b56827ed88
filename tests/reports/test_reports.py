"""Each report shows the same audit, and none breaks on what stands in it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from rich.console import Console

from archgen.checklist import Audit, ItemResult
from archgen.evidence.facts import Note, Service, Strength
from archgen.reports import FORMATS, table
from archgen.reports.json import document, schema
from archgen.rules.model import Evidence, Finding, Severity, Verdict
from archgen.rules.registry import ITEMS

_REMEDY = "Write it to an outbox."
_NASTY = "a`b|c[red]<i>*x*</i>\\n"


def _audit(name: str = "shop", file: str = "orders/place.py") -> Audit:
    finding = Finding("DTC-001", Severity.ERROR, file, 7, f"place writes and publishes {name}", _REMEDY)
    evidence = Evidence("BND-E01", "orders/main.py", 2, Strength.USED, "service orders starts here")
    items = []
    for number, item in enumerate(ITEMS):
        verdict = list(Verdict)[number % len(Verdict)]
        found = (finding,) if item.id == "data_consistency" else ()
        seen = (evidence,) if item.id == "service_boundaries" else ()
        items.append(ItemResult(item.id, item.title, verdict, f"because of {name}", found, seen))
    services = (Service("orders", "orders", "orders/main.py", 2, "python"),)
    return Audit(name, tuple(items), services, (Note("big.py", "not read: 6 MB"),), 3, 2)


def _table(audit: Audit, width: int = 80, *, terminal: bool = False) -> str:
    out = io.StringIO()
    table.show(audit, Console(file=out, width=width, force_terminal=terminal, highlight=False))
    return out.getvalue()


def test_the_document_follows_its_published_schema() -> None:
    Draft202012Validator.check_schema(schema())
    errors = list(Draft202012Validator(schema()).iter_errors(document(_audit())))
    assert errors == []


@pytest.mark.parametrize("key", ["schema", "score", "coverage", "items", "project"])
def test_the_schema_refuses_a_document_without(key: str) -> None:
    wrong = {k: v for k, v in document(_audit()).items() if k != key}
    assert not Draft202012Validator(schema()).is_valid(wrong)


def test_json_carries_what_a_program_needs() -> None:
    data = json.loads(FORMATS["json"](_audit()))
    assert data["schema"] == "archgen-audit/1"
    assert [item["id"] for item in data["items"]] == [item.id for item in ITEMS]
    (finding,) = next(i for i in data["items"] if i["id"] == "data_consistency")["findings"]
    assert finding == {
        "rule": "DTC-001",
        "severity": "error",
        "file": "orders/place.py",
        "line": 7,
        "message": "place writes and publishes shop",
        "remedy": _REMEDY,
    }


@pytest.mark.parametrize("width", [80, 60, 120])
def test_the_table_fits_its_width_and_shows_score_with_coverage(width: int) -> None:
    text = _table(_audit(), width)
    assert max(len(line) for line in text.split("\n")) <= width
    assert "orders/place.py:7" in text
    assert "orders/main.py:2" in text
    assert "Score" in text and "judged items" in " ".join(text.split())


def test_the_table_is_plain_where_nobody_looks() -> None:
    assert "\x1b" not in _table(_audit())
    assert "\x1b" in _table(_audit(), terminal=True)


def test_text_from_the_project_is_never_markup() -> None:
    audit = _audit(_NASTY, "x[bold].py")
    assert "[red]" in _table(audit, 200)
    assert "x[bold].py:7" in _table(audit, 200)
    assert "<i>" not in FORMATS["markdown"](audit)
    assert "\\|" in FORMATS["markdown"](audit)


def test_control_characters_do_not_reach_the_terminal() -> None:
    text = _table(_audit("a\x1b[2Jb\x07", "x\x1b]0;hi\x07.py"), 200)
    assert "\x1b" not in text
    assert "\x07" not in text


def test_sarif_points_at_the_place_and_keeps_its_fingerprint_when_code_moves() -> None:
    first = json.loads(FORMATS["sarif"](_audit(file="a b.py")))["runs"][0]
    assert first["tool"]["driver"]["rules"][0]["id"] == "DTC-001"
    (result,) = first["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b.py"
    assert place["region"] == {"startLine": 7}
    assert result["level"] == "error"
    assert first["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_markdown_names_every_item_and_finding() -> None:
    text = FORMATS["markdown"](_audit())
    assert all(item.title in text for item in ITEMS)
    assert "`orders/place.py:7`" in text
    assert "big.py" in text


def test_the_schema_is_shipped_beside_its_report() -> None:
    import archgen.reports

    assert (Path(archgen.reports.__file__).parent / "audit.schema.json").is_file()
