"""The kinds of text and number in a description, as types that check themselves and describe themselves.

The loader and the JSON Schema are both made from these, so neither accepts what the other doesn't.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationInfo, WithJsonSchema

from archgen.spec import identifiers, values

FROM_YAML = "from-yaml"
"""The validation context of values that were read from a file, where a duration must have its unit."""

PUBLIC = "public"
"""What stands for everybody, signed in or not."""


def _text(
    check: Callable[[str], object], description: str, pattern: str, *, empty: bool = False
) -> tuple[Any, Any]:
    def checked(text: str) -> str:
        if text or not empty:
            check(text)
        return text

    whole = f"^({pattern})?$" if empty else f"^{pattern}$"
    schema: dict[str, Any] = {"type": "string", "pattern": whole, "description": description}
    return AfterValidator(checked), WithJsonSchema(schema)


def _seconds(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str):
        return values.seconds(value)
    if info.context == FROM_YAML:
        raise values.FormatError("expected a duration with its unit", "for example `200ms`, `2s`, `5m`, `1h`")
    return value


def _allowed(value: object) -> object:
    if value == PUBLIC:
        return (PUBLIC,)
    if isinstance(value, str):
        raise values.FormatError(
            f"{values.shown(value)} is not who may reach it: expected `{PUBLIC}` or a list of roles",
            "for example `[customer, clerk]`",
        )
    return value


def _share(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str):
        return values.share(value)
    if info.context == FROM_YAML:
        raise values.FormatError("expected a percentage", "for example `99.9%`")
    return value


def _not_a_boolean(value: object) -> object:
    # Literal[1] takes True for 1.
    return str(value) if isinstance(value, bool) else value


Name = Annotated[str, *_text(identifiers.name, "Lower-case words joined by `_`.", identifiers.NAME)]
CommandName = Annotated[str, *_text(identifiers.command, "What is asked for.", identifiers.NAME)]
FieldName = Annotated[str, *_text(identifiers.field, "Lower-case words joined by `_`.", identifiers.NAME)]
TypeName = Annotated[
    str, *_text(identifiers.type_name, "Words that start with a capital.", identifiers.TYPE_NAME)
]
EventName = Annotated[str, *_text(identifiers.event, "`subject.what_happened`", identifiers.EVENT)]
EventPattern = Annotated[
    str, *_text(identifiers.event_pattern, "An event or `subject.*`", identifiers.EVENT_PATTERN)
]
CommandReference = Annotated[
    str, *_text(identifiers.command_reference, "`service.command`", identifiers.EVENT)
]
ViewReference = Annotated[str, *_text(identifiers.view_reference, "`service.view`", identifiers.EVENT)]
ToolReference = Annotated[
    str, *_text(identifiers.tool, "A view, a command, or a call's `service.view`", identifiers.TOOL)
]
OptionalTypeName = Annotated[
    str,
    *_text(identifiers.type_name, "Words that start with a capital.", identifiers.TYPE_NAME, empty=True),
]
OptionalName = Annotated[
    str, *_text(identifiers.name, "Lower-case words joined by `_`.", identifiers.NAME, empty=True)
]
OptionalFieldName = Annotated[
    str, *_text(identifiers.field, "Lower-case words joined by `_`.", identifiers.NAME, empty=True)
]
OptionalEventName = Annotated[
    str, *_text(identifiers.event, "`subject.what_happened`", identifiers.EVENT, empty=True)
]
OptionalCommandReference = Annotated[
    str, *_text(identifiers.command_reference, "`service.command`", identifiers.EVENT, empty=True)
]
OptionalCronLine = Annotated[
    str, *_text(values.cron, "A cron line: minute hour day month weekday.", values.CRON, empty=True)
]
Allow = Annotated[
    tuple[Name, ...],
    BeforeValidator(_allowed),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": PUBLIC},
                {"type": "array", "items": {"type": "string", "pattern": f"^{identifiers.NAME}$"}},
            ],
            "description": "Who may reach it over HTTP: roles, or `public`.",
        }
    ),
]
Issuer = Annotated[str, *_text(identifiers.issuer, "An https address.", identifiers.ISSUER_URL, empty=True)]
Claim = Annotated[str, *_text(identifiers.claim, "A name, or names with dots between.", identifiers.CLAIM)]
Audience = Annotated[
    str, *_text(identifiers.audience, "What tokens are meant for.", identifiers.AUDIENCE, empty=True)
]
Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": f"^{values.DURATION}$",
            "description": "A duration: `200ms`, `2s`, `5m`, `1h`, `1d`.",
        }
    ),
]
Share = Annotated[
    float,
    BeforeValidator(_share),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{values.SHARE}$", "description": "A percentage: `99.9%`."}
    ),
]
Flag = Annotated[bool, Strict()]
Count = Annotated[int, Strict(), Field(ge=1, le=1000)]
Tokens = Annotated[int, Strict(), Field(ge=1000, le=10_000_000)]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
Version = Annotated[Literal[1], BeforeValidator(_not_a_boolean)]
