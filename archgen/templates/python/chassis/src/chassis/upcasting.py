"""Reading events that older code wrote: what is stored never changes, so it is lifted when it is read.

An event's data has a version (`VERSION` of its class, 1 unless said otherwise). An upcaster is a pure
function from the data of one version to the data of the next; a chain of them leads to the newest.
Source: Greg Young, "Versioning in an Event Sourced System" (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import ValidationError

from chassis.errors import Unavailable
from chassis.jsons import decode

Data: TypeAlias = dict[str, Any]
Upcaster: TypeAlias = Callable[[Data], Data]
# By the event's name; the first function takes version 1 to 2, the next 2 to 3, and so on.
Upcasters: TypeAlias = Mapping[str, Sequence[Upcaster]]


class Unreadable(ValueError):
    """Stored data that does not become what the code expects, upcasters or not: one of them is wrong."""


def version_of(event: type[Any]) -> int:
    """The version of the data that `event`, a class, describes."""
    version: int = getattr(event, "VERSION", 1)
    return version


def lift(event: type[Any], data: Data, version: int, upcasters: Upcasters) -> Data:
    """`data`, written as `version`, as the class `event` wants it.

    Raises Unavailable for a version that is newer than the class: a newer release of this service
    wrote it, and its replicas can answer.
    """
    newest = version_of(event)
    if version > newest:
        raise Unavailable(f"{event.NAME} is stored as version {version}, and this release knows {newest}")
    steps = upcasters.get(event.NAME, ())
    for step in steps[len(steps) - (newest - version) :] if version < newest else ():
        data = step(dict(data))
    return data


def read(event: type[Any], data: Data, version: int, upcasters: Upcasters) -> Any:
    """The event that was stored. Raises Unreadable, and Unavailable as `lift` does."""
    try:
        return decode(event, lift(event, data, version, upcasters))
    except ValidationError as error:
        # Not the values themselves: they belong to somebody, and this is going to be logged.
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise Unreadable(f"{event.NAME}, stored as version {version}: {'; '.join(wrong)}") from None


def check(events: Iterable[type[Any]], upcasters: Upcasters) -> None:
    """Raises ValueError when an event has not exactly the upcasters that lead to its version."""
    for event in events:
        needed, found = version_of(event) - 1, len(upcasters.get(event.NAME, ()))
        if needed != found:
            raise ValueError(f"{event.NAME} is at version {needed + 1}: upcasters {found}, needed {needed}")
