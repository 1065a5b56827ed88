"""Verdicts, score, exit codes: what the audit makes of what the rules saw."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from archgen import checklist
from archgen.checklist import Audit, ItemResult, audit, judge
from archgen.commands.audit import audit as command
from archgen.commands.catalogue import explain, list_rules
from archgen.errors import ArchgenError
from archgen.evidence import collect as collecting
from archgen.evidence.collect import collect
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Verdict
from archgen.rules.registry import ITEMS, RULES

_IDS = [item.id for item in ITEMS]


def _write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def _item(result: Audit, id: str) -> ItemResult:
    return next(item for item in result.items if item.id == id)


_PAYMENTS = {
    "payments/Dockerfile": 'FROM python:3\nCMD ["python", "main.py"]\n',
    "payments/main.py": "import uvicorn\nuvicorn.run('app')\n",
}
_NAIVE = {
    **_PAYMENTS,
    "orders/Dockerfile": 'FROM python:3\nCMD ["python", "main.py"]\n',
    "orders/main.py": "import uvicorn\nfrom place import place\nuvicorn.run('app')\n",
    "orders/place.py": (
        "import requests\n\n"
        "async def place(session, producer, order):\n"
        "    requests.post(settings.payments, json=order)\n"
        "    session.add(order)\n"
        "    session.commit()\n"
        "    await producer.send('orders', order)\n"
    ),
}


def test_a_naive_system_fails_with_the_lines_to_blame(tmp_path: Path) -> None:
    result = audit(_write(tmp_path, _NAIVE))
    places = {(f.rule, f.file, f.line) for item in result.items for f in item.findings}
    assert {
        ("SAG-001", "orders/place.py", 4),
        ("RES-001", "orders/place.py", 4),
        ("DTC-001", "orders/place.py", 7),
    } <= places
    verdicts = {item.id: item.verdict for item in result.items}
    assert verdicts["service_boundaries"] is Verdict.PASS
    assert verdicts["communication_patterns"] is Verdict.PASS
    assert {verdicts[id] for id in ("saga", "circuit_breaker", "data_consistency", "observability")} == {
        Verdict.FAIL
    }


def test_every_verdict_that_says_something_has_a_place_behind_it(tmp_path: Path) -> None:
    root = _write(tmp_path, _NAIVE)
    for item in audit(root).items:
        if item.verdict is Verdict.UNKNOWN:
            continue
        places = [(f.file, f.line) for f in item.findings] + [(e.file, e.line) for e in item.evidence]
        assert places, item.id
        for file, line in places:
            assert 1 <= line <= len((root / file).read_text().splitlines()), (item.id, file, line)


def test_the_same_folder_gives_the_same_audit(tmp_path: Path) -> None:
    root = _write(tmp_path, _NAIVE)
    assert audit(root) == audit(root)


def test_names_do_not_matter(tmp_path: Path) -> None:
    before = audit(_write(tmp_path / "a", _NAIVE))
    renamed = {
        path.replace("orders", "zebra").replace("place", "act"): text.replace("place", "act").replace(
            "order", "thing"
        )
        for path, text in _NAIVE.items()
    }
    after = audit(_write(tmp_path / "b", renamed))
    assert [item.verdict for item in before.items] == [item.verdict for item in after.items]


def test_one_deployable_has_no_boundaries_and_no_sagas(tmp_path: Path) -> None:
    result = audit(_write(tmp_path, _PAYMENTS))
    assert _item(result, "service_boundaries").verdict is Verdict.NOT_APPLICABLE
    assert _item(result, "saga").verdict is Verdict.NOT_APPLICABLE
    assert _item(result, "saga").evidence[0].file == "payments/main.py"


def test_a_crash_of_a_rule_is_an_error_of_its_item_and_stops_no_other(tmp_path: Path) -> None:
    def crash(facts: Facts) -> Iterable[Hit]:
        raise ZeroDivisionError("seven")

    rules = [replace(rule, check=crash) if rule.id == "DTC-001" else rule for rule in RULES]
    facts = collect(_write(tmp_path, _NAIVE))
    broken, whole = judge(facts, rules), judge(facts)
    assert [item.id for item in broken] == _IDS
    for one, other in zip(broken, whole, strict=True):
        if one.id == "data_consistency":
            assert one.verdict is Verdict.ERROR
            assert "DTC-001 crashed: ZeroDivisionError: seven" in one.reason
        else:
            assert one == other


def test_a_crash_of_a_recogniser_is_an_error_of_the_items_that_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(program: object, facts: object) -> Iterable[object]:
        raise ValueError("blind")

    others = collecting._RECOGNISERS[1:]
    monkeypatch.setattr(collecting, "_RECOGNISERS", ((crash, ("circuit_breaker",)), *others))
    result = audit(_write(tmp_path, _NAIVE))
    assert [item.id for item in result.items if item.verdict is Verdict.ERROR] == ["circuit_breaker"]


def _result(*verdicts: Verdict) -> Audit:
    items = tuple(
        ItemResult(id, id, verdict, "so", (), ()) for id, verdict in zip(_IDS, verdicts, strict=False)
    )
    return Audit("x", items, (), (), 1, 1)


@pytest.mark.parametrize(
    ("verdicts", "score", "coverage"),
    [
        ((Verdict.PASS, Verdict.FAIL), 50.0, 1.0),
        ((Verdict.PASS, Verdict.PARTIAL), 75.0, 1.0),
        ((Verdict.PASS, Verdict.UNKNOWN), 100.0, 0.5),
        ((Verdict.PASS, Verdict.NOT_APPLICABLE), 100.0, 1.0),
        ((Verdict.PASS, Verdict.ERROR), 100.0, 0.5),
        ((Verdict.UNKNOWN, Verdict.UNKNOWN), None, 0.0),
        ((Verdict.NOT_APPLICABLE,), None, 0.0),
    ],
)
def test_the_score_is_over_judged_items_and_coverage_says_how_many(
    verdicts: tuple[Verdict, ...], score: float | None, coverage: float
) -> None:
    result = _result(*verdicts)
    assert (result.score, result.coverage) == (score, coverage)


@pytest.mark.parametrize(
    ("verdict", "fail_on", "strict", "code"),
    [
        (Verdict.PASS, "error", False, 0),
        (Verdict.PARTIAL, "error", False, 0),
        (Verdict.FAIL, "error", False, 1),
        (Verdict.FAIL, "never", False, 0),
        (Verdict.UNKNOWN, "error", False, 0),
        (Verdict.UNKNOWN, "error", True, 4),
        (Verdict.ERROR, "never", False, 3),
    ],
)
def test_exit_codes(
    verdict: Verdict, fail_on: str, strict: bool, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checklist, "audit", lambda path, **_: _result(verdict))
    assert command(Path(), formats=["json"], fail_on=fail_on, strict=strict, out=io.StringIO()) == code


@pytest.mark.parametrize(("fail_on", "code"), [("error", 1), ("warning", 1), ("note", 1), ("never", 0)])
def test_findings_at_the_level_fail(tmp_path: Path, fail_on: str, code: int) -> None:
    assert command(_write(tmp_path, _NAIVE), fail_on=fail_on, out=io.StringIO()) == code


@pytest.mark.parametrize("wrong", [{"formats": ["pdf"]}, {"fail_on": "sometimes"}])
def test_wrong_options_name_the_right_ones(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ArchgenError, match="use one of"):
        command(tmp_path, out=io.StringIO(), **wrong)  # type: ignore[arg-type]


def test_the_list_has_every_item_and_rule() -> None:
    out = io.StringIO()
    assert list_rules(out=out) == 0
    text = out.getvalue()
    assert all(item.id in text for item in ITEMS)
    assert all(rule.id in text for rule in RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_is_explained(rule: object) -> None:
    out = io.StringIO()
    assert explain(rule.id.lower(), out=out) == 0  # type: ignore[attr-defined]
    assert rule.why in out.getvalue()  # type: ignore[attr-defined]


def test_an_unknown_rule_is_told_with_the_nearest() -> None:
    with pytest.raises(ArchgenError, match="did you mean DTC-001"):
        explain("DTC-0011")


def test_an_item_is_explained_by_its_rules() -> None:
    out = io.StringIO()
    assert explain("saga", out=out) == 0
    assert all(rule.title in out.getvalue() for rule in RULES if rule.item == "saga")
