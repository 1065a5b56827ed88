"""What a Python service needs to read its past: upcasters of old events, rows of a view from a state."""

from __future__ import annotations

from archgen.contracts.examples import example_fields
from archgen.escape import py
from archgen.languages.python_format import call, dict_of, tuple_of
from archgen.languages.python_imports import Import
from archgen.languages.python_layout import Layout
from archgen.plan_types import Code
from archgen.spec.analysis import EventFacts
from archgen.spec.names import snake, unique

UPCASTERS = "UPCASTERS"


def upcasters_module(layout: Layout) -> str:
    """The module in the domain that holds the service's upcasters, beside one for each aggregate."""
    return unique("upcasters", {snake(aggregate) for aggregate in layout.service.aggregates}, "_")


def upcast(layout: Layout) -> list[EventFacts]:
    """The events that the service reads, its own and others', whose data has had an older version."""
    own = [event for name in layout.service.aggregates for event in layout.events_of(layout.name, name)]
    heard = [facts for facts in layout.foreign if isinstance(facts, EventFacts)]
    return list({event.name: event for event in (*own, *heard) if event.version > 1}.values())


def upcasters_import(layout: Layout) -> Import:
    """What a module has to import to name them."""
    return f"{layout.package}.domain.{upcasters_module(layout)}", UPCASTERS


def upcasters_file(layout: Layout) -> dict[str, object]:
    """The context of domain/upcasters.py."""
    steps: list[dict[str, object]] = []
    taken = {UPCASTERS, "Data", "Any", "dict"}
    chains: dict[str, str] = {}
    for event in upcast(layout):
        chain = []
        for version in range(1, event.version):
            name = f"{snake(event.name.replace('.', '_'))}_v{version}"
            taken.add(function := unique(name, taken, "_"))
            steps.append({"function": function, "event": event.name, "before": version, "after": version + 1})
            chain.append(function)
        chains[event.name] = tuple_of(chain)
    return {"steps": steps, "chains": dict_of(chains), "imports": layout.imports({("typing", "Any")})}


def from_state(layout: Layout, view: str) -> dict[str, object]:
    """What views/<view>.py says of rows made from a state; nothing for a view that has its history.

    A view that hears only some events shows less than the state, so a row can't be told from that.
    """
    described = layout.service.views[view]
    if not made_from_state(layout, view):
        return {"state": "", "from_state": ""}
    row = layout.row_class(view)
    state = described.of if described.of != row else f"{described.of}State"
    fields = layout.fields(layout.name, described.of)
    made = call(row, [(name, f"state.{name}") for name in fields])
    return {"state": state, "from_state": Code(made)}


def state_import(layout: Layout, view: str) -> Import:
    """The aggregate's class, for views/<view>.py."""
    of = layout.service.views[view].of
    name = of if of != layout.row_class(view) else f"{of} as {of}State"
    return f"{layout.package}.domain.{snake(of)}", name


def made_from_state(layout: Layout, view: str) -> bool:
    """Whether the view is of an aggregate that keeps only its state, and shows all of that."""
    described = layout.service.views[view]
    heard = {event.name for pattern in described.sources for event in layout.analysis.facts.matching(pattern)}
    told = {event.name for event in layout.events_of(layout.name, described.of)}
    return told <= heard and not layout.service.aggregates[described.of].event_sourced


def views_test(layout: Layout) -> dict[str, object]:
    """The context of tests/test_views.py; `examples` are one of each command, by its name."""
    system = layout.system
    examples = {facts.name: py(example_fields(system, facts.arguments)) for facts in layout.own_commands}
    wanted: set[Import] = {
        ("contextlib", "suppress"),
        ("typing", "Any"),
        ("pytest", ""),
        ("chassis", "errors"),
        ("chassis.jsons", "decode"),
        ("chassis.views", "View"),
        (f"{layout.package}.generated.wiring", "SERVICE"),
    }
    return {"imports": layout.imports(wanted), "examples": dict_of(examples)}
