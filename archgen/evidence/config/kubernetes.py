"""Kubernetes manifests: workloads, probes, stores, shared config maps, cron jobs, meshes, autoscaling."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.config.engines import broker_of, database_of
from archgen.evidence.config.located import Node
from archgen.evidence.config.settings import WHOLE_ADDRESS, settings_of
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_WORKLOADS = {
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Rollout",
    "Pod",
    "CronJob",
    "Job",
    "ReplicaSet",
    "Service.serving",
}
_PROBES = {"livenessProbe": "liveness", "readinessProbe": "readiness", "startupProbe": "startup"}
_DATABASE_REF = re.compile(r"(db|database|postgres|mysql|mongo|datasource|jdbc|sql)", re.IGNORECASE)
_BACKUP = re.compile(
    r"pg_dump|pg_basebackup|mysqldump|mongodump|backup|wal-g|barman|velero|restic|xtrabackup|\.backup\b",
    re.IGNORECASE,
)


def wants(source: Source, docs: list[Node]) -> bool:
    return any(doc.text("apiVersion") and doc.text("kind") for doc in docs)


def collect(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    for doc in docs:
        kind, name = doc.text("kind"), doc.text("metadata", "name")
        if kind in _WORKLOADS:
            yield from _workload(source, doc, kind, name, strength)
        elif kind == "ConfigMap":
            for key, node in doc.get("data").items() if doc.get("data") else ():  # type: ignore[union-attr]
                if isinstance(node.value, str) and len(node.value) < 500:
                    yield from settings_of(
                        source.path, node.line, key, node.value, strength, owner=f"config:{name}"
                    )
        elif kind in (
            "DestinationRule",
            "TrafficPolicy",
            "BackendTrafficPolicy",
            "ServiceProfile",
            "Middleware",
        ):
            for key, node in doc.walk():
                if key in ("outlierDetection", "circuitBreaker", "circuitBreakers", "failureAccrual"):
                    yield Fact("breaker", source.path, node.line, Strength.USED, {"by": "mesh", "name": name})
                    break
        elif kind == "VirtualService":
            for key, node in doc.walk():
                if key == "retries":
                    yield Fact(
                        "retry",
                        source.path,
                        node.line,
                        strength,
                        {"by": "mesh", "bounded": True, "backoff": True, "near": True},
                    )
        elif kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "ScaledObject"):
            yield Fact("kubernetes." + kind, source.path, _line(doc), strength, {"name": name})
        elif kind in ("Schedule", "ScheduledBackup", "BackupPlan", "Backup", "PerconaXtraDBClusterBackup"):
            yield Fact(
                "backup",
                source.path,
                _line(doc),
                strength,
                {"by": kind, "scheduled": kind != "Backup", "command": kind},
            )
        elif kind in ("ServiceMonitor", "PodMonitor", "PodMonitoring", "ClusterPodMonitoring"):
            yield Fact("metrics.scraped", source.path, _line(doc), strength, {"name": name})


def _line(doc: Node) -> int:
    kind = doc.get("kind")
    return kind.line if kind else doc.line


def _named(name: str) -> str:
    """ "database" for a stateful workload that is called one, whatever image it runs."""
    return "database" if re.search(r"(^|-)(db|database)$", name) else ""


def _workload(source: Source, doc: Node, kind: str, name: str, strength: Strength) -> Iterator[Fact]:
    line = _line(doc)
    images = [node.value for key, node in doc.walk() if key == "image" and isinstance(node.value, str)]
    yield Fact("workload", source.path, line, strength, {"name": name, "image": " ".join(images), "by": kind})
    schedule = doc.text("spec", "schedule")
    text = " ".join(node.value for _, node in doc.walk() if isinstance(node.value, str))
    if kind == "CronJob" and _BACKUP.search(text):
        can_fail = "|| true" not in text
        yield Fact(
            "backup",
            source.path,
            line,
            strength,
            {"by": "CronJob", "scheduled": bool(schedule), "command": text, "can_fail": can_fail},
        )
        return
    engine = next((e for image in images if (e := database_of(image.rpartition("/")[2]))), "")
    if kind in ("Job", "CronJob"):
        engine = ""  # it talks to a database, and is none
    elif engine or (kind == "StatefulSet" and (engine := database_of(name) or _named(name))):
        keys = {key for key, _ in doc.walk()}
        fleeting = "emptyDir" if "emptyDir" in keys and "persistentVolumeClaim" not in keys else ""
        data: dict[str, object] = {"engine": engine, "name": name, "replicas": doc.text("spec", "replicas")}
        if "volumeClaimTemplates" not in keys:
            data["fleeting"] = fleeting
        yield Fact("datastore", source.path, line, strength, data)
    broker = next((b for image in images if (b := broker_of(image.rpartition("/")[2]))), "")
    if broker:
        keys = {key for key, _ in doc.walk()}
        lost = (
            kind == "StatefulSet"
            and "emptyDir" in keys
            and not keys & {"persistentVolumeClaim", "volumeClaimTemplates"}
        )
        mounts = tuple(
            n.text("mountPath") for k, list_ in doc.walk() if k == "volumeMounts" for n in list_.each()
        )
        about = {"engine": broker, "name": name, "mounts": mounts, "fleeting": "emptyDir" if lost else ""}
        yield Fact("broker", source.path, line, strength, about)
    # what changes a manifest that stands elsewhere (a patch of Kustomize's) names no image
    if kind in ("Deployment", "StatefulSet", "Rollout") and images and not engine and not broker:
        asked = {key for key, _ in doc.walk()} & set(_PROBES)
        yield Fact(
            "workload.probes", source.path, line, strength, {"name": name, "asked": tuple(sorted(asked))}
        )
    for key, node in doc.walk():
        if key in _PROBES and isinstance(node.value, dict):
            path = node.text("httpGet", "path")
            yield Fact(
                "probe",
                source.path,
                node.line,
                strength,
                {"kind": _PROBES[key], "path": path, "workload": name, "store": bool(engine)},
            )
        elif (
            key in ("configMapRef", "secretRef")
            and node.text("name")
            and _DATABASE_REF.search(node.text("name"))
        ):
            target = "config:" + node.text("name")
            bound = {"owner": name, "target": target, "engine": engine, "store": bool(engine), "key": key}
            yield Fact("database.binding", source.path, node.place("name"), strength, bound)
        elif key == "env":
            for item in node.each():
                secret = item.get("valueFrom")
                ref = (secret.get("secretKeyRef") or secret.get("configMapKeyRef")) if secret else None
                if ref is not None and not engine and WHOLE_ADDRESS.search(item.text("name")):
                    target = f"config:{ref.text('name')}/{ref.text('key')}"
                    bound = {"owner": name, "target": target, "engine": "", "key": item.text("name")}
                    yield Fact("database.binding", source.path, ref.place("name"), strength, bound)
                value = item.get("value")
                if value is not None and isinstance(value.value, str):
                    yield from settings_of(
                        source.path, value.line, item.text("name"), value.value, strength, owner=name
                    )
