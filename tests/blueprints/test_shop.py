"""The blueprint shop renders to a system that is accepted as it is, in both styles."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from archgen import blueprints
from archgen.commands.new import new
from archgen.commands.run import run
from archgen.errors import ProjectError
from archgen.plan import plan
from archgen.spec import loads, loads_with_marks
from archgen.spec.findings import check
from archgen.spec.model import Choreography, Orchestration

STYLES = ("orchestration", "choreography")
SHOP = blueprints.shelf() / "shop"


@cache
def rendered(**answers: str) -> dict[str, bytes]:
    return {file.path: file.contents for file in blueprints.render(SHOP, answers, ask=False)}


@pytest.mark.parametrize("style", STYLES)
def test_the_description_is_accepted_without_a_warning(style: str) -> None:
    loaded = loads_with_marks(rendered(style=style)["system.yaml"])
    found = [finding for finding in check(loaded.system, loaded.document) if finding.severity != "notice"]
    assert found == []


def test_the_style_of_the_saga_is_the_one_asked_for() -> None:
    orchestrated, choreographed = (loads(rendered(style=style)["system.yaml"]) for style in STYLES)
    assert isinstance(orchestrated.sagas["place_order"], Orchestration)
    assert isinstance(choreographed.sagas["place_order"], Choreography)
    assert orchestrated.services == choreographed.services


def test_the_one_call_goes_the_way_that_was_asked_for() -> None:
    asked = {via: loads(rendered(calls=via)["system.yaml"]).services["orders"] for via in ("rest", "grpc")}
    assert {via: service.calls["inventory.availability"].via.value for via, service in asked.items()} == {
        "rest": "rest",
        "grpc": "grpc",
    }
    assert rendered() == rendered(calls="rest")


def test_only_the_description_depends_on_the_answers() -> None:
    orchestrated, choreographed = (rendered(style=style) for style in STYLES)
    assert {path for path in orchestrated if orchestrated[path] != choreographed.get(path)} == {"system.yaml"}


def test_every_event_of_the_choreography_leads_to_one_step_at_most() -> None:
    saga = loads(rendered(style="choreography")["system.yaml"]).sagas["place_order"]
    assert isinstance(saga, Choreography)
    triggers = [step.when for step in saga.steps]
    assert len(triggers) == len(set(triggers))


def test_every_failure_of_the_choreography_is_handled() -> None:
    system = loads(rendered(style="choreography")["system.yaml"])
    saga = system.sagas["place_order"]
    assert isinstance(saga, Choreography)
    failures = {
        command.fails
        for service in system.services.values()
        for aggregate in service.aggregates.values()
        for command in aggregate.commands.values()
        if command.fails
    }
    assert failures == {"payment.failed", "reservation.rejected", "shipment.failed", "order.not_confirmed"}
    assert failures <= {step.when for step in saga.steps}


@pytest.mark.parametrize("style", STYLES)
def test_the_domain_takes_the_place_of_files_that_would_be_generated(style: str) -> None:
    files = rendered(style=style)
    generated = {item.path for item in plan(loads(files["system.yaml"]))}
    # What orders and baskets have in common, and the way out to customers, are files of their own.
    assert set(files) - generated == {
        "system.yaml",
        "services/orders/src/orders/domain/item.py",
        "services/notifications/src/notifications/gateways.py",
        "tests/test_notifications.py",
    }


def test_the_domain_imports_neither_a_framework_nor_a_clock() -> None:
    allowed = {"__future__", "collections", "dataclasses", "decimal", "typing", "uuid"}
    for path, contents in rendered().items():
        if "/domain/" in path:
            service = path.split("/")[1]
            for module in imported(contents):
                pure = {"chassis.errors", "chassis.money"}
                own = module.startswith((f"{service}.generated.", f"{service}.domain."))
                assert module in allowed | pure or own, f"{path} imports {module}"


def imported(contents: bytes) -> set[str]:
    nodes = list(ast.walk(ast.parse(contents)))
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return named | {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}


@pytest.mark.parametrize(
    "about",
    [
        "\"quoted\" and 'quoted'",
        "a: b # c",
        "{{ system }} {% raw %}",
        "naïve 🛒",
        "line\nline",
        "\\n $(ls) `ls`",
    ],
)
def test_any_text_can_be_what_it_is_about(about: str) -> None:
    assert loads(rendered(about=about)["system.yaml"]).about == about


def test_a_name_is_taken_over() -> None:
    assert loads(rendered(system="corner_shop")["system.yaml"]).system == "corner_shop"


@pytest.mark.parametrize(
    "name", ["", "Shop", "my-shop", "../x", "a b", "1shop", "shop_", "x" * 41, "a\nb: c"]
)
def test_a_name_that_can_not_be_one_is_refused(name: str) -> None:
    with pytest.raises(ProjectError):
        rendered(system=name)


def test_a_style_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ProjectError):
        rendered(style="anarchy")


@pytest.mark.parametrize("style", STYLES)
def test_what_is_generated_from_it_has_nothing_that_the_audit_calls_an_error(style: str, tmp_path: Path) -> None:
    new("shop", tmp_path / "shop", [f"style={style}"], defaults=True)
    assert run(tmp_path / "shop" / "system.yaml") == 0
