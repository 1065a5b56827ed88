"""A contract as a FileDescriptorProto in JSON: what a compiler would make of the .proto file.

A service loads it at start and needs neither a compiler nor generated code for it. That both say the same is
held by a test, which compiles the .proto file.

Source: google/protobuf/descriptor.proto
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic_core import to_json

from archgen.contracts.proto import TIMESTAMP, Enum, Field, Message, Proto

Json: TypeAlias = dict[str, Any]

_SCALARS = {
    "string": "TYPE_STRING",
    "int64": "TYPE_INT64",
    "double": "TYPE_DOUBLE",
    "bool": "TYPE_BOOL",
}


def descriptor_text(proto: Proto) -> str:
    """The descriptor as it is kept among the generated files of whoever serves or calls."""
    return to_json(descriptor(proto), indent=1).decode() + "\n"


def descriptor(proto: Proto) -> Json:
    """The descriptor, without comments."""
    found: Json = {"name": proto.path, "package": proto.package}
    if proto.imports_time:
        found["dependency"] = ["google/protobuf/timestamp.proto"]
    scope = f".{proto.package}"
    methods = [
        {
            "name": rpc.name,
            "inputType": f"{scope}.{rpc.request}",
            "outputType": f"{scope}.{rpc.response}",
            "options": {"idempotencyLevel": "NO_SIDE_EFFECTS"},
        }
        for rpc in proto.rpcs
    ]
    found["messageType"] = [_message(message, scope, proto) for message in proto.messages]
    found["service"] = [{"name": proto.service, "method": methods}]
    return found | {"syntax": "proto3"}


def _message(message: Message, scope: str, proto: Proto, around: Message | None = None) -> Json:
    here = f"{scope}.{message.name}"
    names = {
        **dict.fromkeys((each.name for each in proto.messages), (f".{proto.package}", "TYPE_MESSAGE")),
        **dict.fromkeys((each.name for each in message.lists), (here, "TYPE_MESSAGE")),
        **dict.fromkeys((each.name for each in message.enums), (here, "TYPE_ENUM")),
        **dict.fromkeys(
            (each.name for each in around.enums if around) if around else (), (scope, "TYPE_ENUM")
        ),
    }
    present = [field.name for field in message.fields if field.presence]
    found: Json = {
        "name": message.name,
        "field": [_field(field, names, present) for field in message.fields],
        "nestedType": [_message(inside, here, proto, message) for inside in message.lists],
        "enumType": [_enum(enum) for enum in message.enums],
        # How proto3 writes down that a field has presence.
        "oneofDecl": [{"name": f"_{name}"} for name in present],
        "reservedRange": [{"start": each.number, "end": each.number + 1} for each in message.reserved],
        "reservedName": sorted(
            {each.name for each in message.reserved} - {each.name for each in message.fields}
        ),
    }
    return {key: value for key, value in found.items() if value}


def _field(field: Field, names: dict[str, tuple[str, str]], present: list[str]) -> Json:
    found: Json = {
        "name": field.name,
        "number": field.number,
        "label": "LABEL_REPEATED" if field.repeated else "LABEL_OPTIONAL",
    }
    if field.type == TIMESTAMP:
        found |= {"type": "TYPE_MESSAGE", "typeName": f".{TIMESTAMP}"}
    elif field.type in names:
        scope, kind = names[field.type]
        found |= {"type": kind, "typeName": f"{scope}.{field.type}"}
    else:
        found["type"] = _SCALARS[field.type]
    if field.presence:
        found["oneofIndex"] = present.index(field.name)
    found["jsonName"] = field.name
    return found | ({"proto3Optional": True} if field.presence else {})


def _enum(enum: Enum) -> Json:
    found: Json = {
        "name": enum.name,
        "value": [{"name": name, "number": number} for name, number in enum.values],
        "reservedRange": [{"start": each.number, "end": each.number} for each in enum.reserved],
        "reservedName": sorted({each.name for each in enum.reserved} - {name for name, _ in enum.values}),
    }
    return {key: value for key, value in found.items() if value}
