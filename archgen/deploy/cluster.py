"""What runs beside the services in a cluster: the gateway; for development, a broker and a database."""

from __future__ import annotations

from archgen.contracts.yaml_text import Json
from archgen.deploy.compose import BROKER_PASSWORD, NATS, NGINX, POSTGRES
from archgen.deploy.naming import (
    BROKER_PORT,
    DATABASE_PORT,
    GATEWAY_PORT,
    Names,
    on_file,
    password_variable,
)
from archgen.deploy.workload import selector
from archgen.spec.model import System

# The users of the images, where these are not root.
NGINX_USER, NATS_USER, POSTGRES_USER = 101, 1000, 70
HEALTH_PORT = 8222
CONFINED: Json = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def gateway(names: Names) -> list[dict[str, Json]]:
    """nginx with the table of public operations, in two replicas behind one address."""
    name = names.gateway
    container: Json = {
        "name": "nginx",
        "image": NGINX,
        "ports": [{"name": "http", "containerPort": GATEWAY_PORT}],
        "env": [
            {"name": "NGINX_ENTRYPOINT_LOCAL_RESOLVERS", "value": "1"},
            {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            # nginx does not use the search domains of the pod.
            {"name": "SERVICE_SUFFIX", "value": ".$(NAMESPACE).svc.cluster.local"},
        ],
        "startupProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 30},
        "livenessProbe": {"tcpSocket": {"port": "http"}, "periodSeconds": 10},
        "readinessProbe": {"httpGet": {"path": "/gateway/health", "port": "http"}, "periodSeconds": 5},
        "lifecycle": {"preStop": {"sleep": {"seconds": 5}}},
        "resources": {
            "requests": {"cpu": "50m", "memory": "32Mi"},
            "limits": {"cpu": "500m", "memory": "128Mi"},
        },
        "securityContext": CONFINED,
        "volumeMounts": [
            {"name": "templates", "mountPath": "/etc/nginx/templates", "readOnly": True},
            {"name": "rendered", "mountPath": "/etc/nginx/conf.d"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    volumes: list[Json] = [
        {"name": "templates", "configMap": {"name": name}},
        {"name": "rendered", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    spec: Json = {
        "replicas": 2,
        "selector": selector(name),
        "template": _pod(name, container, volumes, NGINX_USER),
    }
    budget: Json = {"maxUnavailable": 1, "selector": selector(name)}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec},
        _address(name, "http", 80, "http"),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name},
            "spec": budget,
        },
    ]


def broker(names: Names) -> list[dict[str, Json]]:
    """One NATS server with JetStream on a volume; production brings a cluster of three."""
    name = names.broker
    container: Json = {
        "name": "nats",
        "image": NATS,
        "args": ["--config", "/etc/nats/nats.conf"],
        "ports": [
            {"name": "nats", "containerPort": BROKER_PORT},
            {"name": "health", "containerPort": HEALTH_PORT},
        ],
        "env": [_secret(name, BROKER_PASSWORD)],
        "startupProbe": {
            "httpGet": {"path": "/healthz", "port": "health"},
            "periodSeconds": 2,
            "failureThreshold": 60,
        },
        "livenessProbe": {
            "httpGet": {"path": "/healthz?js-server-only=true", "port": "health"},
            "periodSeconds": 10,
        },
        "readinessProbe": {
            "httpGet": {"path": "/healthz?js-enabled-only=true", "port": "health"},
            "periodSeconds": 5,
        },
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "securityContext": CONFINED,
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "config", "mountPath": "/etc/nats", "readOnly": True},
        ],
    }
    volumes: list[Json] = [{"name": "config", "configMap": {"name": name}}]
    return [
        *_store(name, container, volumes, NATS_USER, "5Gi"),
        _address(name, "nats", BROKER_PORT, "nats"),
        _reached(name, BROKER_PORT),
    ]


def database(system: System, names: Names) -> list[dict[str, Json]]:
    """One PostgreSQL server, with a role and a database for each service."""
    name = names.database
    passwords = [password_variable(each) for each, service in system.services.items() if not on_file(service)]
    probe: dict[str, Json] = {"exec": {"command": ["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]}}
    container: Json = {
        "name": "postgres",
        "image": POSTGRES,
        "ports": [{"name": "postgres", "containerPort": DATABASE_PORT}],
        "env": [
            *(_secret(name, variable) for variable in ("POSTGRES_PASSWORD", *passwords)),
            {"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
        ],
        "startupProbe": {**probe, "periodSeconds": 2, "failureThreshold": 90},
        "livenessProbe": {"tcpSocket": {"port": "postgres"}, "periodSeconds": 20, "failureThreshold": 6},
        "readinessProbe": {**probe, "periodSeconds": 5},
        "resources": {
            "requests": {"cpu": "250m", "memory": "256Mi"},
            "limits": {"cpu": "2", "memory": "1Gi"},
        },
        "securityContext": CONFINED,
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
            {"name": "roles", "mountPath": "/docker-entrypoint-initdb.d", "readOnly": True},
            {"name": "run", "mountPath": "/var/run/postgresql"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    volumes: list[Json] = [
        {"name": "roles", "configMap": {"name": name}},
        {"name": "run", "emptyDir": {}},
        {"name": "tmp", "emptyDir": {}},
    ]
    return [
        *_store(name, container, volumes, POSTGRES_USER, "10Gi"),
        _address(name, "postgres", DATABASE_PORT, "postgres"),
        _reached(name, DATABASE_PORT),
    ]


def _secret(secret: str, key: str) -> Json:
    return {"name": key, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _pod(name: str, container: Json, volumes: list[Json], user: int) -> Json:
    return {
        "metadata": {"labels": {"app.kubernetes.io/name": name}},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 60,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": user,
                "runAsGroup": user,
                "fsGroup": user,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": volumes,
        },
    }


def _store(name: str, container: Json, volumes: list[Json], user: int, size: str) -> list[dict[str, Json]]:
    """One server with a volume of its own that stays when the pod goes."""
    claim: Json = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }
    spec: Json = {
        "replicas": 1,
        "serviceName": name,
        "selector": selector(name),
        "template": _pod(name, container, volumes, user),
        "volumeClaimTemplates": [claim],
    }
    return [{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": spec}]


def _address(name: str, port_name: str, port: int, target: str) -> dict[str, Json]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"app.kubernetes.io/name": name},
            "ports": [{"name": port_name, "port": port, "targetPort": target}],
        },
    }


def _reached(name: str, port: int) -> dict[str, Json]:
    """Pods of this namespace may reach it, and nobody else."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {
            "podSelector": selector(name),
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": port}]}],
        },
    }
