"""The whole system on one machine: deploy/compose.yaml.

Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

from collections.abc import Sequence

from archgen.contracts.yaml_text import Json
from archgen.deploy.naming import (
    AGENT_KEY,
    AGENT_MODEL,
    BROKER_PORT,
    DATA,
    DATABASE_PORT,
    GATEWAY_PORT,
    GRPC_PORT,
    HTTP_PORT,
    KEYS,
    Names,
    Process,
    asks,
    grpc_url_variable,
    has_keys,
    on_file,
    password_variable,
    url_variable,
)
from archgen.observability.collector import OTLP_GRPC, OTLP_HTTP
from archgen.spec.calls import over_grpc, peers
from archgen.spec.model import Service, System, Via

NATS = "nats:2.11-alpine"
POSTGRES = "postgres:17-alpine"
NGINX = "nginxinc/nginx-unprivileged:1.27-alpine"
PROMETHEUS = "prom/prometheus:v3.5.0"
GRAFANA = "grafana/grafana:12.1.0"
JAEGER = "jaegertracing/jaeger:2.9.0"
COLLECTOR = "otel/opentelemetry-collector-contrib:0.135.0"
BROKER_PASSWORD = "BROKER_PASSWORD"
MIB = 1024**2


def compose(system: System) -> Json:
    """Services, broker, database and gateway; what watches them comes with `--profile observability`."""
    names = Names(system)
    services: dict[str, Json] = {names.broker: _broker()}
    volumes: dict[str, Json] = {"broker": {}, "metrics": {}, "dashboards": {}}
    if any(not on_file(service) for service in system.services.values()):
        services[names.database] = _database(system)
        volumes["database"] = {}
    for process in names.processes():
        services[process.name] = _process(system, names, process)
        if on_file(system.services[process.service]):
            volumes[f"{names.host(process.service)}-data"] = {}
    services[names.gateway] = _gateway([names.host(name) for name in system.services])
    services.update(_watching(names))
    return {
        "name": names.project,
        "services": services,
        "networks": {"inside": {}, "edge": {}},
        "volumes": volumes,
    }


def required(variable: str) -> str:
    """A reference that stops compose with these words when the variable is not set."""
    return f"${{{variable}:?run make deploy-env, or set it in deploy/.env}}"


def secrets(system: System) -> list[str]:
    """The variables that have no value anywhere in the project."""
    roles = [password_variable(name) for name, service in system.services.items() if not on_file(service)]
    admin = ["POSTGRES_PASSWORD"] if roles else []
    return [BROKER_PASSWORD, *admin, *roles, "GRAFANA_PASSWORD"]


def _process(system: System, names: Names, process: Process) -> Json:
    service = system.services[process.service]
    on = [names.broker] if on_file(service) else [names.broker, names.database]
    found: dict[str, Json] = {
        "image": f"${{REGISTRY:-local}}/{names.project}/{names.host(process.service)}:${{TAG:-dev}}",
        "build": {"context": "..", "dockerfile": f"services/{process.service}/Dockerfile"},
        "command": ["python", "-m", process.module],
        "environment": _environment(system, names, process),
        "depends_on": {name: {"condition": "service_healthy"} for name in on},
        "healthcheck": {
            "test": ["CMD", "python", "-m", "chassis.ready"],
            "interval": "10s",
            "timeout": "5s",
            "retries": 6,
            "start_period": "30s",
        },
        "networks": ["inside"],
        "stop_grace_period": "30s",
        **_confined(memory=384 * MIB, cpus="1.0"),
    }
    volumes: list[Json] = [f"{names.host(process.service)}-data:{DATA}"] if on_file(service) else []
    if process.public and has_keys(system, process.service):
        volumes.append(f"./keys/{process.service}:{KEYS}:ro")
    return {**found, **({"volumes": volumes} if volumes else {})}


def _environment(system: System, names: Names, process: Process) -> dict[str, Json]:
    service = system.services[process.service]
    role = process.service
    at = f"{names.database}:{DATABASE_PORT}/{role}"
    file = f"sqlite:///{DATA}/{role}.db"
    return {
        "PROFILE": "prod",
        "PORT": str(HTTP_PORT),
        "LOG_LEVEL": "${LOG_LEVEL:-INFO}",
        "BROKER_URL": f"nats://services:{required(BROKER_PASSWORD)}@{names.broker}:{BROKER_PORT}",
        "DATABASE_URL": file
        if on_file(service)
        else f"postgresql://{role}:{required(password_variable(role))}@{at}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "${OTEL_EXPORTER_OTLP_ENDPOINT:-}",
        **_agents(service),
        **_security(system, process),
        **({"GRPC_PORT": str(GRPC_PORT)} if process.public and over_grpc(system, process.service) else {}),
        **{
            url_variable(peer): f"http://{names.host(peer)}:{HTTP_PORT}"
            for peer in asks(system, process.service)
        },
        # A name stands for all replicas here, so callers see each of them.
        **{
            grpc_url_variable(peer): f"grpc://{names.host(peer)}:{GRPC_PORT}"
            for peer in peers(service, Via.GRPC)
        },
    }


def _security(system: System, process: Process) -> dict[str, Json]:
    if system.auth is None:
        return {}
    keys: dict[str, Json] = {"KEYS_DIR": KEYS} if has_keys(system, process.service) else {}
    return {**keys, "TRUSTED_PROXIES": "1"}


def _agents(service: Service) -> dict[str, Json]:
    if not service.agents:
        return {}
    return {
        AGENT_KEY: f"${{{AGENT_KEY}:?set it in deploy/.env}}",
        AGENT_MODEL: f"${{{AGENT_MODEL}:?set it in deploy/.env}}",
    }


def _confined(memory: int, cpus: str) -> dict[str, Json]:
    """What every container of ours gets, and what it can't do."""
    limits: Json = {"cpus": cpus, "memory": f"{memory // MIB}M"}
    return {
        "restart": "unless-stopped",
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "deploy": {"resources": {"limits": limits}},
        "logging": {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}},
    }


