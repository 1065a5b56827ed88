"""deploy/compose.yaml against the schema of its specification, and what it promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy.systems import NAMED, described, files

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "compose-spec.json").read_text("utf-8"))


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(files(name)["deploy/compose.yaml"])
    return loaded


@pytest.mark.parametrize("name", NAMED)
def test_the_specification_takes_it(name: str) -> None:
    jsonschema.validate(compose(name), SCHEMA, jsonschema.Draft202012Validator)


def test_the_schema_refuses_what_is_wrong() -> None:
    broken = compose("small")
    broken["services"]["notes"]["healthcheck"]["intervall"] = "5s"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, SCHEMA, jsonschema.Draft202012Validator)


def test_a_service_that_is_called_like_a_server_keeps_its_name() -> None:
    services = compose("names")["services"]
    assert {"nats", "postgres", "gateway", "prometheus", "two-words", "gateway-worker"} <= services.keys()
    servers = {"nats-server": "nats:", "postgres-server": "postgres:", "prometheus-server": "prom/"}
    assert all(services[name]["image"].startswith(image) for name, image in servers.items())
    assert "@nats-server:4222" in services["nats"]["environment"]["BROKER_URL"]
    assert services["gateway"]["environment"]["NATS_URL"] == "http://nats:8000"


@pytest.mark.parametrize("name", NAMED)
def test_every_service_has_credentials_of_its_own(name: str) -> None:
    urls = [
        service["environment"]["DATABASE_URL"]
        for key, service in compose(name)["services"].items()
        if "DATABASE_URL" in service.get("environment", {}) and not key.endswith("-worker")
    ]
    assert len(set(urls)) == len(urls) == len(described(name).services)


def test_a_file_of_sqlite_lies_on_a_volume() -> None:
    loaded = compose("small")
    assert not any(service["image"].startswith("postgres") for service in loaded["services"].values())
    notes = loaded["services"]["notes"]
    assert notes["volumes"] == ["notes-data:/data"] and "notes-data" in loaded["volumes"]
    assert notes["environment"]["DATABASE_URL"] == "sqlite:////data/notes.db"
