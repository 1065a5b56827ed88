"""AsyncAPI documents: which service sends and which receives the messages of a channel."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.config.located import Node
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.nature import Nature
from archgen.evidence.tree import Source


def collect(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    """`async.operation`: action (send, receive), channel, and the service that a tag or the title names;
    `async.formless`: a message that has no payload.
    """
    for doc in docs:
        version = doc.text("asyncapi")
        if version:
            # a contract that a tool wrote is one all the same
            written = Strength.DECLARED if source.nature is Nature.GENERATED else strength
            yield from _formless(source, doc, written)
        if version.startswith("3"):
            yield from _operations(source, doc, strength)
        elif version:
            yield from _channels(source, doc, strength)


def collect_schema(source: Source) -> Iterator[Fact]:
    """`message.schema`: Avro, JSON Schema, and Protocol Buffers whose messages are events."""
    if source.name.endswith((".avsc", ".avdl", ".schema.json")) or (
        source.suffix == ".proto"
        and re.search(r"^message\s+\w*(Event|Created|Updated|Changed)\b", source.text, re.M)
    ):
        yield Fact("message.schema", source.path, 1, Strength.DECLARED, {})


def _operations(source: Source, doc: Node, strength: Strength) -> Iterator[Fact]:
    operations = doc.get("operations")
    for _, one in operations.items() if operations else ():
        tags = one.get("tags")
        named = next((tag.text("name") for tag in tags.each() if tag.text("name")), "") if tags else ""
        channel = one.text("channel", "$ref").rpartition("/")[2]
        if one.text("action") in ("send", "receive") and channel:
            yield _fact(
                source, one.line, strength, one.text("action"), channel, named or doc.text("info", "title")
            )


def _channels(source: Source, doc: Node, strength: Strength) -> Iterator[Fact]:
    """Before version 3 the words were the reader's: `publish` is what others may send to the application."""
    channels = doc.get("channels")
    for name, one in channels.items() if channels else ():
        for word, action in (("publish", "receive"), ("subscribe", "send")):
            operation = one.get(word)
            if operation is not None:
                yield _fact(source, operation.line, strength, action, name, doc.text("info", "title"))


def _formless(source: Source, doc: Node, strength: Strength) -> Iterator[Fact]:
    components = doc.get("components")
    messages = components.get("messages") if components else None
    for name, one in messages.items() if messages else ():
        if not any(one.get(key) for key in ("payload", "$ref", "oneOf")):
            yield Fact("async.formless", source.path, one.line, strength, {"message": name})


def _fact(source: Source, line: int, strength: Strength, action: str, channel: str, service: str) -> Fact:
    data = {"action": action, "channel": channel, "service": service}
    return Fact("async.operation", source.path, line, strength, data)
