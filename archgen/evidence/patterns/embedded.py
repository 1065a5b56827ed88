"""Databases that a framework starts inside of the process, because nobody has said where another one is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.facts import Fact, Facts

_EMBEDDED = re.compile(r"^(h2|hsqldb|derby)$")
_REAL = re.compile(r"postgres|mysql|mariadb|mssql|ojdbc|oracle|db2|mongo|cassandra|sqlite", re.IGNORECASE)
_SPRING = re.compile(r"^spring-boot")
_ADDRESS = re.compile(r"^spring\.(datasource|r2dbc)\.url$|^SPRING_DATASOURCE_URL$", re.IGNORECASE)


def embedded(facts: Facts) -> Iterator[Fact]:
    """`store.lost`: a service of Spring's with an embedded database and no address keeps it in memory."""
    addressed = {s.file.rpartition("/src/")[0] for s in facts.of("setting") if _ADDRESS.match(str(s["key"]))}
    for build in facts.of("build.module"):
        needs = [str(need) for need in build["needs"]]
        engine = next(filter(_EMBEDDED.match, needs), "")
        folder = str(build["folder"])
        if not engine or any(map(_REAL.search, needs)) or not any(map(_SPRING.match, needs)):
            continue
        if folder not in addressed and any(s.folder == folder for s in facts.services):
            data = {
                "engine": engine,
                "name": folder.rpartition("/")[2] or "the project",
                "fleeting": "memory",
            }
            yield Fact("store.lost", build.file, build.line, build.strength, data)
