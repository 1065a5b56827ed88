"""Every object against the schemas of its API, the edges of the network, and what is scaled by whom."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from archgen.deploy.naming import Names
from archgen.spec.calls import peers
from tests.deploy.systems import NAMED, described, documents, files

ROOT = "deploy/kubernetes/"
VERSION = "1.34"
SCALED_OBJECT = json.loads((Path(__file__).parent / "schemas" / "scaled-object.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMED)
def test_every_object_is_what_its_api_takes(name: str) -> None:
    found = documents(name, ROOT)
    assert found
    for one in found:
        if one["kind"] == "ScaledObject":
            jsonschema.validate(one, SCALED_OBJECT)
        else:
            kubernetes_validate.validate(one, VERSION, strict=True)


@pytest.mark.parametrize("name", NAMED)
def test_names_are_names_of_kubernetes_and_each_is_there_once(name: str) -> None:
    keys = [(one["kind"], one["metadata"]["name"]) for one in documents(name, f"{ROOT}base/")]
    assert len(keys) == len(set(keys))
    assert all(len(key) <= 63 and key == key.lower() and "_" not in key for _, key in keys)


@pytest.mark.parametrize("name", NAMED)
def test_services_reach_those_they_call_and_no_other(name: str) -> None:
    system = described(name)
    names = Names(system)
    policies = {
        one["metadata"]["name"]: one["spec"]
        for one in documents(name, f"{ROOT}base/")
        if one["kind"] == "NetworkPolicy"
    }
    for service in system.services:
        called = {
            host for edge in policies[names.host(service)]["egress"] for host in hosts(edge.get("to", []))
        }
        # Whoever verifies users' tokens asks their issuer for its keys.
        issuer = system.auth.service if system.auth else ""
        wanted = {*peers(system.services[service]), *({issuer} - {"", service})}
        assert called == {names.host(peer) for peer in wanted}
        asking = {host for edge in policies[names.host(service)]["ingress"] for host in hosts(edge["from"])}
        verify = set(system.services) - {service} if service == issuer else set()
        callers = verify | {other for other, one in system.services.items() if service in peers(one)}
        assert asking - {names.gateway} == {names.host(other) for other in callers}


def hosts(edges: list[dict[str, Any]]) -> list[str]:
    return [
        one["podSelector"]["matchLabels"]["app.kubernetes.io/name"] for one in edges if "podSelector" in one
    ]


def test_a_file_has_one_writer() -> None:
    found = documents("small", f"{ROOT}base/")
    (deployment,) = [
        one for one in found if one["kind"] == "Deployment" and one["metadata"]["name"] == "notes"
    ]
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    assert not any(one["kind"] == "HorizontalPodAutoscaler" for one in found)


@pytest.mark.skipif(not shutil.which("kustomize"), reason="kustomize is not installed")
@pytest.mark.parametrize("overlay", ["dev", "prod"])
@pytest.mark.parametrize("name", NAMED)
def test_kustomize_builds_every_overlay(tmp_path: Path, name: str, overlay: str) -> None:
    for path, text in files(name).items():
        if path.startswith(ROOT):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, "utf-8")
    command = ["kustomize", "build", str(tmp_path / ROOT / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    scalers = ("HorizontalPodAutoscaler", "ScaledObject")
    scaled = [one["metadata"]["name"] for one in built if one["kind"] in scalers]
    assert len(scaled) == len(set(scaled)), "two autoscalers would pull at one deployment"
