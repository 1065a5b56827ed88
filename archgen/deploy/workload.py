"""A process of a service in Kubernetes: its pods, and how many of them there are."""

from __future__ import annotations

from archgen.contracts.yaml_text import Json
from archgen.deploy.naming import (
    AGENT_KEY,
    AGENT_MODEL,
    DATA,
    GRPC_PORT,
    HTTP_PORT,
    KEYS,
    USER,
    Names,
    Process,
    asks,
    grpc_host,
    grpc_url_variable,
    has_keys,
    on_file,
    url_variable,
)
from archgen.spec.calls import over_grpc, peers
from archgen.spec.model import System, Via

# The gateway forgets a pod within this time; until then the pod still takes what comes.
DRAIN = 5
SHUTDOWN = 20


def labels(names: Names, process: Process) -> dict[str, Json]:
    """`service` is what metrics are told by; the rest are Kubernetes's own recommended labels."""
    return {
        "app.kubernetes.io/name": process.name,
        "app.kubernetes.io/part-of": names.project,
        "service": process.service,
    }


def selector(name: str) -> dict[str, Json]:
    return {"matchLabels": {"app.kubernetes.io/name": name}}


def manifests(system: System, names: Names, process: Process) -> list[dict[str, Json]]:
    """Everything of one process that its folder base/ holds."""
    service = system.services[process.service]
    found = [_account(names, process), _deployment(system, names, process)]
    if process.public:
        found.append(_address(names, process))
    if _answers_grpc(system, process):
        found.append(_replicas(names, process))
    if on_file(service):
        if process.public:
            found.append(_volume(names, process))
    else:
        found += [_budget(names, process), autoscaler(names, process)]
    return found


def metadata(names: Names, process: Process) -> dict[str, Json]:
    return {"name": process.name, "labels": labels(names, process)}


def _account(names: Names, process: Process) -> dict[str, Json]:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(names, process),
        "automountServiceAccountToken": False,
    }


def _address(names: Names, process: Process) -> dict[str, Json]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(names, process),
        "spec": {
            "selector": {"app.kubernetes.io/name": process.name},
            "ports": [{"name": "http", "port": HTTP_PORT, "targetPort": "http"}],
        },
    }


def _replicas(names: Names, process: Process) -> dict[str, Json]:
    """The addresses of all replicas behind one name, for callers that spread their calls themselves."""
    name = grpc_host(names, process.service)
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "labels": labels(names, process)},
        "spec": {
            "clusterIP": "None",
            "selector": {"app.kubernetes.io/name": process.name},
            "ports": [{"name": "grpc", "port": GRPC_PORT, "targetPort": "grpc", "appProtocol": "grpc"}],
        },
    }


def _deployment(system: System, names: Names, process: Process) -> dict[str, Json]:
    alone = on_file(system.services[process.service])
    rolling: Json = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    spec: dict[str, Json] = {
        # How many there are is the autoscaler's to say; a file has one writer.
        **({"replicas": 1} if alone else {}),
        "revisionHistoryLimit": 3,
        "strategy": {"type": "Recreate"} if alone else rolling,
        "selector": selector(process.name),
        "template": {"metadata": {"labels": labels(names, process)}, "spec": _pod(system, names, process)},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(names, process), "spec": spec}


def _pod(system: System, names: Names, process: Process) -> Json:
    volumes: list[Json] = [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    if on_file(system.services[process.service]):
        claim = f"{names.host(process.service)}-data"
        volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": claim}})
    if process.public and has_keys(system, process.service):
        secret: Json = {"secretName": f"{names.host(process.service)}-keys", "defaultMode": 0o440}
        volumes.append({"name": "keys", "secret": secret})
    return {
        "serviceAccountName": process.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": DRAIN + SHUTDOWN + 10,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            _spread(process, key) for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [_container(system, names, process)],
        "volumes": volumes,
    }


def _spread(process: Process, key: str) -> Json:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": selector(process.name),
    }


