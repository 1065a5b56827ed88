"""What a cloud carries from one place to the next without any code: a gateway that puts requests into a
queue, a pipe that sends a table's changes as messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archgen.evidence.config.located import Node
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_INTO_QUEUE = re.compile(r":apigateway:.*:sqs:(path/|action/SendMessage)|^SQS-SendMessage$", re.DOTALL)
_STREAM = re.compile(r"[sS]tream(Arn|ARN)?\b")
_LIMITS = ("MaximumRetryAttempts", "MaximumRecordAgeInSeconds")


def collect(source: Source, doc: Node, strength: Strength) -> Iterator[Fact]:
    """`job.enqueue` and `publisher` of an API whose integration is a queue."""
    if ":sqs:" not in source.text and "SQS-SendMessage" not in source.text:
        return
    for _, value in doc.walk():
        if isinstance(value.value, str) and _INTO_QUEUE.search(value.value):
            said = {"what": "the gateway puts requests into a queue", "function": "", "outbox": False}
            yield Fact("publisher", source.path, value.line, strength, said)
            yield Fact("job.enqueue", source.path, value.line, strength, {**said, "attempts": False})


def pipe(source: Source, name: str, resource: Node, of: Node, strength: Strength) -> Iterator[Fact]:
    """A pipe from a table's stream sends what was committed, and nothing else: an outbox by the table."""

    def fact(kind: str, line: int, **data: Any) -> Fact:
        return Fact(kind, source.path, line, strength, data)

    started = " ".join(text for _, text, _ in (of.get("Source") or of).flat())
    sends = of.get("Target") is not None
    if sends:
        yield fact("publisher", resource.line, what=f"{name}, a pipe", function="", outbox=True)
    if sends and _STREAM.search(started):
        data: dict[str, Any] = {"by": "stream", "table": name, "function": ""}
        yield fact("outbox", of.place("Source"), what=f"{name} reads the table's changes", **data)
        yield fact("outbox.relay", of.place("Target"), what=f"{name} sends them", **data)
    for key, value in of.walk():
        if key == "DeadLetterConfig":
            yield fact("dead_letters", value.line, by="template", what=f"DeadLetterConfig of {name}")
        elif key in _LIMITS:
            yield fact("attempts", value.line, what=f"{key} {value.value}", function="")
