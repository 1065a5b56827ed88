"""Paste Deploy: the filters that an OpenStack-like service puts before its applications."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_HEALTH = re.compile(
    r"^paste\.(app|filter)_factory\s*=\s*\S*healthcheck|^\s*/\S*health\S*:\s*\w+", re.IGNORECASE
)
_REQUEST_ID = re.compile(r"^paste\.filter_factory\s*=\s*\S*(request_?id|correlation)", re.IGNORECASE)


def collect(source: Source, strength: Strength) -> Iterator[Fact]:
    """`health` and `trace.carried` of `*paste.ini`."""
    if not source.name.endswith("paste.ini"):
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if _HEALTH.search(line):
            yield Fact("health", source.path, number, strength, {"path": line.strip()[:60]})
        elif _REQUEST_ID.search(line):
            data = {"what": line.strip()[:60], "by": "request id"}
            yield Fact("trace.carried", source.path, number, strength, data)
