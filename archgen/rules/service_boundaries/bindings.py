"""Which service uses which database, as far as configuration tells."""

from __future__ import annotations

import re
from collections import defaultdict

from archgen.evidence.config.engines import database_of
from archgen.evidence.facts import Fact, Facts


def databases(facts: Facts) -> dict[str, dict[str, Fact]]:
    """Per database (`host/name`, or the config map, secret or variable that holds its address) the
    services that use it, and where.
    """
    found: dict[str, dict[str, Fact]] = defaultdict(dict)
    for binding in sorted(facts.of("database.binding"), key=lambda f: (f.file.count("/"), f.file, f.line)):
        target, owner = str(binding["target"]), _service(facts, binding)
        if binding.get("store"):
            continue
        owners = [owner] if owner else _readers(facts, binding)
        if not target.startswith(("config:", "variable:")) and (
            target.endswith("/") or "$" in target or binding["engine"] in ("sqlite", "firestore")
        ):
            continue
        for owner in owners:
            found[target].setdefault(owner, binding)
    return dict(found)


def _readers(facts: Facts, binding: Fact) -> list[str]:
    """Services whose code asks for the variable that a file for all of them sets."""
    key = str(binding["key"])
    if "/" in binding.file or not re.fullmatch(r"[A-Z][A-Z0-9_]+", key):
        return []
    asked = re.compile(rf"\b{key}\b")
    found = set()
    for path, module in facts.program.modules.items():
        home = facts.service_of(path) if module.production and module.live else None
        if home and home.folder and home.name not in found:
            texts = (text.value for text in module.texts)
            if any(asked.search(f.body) for f in module.functions) or any(t == key for t in texts):
                found.add(home.name)
    return sorted(found)


def engines(facts: Facts) -> dict[str, str]:
    """The kind of database that each service uses, as far as configuration tells."""
    found: dict[str, str] = {}
    for setting in facts.of("setting"):
        scheme = re.match(r"(?:jdbc:)?([a-z]\w+)(?:\+\w+)?:", str(setting["value"]).strip("\"' "))
        engine = database_of(scheme[1]) if scheme else ""
        owner = _service(facts, setting) if engine else ""
        if owner:
            found.setdefault(owner, engine)
    return found


def apart(bound: dict[str, dict[str, Fact]]) -> set[str]:
    """Services that some configuration gives a database of their own; what a variable holds is not told."""
    own = (users for target, users in bound.items() if len(users) == 1 and not target.startswith("variable:"))
    return {owner for users in own for owner in users}


def _service(facts: Facts, binding: Fact) -> str:
    """The discovered service behind a workload's name or a settings file, "" when it is none."""
    owner = str(binding["owner"])
    if not owner:
        service = facts.service_of(binding.file)
        # one file for all: ORDERS_DATABASE_URL is what orders uses
        owner = re.split(
            r"_?(?:database|db|datasource|postgres|mysql|mongo)", str(binding["key"]), flags=re.I
        )[0]
        if service or not owner:
            return service.name if service else ""
    plain = _plain(owner)
    for service in facts.services:
        name = _plain(service.name)
        if name == plain or plain.endswith(name) or name.endswith(plain):
            return service.name
    return ""


def _plain(name: str) -> str:
    return re.sub(r"(service|svc|api|app)$", "", re.sub(r"[-_.]", "", name.lower()))
