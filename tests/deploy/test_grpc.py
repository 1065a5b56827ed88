"""Where calls over gRPC go in compose and in Kubernetes, and who may make them."""

from __future__ import annotations

from typing import Any

import yaml

from tests.deploy.systems import documents, files

BASE = "deploy/kubernetes/base/"


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in container["env"] if "value" in each}


def objects(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in documents("names", BASE) if each["kind"] == kind}


def test_compose_tells_both_sides_where() -> None:
    services = yaml.safe_load(files("names")["deploy/compose.yaml"])["services"]
    assert services["nats"]["environment"]["GRPC_PORT"] == "9000"
    assert services["two-words"]["environment"]["NATS_GRPC_URL"] == "grpc://nats:9000"
    assert "NATS_URL" not in services["two-words"]["environment"], "it asks over gRPC only"
    assert services["gateway"]["environment"]["NATS_URL"] == "http://nats:8000"
    assert "NATS_GRPC_URL" not in services["gateway"]["environment"]
    assert [name for name, one in services.items() if "GRPC_PORT" in one.get("environment", {})] == ["nats"]


def test_callers_see_every_replica_behind_a_name_without_an_address() -> None:
    address = objects("Service")["nats-grpc"]["spec"]
    [container] = objects("Deployment")["nats"]["spec"]["template"]["spec"]["containers"]
    [caller] = objects("Deployment")["two-words"]["spec"]["template"]["spec"]["containers"]
    assert address["clusterIP"] == "None"
    assert address["selector"] == {"app.kubernetes.io/name": "nats"}
    assert {"name": "grpc", "containerPort": 9000} in container["ports"]
    assert [port["targetPort"] for port in address["ports"]] == ["grpc"]
    assert environment(container)["GRPC_PORT"] == "9000"
    assert environment(caller) == {"NATS_GRPC_URL": "grpc://nats-grpc:9000"}


def test_only_callers_reach_the_port_and_they_reach_no_other() -> None:
    policies = objects("NetworkPolicy")
    inward = {
        (edge["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"], edge["ports"][0]["port"])
        for edge in policies["nats"]["spec"]["ingress"]
        if "podSelector" in edge["from"][0]
    }
    assert ("two-words", 9000) in inward
    assert ("two-words", 8000) not in inward
    assert {("gateway", 8000), ("gateway-worker", 8000)} & inward
    assert [source for source, port in inward if port == 9000] == ["two-words"]
    outward = [
        edge["ports"][0]["port"]
        for edge in policies["two-words"]["spec"]["egress"]
        if "podSelector" in edge.get("to", [{}])[0]
    ]
    assert outward == [9000]
