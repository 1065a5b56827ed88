"""Whether a document has the shape of a System: keys, types of values, names.

The models decide; here their complaints become problems with a line, and with what was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from archgen.errors import Problem
from archgen.spec.constrained import FROM_YAML
from archgen.spec.document import Document, Node, Path
from archgen.spec.model import Choreography, Orchestration, System
from archgen.spec.suggest import choice, nearest
from archgen.spec.values import FormatError
from archgen.spec.yaml12 import describe

LATER = ("template",)
"""Keys that the design knows and this version doesn't."""


def validate(data: object) -> System:
    """`data` as a System; raises pydantic's ValidationError."""
    return System.model_validate(data, context=FROM_YAML, by_alias=True, by_name=False)


def problems(error: ValidationError, document: Document) -> list[Problem]:
    """What `error` says about the document."""
    return [
        _translated(detail, document)
        for detail in error.errors(include_url=False, include_input=False)
        if not _follows(detail, document)
    ]


def wrong_paths(error: ValidationError, *, unknown: bool = True) -> list[Path]:
    """The paths to leave out of the data to go on without what is wrong; with `unknown` keys or not."""
    found = []
    details = error.errors(include_url=False, include_input=False)
    for detail in details:
        path, _ = _path(detail["loc"])
        if detail["type"] == "too_short" and any(
            path == inner[: len(path)] != inner for inner, _ in (_path(each["loc"]) for each in details)
        ):
            continue  # only because an item in it is wrong
        if detail["type"] == "missing":
            found.append(path[:-1] or path)
        elif unknown or detail["type"] != "extra_forbidden":
            found.append(path)
    return found


def _follows(detail: ErrorDetails, document: Document) -> bool:
    """Whether a list is too short only because its items are wrong, which is told already."""
    if detail["type"] != "too_short":
        return False
    node = document.find(_path(detail["loc"])[0])
    return node is not None and isinstance(node.value, list) and len(node.value) > 0


def _translated(detail: ErrorDetails, document: Document) -> Problem:
    path, at_key = _path(detail["loc"])
    if detail["type"] == "missing":
        return _missing(path, document)
    if detail["type"] == "extra_forbidden":
        return _unknown(path, document)
    if detail["type"] == "saga_style":
        path = (*path, "style")
    message, remedy = _message(detail, document.find(path))
    return document.problem(path, message, remedy=remedy, code=detail["type"], key=at_key)


def _path(loc: tuple[int | str, ...]) -> tuple[Path, bool]:
    """Pydantic's location as a path of the file: without the tag of the kind of saga."""
    if len(loc) > 2 and loc[0] == "sagas" and loc[2] in ("orchestration", "choreography"):
        loc = (*loc[:2], *loc[3:])
    at_key = bool(loc) and loc[-1] == "[key]"
    return (loc[:-1] if at_key else loc), at_key


def _missing(path: Path, document: Document) -> Problem:
    field = _fields(path[:-1], document).get(str(path[-1]))
    about = field.description if field and field.description else ""
    return document.problem(
        path[:-1], f"the key `{path[-1]}` is missing", remedy=about, code="missing", key=True
    )


def _unknown(path: Path, document: Document) -> Problem:
    key = str(path[-1])
    if key in LATER:
        message = f"`{key}` is not available in this version"
        return document.problem(path, message, remedy="remove it for now", code="not-available", key=True)
    remedy = choice(key, _fields(path[:-1], document)) or "keys of your own start with `x-`"
    return document.problem(path, f"unknown key {key[:60]!r}", remedy=remedy, code="unknown-key", key=True)


def _message(detail: ErrorDetails, node: Node | None) -> tuple[str, str]:
    context: Mapping[str, Any] = detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, FormatError):
        return cause.message, cause.remedy
    expected = _EXPECTED.get(detail["type"])
    if expected:
        found = describe(node) if node else "nothing"
        return f"expected {expected(context)}, found {found}", _remedy(detail["type"], context, node)
    return detail["msg"], ""


def _remedy(kind: str, context: Mapping[str, Any], node: Node | None) -> str:
    if kind == "saga_style" and node is not None and isinstance(node.value, str):
        return nearest(node.value, ("orchestration", "choreography"))
    if kind in ("enum", "literal_error") and node is not None and isinstance(node.value, str):
        return nearest(
            node.value, str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        )
    if kind == "string_type" and node is not None and isinstance(node.value, bool | int | float):
        return "put it in quotes if it is text"
    return ""


_EXPECTED: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": lambda context: "text",
    "string_too_short": lambda context: "some text",
    "int_type": lambda context: "a whole number",
    "bool_type": lambda context: "true or false",
    "dict_type": lambda context: "a mapping",
    "model_type": lambda context: "a mapping",
    "model_attributes_type": lambda context: "a mapping",
    "tuple_type": lambda context: "a list",
    "saga_style": lambda context: "`orchestration` or `choreography`",
    "too_short": lambda context: "at least one item",
    "greater_than_equal": lambda context: f"a number of at least {context['ge']}",
    "less_than_equal": lambda context: f"a number of at most {context['le']}",
    "enum": lambda context: str(context["expected"]).replace("'", "`"),
    "literal_error": lambda context: str(context["expected"]).replace("'", "`"),
}


def _fields(path: Path, document: Document) -> dict[str, FieldInfo]:
    """The keys that the mapping at `path` may have, by the names they have in the file."""
    kind: Any = System
    for index, part in enumerate(path):
        kind = _inner(kind, part)
        if len(get_args(kind)) == 2 and get_origin(kind) in (Union, UnionType):
            kind = _saga_kind(document.find(path[: index + 1]))
    return _by_alias(kind) if _is_model(kind) else {}


def _inner(kind: Any, part: str | int) -> Any:
    """The type of what is at `part` of a `kind`, without annotations; None where nothing can be."""
    if _is_model(kind):
        field = _by_alias(kind).get(str(part))
        kind = field.annotation if field else None
    else:
        arguments = get_args(kind)
        kind = arguments[-1] if get_origin(kind) is dict else arguments[0] if arguments else None
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind


def _saga_kind(node: Node | None) -> type[BaseModel]:
    style = node.value.get("style") if node is not None and isinstance(node.value, dict) else None
    return Choreography if style is not None and style.node.value == "choreography" else Orchestration


def _by_alias(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in kind.model_fields.items()}


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
