"""Settings that are keys and values: environments, `.env`, Spring properties and YAML, Node's
config files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.config.engines import broker_of, database_of
from archgen.evidence.config.located import Node
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_DATABASE_KEY = re.compile(
    r"(database_?url|db_?(url|uri|dsn|name|database|host)|datasource[._]url|_db_uri|postgres_?(db|database|host|url|uri)|mysql_?(database|host|url|db)|"
    r"mongo\w*_?(url|uri|db)|jdbc|connection_?string|sqlalchemy_database_uri|^dsn$|^DATABASE(_URL|_NAME)?$)",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:jdbc:)?(\w[\w+.-]*)://(?:[^@/\s]*@)?([^:/?\s]+)?(:\d+)?/+([\w$.{}-]*)")
# `${NAME:?why it must be set}` may stand in any part of a URL, and has signs in it that end one.
_DEMANDED = re.compile(r"\$\{(\w+):?[?+-][^}]*\}")
# Spring's `${DB_URL:jdbc:postgresql://...}`: what holds where nothing else is said.
_OTHERWISE = re.compile(r"\$\{[\w.-]+:(\w+:\S*)\}")
_LOCAL = re.compile(r"localhost$|127\.|0\.0\.0\.0|\[?::1")
_VARIABLE = re.compile(r"\$\{?(\w+)(?::?[?-][^}]*)?\}?")
WHOLE_ADDRESS = re.compile(
    r"(database|db|datasource|postgres|mysql|mongo\w*)_?(url|uri|dsn)$|^dsn$", re.IGNORECASE
)
_ENV_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]\s*(.*)$")


def settings_of(
    path: str, line: int, key: str, value: str, strength: Strength, owner: str = ""
) -> Iterator[Fact]:
    """One setting as a fact, and the database or broker that it points at."""
    yield Fact("setting", path, line, strength, {"key": key, "value": value, "owner": owner})
    by_default = _OTHERWISE.fullmatch(value)
    value = by_default[1] if by_default else value
    url = _URL.search(_DEMANDED.sub(r"${\1}", value))
    if re.match(r"sqlite\S*:memory:", value) and _DATABASE_KEY.search(key):
        data = {"engine": "sqlite", "name": owner or key, "fleeting": "memory"}
        yield Fact("store.lost", path, line, strength, data)
    variable = _VARIABLE.fullmatch(value)
    if variable and WHOLE_ADDRESS.search(key):
        bound = {"owner": owner, "target": f"variable:{variable[1]}", "engine": "", "key": key}
        yield Fact("database.binding", path, line, strength, bound)
    elif url and (engine := database_of(url[1])):
        port = url[3] if _LOCAL.match(url[2] or "") else ""  # there, it alone tells one server from another
        target = f"{url[2] or ''}{port or ''}/{url[4] or ''}".lower()
        yield Fact(
            "database.binding",
            path,
            line,
            strength,
            {"owner": owner, "target": target, "engine": engine, "key": key},
        )
    elif url and (engine := broker_of(url[1] + ":")):
        yield Fact("broker", path, line, strength, {"engine": engine, "name": url[2] or ""})
    elif (
        _DATABASE_KEY.search(key)
        and re.search(r"name|database$|_db$", key, re.IGNORECASE)
        and value
        and "://" not in value
    ):
        yield Fact(
            "database.name",
            path,
            line,
            strength,
            {"owner": owner, "target": value.strip("\"' ").lower(), "key": key},
        )


def collect_env(source: Source, strength: Strength) -> Iterator[Fact]:
    """`.env`, `.properties` and the like."""
    for number, text in enumerate(source.text.splitlines(), 1):
        if text.lstrip().startswith(("#", "!", "//")):
            continue
        match = _ENV_LINE.match(text)
        if match:
            yield from settings_of(source.path, number, match[1], match[2].strip().strip("\"'"), strength)


def collect_yaml(source: Source, docs: list[Node], strength: Strength) -> Iterator[Fact]:
    """Spring's application.yml and others that are plain trees of settings."""
    for doc in docs:
        for key, value, line in doc.flat():
            yield from settings_of(source.path, line, key, value, strength)
