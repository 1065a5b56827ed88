"""Alerts and dashboards: each names what is emitted, and each alert has a runbook and a case that raises it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from chassis import metrics

PROJECT = Path(__file__).parent.parent
RULES = PROJECT / "observability" / "prometheus"
DASHBOARDS = sorted((PROJECT / "observability" / "grafana" / "dashboards").glob("*.json"))
# What Prometheus and Grafana put in the place of these.
VARIABLES = {"$__rate_interval": "5m", "$service": "x"}


def rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load((RULES / name).read_text("utf-8")) for name in ("recording.yml", "alerts.yml")]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


ALERTS = [rule for rule in rules() if "alert" in rule]


def emitted() -> set[str]:
    """Every series that can be there: the chassis's, the recorded ones, and those of scraping itself."""
    found = {"up", *(rule["record"] for rule in rules() if "record" in rule)}
    for family in metrics.registry.collect():
        suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}.get(
            family.type, ("",)
        )
        found |= {f"{family.name}{suffix}" for suffix in suffixes}
    return found


def named(expression: str) -> set[str]:
    """The series that an expression names. Raises ValueError when it does not parse."""
    found: set[str] = set()

    def note(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name or "")
        return True

    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    promql_parser.walk(promql_parser.parse(expression), note)
    return found


def panels() -> Iterator[tuple[str, str]]:
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text("utf-8"))["panels"]:
            yield from ((f"{path.stem}: {panel['title']}", target["expr"]) for target in panel["targets"])


def test_an_unknown_series_would_be_noticed() -> None:
    assert named("sum(rate(no_such_thing_total[5m])) > 1") - emitted() == {"no_such_thing_total"}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_names_what_is_emitted(rule: dict[str, Any]) -> None:
    assert named(rule["expr"]) and named(rule["expr"]) <= emitted()


@pytest.mark.parametrize(("title", "expression"), list(panels()))
def test_a_panel_names_what_is_emitted(title: str, expression: str) -> None:
    assert named(expression) and named(expression) <= emitted(), title


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_what_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    runbook = PROJECT / rule["annotations"]["runbook_url"]
    assert rule["alert"] in runbook.read_text("utf-8").splitlines()[0]


def test_every_runbook_belongs_to_an_alert() -> None:
    linked = {Path(rule["annotations"]["runbook_url"]).name for rule in ALERTS}
    assert {path.name for path in (PROJECT / "docs" / "runbooks").glob("*.md")} == linked


def test_commands_in_runbooks_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in (PROJECT / "docs" / "runbooks").glob("*.md"):
        assert set(re.findall(r"\bmake ([a-z-]+)", path.read_text("utf-8"))) <= targets, path.name


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize(
    "command", [("check", "rules", "recording.yml", "alerts.yml"), ("test", "rules", "tests.yml")]
)
def test_promtool_agrees(command: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *command], cwd=RULES, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
