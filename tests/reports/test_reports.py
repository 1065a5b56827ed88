"""Each report shows the same audit, and none breaks on what stands in it."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest
import xmlschema
from jsonschema import Draft4Validator, Draft202012Validator
from rich.console import Console

from archgen.checklist import Audit, ItemResult
from archgen.evidence.facts import Note, Service, Strength
from archgen.reports import FORMATS, table
from archgen.reports.json import document, schema
from archgen.rules.marks import Mark, State, Suppression
from archgen.rules.model import Evidence, Finding, Severity, Verdict
from archgen.rules.registry import ITEMS

_SCHEMAS = Path(__file__).parent / "schemas"
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
        "fingerprint": "",
        "decides": True,
        "known": False,
        "changed": True,
        "suppression": None,
    }


@pytest.mark.parametrize("width", [80, 60, 120])
def test_the_table_fits_its_width_and_shows_score_with_coverage(width: int) -> None:
    text = _table(_audit(), width)
    assert max(len(line) for line in text.split("\n")) <= width
    assert "orders/place.py:7" in text
    assert "orders/main.py:2" in text
    assert "Score" in text and "judged items" in " ".join(text.split())


def test_one_rule_with_many_findings_hides_no_other() -> None:
    audit = _audit()
    many = [replace(audit.findings[0], line=number) for number in range(1, 9)]
    other = replace(audit.findings[0], rule="DTC-007", file="orders/last.py")
    items = [replace(i, findings=(*many, other)) if i.findings else i for i in audit.items]
    text = _table(replace(audit, items=tuple(items)), 200)
    assert "DTC-007 orders/last.py" in text
    assert text.count("DTC-001 ") == 4
    assert "and 4 more of DTC-001" in text


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


def _lived_with(name: str = "shop", file: str = "orders/place.py") -> Audit:
    """An audit with everything that a team may have said about its findings."""
    active = Suppression("DTC-001", f"the relay comes, says {name}", date(2027, 1, 31), file, 6, covered=7)
    listed = replace(active, file=".archgen-audit.yaml", line=2, covered=0, path="orders/**")
    findings = [
        Finding(
            "DTC-001", Severity.ERROR, file, 7, f"writes {name}", _REMEDY, Mark("DTC-001", file, name, name)
        ),
        Finding(
            "DTC-002", Severity.ERROR, file, 8, "known", _REMEDY, Mark("DTC-002", file, "", "x"), known=True
        ),
        Finding("DTC-003", Severity.WARNING, file, 9, "elsewhere", _REMEDY, changed=False),
    ]
    hidden = [
        replace(findings[0], suppressed=replace(active, state=State.ACTIVE)),
        replace(findings[0], line=9, suppressed=replace(listed, state=State.ACTIVE)),
    ]
    plain = _audit(name, file)
    items = tuple(
        replace(
            item,
            verdict=Verdict.PARTIAL,
            counted=Verdict.FAIL,
            findings=tuple(findings),
            suppressed=tuple(hidden),
        )
        if item.id == "data_consistency"
        else replace(item, accepted=replace(active, rule=item.id, state=State.ACTIVE))
        if item.verdict is Verdict.FAIL
        else item
        for item in plain.items
    )
    idle = (
        replace(active, state=State.EXPIRED, until=date(2026, 1, 1)),
        replace(active, state=State.UNUSED),
        Suppression("", "", None, file, 3, state=State.INVALID, problem=f"no {name}"),
    )
    return replace(
        plain,
        items=items,
        suppressions=idle,
        since="main",
        baseline="b.jsonl",
        fixed=(Mark("RES-001", file, "f", name),),
    )


@pytest.mark.parametrize(
    "audit", [_audit(), _lived_with(), _audit(_NASTY), _lived_with("a\x1b]\x00", 'ü "<&>.py')]
)
def test_every_machine_readable_report_follows_its_schema(audit: Audit) -> None:
    errors = [error.message for error in Draft202012Validator(schema()).iter_errors(document(audit))]
    assert errors == []
    sarif = json.loads((_SCHEMAS / "sarif-2.1.0.json").read_text())
    errors = [
        error.message for error in Draft4Validator(sarif).iter_errors(json.loads(FORMATS["sarif"](audit)))
    ]
    assert errors == []
    xmlschema.XMLSchema(_SCHEMAS / "junit.xsd").validate(FORMATS["junit"](audit))


def test_every_report_shows_what_a_team_lives_with() -> None:
    audit = _lived_with()
    for text in (_table(audit, 200), *(render(audit) for render in FORMATS.values())):
        assert "the relay comes, says shop" in text
        assert "2027-01-31" in text
        assert "expired on 2026-01-01" in text or '"expired"' in text or "<testsuites" in text


def test_sarif_tells_suppressed_and_known_results() -> None:
    results = json.loads(FORMATS["sarif"](_lived_with()))["runs"][0]["results"]
    assert [r["baselineState"] for r in results] == ["new", "unchanged", "new", "new", "new"]
    kinds = [r["suppressions"][0]["kind"] for r in results if "suppressions" in r]
    assert kinds == ["inSource", "external"]
    assert results[0]["partialFingerprints"]["archgen/v1"]


def test_sarif_tells_a_crash_and_suppressions_that_hide_nothing() -> None:
    (invocation,) = json.loads(FORMATS["sarif"](_lived_with()))["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    said = [(n["level"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]]
    assert ("warning", "the suppression of DTC-001 expired on 2026-01-01") in said
    assert any(level == "error" and "could not be judged" in text for level, text in said)


def test_junit_fails_for_what_decides_and_skips_the_rest() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](_lived_with()))
    cases = {
        c.attrib["name"].partition(":")[0]: c
        for c in root.iter("testcase")
        if "data" in c.attrib["classname"]
    }
    assert cases["DTC-001"].find("failure") is not None
    assert "the relay comes" in (cases["DTC-001"].findtext("system-out") or "")
    skipped = cases["DTC-002"].find("skipped")
    assert skipped is not None
    assert "baseline" in skipped.attrib["message"]
    skipped = cases["DTC-003"].find("skipped")
    assert skipped is not None
    assert "changed line" in skipped.attrib["message"]
    assert cases["DTC-004"].find("*") is None
    for suite in root.iter("testsuite"):
        assert int(suite.attrib["tests"]) == len(suite)
    assert sum(int(s.attrib["errors"]) for s in root) == int(root.attrib["errors"]) > 0


def test_junit_fails_for_a_failed_item_unless_it_is_accepted_known_or_a_change_is_judged() -> None:
    def failed(audit: Audit) -> int:
        return FORMATS["junit"](audit).count('<failure message="fail:')

    plain = _audit()
    assert failed(plain) > 0
    assert failed(replace(plain, since="main")) == 0
    assert failed(replace(plain, items=tuple(replace(i, known=True) for i in plain.items))) == 0
