"""`versions:` and `snapshot_every:` of an aggregate."""

from __future__ import annotations

from typing import Any

import pytest

from archgen.contracts.schema_files import event_schema
from archgen.contracts.traffic import traffic
from archgen.errors import SpecError
from archgen.spec import loads
from archgen.spec.facts import collect

SPEC = """
archgen: 1
system: pub
services:
  bar:
    aggregates:
      Tab:
        event_sourced: {sourced}
        fields: {{drinks: integer}}
        commands:
          open: {{emits: tab.opened}}
          order: {{takes: {{drinks: integer}}, emits: tab.ordered}}
        {more}
    views:
      bill: {{of: Tab, from: [tab.*]}}
"""


def spec(more: str, sourced: str = "true") -> str:
    return SPEC.format(sourced=sourced, more=more)


def problems(text: str) -> list[Any]:
    with pytest.raises(SpecError) as caught:
        loads(text, "system.yaml")
    return list(caught.value.problems)


def test_an_event_has_the_version_that_the_file_gives_it() -> None:
    system = loads(spec("versions: {tab.ordered: 3}"), "system.yaml")
    versions = {name: event.version for name, event in collect(system).events.items()}
    assert versions == {"tab.opened": 1, "tab.ordered": 3}
    ordered = next(event for event in traffic(system).events if event.name == "tab.ordered")
    assert "`pub.tab.ordered.v3`" in event_schema(system, ordered)["description"]


def test_a_version_of_an_event_that_nobody_emits_is_refused() -> None:
    [problem] = problems(spec("versions: {tab.orderd: 2}"))
    assert "no command of this aggregate emits `tab.orderd`" in problem.message
    assert "tab.ordered" in problem.remedy
    assert problem.key.endswith("versions[tab.orderd]")


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "true"])
def test_a_version_is_a_number_from_1_on(value: str) -> None:
    assert problems(spec(f"versions: {{tab.ordered: {value}}}"))


def test_snapshots_are_for_those_that_keep_their_events() -> None:
    [problem] = problems(spec("snapshot_every: 5", sourced="false"))
    assert "snapshot_every" in problem.message
    assert loads(spec("snapshot_every: 5"), "x").services["bar"].aggregates["Tab"].snapshot_every == 5
