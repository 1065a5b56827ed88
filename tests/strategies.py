"""Random systems for property-based tests, and the YAML of a system.

The systems are small but use every part of the language; names are drawn from words, so that a
failing example can be read. `systems()` are valid: the loader accepts what `spec_text` writes of them.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from archgen.contracts.yaml_text import to_yaml
from archgen.spec.model import (
    Aggregate,
    Breaker,
    Broker,
    Call,
    Choreography,
    Command,
    Fallback,
    FieldType,
    Language,
    Model,
    Orchestration,
    Policy,
    Reaction,
    Recovery,
    Retry,
    Saga,
    Scalar,
    Service,
    Store,
    System,
    Via,
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

SECONDS = st.sampled_from((0.2, 1.0, 30.0, 90.0))


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
    """A valid system of one to four services; calls, reactions and a saga where they fit."""
    types: dict[str, dict[str, FieldType]] = {}
    for name in draw(st.lists(st.sampled_from(_TYPES), max_size=3, unique=True)):
        # A type uses only those before it, so none contains itself.
        types[name] = draw(fields(tuple(types), min_size=1))
    policies = draw(st.dictionaries(st.sampled_from(("default", "patient")), _policies(), max_size=2))
    aggregates = list(draw(st.permutations(_AGGREGATES)))
    services: dict[str, Service] = {}
    for name in draw(st.lists(st.sampled_from(_SERVICES), min_size=1, max_size=4, unique=True)):
        own = [aggregates.pop() for _ in range(draw(st.integers(1, 2)))]
        service = draw(_services(own, tuple(types)))
        services[name] = draw(_connected(service, services, tuple(policies)))
    return System(
        archgen=1,
        system=draw(st.sampled_from(("shop", "lending_desk", "depot2"))),
        about=draw(ABOUT).strip(),
        broker=draw(st.sampled_from(Broker)),
        policies=policies,
        types=types,
        services=services,
        sagas=draw(_sagas(services)),
        recovery=Recovery(rpo=draw(st.none() | SECONDS), backup=draw(st.sampled_from(("", "0 2 * * *")))),
    )


@st.composite
def _policies(draw: st.DrawFn) -> Policy:
    retry = Retry(attempts=draw(st.integers(1, 5)), delay=draw(SECONDS))
    return Policy(timeout=draw(SECONDS), retry=retry, breaker=Breaker(reset=draw(SECONDS)))


@st.composite
def _connected(
    draw: st.DrawFn, service: Service, others: dict[str, Service], policies: tuple[str, ...]
) -> Service:
    """The service, asking views of some of the others and reacting to events of theirs."""
    views = [f"{name}.{view}" for name, other in others.items() for view in other.views]
    chosen = draw(st.lists(st.sampled_from(views), max_size=2, unique=True)) if views and policies else []
    calls = {
        view: Call(
            policy=policies[0], fallback=draw(st.sampled_from(Fallback)), via=draw(st.sampled_from(Via))
        )
        for view in chosen
    }
    events = [command.emits for name in others for _, command in _commands(name, others[name])]
    simple = [
        verb for name in service.aggregates.values() for verb, c in name.commands.items() if _is_simple(c)
    ]
    reactions = {}
    reacts = draw(st.booleans())
    if reacts and events and simple:
        reactions[draw(st.sampled_from(events))] = Reaction(do=draw(st.sampled_from(simple)))
    return service.model_copy(update={"calls": calls, "on": reactions})


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
    """At most one saga, of steps whose commands take nothing, so that every argument binds."""
    commands = [pair for name, service in services.items() for pair in _commands(name, service)]
    starts = [(name, command) for name, command in commands if command.creates]
    start, command = draw(st.sampled_from(starts))
    steps = [name for name, each in commands if _is_simple(each) and name != start][:2]
    if not steps or not draw(st.booleans()):
        return {}
    if draw(st.booleans()):
        return {"run": Choreography.model_validate({"steps": [{"when": command.emits, "do": steps[0]}]})}
    undos = {step: _undo(step, services) for step in steps}
    saga = {
        "owner": start.partition(".")[0],
        "when": command.emits,
        "steps": [
            {"do": step, "undo": undos[step], "attempts": draw(st.none() | st.just(2))} for step in steps
        ],
        "else": _undo(start, services),
        "timeout": draw(SECONDS),
    }
    return {"run": Orchestration.model_validate(saga)}


def _commands(name: str, service: Service) -> list[tuple[str, Command]]:
    """The commands of a service, by `service.command`."""
    aggregates = service.aggregates.values()
    return [(f"{name}.{verb}", command) for each in aggregates for verb, command in each.commands.items()]


def _is_simple(command: Command) -> bool:
    """Whether it can be done by anybody, because it needs no argument but an id that is made up."""
    return command.creates and not command.takes


def _undo(step: str, services: dict[str, Service]) -> str:
    """Another command of the step's aggregate that takes nothing, or an empty string."""
    name, _, verb = step.partition(".")
    aggregate = next(each for each in services[name].aggregates.values() if verb in each.commands)
    others = [each for each, c in aggregate.commands.items() if not c.creates and not c.takes]
    return f"{name}.{others[0]}" if others else ""


def _event_prefix(aggregate: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in aggregate).lstrip("_")


def document(system: System) -> dict[str, Any]:
    """The system as the plain data of its YAML file; what is a default is left out."""
    return _model(system)


def spec_text(system: System) -> str:
    """The YAML file of a system."""
    # PyYAML would write `0E0` without quotes: no number in YAML 1.1, and one in 1.2
    return to_yaml(document(system))


def _plain(value: Any) -> Any:
    match value:
        case FieldType():
            return str(value)
        case Command():
            written = {"takes": _plain(value.takes), "emits": value.emits, "fails": value.fails}
            return {key: part for key, part in written.items() if part}
        case Model():
            return _model(value)
        case dict():
            return {key: _plain(part) for key, part in value.items()}
        case tuple():
            return [_plain(part) for part in value]
        case float():
            # Every float of the model is a duration.
            return f"{round(value * 1000)}ms"
        case Enum():
            return value.value
        case _:
            return value


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
