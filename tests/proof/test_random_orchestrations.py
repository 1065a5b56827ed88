"""Random orchestrations: no crash, what is proved holds in a simulation, and what refutes can be replayed.

The simulation shares no code with the proof: the chassis's own state machine conducts, participants are a few
lines here, and what an end must look like is said in words of effects.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from archgen.errors import SpecError
from archgen.proof import reduction
from archgen.proof.explorer import explore
from archgen.proof.orchestrated import Move, Shape, State, StepShape, begin, moves
from archgen.proof.prove import prove
from archgen.spec import loads
from archgen.spec.analysis import Analysis, analyse
from tests.proof.real import Real
from tests.proof.shapes import result, shapes
from tests.proof.systems import orchestrated

SOUND = (
    "do: payments.charge, undo: payments.refund",
    "do: stock.reserve, undo: stock.release",
    "do: payments.issue, undo: payments.void",
    "do: mail.send",
)
DOUBTFUL = (
    "do: payments.charge",
    "do: payments.charge, undo: payments.try_to_refund",
    "do: payments.capture, undo: payments.refund",
    "do: stock.reserve, undo: payments.refund",
    "do: payments.issue, undo: payments.refund",
    "do: stock.reserve",
)
STEPS = st.sampled_from((*SOUND, *SOUND, *DOUBTFUL))
ENDS = st.sampled_from(("", "orders.confirm", "orders.try_to_confirm", "orders.cancel"))
TEXTS = st.builds(
    lambda steps, then, otherwise: orchestrated(*steps, then=then, otherwise=otherwise),
    st.lists(STEPS, min_size=1, max_size=4, unique_by=lambda step: step.partition(",")[0]),
    ENDS,
    ENDS,
)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.integers(0, 2**32))
def test_what_is_proved_holds_in_a_simulation(chassis: Any, text: str, seed: int) -> None:
    try:
        system = loads(text)
    except SpecError:
        return
    analysis = analyse(system)
    [proof] = prove(system, analysis)
    assert proof.complete
    for wrong in proof.violations:
        assert wrong.steps[0] == "`order.created` starts the saga"
        assert wrong.steps[-1].startswith("the saga ")
    if proof.verdict == "proved":
        dice = random.Random(seed)
        for _ in range(30):
            judge(simulate(chassis, analysis, dice), analysis)


class Ran:
    """A saga that ended: its status, and how often which command took effect on which aggregate."""

    def __init__(self, status: str, effects: Counter[str]) -> None:
        self.status = status
        self.effects = effects


def simulate(chassis: Any, analysis: Analysis, dice: random.Random) -> Ran:
    """One run in a world of delays, duplicates, refusals and silence."""
    saga = analysis.orchestrations["s"]
    undos: list[Any] = ["sure" if step.undo else "none" for step in saga.steps]
    ends: list[Any] = ["sure" if end else "none" for end in (saga.then, saga.otherwise)]
    real = Real(chassis, Shape(tuple(StepShape(undo, 2) for undo in undos), ends[0], ends[1], 2))
    commands, replies = list(real.sends), []
    memory: dict[tuple[str, str], str] = {}
    effects: Counter[str] = Counter()
    for _ in range(400):
        kinds = ["time"] * (real.instance.deadline is not None) + ["command", "reply"] * 2
        kind = dice.choice(kinds)
        if kind == "time":
            real.follow(Move("silence", 0, False, 0))
            commands += real.sends
        elif kind == "command" and commands:
            send = dice.choice(commands)
            if dice.random() < 0.7:
                commands.remove(send)  # or else it comes again
            replies.append((send.step, send.phase, answer(analysis, send, memory, effects, dice)))
        elif kind == "reply" and replies:
            reply = dice.choice(replies)
            if dice.random() < 0.7:
                replies.remove(reply)
            step, phase, done = reply
            real.follow(Move("reply", real.keys.index(step), phase == "undo", 0, done))
            commands += real.sends
        if real.instance.deadline is None and not commands and not replies:
            break
    while commands or replies:  # whatever is still on its way arrives
        if commands:
            send = commands.pop()
            replies.append((send.step, send.phase, answer(analysis, send, memory, effects, dice)))
        else:
            step, phase, done = replies.pop()
            real.follow(Move("reply", real.keys.index(step), phase == "undo", 0, done))
            commands += real.sends
        if not commands and not replies and real.instance.deadline is not None:
            real.follow(Move("silence", 0, False, 0))
            commands += real.sends
    return Ran(real.instance.status, effects)


def answer(
    analysis: Analysis,
    send: Any,
    memory: dict[tuple[str, str], str],
    effects: Counter[str],
    dice: random.Random,
) -> bool:
    """What the service does that gets the command; it remembers each step, as the chassis does."""
    name = command_of(analysis, send.step, send.phase)
    key = (name.partition(".")[0], send.step)
    refuses = bool(analysis.commands[name].fails) or (
        send.phase == "do" and send.step not in ("then", "else")
    )
    if send.phase == "undo":
        if memory.get(key) == "done":
            if refuses and dice.random() < 0.3:
                return False
            effects[name] += 1
        memory[key] = "undone"
        return True
    if key not in memory:
        memory[key] = "refused" if refuses and dice.random() < 0.3 else "done"
        effects[name] += memory[key] == "done"
    return memory[key] == "done"


def command_of(analysis: Analysis, step: str, phase: str) -> str:
    saga = analysis.orchestrations["s"]
    if step in ("then", "else"):
        end = saga.then if step == "then" else saga.otherwise
        assert end is not None
        return end.command
    described = saga.steps[int(step.partition(".")[0])]
    binding = described.undo if phase == "undo" else described.do
    assert binding is not None
    return binding.command


def judge(ran: Ran, analysis: Analysis) -> None:
    """Done, or everything that was done to an aggregate was taken back by something else done to it, once."""
    saga = analysis.orchestrations["s"]
    did = [step.do.command for step in saga.steps]
    assert ran.status in ("done", "compensated"), ran.status
    if ran.status == "done":
        assert all(ran.effects[command] == did.count(command) for command in did)
        assert (
            not saga.otherwise
            or saga.otherwise.command in (*did, saga.then and saga.then.command)
            or (ran.effects[saga.otherwise.command] == 0)
        )
        return
    touched = {
        command: analysis.commands[command].aggregate for command in ran.effects if ran.effects[command]
    }
    for command in did:
        if ran.effects[command]:
            others = [other for other in touched if other != command and other not in did]
            assert touched[command] in {touched[other] for other in others}, (
                f"{command} stays done: {ran.effects}"
            )
    assert all(count <= max(1, did.count(name)) for name, count in ran.effects.items()), ran.effects


@settings(max_examples=60, deadline=None)
@given(shapes(steps=3))
def test_every_way_that_is_found_can_be_gone(shape: Shape) -> None:
    """A counter-example is a run of the whole model, not only of the reduced one."""
    small = reduction.one_attempt(shape)
    tried = explore(reduction.first(small), lambda state: reduction.reduced_moves(small, state))
    for end in tried.ends[:40]:
        state: State = begin(small)
        for move, _ in tried.way_to(end):
            state = next(
                after
                for each, after in moves(small, state)
                if each._replace(attempt=0) == move._replace(attempt=0)
            )
        assert result(state) == result(end)
