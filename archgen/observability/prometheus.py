"""What Prometheus reads: where to scrape, what to record, when to alert, and tests of that."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archgen.contracts.yaml_text import Json
from archgen.observability.alerts import Alert
from archgen.observability.objectives import recorded
from archgen.spec.model import System

RULES = ("recording.yml", "alerts.yml")
# `job` is what Prometheus calls a group of targets, so the label of that name in metrics has to give way.
_JOB_NAME: list[Json] = [
    {"source_labels": ["exported_job"], "regex": "(.+)", "target_label": "task"},
    {"regex": "exported_job", "action": "labeldrop"},
]


def recording_rules(system: System) -> Json:
    rules: list[Json] = [{"record": record, "expr": expr} for record, expr in recorded(system)]
    return {"groups": [{"name": "objectives", "interval": "30s", "rules": rules}]}


def alerting_rules(alerts: Sequence[Alert]) -> Json:
    return {"groups": [{"name": "alerts", "rules": [_rule(alert) for alert in alerts]}]}


def _rule(alert: Alert) -> Json:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.after,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": re.sub(r"\$(\w+)", r"{{ $labels.\1 }}", alert.summary),
            "description": alert.description,
            "runbook_url": alert.runbook,
        },
    }


def rule_tests(alerts: Sequence[Alert]) -> Json:
    """For promtool: every alert is raised by its case, and by no case of calm."""
    files: list[Json] = list(RULES)
    return {
        "rule_files": files,
        "evaluation_interval": "1m",
        "tests": [*(_raised(alert) for alert in alerts), _calm(alerts)],
    }


def _raised(alert: Alert) -> Json:
    summary = re.sub(r"\$(\w+)", lambda found: alert.raises[found[1]], alert.summary)
    annotations: dict[str, Json] = {
        "summary": summary,
        "description": alert.description,
        "runbook_url": alert.runbook,
    }
    expected: Json = {
        "exp_labels": {"severity": alert.severity, **alert.raises},
        "exp_annotations": annotations,
    }
    return {
        "name": f"{alert.name} is raised",
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in alert.series],
        "alert_rule_test": [{"eval_time": alert.at, "alertname": alert.name, "exp_alerts": [expected]}],
    }


def _calm(alerts: Sequence[Alert]) -> Json:
    """The same series, all of them quiet: nothing may be raised."""
    series = dict.fromkeys(name for alert in alerts for name, _ in alert.series)
    return {
        "name": "nothing is raised while all is well",
        "interval": "1m",
        "input_series": [{"series": name, "values": _quiet(name)} for name in series],
        "alert_rule_test": [{"eval_time": "3h", "alertname": alert.name} for alert in alerts],
    }


def _quiet(series: str) -> str:
    if series.startswith("up"):
        return "1x200"
    well = 'status="200"' in series or 'outcome="done"' in series or "_bucket" in series or "_count" in series
    return "0+60x200" if well else "0x200"


def scraping(services: Sequence[tuple[str, str]]) -> Json:
    """The configuration beside compose; `services` are pairs of a service's name and its `host:port`.

    Names are looked up again and again, so that each replica is found and one that is gone is dropped.
    """
    jobs: list[Json] = [
        {
            "job_name": "services",
            "static_configs": [
                {"targets": [address], "labels": {"service": name}} for name, address in services
            ],
            "metric_relabel_configs": _JOB_NAME,
        },
        {"job_name": "prometheus", "static_configs": [{"targets": ["127.0.0.1:9090"]}]},
    ]
    return _configuration(jobs)


def scraping_pods(namespaces: Sequence[str]) -> Json:
    """The configuration inside Kubernetes: every pod that says which service it is."""
    relabel: list[Json] = [
        {
            "source_labels": ["__meta_kubernetes_pod_label_service"],
            "regex": "(.+)",
            "target_label": "service",
        },
        {"source_labels": ["service"], "regex": "", "action": "drop"},
        {"source_labels": ["__meta_kubernetes_pod_container_port_name"], "regex": "http", "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
    ]
    names: list[Json] = list(namespaces)
    jobs: list[Json] = [
        {
            "job_name": "services",
            "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": names}}],
            "relabel_configs": relabel,
            "metric_relabel_configs": _JOB_NAME,
        }
    ]
    return _configuration(jobs)


def _configuration(jobs: list[Json]) -> Json:
    files: list[Json] = [f"/etc/prometheus/{name}" for name in RULES]
    every: Json = {"scrape_interval": "15s", "evaluation_interval": "15s"}
    return {"global": every, "rule_files": files, "scrape_configs": jobs}
