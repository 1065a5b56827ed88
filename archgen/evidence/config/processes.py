"""What starts the processes: Procfile, Dockerfile, compose commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from archgen.evidence.config.engines import broker_of, database_of
from archgen.evidence.config.settings import settings_of
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_PROC = re.compile(r"^([A-Za-z][\w-]*):\s*(.+)$")
_ASSIGNED = re.compile(r"(?<![\w$-])([A-Z][A-Z0-9_]*)=(\S+)(?=.* )")
_ONCE = {"release", "migrate", "console", "test"}
_DOCKERFILE = re.compile(r"^Dockerfile(\.(?!.*(test|dev|ci)\b)[\w-]+)?$|\.[Dd]ockerfile$")
_NOT_CODE = re.compile(
    r"nginx|httpd|caddy|traefik|envoy|redis|memcached|vault|keycloak|grafana|prom/|selenium|cypress"
)


def wants(source: Source) -> bool:
    name = source.name
    return name == "Procfile" or name.startswith("Procfile.") or is_dockerfile(name)


def is_dockerfile(name: str) -> bool:
    return _DOCKERFILE.search(name) is not None


def collect(source: Source, strength: Strength) -> Iterator[Fact]:
    """`process` with its command as one line of shell; `image` for a Dockerfile that starts code of
    the project's own.
    """
    if source.name.startswith("Procfile"):
        for number, line in enumerate(source.text.splitlines(), 1):
            match = _PROC.match(line)
            if match and match[1] not in _ONCE:
                yield Fact("process", source.path, number, strength, {"name": match[1], "command": match[2]})
                for key, value in _ASSIGNED.findall(match[2]):
                    yield from settings_of(source.path, number, key, value, strength, owner=match[1])
        return
    base, place = "", 0
    for number, line in enumerate(source.text.splitlines(), 1):
        match = re.match(r"\s*(FROM|CMD|ENTRYPOINT)\s+(?:--\S+\s+)*(.+)", line, re.IGNORECASE)
        if match and match[1].upper() == "FROM":
            base, place = match[2].split()[0], 0
        elif match:
            place = number
            yield Fact("process", source.path, number, strength, {"name": "", "command": _plain(match[2])})
    image = base.rpartition("/")[2] if "/" in base else base
    if place and not (database_of(image) or broker_of(image) or _NOT_CODE.search(base.lower())):
        yield Fact("image", source.path, place, strength, {"folder": source.folder, "base": base})


def _plain(text: str) -> str:
    """A command in exec form as one line."""
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return " ".join(str(word) for word in words) if isinstance(words, list) else text
