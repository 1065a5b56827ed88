"""Backup, restore and the fire drill of a project, and its disaster-recovery plan in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archgen.escape import py
from archgen.languages.python_format import call, formatted
from archgen.languages.python_imports import Import, block
from archgen.plan_system import Flow, flows
from archgen.plan_types import Code, Item, Template
from archgen.spec.analysis import Analysis
from archgen.spec.model import Orchestration, Service, Store, System

NIGHTLY = "0 2 * * *"  # where the description says nothing
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_DRILL = {
    ("sys", ""),
    ("pathlib", "Path"),
    *(("chassis.recovery.drill", name) for name in ("Plan", "main")),
    ("chassis.recovery.customers", "Work"),
}
_TEST = {
    ("runpy", ""),
    ("pytest", ""),
    ("dataclasses", "replace"),
    ("pathlib", "Path"),
    *(("chassis.recovery.drill", name) for name in ("EVERYTHING", "Plan", "drill")),
    *(("chassis.recovery.layout", name) for name in ("FILE", "load")),
}


@dataclass(frozen=True)
class Kept:
    """One database as the recovery plan lists it."""

    name: str
    owner: str
    store: str
    holds: str


def recovery_items(system: System, analysis: Analysis) -> Iterator[Item]:
    """recovery.toml, make targets, the schedule, the plan in words; a drill where there is work to do."""
    played = flows(system, analysis)
    services = [_kept(name, service) for name, service in system.services.items()]
    context = {
        "python": formatted,
        "system": system,
        "services": services,
        "names": list(system.services),
        "postgres": [one.name for one in services if one.store == Store.POSTGRES.value],
        "sqlite": [one.name for one in services if one.store == Store.SQLITE.value],
        "rpo": duration(system.recovery.rpo),
        "rto": duration(system.recovery.rto),
        "nightly": Code(system.recovery.backup or NIGHTLY),  # checked by the loader to be a cron line
        "frequent": Code(frequent(system.recovery.rpo)),
        "flow": bool(played),
    }

    def item(path: str, template: str, **more: object) -> Item:
        return Template(path, f"recovery/{template}", {**context, **more})

    yield Template("recovery.toml", "recovery/recovery.toml.jinja", context, kind="generated")
    yield item("recovery.mk", "recovery.mk.jinja")
    yield item("scripts/backup.crontab", "backup.crontab.jinja")
    yield item("docs/disaster-recovery.md", "disaster-recovery.md.jinja")
    if played:
        lose = py(("everything", "databases", "broker", *_at_work(system, played[0])))
        yield item(
            "scripts/drill.py", "drill.py.jinja", imports=_imports(_DRILL), work=_work(played[0]), lose=lose
        )
        stores = ("sqlite", *(("postgres-wal",) if context["postgres"] else ()))
        yield item("tests/test_drill.py", "test_drill.py.jinja", imports=_imports(_TEST), stores=py(stores))


def duration(seconds: float | None) -> str:
    """`5m` for 300: in the largest unit that it is a whole number of; empty for None."""
    if seconds is None:
        return ""
    for size, unit in _UNITS:
        if seconds % size == 0:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:g}s"


def frequent(rpo: float | None) -> str:
    """The cron line of copies that are never older than `rpo` seconds; empty when nightly ones are enough.

    Cron knows no less than a minute.
    """
    if rpo is None or rpo >= 86_400:
        return ""
    minutes = max(1, int(rpo // 60))
    if minutes < 60:
        return f"*/{_divisor(60, minutes)} * * * *"
    return f"0 */{_divisor(24, minutes // 60)} * * *"


def _divisor(of: int, most: int) -> int:
    """The largest number up to `most` that divides `of`, so that no interval is longer than the others."""
    return max(number for number in range(1, most + 1) if of % number == 0)


def _kept(name: str, service: Service) -> Kept:
    holds = [*service.aggregates, *(f"view {view}" for view in service.views)]
    return Kept(name, service.owner, service.store.value, ", ".join(holds) or "its outbox and inbox")


def _work(flow: Flow) -> Code:
    body = {name: value for name, value in flow.body.items() if name != flow.id_field}
    values = {
        "service": flow.service,
        "path": flow.path,
        "id_field": flow.id_field,
        "body": body,
        "ends_on": flow.ends_on,
    }
    return call("Work", [(name, py(value)) for name, value in values.items()])


def _at_work(system: System, flow: Flow) -> list[str]:
    """The services whose loss the drill tries one by one: whoever takes part in a saga."""
    commands = []
    for saga in system.sagas.values():
        commands += [step.do for step in saga.steps]
        if isinstance(saga, Orchestration):
            commands.append(f"{saga.owner}.")
    return list(dict.fromkeys([flow.service, *(command.partition(".")[0] for command in commands)]))


def _imports(wanted: set[Import]) -> Code:
    return block(wanted, frozenset({"chassis"}))
