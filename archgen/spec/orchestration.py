"""An orchestrated saga with every argument bound: what is sent, in which order, from which data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from archgen.spec.binding import Binding, Scope, Source, Supply, Unbound, bind
from archgen.spec.document import Path
from archgen.spec.facts import UUID, CommandFacts, EventFacts, Facts
from archgen.spec.fieldtypes import FieldType, Scalar
from archgen.spec.issue import Issue
from archgen.spec.model import OrchestratedStep, Orchestration, System


@dataclass(frozen=True)
class BoundStep:
    """A step; `undo` is None where nothing undoes it. `timeout` is in seconds, for one attempt."""

    do: Binding
    undo: Binding | None
    timeout: float
    attempts: int


@dataclass(frozen=True)
class BoundOrchestration:
    """Sent in order: `steps`, then `then`; or else the undos in reverse order, then `otherwise`.

    An undo may be sent while its step's outcome is unknown, so it takes nothing from that step's
    result: only from the trigger, from the results of earlier steps, from `with:`, and the ids
    that the saga assigned. `otherwise` takes only from the trigger and the reason: no step need have run.
    """

    name: str
    owner: str
    trigger: str
    steps: tuple[BoundStep, ...]
    then: Binding | None
    otherwise: Binding | None


def bind_orchestration(
    name: str, saga: Orchestration, system: System, facts: Facts
) -> tuple[BoundOrchestration, list[Issue]]:
    """The saga bound, and the arguments that have no source. Its names must resolve."""
    path: Path = ("sagas", name)
    issues: list[Issue] = []
    supplies = [trigger(facts.events[saga.when])]
    steps = []
    for index, step in enumerate(saga.steps):
        scope = Scope(tuple(supplies), index, system.types)
        bound, found = _bind_step(step, saga, facts, scope)
        steps.append(bound)
        issues += [_issue((*path, "steps", index), *each) for each in found]
        supplies.append(result(facts, step.do, index))
    ends = {"then": (saga.then, supplies), "else": (saga.otherwise, [supplies[0], _REASON])}
    bindings: dict[str, Binding] = {}
    for key, (command, known) in ends.items():
        if command:
            scope = Scope(tuple(known), len(saga.steps), system.types, assigns=False)
            bindings[key], missing = bind(facts.commands[command], {}, scope)
            issues += [Issue((*path, key), each.message, _END_REMEDY, "unbound") for each in missing]
    then, otherwise = bindings.get("then"), bindings.get("else")
    return BoundOrchestration(name, saga.owner, saga.when, tuple(steps), then, otherwise), issues


_REASON = Supply("reason", {"reason": FieldType(scalar=Scalar.STRING)}, "")
_END_REMEDY = "carry it in the event that starts the saga"


def trigger(event: EventFacts) -> Supply:
    """What the event that sets something off gives."""
    return Supply("trigger", event.fields, f"`{event.name}`", origins=_origins(event))


def result(facts: Facts, command: str, index: int) -> Supply:
    """What the result of a step gives: the event that its command emits."""
    event = facts.events[facts.commands[command].emits]
    label = f"the result of `{command}`"
    return Supply("step", event.fields, label, index, command, _origins(event))


def _bind_step(
    step: OrchestratedStep, saga: Orchestration, facts: Facts, scope: Scope
) -> tuple[BoundStep, list[tuple[str, Unbound]]]:
    command = facts.commands[step.do]
    undo_command = facts.commands[step.undo] if step.undo else None
    takers = [each for each in (command, undo_command) if each]
    found = [("with", each) for each in unknown_arguments(step.with_, takers)]
    do, missing = bind(command, step.with_, scope)
    found += [("do", each) for each in missing]
    undo = None
    if undo_command:
        undo, missing = bind(undo_command, step.with_, _undo_scope(command, do, scope))
        found += [("undo", each) for each in missing if ("do", each) not in found]
    bound = BoundStep(do, undo, step.timeout or saga.timeout, step.attempts or saga.attempts)
    return bound, found


def _undo_scope(command: CommandFacts, do: Binding, scope: Scope) -> Scope:
    supplies = scope.supplies
    if do.arguments.get(command.id_field) == Source("saga_id", scope.step, command.id_field):
        supplies = (*supplies, Supply("saga_id", {command.id_field: UUID}, "", scope.step))
    return replace(scope, supplies=supplies, assigns=False)


def unknown_arguments(given: dict[str, object], takers: list[CommandFacts]) -> list[Unbound]:
    """The keys of `with:` that no command of the step takes."""
    known = {name for command in takers for name in command.arguments}
    names = " and ".join(f"`{command.name}`" for command in takers)
    remedy = f"arguments: {', '.join(f'`{name}`' for name in sorted(known))}"
    return [
        Unbound(name, f"{names} takes no argument `{name}`", remedy, given=True)
        for name in given
        if name not in known
    ]


def _issue(path: Path, at: str, unbound: Unbound) -> Issue:
    if unbound.given:
        key = at == "with"
        return Issue((*path, "with", unbound.argument), unbound.message, unbound.remedy, "unbound", key)
    return Issue((*path, at), unbound.message, unbound.remedy, "unbound")


def _origins(event: EventFacts) -> dict[str, frozenset[str]]:
    return {event.id_field: frozenset({f"{event.service}.{event.aggregate}"})}
