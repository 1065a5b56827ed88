"""Random systems for property-based tests, and the YAML of a system.

The systems are small but use every part of the language; names are drawn from words, so that a
failing example can be read. `systems()` are valid: the loader accepts what `spec_text` writes of them.
"""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from archgen.spec.model import (
    Aggregate,
    Broker,
    Choreography,
    Command,
    FieldType,
    Language,
    Orchestration,
    Reaction,
    Saga,
    Scalar,
    Service,
    Store,
    System,
    View,
)

_SERVICES = ("orders", "payments", "inventory", "loans", "parcel_desk")
_AGGREGATES = ("Order", "Payment", "StockItem", "Loan", "Parcel", "Basket", "Delivery", "Address")
_TYPES = ("Item", "Line", "Place")
_FIELDS = ("amount", "items", "note", "weight", "placed_at", "kind", "phone", "email", "sku", "is_gift")
_VERBS = ("create", "change", "approve", "close", "reopen_again")
_PAST = {
    "create": "created",
    "change": "changed",
    "approve": "approved",
    "close": "closed",
    "reopen_again": "reopened",
}
_ENUMS = ("small", "large", "on", "no", "null")
ABOUT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["Cc", "Cs"]), max_size=30
)


def field_types(types: tuple[str, ...] = ()) -> st.SearchStrategy[FieldType]:
    """Scalars, enums and the named `types`, single and as lists, optional or not."""
    scalar = st.sampled_from(Scalar).map(lambda scalar: FieldType(scalar=scalar))
    enum = st.lists(st.sampled_from(_ENUMS), min_size=2, max_size=4, unique=True).map(
        lambda words: FieldType(enum=tuple(words))
    )
    choices = [scalar, enum]
    if types:
        choices.append(st.sampled_from(types).map(lambda name: FieldType(named=name)))
    return st.builds(
        lambda base, many, optional: base.model_copy(
            update={"many": many and not base.enum, "optional": optional}
        ),
        st.one_of(choices),
        st.booleans(),
        st.booleans(),
    )


def fields(types: tuple[str, ...] = (), min_size: int = 0) -> st.SearchStrategy[dict[str, FieldType]]:
    return st.dictionaries(st.sampled_from(_FIELDS), field_types(types), min_size=min_size, max_size=4)


@st.composite
def systems(draw: st.DrawFn) -> System:
    """A valid system of one to four services, with sagas of both styles where they fit."""
    types: dict[str, dict[str, FieldType]] = {}
    for name in draw(st.lists(st.sampled_from(_TYPES), max_size=3, unique=True)):
        # A type uses only those before it, so none contains itself.
        types[name] = draw(fields(tuple(types), min_size=1))
    aggregates = list(draw(st.permutations(_AGGREGATES)))
    services = {
        name: draw(_services([aggregates.pop() for _ in range(draw(st.integers(1, 2)))], tuple(types)))
        for name in draw(st.lists(st.sampled_from(_SERVICES), min_size=1, max_size=4, unique=True))
    }
    return System(
        archgen=1,
        system=draw(st.sampled_from(("shop", "lending_desk", "depot2"))),
        about=draw(ABOUT).strip(),
        broker=draw(st.sampled_from(Broker)),
        types=types,
        services=services,
        sagas=draw(_sagas(services)),
    )


@st.composite
def _services(draw: st.DrawFn, names: list[str], types: tuple[str, ...]) -> Service:
    # A command is addressed as service.command, so the aggregates of a service share out the verbs.
    verbs = list(_VERBS)
    aggregates: dict[str, Aggregate] = {}
    for name in names:
        count = draw(st.integers(1, 2))
        aggregates[name] = draw(_aggregates(name, [verbs.pop(0) for _ in range(count)], types))
    views = {
        f"{_event_prefix(name)}_list": View.model_validate(
            {"of": name, "from": (f"{_event_prefix(name)}.*",)}
        )
        for name in names[:1]
    }
    return Service(
        about=draw(ABOUT).strip(),
        language=draw(st.sampled_from(Language)),
        store=draw(st.sampled_from(Store)),
        aggregates=aggregates,
        views=draw(st.sampled_from(({}, views))),
    )


@st.composite
def _aggregates(draw: st.DrawFn, name: str, verbs: list[str], types: tuple[str, ...]) -> Aggregate:
    members = draw(fields(types, min_size=1))
    prefix = _event_prefix(name)
    commands = {
        verb: Command(
            takes=dict(
                draw(
                    st.lists(st.sampled_from(sorted(members.items())), max_size=3, unique_by=lambda kv: kv[0])
                )
            ),
            emits=f"{prefix}.{_PAST[verb]}",
            fails=draw(st.sampled_from(("", f"{prefix}.{verb}_failed"))),
            creates=verb == verbs[0],
        )
        for verb in verbs
    }
    narrowed = draw(st.lists(st.sampled_from(sorted(members)), unique=True, max_size=2))
    last = commands[verbs[-1]].emits
    return Aggregate(
        id=f"{prefix}_id",
        event_sourced=draw(st.booleans()),
        fields=members,
        commands=commands,
        events=draw(st.sampled_from(({}, {last: tuple(narrowed)}))) if narrowed else {},
    )


@st.composite
def _sagas(draw: st.DrawFn, services: dict[str, Service]) -> dict[str, Saga]:
    """At most one saga, of steps that take nothing, so that every argument binds."""
    commands = [
        (f"{service_name}.{verb}", command)
        for service_name, service in services.items()
        for aggregate in service.aggregates.values()
        for verb, command in aggregate.commands.items()
    ]
    starts = [(name, c) for name, c in commands if c.creates]
    simple = [name for name, c in commands if c.creates and not c.takes]
    if not simple or not draw(st.booleans()):
        return {}
    start, event = draw(st.sampled_from(starts))
    steps = [name for name in simple if name != start][:2]
    if not steps:
        return {}
    if draw(st.booleans()):
        return {
            "run": Orchestration.model_validate(
                {
                    "owner": start.partition(".")[0],
                    "when": event.emits,
                    "steps": [{"do": name} for name in steps],
                }
            )
        }
    return {"run": Choreography.model_validate({"steps": [{"when": event.emits, "do": steps[0]}]})}


def _event_prefix(aggregate: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in aggregate).lstrip("_")


def document(system: System) -> dict[str, Any]:
    """The system as the plain data of its YAML file; what is a default is left out."""
    return _model(system)


def spec_text(system: System) -> str:
    """The YAML file of a system."""
    return yaml.safe_dump(document(system), sort_keys=False, allow_unicode=True)


def _plain(value: Any) -> Any:
    match value:
        case FieldType():
            return str(value)
        case Command():
            written = {"takes": _plain(value.takes), "emits": value.emits, "fails": value.fails}
            return {key: part for key, part in written.items() if part}
        case System() | Service() | Aggregate() | View() | Orchestration() | Choreography() | Reaction():
            return _model(value)
        case dict():
            return {key: _plain(part) for key, part in value.items()}
        case tuple():
            return [_plain(part) for part in value]
        case _ if hasattr(value, "model_fields_set"):
            return _model(value)
        case _:
            return value.value if hasattr(value, "value") else value


def _model(value: Any) -> dict[str, Any]:
    fields_of = type(value).model_fields
    return {
        field.alias or name: _plain(getattr(value, name))
        for name, field in fields_of.items()
        # `style` has a default in the model, and in the file says which kind of saga it is.
        if field.is_required() or name == "style" or getattr(value, name) != _default(field)
    }


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True)
