"""Who may talk to whom: nobody, but for the edges that the description names."""

from __future__ import annotations

from archgen.contracts.yaml_text import Json
from archgen.deploy.naming import (
    BROKER_PORT,
    DATABASE_PORT,
    GATEWAY_PORT,
    GRPC_PORT,
    HTTP_PORT,
    Names,
    Process,
    asked_by,
    asks,
    on_file,
)
from archgen.deploy.workload import metadata, selector
from archgen.observability.collector import OTLP_HTTP
from archgen.spec.calls import callers, peers
from archgen.spec.model import System, Via

MONITORING = "monitoring"  # the namespace of Prometheus and the collector
PORTS = {Via.REST: HTTP_PORT, Via.GRPC: GRPC_PORT}
EVERYWHERE: dict[str, Json] = {}


def shared(names: Names) -> list[dict[str, Json]]:
    """Nothing in, nothing out, and names may be looked up."""
    dns: Json = {
        "to": [{"namespaceSelector": _namespace("kube-system")}],
        "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
    }
    return [
        _policy({"name": "default-deny"}, {"podSelector": EVERYWHERE, "policyTypes": ["Ingress", "Egress"]}),
        _policy(
            {"name": "allow-dns"}, {"podSelector": EVERYWHERE, "policyTypes": ["Egress"], "egress": [dns]}
        ),
    ]


def of_process(system: System, names: Names, process: Process, *, public: bool) -> dict[str, Json]:
    """`public` is true where the gateway hands requests on to this service."""
    service = system.services[process.service]
    inward: list[Json] = [_edge("from", [{"namespaceSelector": _namespace(MONITORING)}], HTTP_PORT)]
    if process.public:
        for via, port in PORTS.items():
            asking = (
                asked_by(system, process.service)
                if via is Via.REST
                else callers(system, process.service, via)
            )
            sources = [names.host(caller) for caller in asking]
            sources += [names.gateway] if public and via is Via.REST else []
            inward += [_edge("from", [{"podSelector": selector(source)}], port) for source in sources]
    abroad = bool(service.agents) or (system.auth is not None and bool(system.auth.issuer))
    outward: list[Json] = [
        # Broker and database may be outside of the cluster: any address, and only that port.
        {"ports": [{"protocol": "TCP", "port": BROKER_PORT}]},
        *_to_database(on_file(service)),
        # An agent's model is on the internet, and so is an issuer that is no part of the system.
        *([{"ports": [{"protocol": "TCP", "port": 443}]}] if abroad else list[Json]()),
        _edge("to", [{"namespaceSelector": _namespace(MONITORING)}], OTLP_HTTP),
        *(
            _edge("to", [{"podSelector": selector(names.host(peer))}], port)
            for via, port in PORTS.items()
            for peer in (asks(system, process.service) if via is Via.REST else peers(service, via))
        ),
    ]
    return _policy(
        metadata(names, process),
        {
            "podSelector": selector(process.name),
            "policyTypes": ["Ingress", "Egress"],
            "ingress": inward,
            "egress": outward,
        },
    )


def _to_database(none: bool) -> list[Json]:
    return [] if none else [{"ports": [{"protocol": "TCP", "port": DATABASE_PORT}]}]


def of_gateway(names: Names, services: list[str]) -> dict[str, Json]:
    """Anybody may ask the gateway, and it may ask the services that have something public."""
    return _policy(
        {"name": names.gateway},
        {
            "podSelector": selector(names.gateway),
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"ports": [{"protocol": "TCP", "port": GATEWAY_PORT}]}],
            "egress": [
                _edge("to", [{"podSelector": selector(names.host(name))}], HTTP_PORT) for name in services
            ],
        },
    )


def _edge(direction: str, peer: list[Json], port: int) -> Json:
    return {direction: peer, "ports": [{"protocol": "TCP", "port": port}]}


def _namespace(name: str) -> Json:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def _policy(meta: dict[str, Json], spec: dict[str, Json]) -> dict[str, Json]:
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}
