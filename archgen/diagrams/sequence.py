"""Each saga as a conversation: how it goes when all is well, and how it is taken back."""

from __future__ import annotations

from dataclasses import dataclass

from archgen.spec.analysis import Analysis, BoundChoreography, BoundOrchestration
from archgen.spec.model import System
from archgen.spec.names import title

CALLER = "caller"


@dataclass(frozen=True)
class Say:
    """One arrow. `kind` is do, undo, answer or refuse."""

    source: str
    target: str
    text: str
    kind: str = "do"


@dataclass(frozen=True)
class Part:
    """A run of the saga from its beginning."""

    title: str
    lines: tuple[Say, ...]


@dataclass(frozen=True)
class Sequence:
    """A saga's conversations; `actors` are ids and what they are called, from left to right."""

    name: str
    title: str
    style: str
    actors: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]


def sequences(system: System, analysis: Analysis) -> tuple[Sequence, ...]:
    """One for every saga, in the order of the description."""
    found = []
    for name in system.sagas:
        if name in analysis.orchestrations:
            parts = _orchestrated(analysis.orchestrations[name], analysis)
            style = "orchestration"
        else:
            parts = _choreographed(analysis.choreographies[name], analysis)
            style = "choreography"
        spoken = [one for part in parts for line in part.lines for one in (line.source, line.target)]
        actors = tuple((id, "Caller" if id == CALLER else title(id)) for id in dict.fromkeys(spoken))
        found.append(Sequence(name, title(name), style, actors, parts))
    return tuple(found)


def _orchestrated(saga: BoundOrchestration, analysis: Analysis) -> tuple[Part, ...]:
    owner = saga.owner
    commands = [analysis.commands[step.do.command] for step in saga.steps]
    begin = _begin(saga.trigger, owner, analysis)

    def asked(command: str, service: str, kind: str) -> list[Say]:
        return [Say(owner, service, command, kind), Say(service, owner, "done", "answer")]

    good = [line for command in commands for line in asked(command.name, command.service, "do")]
    if saga.then:
        good.append(Say(owner, _service(saga.then.command), saga.then.command))
    done, last = commands[:-1], commands[-1]
    back = [line for command in done for line in asked(command.name, command.service, "do")]
    back += [Say(owner, last.service, last.name), Say(last.service, owner, "refused", "refuse")]
    for step in reversed(saga.steps[:-1]):
        if step.undo:
            back += asked(step.undo.command, _service(step.undo.command), "undo")
    if saga.otherwise:
        back.append(Say(owner, _service(saga.otherwise.command), saga.otherwise.command, "undo"))
    return (
        Part("All goes well", (*begin, *good)),
        Part(f"{last.name} is refused: what was done is undone, last first", (*begin, *back)),
    )


def _choreographed(saga: BoundChoreography, analysis: Analysis) -> tuple[Part, ...]:
    """The steps that follow from events of success, then each failure with what follows from it."""
    first = saga.starts_on[0]
    begin = tuple(_begin(first, analysis.events[first].service, analysis))
    good, seen = _follow([first], saga, analysis, set(), "do")
    parts = [Part("All goes well", (*begin, *good))]
    failures = {analysis.commands[step.do.command].fails for step in saga.steps} - {""}
    for step in saga.steps:
        fails = analysis.commands[step.do.command].fails
        if fails not in failures or not any(other.when == fails for other in saga.steps):
            continue
        failures.discard(fails)
        service = _service(step.do.command)
        source = analysis.events[step.when].service
        trouble = Say(source, service, f"{step.when} → {step.do.command}")
        back, _ = _follow([fails], saga, analysis, set(seen), "undo")
        parts.append(
            Part(
                f"{fails}: what was done is undone", (trouble, Say(service, service, fails, "refuse"), *back)
            )
        )
    return tuple(parts)


def _follow(
    events: list[str], saga: BoundChoreography, analysis: Analysis, seen: set[int], kind: str
) -> tuple[list[Say], set[int]]:
    """The steps that these events lead to, one after the other; failures are another story."""
    lines, waiting = [], list(events)
    while waiting:
        event = waiting.pop(0)
        for number, step in enumerate(saga.steps):
            if step.when != event or number in seen:
                continue
            seen.add(number)
            command = analysis.commands[step.do.command]
            source = analysis.events[event].service
            lines.append(Say(source, command.service, f"{event} → {command.name}", kind))
            waiting.append(analysis.commands[command.name].emits)
    return lines, seen


def _begin(event: str, owner: str, analysis: Analysis) -> list[Say]:
    made = analysis.events[event]
    command = next((name for name in made.commands), "")
    lines = [Say(CALLER, made.service, command or event)]
    if made.service != owner:
        lines.append(Say(made.service, owner, event, "answer"))
    return lines


def _service(command: str) -> str:
    return command.partition(".")[0]
