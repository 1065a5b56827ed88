"""The JSON Schema (draft 2020-12) of a description, from the models that the loader validates with."""

from __future__ import annotations

from typing import Any

from archgen.spec.document import IGNORED_PREFIX
from archgen.spec.model import System

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_OWN_KEYS = {f"^{IGNORED_PREFIX}": True}


def schema() -> dict[str, Any]:
    """The schema as JSON values. What it accepts has the right shape; that names resolve, it can't say."""
    built = System.model_json_schema(by_alias=True, mode="validation")
    for part in (built, *built["$defs"].values()):
        part.pop("description", None)  # the docstring of a class, which speaks to readers of Python
    return {"$schema": DIALECT, **_changed(built), "title": "archgen system description"}


def _changed(part: Any) -> Any:
    """The schema as people use it: own keys allowed, unknown ones refused, defaults as they are written."""
    if isinstance(part, list):
        return [_changed(item) for item in part]
    if not isinstance(part, dict):
        return part
    # Made from the name, a title says nothing. `properties` may have a property called `title`.
    changed = {
        key: _changed(each) for key, each in part.items() if not (key == "title" and each == str(each))
    }
    if changed.get("type") == "object":
        changed.pop("propertyNames", None)
        changed["patternProperties"] = {**changed.get("patternProperties", {}), **_OWN_KEYS}
        changed["additionalProperties"] = False
    if "oneOf" in changed:
        return _SAGA
    if isinstance(changed.get("description"), str):
        changed["description"] = " ".join(changed["description"].split())
    if "default" in changed:
        changed |= _default(changed.pop("default"), changed)
    return changed


_SAGA = {
    "if": {"properties": {"style": {"const": "choreography"}}, "required": ["style"]},
    "then": {"$ref": "#/$defs/Choreography"},
    "else": {"$ref": "#/$defs/Orchestration"},
}


def _default(value: Any, part: dict[str, Any]) -> dict[str, Any]:
    if value in (None, "") or isinstance(value, dict):
        return {}  # the same as leaving it out
    if part.get("type") == "string" and isinstance(value, float):
        return {"default": f"{value:g}s" if value >= 1 else f"{value * 1000:g}ms"}
    return {"default": value}
