"""System → the files below observability/ and the runbooks that its alerts link."""

from __future__ import annotations

import json
from collections.abc import Iterator

from archgen.contracts.yaml_text import Json, to_yaml
from archgen.deploy.naming import HTTP_PORT, Names
from archgen.observability import collector, dashboards, prometheus
from archgen.observability.alerts import Alert, alerts
from archgen.observability.objectives import objectives
from archgen.plan_types import Copy, Item, Template, Text
from archgen.render import TEMPLATES
from archgen.spec.calls import over_grpc
from archgen.spec.model import System
from archgen.spec.names import kebab, snake, title

FOLDER = "observability"


def observability_items(system: System) -> Iterator[Item]:
    """Rules with tests, dashboards, scraping, the collector; one runbook per alert."""
    found = alerts(system)
    names = Names(system)
    replicas = [(process.service, f"{process.name}:{HTTP_PORT}") for process in names.processes()]
    rules = f"{FOLDER}/prometheus"
    yield _yaml(
        f"{rules}/prometheus.yml", prometheus.scraping(replicas), "What to scrape beside deploy/compose.yaml."
    )
    pods = prometheus.scraping_pods([names.project, f"{names.project}-dev"])
    yield _yaml(f"{rules}/prometheus-kubernetes.yml", pods, "What to scrape inside Kubernetes.")
    yield _yaml(
        f"{rules}/recording.yml", prometheus.recording_rules(system), "Service level objectives, measured."
    )
    about = "Alerts. Check them, and what raises them: make check-observability"
    yield _yaml(f"{rules}/alerts.yml", prometheus.alerting_rules(found), about)
    yield _yaml(
        f"{rules}/tests.yml", prometheus.rule_tests(found), "For promtool test rules: what raises each alert."
    )
    yield _yaml(
        f"{FOLDER}/collector.yaml",
        collector.collector(names.jaeger),
        "OpenTelemetry collector: traces of every service.",
    )
    grafana = f"{FOLDER}/grafana"
    yield _yaml(
        f"{grafana}/provisioning/datasources/datasources.yml",
        dashboards.datasources(names.prometheus, names.jaeger),
        "Read at start.",
    )
    yield _yaml(f"{grafana}/provisioning/dashboards/dashboards.yml", dashboards.provider(), "Read at start.")
    for name, document in _dashboards(system):
        yield Text(
            f"{grafana}/dashboards/{name}.json", json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        )
    for alert in found:
        yield _runbook(system, alert)
    yield Copy("tests/test_observability.py", TEMPLATES / "system" / "tests" / "test_observability.py")
    yield Template(
        "docs/observability.md",
        "system/observability.md.jinja",
        {"system": system, "alerts": found, "objectives": objectives(system)},
    )


def _dashboards(system: System) -> Iterator[tuple[str, Json]]:
    name, shown = kebab(system.system), title(system.system)
    yield (
        "system",
        dashboards.dashboard(f"{name}-system", f"{shown}: system", dashboards.system_overview(system)),
    )
    panels = [*dashboards.one_service()]
    if any(over_grpc(system, name) for name in system.services):
        panels += dashboards.grpc()
    if any(service.jobs for service in system.services.values()):
        panels += dashboards.jobs()
    if any(service.agents for service in system.services.values()):
        panels += dashboards.agents()
    if system.auth is not None:
        panels += dashboards.security()
    own = dashboards.dashboard(f"{name}-service", f"{shown}: service", panels, ["service"])
    yield "service", own
    if system.sagas:
        yield "sagas", dashboards.dashboard(f"{name}-sagas", f"{shown}: sagas", dashboards.sagas())


def _runbook(system: System, alert: Alert) -> Item:
    context = {
        "alert": alert,
        "service": alert.raises["service"],
        "labels": alert.raises,
        "system": system,
        "pod": kebab(alert.raises["service"]),
    }
    return Template(alert.runbook, f"system/runbooks/{kebab(snake(alert.name))}.md.jinja", context)


def _yaml(path: str, data: Json, about: str) -> Item:
    return Text(path, f"# {about}\n{to_yaml(data)}")
