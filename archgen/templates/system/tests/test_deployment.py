"""What is deployed: valid, without secrets, able to do no more than it must."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

PROJECT = Path(__file__).parent.parent
DEPLOY = PROJECT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
SERVICES = sorted(path.name for path in (PROJECT / "services").iterdir() if path.is_dir())
OVERLAYS = ("dev", "prod")
VERSION = "1.34"
GATEWAY = KUBERNETES / "base" / "default.conf.template"


def written() -> Iterator[dict[str, Any]]:
    """Every object below deploy/kubernetes, but for kustomize's own files."""
    for path in sorted(KUBERNETES.rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text("utf-8"))


OBJECTS = list(written())
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
WORKLOADS = [one for one in OBJECTS if one["kind"] in ("Deployment", "StatefulSet")]
OURS = [one for one in WORKLOADS if one["metadata"].get("labels", {}).get("service")]


def name_of(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def container(workload: dict[str, Any]) -> dict[str, Any]:
    (only,) = workload["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("one", [o for o in OBJECTS if not o["apiVersion"].startswith("keda.")], ids=name_of)
def test_kubernetes_takes_it(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, VERSION, strict=True)


@pytest.mark.parametrize("workload", WORKLOADS, ids=name_of)
def test_a_pod_can_do_no_more_than_it_must(workload: dict[str, Any]) -> None:
    pod, its = workload["spec"]["template"]["spec"], container(workload)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert its["securityContext"]["readOnlyRootFilesystem"]
    assert its["securityContext"]["allowPrivilegeEscalation"] is False
    assert its["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {"cpu", "memory"} <= its["resources"]["requests"].keys() & its["resources"]["limits"].keys()
    assert not its["image"].endswith(":latest")


@pytest.mark.parametrize("workload", WORKLOADS, ids=name_of)
def test_living_is_not_being_ready(workload: dict[str, Any]) -> None:
    its = container(workload)
    assert its["startupProbe"]
    kind = ("httpGet", "tcpSocket", "exec")
    live, ready = ({k: its[probe].get(k) for k in kind} for probe in ("livenessProbe", "readinessProbe"))
    assert live != ready


@pytest.mark.parametrize("workload", OURS, ids=name_of)
def test_a_service_drains_within_its_grace(workload: dict[str, Any]) -> None:
    pod = workload["spec"]["template"]["spec"]
    base = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text("utf-8"))
    literals = dict(line.split("=", 1) for line in base["configMapGenerator"][0]["literals"])
    sleep = container(workload)["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert sleep + float(literals["SHUTDOWN_SECONDS"]) < pod["terminationGracePeriodSeconds"]


def test_every_pod_has_a_network_policy() -> None:
    policies = [one["spec"] for one in OBJECTS if one["kind"] == "NetworkPolicy"]
    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} in policies
    selected = [
        policy["podSelector"].get("matchLabels", {}).get("app.kubernetes.io/name") for policy in policies
    ]
    assert {workload["metadata"]["name"] for workload in WORKLOADS} <= set(selected)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_container_is_bounded_and_comes_back(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for other, wanted in service.get("depends_on", {}).items():
        assert wanted == {"condition": "service_healthy"} and COMPOSE["services"][other]["healthcheck"]


def test_every_file_that_compose_mounts_is_there() -> None:
    for name, service in COMPOSE["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./keys/"):
                continue  # `make keys` makes them
            known = (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
            assert known, f"{name} mounts {source}"


def test_no_secret_is_written_down() -> None:
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|KEY$", variable) or "@" in value:
                assert re.search(r"\$\{\w+:\?", value), f"{name}: {variable}"
    for workload in WORKLOADS:
        for variable in container(workload).get("env", []):
            assert "@" not in variable.get("value", ""), variable["name"]
    assert all(one["kind"] != "Secret" for one in OBJECTS)


def test_passwords_are_made_and_kept(tmp_path: Path) -> None:
    for part in ("scripts/deploy_env.py", "deploy/.env.example"):
        (tmp_path / part).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / part, tmp_path / part)
    made = []
    for _ in range(2):
        subprocess.run(["python", "scripts/deploy_env.py"], cwd=tmp_path, check=True, capture_output=True)
        made.append((tmp_path / "deploy" / ".env").read_text("utf-8"))
    assert made[0] == made[1]
    passwords = re.findall(r"^\w+_PASSWORD=(.*)$", made[0], re.MULTILINE)
    assert len(set(passwords)) == len(passwords) > 0 and all(len(one) > 32 for one in passwords)
    wanted = set(re.findall(r"\$\{(\w+):\?", (DEPLOY / "compose.yaml").read_text("utf-8")))
    assert wanted <= set(re.findall(r"^(\w+)=", made[0], re.MULTILINE))


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_runs_as_nobody_and_installs_what_is_locked(service: str) -> None:
    text = (PROJECT / "services" / service / "Dockerfile").read_text("utf-8")
    assert re.search(r"^USER [1-9]\d*:", text, re.MULTILINE)
    assert "--require-hashes" in text and "HEALTHCHECK" in text
    for source in re.findall(r"^COPY (?!--from)(\S+)", text, re.MULTILINE):
        assert (PROJECT / source).exists(), source


def test_the_lock_has_every_dependency_with_hashes() -> None:
    lock = (PROJECT / "requirements.lock").read_text("utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)==((?:.*\\\n)*.*)$", lock, re.MULTILINE))
    chassis = tomllib.loads((PROJECT / "chassis" / "python" / "pyproject.toml").read_text("utf-8"))["project"]
    for wanted in [*chassis["dependencies"], *chassis["optional-dependencies"]["fast"]]:
        name = re.split(r"[^A-Za-z0-9._-]", wanted)[0].lower().replace("_", "-")
        assert "--hash=sha256:" in locked.get(name, ""), f"{name}: run `make lock`"
    assert "://" not in lock


def test_the_gateway_lets_through_only_what_a_contract_has() -> None:
    table = re.findall(r'"~\^(\S+) /api/([a-z0-9-]+)(/\S*)\$" ([a-z0-9-]+);', GATEWAY.read_text("utf-8"))
    assert table
    known = set()
    for service in SERVICES:
        (contract,) = (PROJECT / "services" / service / "src").glob("*/generated/openapi.json")
        for path, operations in json.loads(contract.read_text("utf-8"))["paths"].items():
            pattern = re.sub(r"\{[^}]*\}", "[^/]+", path.replace(".", r"\."))
            known |= {(method, service.replace("_", "-"), pattern) for method in operations}
    for methods, prefix, pattern, host in table:
        method = "get" if "GET" in methods else methods.lower()
        assert (method, prefix, pattern) in known and host == prefix
        assert not re.match(r"/(health|metrics|openapi)", pattern)


def test_the_broker_understands_its_configuration() -> None:
    config = KUBERNETES / "components" / "local" / "nats.conf"
    command = ["nats-server", "--config", str(config), "-t"]
    done = subprocess.run(
        command, env={**os.environ, "BROKER_PASSWORD": "s3e10"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_builds(overlay: str) -> None:
    kustomize = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
    if not shutil.which(kustomize[0]):
        pytest.skip("neither kustomize nor kubectl is installed")
    done = subprocess.run(
        [*kustomize, str(KUBERNETES / "overlays" / overlay)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    scalers = ("HorizontalPodAutoscaler", "ScaledObject")
    built = list(yaml.safe_load_all(done.stdout))
    names = [one["metadata"]["name"] for one in built if one["kind"] in scalers]
    assert len(names) == len(set(names)), "two autoscalers for one deployment would fight"
    for one in built:
        if not one["apiVersion"].startswith("keda."):
            kubernetes_validate.validate(one, VERSION, strict=True)
