"""The system in Kubernetes, as kustomize reads it: a base, components, an overlay per environment."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.contracts.yaml_text import Json, to_yaml
from archgen.deploy import network, workload
from archgen.deploy.cluster import broker, database, gateway
from archgen.deploy.gateway import public
from archgen.deploy.naming import Names, Process, consumes, on_file
from archgen.spec.model import System

KUSTOMIZE = "kustomize.config.k8s.io/v1beta1"
COMPONENT = "kustomize.config.k8s.io/v1alpha1"
PROMETHEUS = f"http://prometheus.{network.MONITORING}.svc:9090"
COLLECTOR = f"http://collector.{network.MONITORING}.svc:4318"
# One more replica for this many messages that wait.
LAG_PER_REPLICA = 200


def manifests(system: System) -> Iterator[tuple[str, str]]:
    """Paths below deploy/kubernetes, and their text."""
    names = Names(system)
    outside = list(dict.fromkeys(one.service for one in public(system)))
    for process in names.processes():
        policy = network.of_process(system, names, process, public=process.service in outside)
        yield f"base/{process.name}.yaml", _documents([*workload.manifests(system, names, process), policy])
    shared = [*network.shared(names), network.of_gateway(names, outside)]
    yield "base/network.yaml", _documents(shared)
    yield f"base/{names.gateway}.yaml", _documents(gateway(names))
    yield "base/kustomization.yaml", _kustomization(_base(names))
    yield from _components(system, names)
    yield from _overlays(system, names)


def scaled(system: System, names: Names) -> list[Process]:
    """What KEDA scales: that which takes messages and may have more than one replica."""
    return [
        process
        for process in names.processes()
        if process.public
        and consumes(system, process.service)
        and not on_file(system.services[process.service])
    ]


def _base(names: Names) -> dict[str, Json]:
    files = [f"{process.name}.yaml" for process in names.processes()]
    settings: list[Json] = [
        "PROFILE=prod",
        "PORT=8000",
        "LOG_LEVEL=INFO",
        f"SHUTDOWN_SECONDS={workload.SHUTDOWN}",
        f"OTEL_EXPORTER_OTLP_ENDPOINT={COLLECTOR}",
    ]
    return {
        "apiVersion": KUSTOMIZE,
        "kind": "Kustomization",
        "resources": ["network.yaml", f"{names.gateway}.yaml", *files],
        "configMapGenerator": [
            {"name": "services", "literals": settings},
            {"name": names.gateway, "files": ["default.conf.template"]},
        ],
    }


def _components(system: System, names: Names) -> Iterator[tuple[str, str]]:
    broken: list[Json] = [
        {"patch": to_yaml({**_named(workload.autoscaler(names, process)), "$patch": "delete"})}
        for process in scaled(system, names)
    ]
    yield (
        "components/keda/scaled-objects.yaml",
        _documents([_scaler(names, process) for process in scaled(system, names)]),
    )
    yield (
        "components/keda/kustomization.yaml",
        _kustomization(
            {
                "apiVersion": COMPONENT,
                "kind": "Component",
                "resources": ["scaled-objects.yaml"],
                "patches": broken,
            }
        ),
    )
    yield "components/local/broker.yaml", _documents(broker(names))
    resources: list[Json] = ["broker.yaml"]
    configured: list[Json] = [{"name": names.broker, "files": ["nats.conf"]}]
    if any(not on_file(service) for service in system.services.values()):
        yield "components/local/database.yaml", _documents(database(system, names))
        resources.append("database.yaml")
        configured.append({"name": names.database, "files": ["roles.sh"]})
    yield (
        "components/local/kustomization.yaml",
        _kustomization(
            {
                "apiVersion": COMPONENT,
                "kind": "Component",
                "resources": resources,
                "configMapGenerator": configured,
            }
        ),
    )


def _scaler(names: Names, process: Process) -> dict[str, Json]:
    lag = f'sum(max by (consumer) (consumer_lag{{service="{process.service}"}}))'
    waiting: Json = {
        "type": "prometheus",
        "metadata": {"serverAddress": PROMETHEUS, "query": lag, "threshold": str(LAG_PER_REPLICA)},
    }
    busy: Json = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": workload.metadata(names, process),
        "spec": {
            "scaleTargetRef": {"name": process.name},
            "minReplicaCount": 2,
            "maxReplicaCount": 10,
            "cooldownPeriod": 300,
            # With Prometheus away, as many as carry the usual load.
            "fallback": {"failureThreshold": 3, "replicas": 3},
            "triggers": [waiting, busy],
        },
    }


def _overlays(system: System, names: Names) -> Iterator[tuple[str, str]]:
    images: list[Json] = [
        {
            "name": f"{names.project}/{names.host(name)}",
            "newName": f"registry.example/{names.project}/{names.host(name)}",
            "newTag": "replaced-by-ci",
        }
        for name in system.services
    ]
    one: Json = {
        "target": {"kind": "HorizontalPodAutoscaler"},
        "patch": to_yaml([{"op": "replace", "path": "/spec/minReplicas", "value": 1}]),
    }
    yield (
        "overlays/dev/kustomization.yaml",
        _kustomization(
            {
                "apiVersion": KUSTOMIZE,
                "kind": "Kustomization",
                "namespace": f"{names.project}-dev",
                "resources": ["namespace.yaml", "../../base"],
                "components": ["../../components/local"],
                "patches": [one],
                "images": [
                    {**_object(image), "newName": _object(image)["name"], "newTag": "dev"} for image in images
                ],
            }
        ),
    )
    yield "overlays/dev/namespace.yaml", _documents([_namespace(f"{names.project}-dev")])
    yield (
        "overlays/prod/kustomization.yaml",
        _kustomization(
            {
                "apiVersion": KUSTOMIZE,
                "kind": "Kustomization",
                "namespace": names.project,
                "resources": ["namespace.yaml", "../../base"],
                "components": ["../../components/keda"],
                "images": images,
            }
        ),
    )
    yield "overlays/prod/namespace.yaml", _documents([_namespace(names.project)])


def _named(document: dict[str, Json]) -> dict[str, Json]:
    """What is needed to say which object is meant."""
    return {key: document[key] for key in ("apiVersion", "kind", "metadata")}


def _object(value: Json) -> dict[str, Json]:
    assert isinstance(value, dict)
    return value


def _namespace(name: str) -> dict[str, Json]:
    """Pods that ask for more than the restricted profile gives are refused by the cluster itself."""
    enforced: dict[str, Json] = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": enforced}}


def _documents(documents: list[dict[str, Json]]) -> str:
    return "---\n".join(to_yaml(document) for document in documents)


def _kustomization(document: dict[str, Json]) -> str:
    return to_yaml(document)