def _container(system: System, names: Names, process: Process) -> Json:
    service = system.services[process.service]
    mounts: list[Json] = [{"name": "tmp", "mountPath": "/tmp"}]
    if on_file(service):
        mounts.append({"name": "data", "mountPath": DATA})
    if process.public and has_keys(system, process.service):
        mounts.append({"name": "keys", "mountPath": KEYS, "readOnly": True})
    return {
        "name": "service",
        "image": f"{names.project}/{names.host(process.service)}",
        "command": ["python", "-m", process.module],
        "ports": _ports(system, process),
        "envFrom": [{"configMapRef": {"name": "services"}}],
        "env": [
            *_secrets(system, names, process),
            *_security(system, process),
            *_peers(system, names, process),
        ],
        "startupProbe": {**_asks("/health/live"), "periodSeconds": 2, "failureThreshold": 60},
        # Restarted only if the process itself hangs: with its database away it rests, not ready.
        "livenessProbe": {
            **_asks("/health/live"),
            "periodSeconds": 10,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
        },
        "readinessProbe": {
            **_asks("/health/ready"),
            "periodSeconds": 5,
            "timeoutSeconds": 4,
            "failureThreshold": 2,
        },
        "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN}}},
        "resources": {
            "requests": {"cpu": "100m", "memory": "192Mi"},
            "limits": {"cpu": "1", "memory": "384Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _answers_grpc(system: System, process: Process) -> bool:
    return process.public and bool(over_grpc(system, process.service))


def _ports(system: System, process: Process) -> list[Json]:
    grpc: list[Json] = [{"name": "grpc", "containerPort": GRPC_PORT}]
    return [
        {"name": "http", "containerPort": HTTP_PORT},
        *(grpc if _answers_grpc(system, process) else []),
    ]


def _asks(path: str) -> dict[str, Json]:
    return {"httpGet": {"path": path, "port": "http"}}


def _secrets(system: System, names: Names, process: Process) -> list[Json]:
    """Addresses with passwords come from the Secret that is named like the service; none of it is here."""
    secret = names.host(process.service)
    service = system.services[process.service]
    wanted = ["BROKER_URL"] if on_file(service) else ["BROKER_URL", "DATABASE_URL"]
    wanted += [AGENT_KEY, AGENT_MODEL] if service.agents else []
    found: list[Json] = [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name}}} for name in wanted
    ]
    if on_file(service):
        found.append({"name": "DATABASE_URL", "value": f"sqlite:///{DATA}/{process.service}.db"})
    return found


def _security(system: System, process: Process) -> list[Json]:
    if system.auth is None:
        return []
    keys: list[Json] = [{"name": "KEYS_DIR", "value": KEYS}] if has_keys(system, process.service) else []
    # The gateway is the one proxy of ours; its word on who asks counts, and nobody else's.
    return [*keys, {"name": "TRUSTED_PROXIES", "value": "1"}]


def _peers(system: System, names: Names, process: Process) -> list[Json]:
    service = system.services[process.service]
    found = {"GRPC_PORT": str(GRPC_PORT)} if _answers_grpc(system, process) else {}
    for peer in asks(system, process.service):
        found[url_variable(peer)] = f"http://{names.host(peer)}:{HTTP_PORT}"
    for peer in peers(service, Via.GRPC):
        found[grpc_url_variable(peer)] = f"grpc://{grpc_host(names, peer)}:{GRPC_PORT}"
    return [{"name": name, "value": value} for name, value in found.items()]


def _volume(names: Names, process: Process) -> dict[str, Json]:
    claim: Json = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}}
    meta: Json = {"name": f"{process.name}-data", "labels": labels(names, process)}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": claim}


def _budget(names: Names, process: Process) -> dict[str, Json]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(names, process),
        "spec": {"maxUnavailable": 1, "selector": selector(process.name)},
    }


def autoscaler(names: Names, process: Process) -> dict[str, Json]:
    """By processor time. The component keda scales by what waits in the broker, too."""
    target: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "name": process.name}
    usage: Json = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(names, process),
        "spec": {
            "scaleTargetRef": target,
            "minReplicas": 2,
            "maxReplicas": 6,
            "metrics": [usage],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }
