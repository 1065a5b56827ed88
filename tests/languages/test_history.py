"""What is generated for events that changed and for views of aggregates without history."""

from __future__ import annotations

from archgen.files import File
from archgen.plan import plan
from archgen.render import render
from archgen.spec import loads

SPEC = """
archgen: 1
system: pub
services:
  bar:
    aggregates:
      Tab:
        event_sourced: true
        snapshot_every: 7
        fields: {drinks: integer}
        commands:
          open: {emits: tab.opened}
          order: {takes: {drinks: integer}, emits: tab.ordered}
        versions: {tab.ordered: 3}
      Stool:
        fields: {taken: boolean}
        commands:
          place: {emits: stool.placed}
          take: {emits: stool.taken}
    views:
      bill: {of: Tab, from: [tab.*]}
      seats: {of: Stool, from: [stool.*]}
      placed: {of: Stool, from: [stool.placed]}
  kitchen:
    aggregates:
      Dish:
        fields: {name: string}
        commands:
          cook: {takes: {name: string}, emits: dish.cooked}
    on:
      tab.ordered: {do: cook, with: {name: soup}}
"""


def files() -> dict[str, str]:
    found: list[File] = list(render(plan(loads(SPEC, "system.yaml"))))
    return {file.path: file.contents.decode() for file in found if file.path.startswith("services/")}


def test_whoever_reads_an_event_that_changed_gets_upcasters() -> None:
    written = files()
    for service in ("bar", "kitchen"):
        text = written[f"services/{service}/src/{service}/domain/upcasters.py"]
        assert "def tab_ordered_v1(data: Data) -> Data:" in text
        assert 'UPCASTERS = {"tab.ordered": (tab_ordered_v1, tab_ordered_v2)}' in text
        assert "upcasters=UPCASTERS" in written[f"services/{service}/src/{service}/generated/wiring.py"]
    messages = written["services/bar/src/bar/generated/tab.py"]
    assert messages.count("VERSION: ClassVar[int] = 3") == 1
    assert "VERSION: ClassVar[int] = 3" in written["services/kitchen/src/kitchen/generated/peers/bar/tab.py"]


def test_snapshots_are_configured_per_aggregate() -> None:
    text = files()["services/bar/src/bar/generated/aggregates.py"]
    assert text.count("snapshot_every=7") == text.count("snapshot_every") == 1


def test_a_view_has_a_row_for_a_state_where_that_is_all_there_is() -> None:
    written = files()
    views = {name: written[f"services/bar/src/bar/views/{name}.py"] for name in ("bill", "seats", "placed")}
    assert {name for name, text in views.items() if "def from_state" in text} == {"seats"}
    wiring = written["services/bar/src/bar/generated/wiring.py"]
    assert wiring.count("from_state=seats_view.from_state") == wiring.count("from_state=") == 1
    assert "services/bar/tests/test_views.py" in written
    assert "services/kitchen/tests/test_views.py" not in written
