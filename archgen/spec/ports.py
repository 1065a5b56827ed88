"""The ports of a system on one machine: one allocator for all of them, so that no two are the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from archgen.spec.calls import over_grpc
from archgen.spec.model import System

FIRST_HTTP, FIRST_GRPC, FIRST_WORKER = 8001, 7101, 9001


@dataclass(frozen=True)
class Ports:
    """Ports by service; `grpc` of those that are asked over it, `worker` of those with jobs."""

    http: dict[str, int]
    grpc: dict[str, int]
    worker: dict[str, int]


def ports(system: System) -> Ports:
    """Every service's own HTTP port, and for all else the next free ones from where its kind begins."""
    taken = {service.port for service in system.services.values() if service.port}

    def given(names: Iterable[str], first: int) -> dict[str, int]:
        free = (port for port in range(first, 65536) if port not in taken)
        found = {name: system.services[name].port if first == FIRST_HTTP else None for name in names}
        chosen = {name: port or next(free) for name, port in found.items()}
        taken.update(chosen.values())
        return chosen

    return Ports(
        given(system.services, FIRST_HTTP),
        given((name for name in system.services if over_grpc(system, name)), FIRST_GRPC),
        given((name for name, service in system.services.items() if service.jobs), FIRST_WORKER),
    )
