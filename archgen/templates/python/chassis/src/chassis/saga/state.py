"""The life of one saga as pure functions: (instance, what happened) → (instance, commands to send).

No clock, no database, no broker in here, so that every interleaving can be tried in a test.

    running ──all done──▶ finishing ──then done──▶ done
       │                      │ then refused
       └─refused, unknown──▶ compensating ──all undone──▶ aborting ──else done──▶ compensated
                              └─an undo, or then, or else, keeps failing──▶ stuck ──resume──▶ (back)

What nothing can undo (a step without `undo`, and `then`) is not given up for silence: if it was done
after all, everything else would be taken back around it. The saga is stuck until the answer comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from chassis.saga.definition import OTHERWISE, THEN, Known, Saga, Step

Status = Literal["running", "finishing", "compensating", "aborting", "done", "compensated", "stuck"]
Phase = Literal["do", "undo"]
ENDED: frozenset[str] = frozenset({"done", "compensated"})
BACKOFF_CAP = 300.0


@dataclass(frozen=True)
class Instance:
    """One saga under way. `step` and `phase` name the reply that is awaited until `deadline`;
    at `asked_at` it was asked for the first time.

    `outcomes` holds, per step, done | refused | unknown | undone | undo_failed. `reason` is why it
    was given up, `trouble` what then kept it from ending.
    """

    id: str
    saga: str
    trigger: Mapping[str, Any]
    status: Status = "running"
    step: str = ""
    phase: Phase = "do"
    attempt: int = 0
    deadline: float | None = None
    asked_at: float = 0.0
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    trouble: str = ""
    started_at: float = 0.0
    correlation_id: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Send:
    """A command to send. The same step is sent again under a higher `attempt`."""

    command: type[Any]
    step: str
    phase: Phase
    attempt: int
    data: Mapping[str, Any]


Moved = tuple[Instance, tuple[Send, ...]]


def begin(
    saga: Saga, id: str, trigger: Mapping[str, Any], now: float, correlation_id: str = "", trace: str = ""
) -> Moved:
    """A new instance and its first command."""
    instance = Instance(id, saga.name, trigger, started_at=now, correlation_id=correlation_id, trace=trace)
    return _forward(saga, instance, 0, now)


def on_reply(
    saga: Saga,
    instance: Instance,
    step: str,
    phase: Phase,
    *,
    done: bool,
    reason: str,
    result: Mapping[str, Any],
    now: float,
) -> Moved:
    """What a participant answered. A reply that is not awaited any more changes nothing."""
    if phase == "undo" and done and instance.outcomes.get(step) == "undo_failed":
        # The answer came after the step had been given up. It won't come again, so it counts at once,
        # also while another step is being undone.
        known = _note(instance, step, "undone")
        return _compensate(saga, known, now) if instance.status == "stuck" else (known, ())
    if (step, phase) != (instance.step, instance.phase) or instance.status in ENDED:
        return instance, ()
    if changed := _changed(saga, instance):
        return _stuck(instance, changed), ()
    if phase == "undo":
        if done:
            return _compensate(saga, _note(instance, step, "undone"), now)
        # A compensation must succeed in the end, so a refusal is asked again after a while.
        return replace(instance, trouble=f"{step}: {reason}"), ()
    if step == THEN:
        if done:
            return _end(instance, "done"), ()
        return _compensate(saga, replace(instance, reason=reason), now)
    if step == OTHERWISE:
        return (_end(instance, "compensated") if done else _stuck(instance, f"{step}: {reason}")), ()
    if done:
        known = _note(instance, step, "done", results={**instance.results, step: result})
        return _forward(saga, known, saga.keys.index(step) + 1, now)
    return _compensate(saga, _note(instance, step, "refused", reason=reason), now)


def on_timeout(saga: Saga, instance: Instance, now: float) -> Moved:
    """The deadline passed: ask again, or give the step up."""
    if instance.deadline is None or now < instance.deadline:
        return instance, ()
    if changed := _changed(saga, instance):
        return _stuck(instance, changed), ()
    step = _step(saga, instance.step)
    attempts = (step.attempts if step else None) or saga.attempts
    if instance.attempt < attempts:
        return _send(
            saga, instance, instance.status, instance.step, instance.phase, now, instance.attempt + 1
        )
    silence = f"{instance.step}: no answer after {instance.attempt} attempts"
    refusal = instance.trouble if instance.trouble.startswith(f"{instance.step}: ") else ""
    if step is None or (instance.phase == "do" and step.undo is None):
        return _stuck(instance, silence), ()
    if instance.phase == "undo":
        failed = _note(instance, instance.step, "undo_failed", trouble=refusal or silence)
        return _compensate(saga, failed, now)
    # It may have happened or may still happen: it is undone like one that did.
    return _compensate(saga, _note(instance, instance.step, "unknown", reason=silence), now)


def resume(saga: Saga, instance: Instance, now: float) -> Moved:
    """Try a stuck saga again, from where it stopped."""
    if instance.status != "stuck" or _changed(saga, instance):
        return instance, ()
    instance = replace(instance, trouble="")
    step = None if instance.step == OTHERWISE else instance.step
    if step == THEN:
        return _send(saga, instance, "finishing", THEN, "do", now)
    if step and instance.phase == "do" and step not in instance.outcomes:
        if saga.steps[saga.keys.index(step)].undo is None:
            return _send(saga, instance, "running", step, "do", now)
        # It was on its way when the saga stopped.
        instance = _note(instance, step, "unknown")
    outcomes = {k: "unknown" if v == "undo_failed" else v for k, v in instance.outcomes.items()}
    return _compensate(saga, replace(instance, outcomes=outcomes), now)


def _forward(saga: Saga, instance: Instance, index: int, now: float) -> Moved:
    if index < len(saga.steps):
        return _send(saga, instance, "running", saga.keys[index], "do", now)
    if saga.then:
        return _send(saga, instance, "finishing", THEN, "do", now)
    return _end(instance, "done"), ()


def _compensate(saga: Saga, instance: Instance, now: float) -> Moved:
    """Undo, last first, each step that ran or may have run; then tell the owner."""
    for index in reversed(range(len(saga.steps))):
        key = saga.keys[index]
        if saga.steps[index].undo and instance.outcomes.get(key) in ("done", "unknown"):
            return _send(saga, instance, "compensating", key, "undo", now)
    if "undo_failed" in instance.outcomes.values():
        return _stuck(instance, instance.trouble), ()
    if saga.otherwise:
        return _send(saga, instance, "aborting", OTHERWISE, "do", now)
    return _end(instance, "compensated"), ()


def _send(
    saga: Saga, instance: Instance, status: Status, key: str, phase: Phase, now: float, attempt: int = 1
) -> Moved:
    step = _step(saga, key)
    index = saga.keys.index(key) if step else None
    command = (
        (step.undo if phase == "undo" else step.do) if step else saga.then if key == THEN else saga.otherwise
    )
    assert command is not None
    timeout = (step.timeout if step else None) or saga.timeout
    wait = min(timeout * 2 ** (attempt - 1), max(timeout, BACKOFF_CAP))
    known = Known(instance.trigger, instance.results, instance.reason)
    send = Send(command, key, phase, attempt, saga.arguments(command, index, instance.id, known))
    moved = replace(
        instance,
        status=status,
        step=key,
        phase=phase,
        attempt=attempt,
        deadline=now + wait,
        asked_at=now if attempt == 1 else instance.asked_at,
    )
    return moved, (send,)


def _note(instance: Instance, step: str, outcome: str, **changes: Any) -> Instance:
    return replace(instance, outcomes={**instance.outcomes, step: outcome}, **changes)


def _end(instance: Instance, status: Status) -> Instance:
    return replace(instance, status=status, step="", phase="do", attempt=0, deadline=None)


def _stuck(instance: Instance, trouble: str) -> Instance:
    return replace(instance, status="stuck", deadline=None, trouble=trouble)


def _changed(saga: Saga, instance: Instance) -> str:
    """What the instance has to do with that its saga, edited meanwhile, does not know any more."""
    keys = {"", THEN, OTHERWISE, *saga.keys}
    open = {step for step, outcome in instance.outcomes.items() if outcome in ("done", "unknown")}
    gone = sorted({instance.step, *open} - keys)
    return f"the definition of the saga has changed: it has no {', '.join(gone)}" if gone else ""


def _step(saga: Saga, key: str) -> Step | None:
    return None if key in (THEN, OTHERWISE) else saga.steps[saga.keys.index(key)]
