"""What a saga is, as its author writes it; and where each argument of its commands comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from typing import Any

from chassis.messages import derived_id

THEN = "then"
OTHERWISE = "else"


@dataclass(frozen=True)
class Field:
    """In `given`: the value of a field that has another name where it comes from."""

    name: str


@dataclass(frozen=True)
class Known:
    """What an instance knows: its trigger's data, the results by step key, why it was given up."""

    trigger: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]
    reason: str = ""


@dataclass(frozen=True)
class Step:
    """A command, and the one that takes it back.

    Arguments bind by name: from the event that started the saga, else from the result of an
    earlier step, else from `given`, which comes first when it names one. `timeout` is the seconds
    to wait for a reply before asking again; after `attempts` the outcome counts as unknown. Without
    an `undo` there is no way back from an unknown outcome, and the saga waits for the answer.
    """

    do: type[Any]
    undo: type[Any] | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    attempts: int | None = None


@dataclass(frozen=True)
class Saga:
    """Steps in order; `then` when all are done, `otherwise` when all is taken back."""

    name: str
    starts_on: type[Any]
    steps: Sequence[Step]
    then: type[Any] | None = None
    otherwise: type[Any] | None = None
    timeout: float = 30.0
    attempts: int = 3

    def __post_init__(self) -> None:
        """Refuse, at import, a saga in which an argument has no source."""
        started = {f.name for f in fields(self.starts_on)}
        known = set(started)
        for step in self.steps:
            assigned = {step.do.ID} if step.do.CREATES else set()
            self._check(step.do, known | assigned | set(step.given))
            # The step's own result is not among what an undo may need: it may never have arrived.
            self._check(step.undo, known | assigned | set(step.given))
            known |= assigned | {f.name for f in fields(step.do.EMITS)}
        self._check(self.then, known)
        # No step need have run when the saga is given up.
        self._check(self.otherwise, started | {"reason"})

    def _check(self, command: type[Any] | None, known: set[str]) -> None:
        wanted = fields(command) if command else ()
        missing = [f.name for f in wanted if f.name not in known and not _optional(f)]
        if command and missing:
            raise TypeError(f"saga {self.name}: nothing provides {', '.join(missing)} of {command.NAME}")

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The names of the steps in messages and logs, for example `0.payments.charge`."""
        return tuple(f"{index}.{step.do.NAME}" for index, step in enumerate(self.steps))

    def arguments(self, command: type[Any], step: int | None, saga_id: str, known: Known) -> dict[str, Any]:
        """The data of `command`, as JSON values, for the instance `saga_id`.

        An aggregate that a step creates gets an id derived from instance and step, so that the
        undo can name it without ever having heard a reply.
        """
        # What came after a step must not change what its undo is told, compared with its do.
        behind = len(self.steps) if step is None else step
        earlier, later = (
            [known.results[key] for key in keys if key in known.results]
            for keys in (self.keys[:behind], self.keys[behind:])
        )
        own = [] if step is None else [step]
        order = own + [i for i in range(len(self.steps)) if i != step]
        given = {} if step is None else self.steps[step].given
        wanted = _sought(command, given)
        assigned = [
            {self.steps[i].do.ID: derived_id(saga_id, self.keys[i])}
            for i in order
            if self.steps[i].do.CREATES and self.steps[i].do.ID in wanted
        ]
        reason = [{"reason": known.reason}] if command is self.otherwise else []
        return bind(command, given, [known.trigger, *earlier, *assigned, *later, *reason])


def bind(
    command: type[Any], given: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The data of `command`: each field from `given`, else from the first source that has it."""
    data = {}
    for wanted in fields(command):
        value = given.get(wanted.name)
        name = value.name if isinstance(value, Field) else wanted.name
        if wanted.name in given and not isinstance(value, Field):
            data[wanted.name] = value
            continue
        for source in sources:
            if name in source:
                data[wanted.name] = source[name]
                break
    return data


def _sought(command: type[Any], given: Mapping[str, Any]) -> set[str]:
    """The names under which `bind` looks into its sources."""
    values = ((wanted.name, given.get(wanted.name)) for wanted in fields(command))
    return {value.name if isinstance(value, Field) else name for name, value in values}


def _optional(wanted: Any) -> bool:
    given = wanted.default is not MISSING or wanted.default_factory is not MISSING
    return given or "None" in str(wanted.type)
