"""A generated project has no drift; what its code lacks, or only its description has, is found."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from archgen.commands.new import new
from archgen.commands.run import run
from archgen.evidence.collect import collect
from archgen.rules.registry import RULES

_DRIFT = [rule for rule in RULES if rule.id.startswith("DRF")]
Edit = Callable[[Path], None]


@pytest.fixture(scope="module", params=["orchestration", "choreography"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shops") / str(request.param)
    assert new("shop", root, [f"style={request.param}"], True) == 0
    assert run(root / "system.yaml", audit=False) == 0
    return root


def _said(root: Path) -> dict[str, str]:
    facts = collect(root)
    hits = [(rule.id, hit) for rule in _DRIFT for hit in rule.check(facts)]
    lines = (root / "system.yaml").read_text("utf-8").split("\n")
    for _, hit in hits:
        assert hit.file == "system.yaml"
        assert lines[hit.line - 1].strip()
    return {id: hit.message for id, hit in hits}


def _sub(path: str, pattern: str, by: str) -> Edit:
    def edit(root: Path) -> None:
        file = root / path
        text, count = re.subn(pattern, by, file.read_text("utf-8"))
        assert count, f"{path} has no {pattern}"
        file.write_text(text, "utf-8")

    return edit


def _gone(path: str) -> Edit:
    def edit(root: Path) -> None:
        target = root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()

    return edit


_PAYMENT = "services/payments/src/payments"
_ORDERS = "services/orders/src/orders"
_YAML = "system.yaml"


def _copy(shop: Path, to: Path) -> Path:
    return Path(shutil.copytree(shop, to / shop.name, ignore=shutil.ignore_patterns(".archgen", "docs")))


def test_a_fresh_project_has_no_drift(shop: Path) -> None:
    assert _said(shop) == {}


_BILLING = _sub(_YAML, r"\n  payments:\n", "\n  billing: {}\n  payments:\n")
_NO_REFUNDED = _sub(f"{_PAYMENT}/domain/payment.py", r"\[\s*Refunded\([^\]]*\]", "[]")
_ONE_EVENT_MORE = _sub(_YAML, r"(emits: payment\.refunded)\}", r"\1, fails: payment.not_refunded}")
_ONE_JOB_MORE = _sub(_YAML, r"(    jobs:\n)(      reconcile:)", r"\1      settle: {attempts: 2}\n\2")
_NO_BREAKER = _sub(f"{_ORDERS}/generated/wiring.py", r",?\s*breaker=BreakerPolicy\([^)]*\)", "")
_NO_HISTORY = _sub(f"{_ORDERS}/generated/aggregates.py", "event_sourced=True", "event_sourced=False")
_ONE_HISTORY_MORE = _sub(_YAML, r"\n      Payment:\n", "\n      Payment:\n        event_sourced: true\n")


@pytest.mark.parametrize(
    ("edit", "rule", "message"),
    [
        (_BILLING, "DRF-001", "service billing is declared"),
        (_NO_REFUNDED, "DRF-002", "payment.refunded is declared"),
        (_ONE_EVENT_MORE, "DRF-002", "payment.not_refunded is declared"),
        (_gone(f"{_PAYMENT}/jobs/reconcile.py"), "DRF-005", "job reconcile is declared"),
        (_ONE_JOB_MORE, "DRF-005", "job settle is declared"),
        (_NO_BREAKER, "DRF-006", "has no breaker for inventory"),
        (_NO_HISTORY, "DRF-007", "Order is declared as event-sourced"),
        (_ONE_HISTORY_MORE, "DRF-007", "Payment is declared"),
    ],
)
def test_what_is_declared_and_lacking_is_found(
    shop: Path, tmp_path: Path, edit: Edit, rule: str, message: str
) -> None:
    root = _copy(shop, tmp_path)
    edit(root)
    said = _said(root)
    assert set(said) == {rule}
    assert message in said[rule]


def test_a_service_that_is_gone_is_one_finding_and_not_one_per_event(shop: Path, tmp_path: Path) -> None:
    root = _copy(shop, tmp_path)
    _gone("services/users")(root)
    assert set(_said(root)) == {"DRF-001"}


_SAGA = f"{_ORDERS}/sagas/place_order.py"


def test_a_saga_without_code_and_a_step_without_its_undo_are_found(shop: Path, tmp_path: Path) -> None:
    if shop.name == "choreography":
        root = _copy(shop, tmp_path / "saga")
        for file in root.glob("services/*/src/*/sagas/place_order.py"):
            file.unlink()
        for file in root.glob("services/*/src/*/generated/wiring.py"):
            file.unlink()
        assert "DRF-003" in _said(root)
        root = _copy(shop, tmp_path / "step")
        _gone(f"{_PAYMENT}/sagas/place_order.py")(root)
        assert "DRF-004" in _said(root)
        return
    root = _copy(shop, tmp_path / "saga")
    _gone(_SAGA)(root)
    _sub("services/orders/src/orders/generated/wiring.py", "place_order", "other")(root)
    assert set(_said(root)) == {"DRF-003"}
    root = _copy(shop, tmp_path / "undo")
    _sub(_SAGA, r", undo=payment\.Refund", "")(root)
    assert _said(root) == {
        "DRF-004": "compensation payments.refund of saga place_order is declared and not in its code"
    }
    root = _copy(shop, tmp_path / "step")
    _sub(_SAGA, r"\n\s*Step\(shipment\.Create, undo=shipment\.Cancel\),", "")(root)
    assert set(_said(root)) == {"DRF-004"}


def test_a_description_that_is_not_valid_is_told_and_nothing_is_judged(shop: Path, tmp_path: Path) -> None:
    root = _copy(shop, tmp_path)
    _sub(_YAML, r"\n    steps:", "\n    stpes:")(root)
    facts = collect(root)
    assert not [hit for rule in _DRIFT for hit in rule.check(facts)]
    assert any("drift is not judged: line" in note.message for note in facts.notes)


@pytest.mark.parametrize(
    "text", ["system: x\n", "archgen: 1\n", "archgen: soon\nsystem: [\n", "{archgen: 1, system: x}\n"]
)
def test_other_yaml_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "some.yaml").write_text(text)
    (tmp_path / "main.py").write_text("import uvicorn\nuvicorn.run('x')\n")
    facts = collect(tmp_path)
    assert not [hit for rule in _DRIFT for hit in rule.check(facts)]


_SYSTEMS = sorted((Path(__file__).parents[1] / "generated" / "systems").glob("*.yaml"))


@pytest.mark.parametrize("description", _SYSTEMS, ids=lambda path: path.stem)
def test_no_fresh_project_has_drift_whatever_its_names(description: Path, tmp_path: Path) -> None:
    run(description, tmp_path / "out", audit=False)
    assert _said(tmp_path / "out") == {}
