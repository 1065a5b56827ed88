"""Orders made again from their events, with the shop's own domain and nothing of the event store."""

from __future__ import annotations

from typing import Any

from chassis.jsons import decode, encode

from tests.torture.databases import Row, Stored


def replay(stored: list[Stored]) -> list[Row]:
    """The state after each event, from the first one on, as JSON values."""
    from orders.domain.order import evolve
    from orders.generated.aggregates import ORDER

    classes = {event.NAME: event for event in ORDER.events}
    state: Any = None
    states: list[Row] = []
    for each in stored:
        state = evolve(state, decode(classes[each.name], each.data))
        states.append(encode(state))
    return states