def _limited(memory: int, cpus: str) -> dict[str, Json]:
    limits: Json = {"cpus": cpus, "memory": f"{memory // MIB}M"}
    return {"restart": "unless-stopped", "deploy": {"resources": {"limits": limits}}}


def _healthy(*test: str) -> Json:
    return {"test": list[Json](test), "interval": "5s", "timeout": "3s", "retries": 12}


def _broker() -> Json:
    return {
        "image": NATS,
        "command": ["--config", "/etc/nats/nats.conf"],
        "environment": {BROKER_PASSWORD: required(BROKER_PASSWORD)},
        "volumes": ["broker:/data", "./kubernetes/components/local/nats.conf:/etc/nats/nats.conf:ro"],
        "healthcheck": _healthy("CMD", "wget", "-qO-", "http://127.0.0.1:8222/healthz?js-enabled-only=true"),
        "networks": ["inside"],
        **_limited(512 * MIB, "1.0"),
    }


def _database(system: System) -> Json:
    roles = [name for name, service in system.services.items() if not on_file(service)]
    passwords: dict[str, Json] = {
        password_variable(name): required(password_variable(name)) for name in roles
    }
    return {
        "image": POSTGRES,
        "environment": {"POSTGRES_PASSWORD": required("POSTGRES_PASSWORD"), **passwords},
        "volumes": [
            "database:/var/lib/postgresql/data",
            "./kubernetes/components/local/roles.sh:/docker-entrypoint-initdb.d/roles.sh:ro",
        ],
        "healthcheck": _healthy("CMD-SHELL", "pg_isready -h 127.0.0.1 -U postgres"),
        "networks": ["inside"],
        "stop_grace_period": "60s",
        "shm_size": "128m",
        **_limited(1024 * MIB, "2.0"),
    }


def _gateway(hosts: Sequence[str]) -> Json:
    return {
        "image": NGINX,
        "environment": {"NGINX_ENTRYPOINT_LOCAL_RESOLVERS": "1", "SERVICE_SUFFIX": ""},
        "volumes": ["./kubernetes/base/default.conf.template:/etc/nginx/templates/default.conf.template:ro"],
        "ports": [f"127.0.0.1:${{GATEWAY_PORT:-{GATEWAY_PORT}}}:{GATEWAY_PORT}"],
        "depends_on": {host: {"condition": "service_healthy"} for host in hosts},
        "healthcheck": _healthy("CMD", "wget", "-qO-", f"http://127.0.0.1:{GATEWAY_PORT}/gateway/health"),
        "networks": ["edge", "inside"],
        **_confined(128 * MIB, "0.5"),
        # The image renders its configuration at start.
        "tmpfs": ["/tmp", "/etc/nginx/conf.d:mode=1777"],
    }


def _watching(names: Names) -> dict[str, Json]:
    profile: dict[str, Json] = {"profiles": ["observability"], "networks": ["inside", "edge"]}
    local = "127.0.0.1:"
    return {
        names.prometheus: {
            "image": PROMETHEUS,
            "command": ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.retention.time=15d"],
            "volumes": ["../observability/prometheus:/etc/prometheus:ro", "metrics:/prometheus"],
            "ports": [f"{local}9090:9090"],
            **profile,
            **_limited(512 * MIB, "1.0"),
        },
        names.grafana: {
            "image": GRAFANA,
            "environment": {"GF_SECURITY_ADMIN_PASSWORD": required("GRAFANA_PASSWORD")},
            "volumes": [
                "../observability/grafana/provisioning:/etc/grafana/provisioning:ro",
                "../observability/grafana/dashboards:/var/lib/grafana/dashboards:ro",
                "dashboards:/var/lib/grafana",
            ],
            "ports": [f"{local}3000:3000"],
            **profile,
            **_limited(512 * MIB, "1.0"),
        },
        names.collector: {
            "image": COLLECTOR,
            "command": ["--config=/etc/otelcol/collector.yaml"],
            "volumes": ["../observability/collector.yaml:/etc/otelcol/collector.yaml:ro"],
            "expose": [str(OTLP_HTTP), str(OTLP_GRPC)],
            **profile,
            **_limited(256 * MIB, "0.5"),
        },
        names.jaeger: {
            "image": JAEGER,
            "ports": [f"{local}16686:16686"],
            **profile,
            **_limited(512 * MIB, "1.0"),
        },
    }
