"""What must hold for what is remembered: events, snapshots, views, and what people were told of them."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.evidence import Evidence

Found = Iterator[tuple[str, str]]


def streams_have_no_gap(evidence: Evidence) -> Found:
    for id, stored in evidence.events.items():
        versions = [each.version for each in stored]
        if versions != list(range(1, len(versions) + 1)):
            yield id, f"its events have the versions {versions}"


def an_order_is_what_its_events_say(evidence: Evidence) -> Found:
    shown = {order["order_id"]: order for order in evidence.states["Order"]}
    for id, states in evidence.replays.items():
        expected = {**states[-1], "version": len(states)}
        if shown[id] != expected:
            yield id, f"is {_difference(shown[id], expected)}"


def snapshots_are_what_a_replay_gives(evidence: Evidence) -> Found:
    for id, (version, state) in evidence.snapshots.items():
        states = evidence.replays.get(id, [])
        if not 0 < version <= len(states):
            yield id, f"has a snapshot of version {version}, and {len(states)} events"
        elif state != states[version - 1]:
            yield id, f"its snapshot of version {version} is {_difference(state, states[version - 1])}"


def messages_tell_what_was_stored(evidence: Evidence) -> Found:
    stored = {(id, each.version): each for id, events in evidence.events.items() for each in events}
    for copy in evidence.copies:
        if copy.kind != "event" or not copy.name.startswith("order."):
            continue
        event = stored.get((copy.subject, copy.version))
        if event is None or event.name != copy.name or event.data != copy.data:
            yield copy.subject, f"{copy.name} v{copy.version} was sent and is not what is stored: {event}"


def only_one_of_those_who_saw_a_version_writes_the_next(evidence: Evidence) -> Found:
    for rival in evidence.ledger.rivals:
        events = evidence.events.get(rival.order_id, [])
        mine = [each.version for each in events if each.data.get("reason") == rival.reason]
        expected = [rival.seen + 1] if rival.status == 200 else []
        if mine != expected or rival.version != sum(expected):
            yield (
                rival.order_id,
                f"who saw version {rival.seen} was answered {rival.status} with version {rival.version}, "
                f"and wrote {mine}",
            )


def who_has_written_reads_it(evidence: Evidence) -> Found:
    for order_id, text in evidence.ledger.unseen:
        yield order_id, f"the view should have shown {text}"


def everybody_is_answered(evidence: Evidence) -> Found:
    if evidence.ledger.unanswered:
        yield "", f"{evidence.ledger.unanswered} requests were never answered"


def views_equal_a_rebuild(evidence: Evidence) -> Found:
    for view, kept in evidence.kept.items():
        rebuilt = evidence.rebuilt[view]
        for key in kept.keys() | rebuilt.keys():
            if kept.get(key) != rebuilt.get(key):
                yield "", f"{view.name} {key}: was {kept.get(key)}, rebuilt it is {rebuilt.get(key)}"


def _difference(found: dict[str, object], expected: dict[str, object]) -> str:
    names = [name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)]
    return ", ".join(f"{name} {found.get(name)!r} instead of {expected.get(name)!r}" for name in names)
