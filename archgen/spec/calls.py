"""Which service asks which other one for what, and by which protocol."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from archgen.spec.model import Service, System, Via


def peers(service: Service, via: Via | None = None) -> list[str]:
    """The services that this one calls, each once; with `via`, only those that it calls that way."""
    return list(
        dict.fromkeys(
            view.partition(".")[0] for view, call in service.calls.items() if via is None or call.via is via
        )
    )


def callers(system: System, name: str, via: Via) -> list[str]:
    """The services that call this one that way, in the order of the file."""
    return _edges(system).callers.get((name, via), [])


def over_grpc(system: System, name: str) -> tuple[str, ...]:
    """The views of service `name` that anybody asks for over gRPC, in the order of the file."""
    asked = _edges(system).views.get(name)
    return tuple(view for view in system.services[name].views if view in asked) if asked else ()


@dataclass(frozen=True)
class _Edges:
    """All calls by whom they go to, found in one pass: otherwise each service would look at all others."""

    system: System
    callers: dict[tuple[str, Via], list[str]]
    views: dict[str, set[str]]


_last: list[_Edges] = []


def _edges(system: System) -> _Edges:
    # A plan asks again and again about one system, which never changes.
    if not _last or _last[0].system is not system:
        _last[:] = [_found(system)]
    return _last[0]


def _found(system: System) -> _Edges:
    calling: defaultdict[tuple[str, Via], list[str]] = defaultdict(list)
    views: defaultdict[str, set[str]] = defaultdict(set)
    for name, service in system.services.items():
        for via in Via:
            for peer in peers(service, via):
                calling[peer, via].append(name)
        for reference, call in service.calls.items():
            if call.via is Via.GRPC:
                peer, _, view = reference.partition(".")
                views[peer].add(view)
    return _Edges(system, dict(calling), dict(views))
