"""Every contract of every system is valid by the standard it claims, and its examples fit it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from archgen.contracts import contract_files
from archgen.spec import loads
from archgen.spec.model import System
from tests.strategies import spec_text, systems

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FORMATS = FormatChecker()


@cache
def asyncapi_validator() -> Draft7Validator:
    schema = Path(__file__).parent / "asyncapi" / "3.0.0.json"
    return Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))


def documents(system: System, prefix: str) -> dict[str, Any]:
    files = {path: text for path, text in contract_files(system) if path.startswith(prefix)}
    return {
        path: json.loads(text) if path.endswith(".json") else yaml.safe_load(text)
        for path, text in files.items()
    }


def component_validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of a schema whose references point into `document`."""
    return Draft202012Validator(schema | {"components": document["components"]}, format_checker=FORMATS)


@SLOW
@given(systems())
def test_asyncapi_documents_are_valid_and_so_are_their_examples(system: System) -> None:
    (document,) = documents(system, "contracts/asyncapi").values()
    asyncapi_validator().validate(document)
    for message in document["components"]["messages"].values():
        for sample in message["examples"]:
            component_validator(document, message["payload"]).validate(sample["payload"])


@SLOW
@given(systems())
def test_every_operation_points_to_a_message_of_its_channel(system: System) -> None:
    (document,) = documents(system, "contracts/asyncapi").values()
    for operation in document["operations"].values():
        for reference in [operation["channel"], *operation["messages"]]:
            target: Any = document
            for part in reference["$ref"].removeprefix("#/").split("/"):
                target = target[part]


@SLOW
@given(systems())
def test_openapi_documents_are_valid_and_so_are_their_examples(system: System) -> None:
    for document in documents(system, "contracts/openapi/").values():
        OpenAPIV31SpecValidator(document).validate()
        for media in media_types(document):
            for sample in media.get("examples", {}).values():
                component_validator(document, media["schema"]).validate(sample["value"])


def media_types(part: Any) -> list[dict[str, Any]]:
    """Every media type object below `part`."""
    if isinstance(part, list):
        return [found for inner in part for found in media_types(inner)]
    if not isinstance(part, dict):
        return []
    own = list(part["content"].values()) if isinstance(part.get("content"), dict) else []
    return own + [found for inner in part.values() for found in media_types(inner)]


@SLOW
@given(systems())
def test_schema_files_are_valid_and_so_are_their_examples(system: System) -> None:
    for path, schema in documents(system, "contracts/schemas/").items():
        Draft202012Validator.check_schema(schema)
        assert path.endswith(f"/{schema['$id']}")
        for sample in schema["examples"]:
            Draft202012Validator(schema, format_checker=FORMATS).validate(sample)


@SLOW
@given(systems())
def test_the_file_of_a_system_is_read_back_and_gives_the_same_contracts(system: System) -> None:
    again = loads(spec_text(system))
    assert again == system
    assert contract_files(again) == contract_files(system)


@SLOW
@given(systems())
def test_operation_ids_and_paths_are_unique(system: System) -> None:
    paths = [path for path, _ in contract_files(system)]
    assert len(paths) == len({path.casefold() for path in paths})
    for document in documents(system, "contracts/openapi/").values():
        ids = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
        assert len(ids) == len(set(ids))
