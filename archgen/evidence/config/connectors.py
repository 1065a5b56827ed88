"""Connectors that read a database's log and send on what was added to an outbox (Debezium)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_ROUTES = re.compile(
    r"io\.debezium\.transforms\.outbox\.EventRouter|io\.debezium\.connector\.[\w.]+Connector"
)
_TABLES = re.compile(r"table\.(?:include\.list|whitelist)[\"']?\s*[:=]\s*[\"']?([\w.,\s-]+)")
_SUFFIXES = (".json", ".yaml", ".yml", ".properties", ".sh", ".conf")
_OUTBOX = re.compile(r"out_?box", re.IGNORECASE)


def collect(source: Source, strength: Strength) -> Iterator[Fact]:
    """`outbox.connector` with the `tables` that it follows, in lower case and without underscores."""
    if source.suffix not in _SUFFIXES or "io.debezium" not in source.text:
        return
    match = _ROUTES.search(source.text)
    listed = ",".join(found[1] for found in _TABLES.finditer(source.text))
    if match and ("EventRouter" in source.text or _OUTBOX.search(listed)):
        tables = [one.strip().rpartition(".")[2].replace("_", "").lower() for one in listed.split(",")]
        line = source.text.count("\n", 0, match.start()) + 1
        about = {
            "what": "a connector follows the outbox",
            "tables": tuple(filter(None, tables)) or ("outbox",),
        }
        yield Fact("outbox.connector", source.path, line, strength, about)
