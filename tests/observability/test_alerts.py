"""Alerts and dashboards: each expression parses and names what the chassis emits; promtool agrees."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml

from archgen.observability.alerts import alerts
from archgen.observability.objectives import AVAILABILITY, objectives, recorded
from archgen.render import TEMPLATES
from archgen.spec import loads
from archgen.spec.consistency import LATENCIES
from archgen.spec.names import kebab, snake
from tests.deploy.systems import NAMED, described, files

METRICS = (TEMPLATES / "python/chassis/src/chassis/metrics.py").read_text("utf-8")
PROMETHEUS = "observability/prometheus/"
VARIABLES = {"$__rate_interval": "5m", "$service": "x"}


def emitted() -> set[str]:
    """The chassis's series as its source declares them, those of every process, and the recorded ones."""
    found = {"up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}
    found |= {name for name, _ in recorded(described("orchestration"))}
    for kind, name in re.findall(r'= _(counter|gauge|histogram)\(\s*"(\w+)"', METRICS):
        found |= (
            {f"{name}{suffix}" for suffix in ("_bucket", "_count", "_sum")} if kind == "histogram" else {name}
        )
    return found


def named(expression: str) -> set[str]:
    found: set[str] = set()

    def note(node: object) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name or "")
        return True

    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    promql_parser.walk(promql_parser.parse(expression), note)
    return found


def expressions(name: str) -> list[str]:
    rules = [yaml.safe_load(files(name)[f"{PROMETHEUS}{file}.yml"]) for file in ("recording", "alerts")]
    found = [rule["expr"] for file in rules for group in file["groups"] for rule in group["rules"]]
    for path, text in files(name).items():
        if path.startswith("observability/grafana/dashboards/"):
            found += [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    return found


@pytest.mark.parametrize("name", NAMED)
def test_every_expression_names_what_is_emitted(name: str) -> None:
    for expression in expressions(name):
        assert named(expression) and named(expression) <= emitted(), expression


def test_what_the_chassis_keeps_is_looked_at() -> None:
    """A number that no alert and no panel shows is one nobody needs, or a panel that was forgotten."""
    shown = {series for name in NAMED for expression in expressions(name) for series in named(expression)}
    agents = {series for series in emitted() if series.startswith("agent_")}
    families = {re.sub(r"_(bucket|count|sum)$", "", series) for series in emitted() - agents - {"up"}}
    assert families - {re.sub(r"_(bucket|count|sum)$", "", series) for series in shown} == set()


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    templates = {
        path.name.removesuffix(".md.jinja") for path in (TEMPLATES / "system" / "runbooks").iterdir()
    }
    raised = {kebab(snake(alert.name)) for name in NAMED for alert in alerts(described(name))}
    assert raised == templates
    for name in NAMED:
        assert all(alert.runbook in files(name) for alert in alerts(described(name)))


def test_a_system_is_not_warned_of_what_it_does_not_have() -> None:
    small = {alert.name for alert in alerts(described("small"))}
    assert "ServiceDown" in small
    assert not small & {"SagaStuck", "BreakerOpen", "ViewLag", "JobsFailed"}
    assert "SagaStuck" not in {alert.name for alert in alerts(described("choreography"))}


def test_burn_rates_are_those_of_the_workbook() -> None:
    assert AVAILABILITY.burns(14.4, "1h", "5m") == (
        "(service:http_errors:ratio_rate1h > 0.0144 and service:http_errors:ratio_rate5m > 0.0144)"
    )


PROMISING = """\
archgen: 1
system: shop
services:
  orders:
    slo: {availability: 99.5%, latency: 250ms}
    aggregates: {Order: {commands: {create: {emits: order.created}}}}
  stock:
    slo: {availability: 99.5%}
    aggregates: {Hold: {commands: {reserve: {emits: hold.reserved}}}}
  mail:
    slo: {availability: 99.9%}
    aggregates: {Letter: {commands: {send: {emits: letter.sent}}}}
"""


def test_a_service_is_held_to_what_it_promises() -> None:
    system = loads(PROMISING)
    availability, latency = objectives(system)
    assert availability.burns(6, "6h", "30m") == (
        '(service:http_errors:ratio_rate6h{service!~"orders|stock"} > 0.006 '
        'and service:http_errors:ratio_rate30m{service!~"orders|stock"} > 0.006) or '
        '(service:http_errors:ratio_rate6h{service=~"orders|stock"} > 0.03 '
        'and service:http_errors:ratio_rate30m{service=~"orders|stock"} > 0.03)'
    )
    _, slow = latency.record("5m")
    common, _, own = slow.partition(" or ")
    assert 'le="0.5"' in common and common.count('service!~"orders"') == 2
    assert 'le="0.25"' in own and own.count('service=~"orders"') == 2
    for _, expression in recorded(system):
        assert promql_parser.parse(expression)
    burning = [alert for alert in alerts(system) if "Burns" in alert.name]
    assert all(promql_parser.parse(alert.expr) for alert in burning)
    assert "99.5 % by orders" in burning[0].description
    assert 'le="0.25"' in burning[-1].series[0][0], "the case is about a service that promises 250 ms"


def test_a_promised_latency_is_one_that_is_measured() -> None:
    [bounds] = re.findall(r"^_LATENCY = \((.*)\)$", METRICS, re.MULTILINE)
    assert tuple(float(bound) for bound in bounds.split(", ")) == LATENCIES


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize(
    ("code", "raised"), [("INTERNAL", True), ("DEADLINE_EXCEEDED", True), ("NOT_FOUND", False)]
)
def test_what_fails_over_grpc_burns_the_budget_beside_sound_http(
    tmp_path: Path, code: str, raised: bool
) -> None:
    for file in ("recording", "alerts"):
        (tmp_path / f"{file}.yml").write_text(files("names")[f"{PROMETHEUS}{file}.yml"], "utf-8")
    series = {
        'http_requests_total{service="nats",method="GET",route="/x",status="200"}': "0+30x200",
        'grpc_requests_total{service="nats",method="/a.B/C",code="OK"}': "0+24x200",
        f'grpc_requests_total{{service="nats",method="/a.B/C",code="{code}"}}': "0+6x200",
    }
    case = {
        "rule_files": ["recording.yml", "alerts.yml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": "service:http_errors:ratio_rate5m",
                        "eval_time": "2h",
                        "exp_samples": [
                            {
                                "labels": 'service:http_errors:ratio_rate5m{service="nats"}',
                                "value": 0.1 if raised else 0,
                            }
                        ]
                        if raised
                        else [],
                    }
                ],
            }
        ],
    }
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(case), "utf-8")
    done = subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
@pytest.mark.parametrize("name", ["orchestration", "names"])
def test_promtool_takes_the_rules_and_raises_every_alert(tmp_path: Path, name: str) -> None:
    for path, text in files(name).items():
        if path.startswith(PROMETHEUS):
            (tmp_path / Path(path).name).write_text(text, "utf-8")
    for command in (
        ("check", "rules", "recording.yml", "alerts.yml"),
        ("check", "config", "--syntax-only", "prometheus.yml"),
        ("test", "rules", "tests.yml"),
    ):
        done = subprocess.run(["promtool", *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
