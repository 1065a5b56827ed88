"""Where each argument of a command comes from when a saga or a reaction sends it.

An argument takes, in this order:

1. what `with:` gives: a literal, or a reference. `$field` is a field of the triggering event,
   `$service.command.field` one of the result of the earlier step that did this command. Text that
   starts with a dollar sign of its own doubles it: `$$5` is `$5`. A reference must be to the first
   place that has the field;
2. the field of the same name of the triggering event, else of the results (the emitted events) of
   earlier steps, in order. The first place that has the name decides, and its type must fit;
3. for the id of an aggregate that the command creates: an id that the saga assigns;
4. for an optional argument: null.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from archgen.spec import literals
from archgen.spec.facts import UUID, CommandFacts
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.suggest import nearest

SourceKind = Literal["trigger", "carried", "step", "literal", "saga_id", "reason"]


@dataclass(frozen=True)
class Source:
    """Where one argument comes from.

    - `trigger`: `field` of the event that set this off (a choreographed step's own `when` event);
    - `carried`: `field` of the data that travels with a choreographed saga;
    - `step`: `field` of the result of step `step`, counted from 0;
    - `literal`: `value`;
    - `saga_id`: a UUID derived from the saga instance, `step` and `field`; the same whenever it is
      derived again. In a reaction, the triggering event's id stands for the saga instance;
    - `reason`: why the saga is given up, as text; only in an orchestration's `else`.
    """

    kind: SourceKind
    step: int | None = None
    field: str = ""
    value: object = None


@dataclass(frozen=True)
class Binding:
    """A command, as `service.command`, with the source of each of its arguments."""

    command: str
    arguments: dict[str, Source]


@dataclass(frozen=True)
class Unbound:
    """An argument that has no source, or `with:` that gives a wrong one (then `given` is true)."""

    argument: str
    message: str
    remedy: str
    given: bool = False


@dataclass(frozen=True)
class Supply:
    """Fields that arguments can be taken from.

    `origins` are the aggregates (as `service.Aggregate`) whose events they come from: a command
    that creates an aggregate must not take its id from one that exists already. An empty `label`
    keeps a supply out of messages.
    """

    kind: Literal["trigger", "carried", "step", "saga_id", "reason"]
    fields: Mapping[str, FieldType]
    label: str
    step: int | None = None
    command: str = ""
    origins: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        return Source(self.kind, self.step, name)


@dataclass(frozen=True)
class Scope:
    """What a command may be given: its supplies in order, and the step that assigned ids derive from.

    Without `assigns`, nothing is assigned: only what a step does may create an aggregate.
    """

    supplies: Sequence[Supply]
    step: int
    types: literals.Types
    assigns: bool = True


def bind(command: CommandFacts, given: Mapping[str, object], scope: Scope) -> tuple[Binding, list[Unbound]]:
    """The sources of all arguments of `command`, and the arguments that have none."""
    sources: dict[str, Source] = {}
    missing: list[Unbound] = []
    for name, kind in command.arguments.items():
        if name in given:
            found = _given(command, name, kind, given[name], scope)
        else:
            found = _found(command, name, kind, scope)
        if isinstance(found, Source):
            sources[name] = found
        else:
            missing.append(found)
    return Binding(command.name, sources), missing


def _found(command: CommandFacts, name: str, kind: FieldType, scope: Scope) -> Source | Unbound:
    created = name == command.id_field and command.creates
    supply = next((each for each in scope.supplies if name in each.fields), None)
    if supply and created and f"{command.service}.{command.aggregate}" in supply.origins.get(name, ()):
        message = f"`{command.name}` creates a new {command.aggregate}, but the `{name}` at hand, in "
        return Unbound(name, f"{message}{supply.label}, is that of one that exists", "")
    if supply and supply.fields[name].fits(kind):
        return supply.source(name)
    if supply:
        message = f"`{name}` of `{command.name}` is `{kind}`, but {supply.label} has it as "
        return Unbound(name, f"{message}`{supply.fields[name]}`", _remedy(name))
    if created and kind == UUID and scope.assigns:
        return Source("saga_id", scope.step, name)
    if kind.optional:
        return Source("literal")
    looked = ", ".join(supply.label for supply in scope.supplies if supply.label)
    message = f"the argument `{name}` ({kind}) of `{command.name}` has no source: looked in {looked}"
    if created and scope.assigns:
        message += "; an id that the saga assigns is a uuid"
    return Unbound(name, message, _remedy(name))


def _remedy(name: str) -> str:
    return f"carry it in the event, or give it: `with: {{{name}: ...}}`"


def _given(
    command: CommandFacts, name: str, kind: FieldType, value: object, scope: Scope
) -> Source | Unbound:
    if isinstance(value, str) and value.startswith("$") and not value.startswith("$$"):
        return _referenced(name, kind, value, scope)
    literal = value[1:] if isinstance(value, str) and value.startswith("$$") else value
    if literals.fits(literal, kind, scope.types):
        return Source("literal", value=literal)
    message = f"the value for `{name}` of `{command.name}` is not of the type `{kind}`"
    return Unbound(name, message, _example(kind), given=True)


def _referenced(name: str, kind: FieldType, text: str, scope: Scope) -> Source | Unbound:
    step, _, wanted = text[1:].rpartition(".")
    supplies = [
        supply
        for supply in scope.supplies
        if (supply.command == step if step else supply.kind in ("trigger", "carried"))
    ]
    if step and not supplies:
        known = [f"${supply.command}.{wanted}" for supply in scope.supplies if supply.command]
        return Unbound(
            name, f"`{text[:80]}`: no earlier step does `{step[:60]}`", nearest(text, known), given=True
        )
    for supply in reversed(supplies) if step else supplies:
        if wanted in supply.fields:
            first = next(each for each in scope.supplies if wanted in each.fields)
            if first is not supply:
                # At run time a field is found by its name alone.
                message = f"`{text}`: {first.label} has `{wanted}` too, and is asked first"
                return Unbound(name, message, "rename one of the fields", given=True)
            if supply.fields[wanted].fits(kind):
                return supply.source(wanted)
            message = f"`{text}` is `{supply.fields[wanted]}`, but `{name}` is `{kind}`"
            return Unbound(name, message, "", given=True)
    fields = [f"${step}.{each}" if step else f"${each}" for supply in supplies for each in supply.fields]
    where = " or ".join(supply.label for supply in supplies)
    return Unbound(name, f"`{text[:80]}`: {where} has no such field", nearest(text, fields), given=True)


def _example(kind: FieldType) -> str:
    if kind.scalar is Scalar.MONEY:
        return 'for example `{amount: "19.99", currency: EUR}`'
    if kind.enum:
        return f"one of {', '.join(f'`{each}`' for each in kind.enum)}"
    return ""
