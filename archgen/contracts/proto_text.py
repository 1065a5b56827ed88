"""A contract as a .proto file, laid out as `buf format` does."""

from __future__ import annotations

from collections.abc import Iterator

from archgen.contracts.proto import TIMESTAMP, Enum, Field, Message, Proto
from archgen.contracts.proto_numbers import Entry


def proto_text(proto: Proto) -> str:
    """The file. Every name in it comes checked from the loader, so there is nothing to escape."""
    lines = [
        "// Generated from system.yaml by archgen; edit that file instead.",
        f"// Numbers are given once and kept in {proto.owner}.numbers.json beside this file.",
        "",
        'syntax = "proto3";',
        "",
        f"package {proto.package};",
        "",
    ]
    if proto.imports_time:
        lines += ['import "google/protobuf/timestamp.proto";', ""]
    lines += [f"// The views of {proto.owner} that other services ask for.", f"service {proto.service} {{"]
    for rpc in proto.rpcs:
        lines += [
            f"  // One row of {rpc.view}; NOT_FOUND where there is none.",
            f"  rpc {rpc.name}({rpc.request}) returns ({rpc.response}) {{",
            "    option idempotency_level = NO_SIDE_EFFECTS;",
            "  }",
        ]
    lines.append("}")
    for message in proto.messages:
        lines += ["", *_message(message, proto)]
    return "\n".join(lines) + "\n"


def _message(message: Message, proto: Proto) -> list[str]:
    parts = [
        list(_reserved(message.reserved, {field.name for field in message.fields})),
        *(_enum(enum) for enum in message.enums),
        *(_message(inside, proto) for inside in message.lists),
        [line for field in message.fields for line in _field(field, proto)],
    ]
    body: list[str] = []
    for part in parts:
        if part and body:
            body.append("")
        body += [f"  {line}" if line else "" for line in part]
    return [f"// {message.about}", f"message {message.name} {{", *body, "}"]


def _field(field: Field, proto: Proto) -> Iterator[str]:
    if field.about:
        yield f"// {field.about}"
    label = "repeated " if field.repeated else "optional " if field.presence else ""
    # Inside a package that ends in `google.v1`, the first part of the name would be found there.
    dot = "." if field.type == TIMESTAMP and proto.owner == "google" else ""
    # The name in JSON is the name that REST has for it.
    renamed = f' [json_name = "{field.name}"]' if "_" in field.name else ""
    yield f"{label}{dot}{field.type} {field.name} = {field.number}{renamed};"


def _enum(enum: Enum) -> list[str]:
    reserved = [f"  {line}" for line in _reserved(enum.reserved, {name for name, _ in enum.values})]
    values = [f"  {name} = {number};" for name, number in enum.values]
    return [f"enum {enum.name} {{", *reserved, *([""] if reserved else []), *values, "}"]


def _reserved(entries: tuple[Entry, ...], taken: set[str]) -> Iterator[str]:
    """A name is reserved, too, unless something of another type has it now."""
    if entries:
        yield f"reserved {', '.join(str(entry.number) for entry in entries)};"
    if names := sorted({entry.name for entry in entries} - taken):
        quoted = (f'"{name}"' for name in names)
        yield f"reserved {', '.join(quoted)};"
