"""What is asked for over gRPC can be said in Protocol Buffers, and has a place to be asked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from archgen.spec.calls import over_grpc
from archgen.spec.document import Path
from archgen.spec.facts import id_type
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.issue import Issue
from archgen.spec.model import Aggregate, System, Via
from archgen.spec.names import pascal

UNSET = "unspecified"
"""What Protocol Buffers calls a choice that nobody has made."""


def over_grpc_unfit(system: System) -> Iterator[Issue]:
    """An issue for each call over gRPC that there can be no contract or no address for."""
    for name, service in system.services.items():
        for reference, call in service.calls.items():
            peer, _, view = reference.partition(".")
            owner = system.services.get(peer)
            if call.via is not Via.GRPC or owner is None or view not in owner.views:
                continue
            path: Path = ("services", name, "calls", reference, "via")
            aggregate = owner.aggregates.get(owner.views[view].of)
            for message in _unsayable(system, aggregate) if aggregate else ():
                yield Issue(path, message, "rename one of them, or ask by rest", "grpc")
            twin = next((each for each in over_grpc(system, peer) if pascal(each) == pascal(view)), view)
            if twin != view:
                message = f"`{twin}` and `{view}` of `{peer}` would both be the method `Get{pascal(view)}`"
                yield Issue(path, message, "rename one of them, or ask by rest", "twice")
    for name in system.services:
        side = f"{name}_grpc"
        if over_grpc(system, name) and side in system.services:
            message = f"`{side}` is also what the gRPC side of `{name}` is called"
            yield Issue(("services", side), message, "rename one of them", "twice", key=True)


def _unsayable(system: System, aggregate: Aggregate) -> Iterator[str]:
    """What of a row Protocol Buffers has no names for."""
    row = {aggregate.id: id_type(aggregate), "version": FieldType(scalar=Scalar.INTEGER)} | aggregate.fields
    messages = [row]
    seen: set[str] = set()
    while messages:
        fields = messages.pop()
        yield from _alike(fields, lambda name: name.replace("_", ""), "fields")
        for name, kind in fields.items():
            if UNSET in kind.enum:
                yield f"`{name}` can be `{UNSET}`, which Protocol Buffers says of what is not set"
            yield from _alike(kind.enum, pascal, f"values of `{name}`")
            if kind.named in system.types and kind.named not in seen:
                seen.add(kind.named)
                messages.append(system.types[kind.named])


def _alike(names: Iterable[str], become: Callable[[str], str], what: str) -> Iterator[str]:
    first: dict[str, str] = {}
    for name in names:
        if (other := first.setdefault(become(name), name)) != name:
            yield f"`{other}` and `{name}` are {what} that Protocol Buffers can't tell apart"
