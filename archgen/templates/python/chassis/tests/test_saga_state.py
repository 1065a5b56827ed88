"""The life of a saga: a table of its moves, and random worlds in which it must end well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.saga.definition import OTHERWISE, THEN, Saga, Step
from chassis.saga.state import ENDED, Instance, Moved, Send, begin, on_reply, on_timeout, resume

Started = make_dataclass("Started", [("id", str)], namespace={"NAME": "order.created"}, frozen=True)


def command(name: str) -> type[Any]:
    names = {"NAME": name, "ID": "id", "CREATES": False, "EMITS": Started}
    return make_dataclass(name.replace(".", "_"), [("id", str)], namespace=names, frozen=True)


def saga(*steps: str, then: bool = True, otherwise: bool = True, attempts: int = 2) -> Saga:
    """`steps` are names; one that ends in "!" has no undo."""
    return Saga(
        "s",
        Started,
        [
            Step(command(name.rstrip("!")), None if name.endswith("!") else command(f"un{name}"))
            for name in steps
        ],
        then=command("o.confirm") if then else None,
        otherwise=command("o.cancel") if otherwise else None,
        timeout=10.0,
        attempts=attempts,
    )


class Script:
    """A saga led by hand: each call is what happens next; `sent` is what it then asks for."""

    def __init__(self, definition: Saga) -> None:
        self.saga = definition
        self.now = 1000.0
        self.sent: list[str] = []
        self._keep(begin(definition, "i", {"id": "o1"}, self.now))

    def _keep(self, moved: Moved) -> str:
        self.instance, sends = moved
        self.sent = [f"{send.command.NAME}" for send in sends]
        return self.status

    @property
    def status(self) -> str:
        return self.instance.status

    def done(self, step: str = "", phase: str = "", **result: Any) -> str:
        return self._reply(step, phase, True, "", result)

    def refused(self, reason: str = "no", step: str = "", phase: str = "") -> str:
        return self._reply(step, phase, False, reason, {})

    def _reply(self, step: str, phase: Any, done: bool, reason: str, result: Mapping[str, Any]) -> str:
        step, phase = step or self.instance.step, phase or self.instance.phase
        return self._keep(
            on_reply(
                self.saga,
                self.instance,
                step,
                phase,
                done=done,
                reason=reason,
                result=result,
                now=self.now,
            )
        )

    def silence(self, times: int = 1) -> str:
        for _ in range(times):
            assert self.instance.deadline is not None
            self.now = self.instance.deadline
            self._keep(on_timeout(self.saga, self.instance, self.now))
        return self.status

    def resume(self) -> str:
        return self._keep(resume(self.saga, self.instance, self.now))


def test_all_goes_well() -> None:
    run = Script(saga("a.do", "b.do"))
    assert (run.status, run.sent) == ("running", ["a.do"])
    assert (run.done(x=1), run.sent) == ("running", ["b.do"])
    assert (run.done(), run.sent) == ("finishing", ["o.confirm"])
    assert (run.done(), run.sent) == ("done", [])
    assert run.instance.deadline is None
    assert run.instance.results == {"0.a.do": {"x": 1}, "1.b.do": {}}


def test_without_then_it_is_done_after_the_last_step() -> None:
    assert Script(saga("a.do", then=False)).done() == "done"


def test_a_refusal_undoes_what_was_done_last_first_and_tells_the_owner_why() -> None:
    run = Script(saga("a.do", "b.do", "c.do"))
    run.done()
    run.done()
    assert (run.refused("sold out"), run.sent) == ("compensating", ["unb.do"])
    assert (run.done(), run.sent) == ("compensating", ["una.do"])
    assert (run.done(), run.sent) == ("aborting", ["o.cancel"])
    assert (run.done(), run.sent) == ("compensated", [])
    assert run.instance.outcomes == {"0.a.do": "undone", "1.b.do": "undone", "2.c.do": "refused"}
    assert run.instance.reason == "sold out"


def test_a_step_that_refused_is_not_undone() -> None:
    run = Script(saga("a.do"))
    assert (run.refused(), run.sent) == ("aborting", ["o.cancel"])


def test_without_otherwise_it_is_compensated_after_the_last_undo() -> None:
    run = Script(saga("a.do", "b.do", otherwise=False))
    run.done()
    run.refused()
    assert run.done() == "compensated"


def test_steps_without_an_undo_are_passed_over() -> None:
    run = Script(saga("a.do", "b.do!", "c.do"))
    run.done()
    run.done()
    assert (run.refused(), run.sent) == ("compensating", ["una.do"])


def test_silence_is_asked_again_with_growing_patience_and_then_undone() -> None:
    run = Script(saga("a.do", attempts=3))
    waits = []
    for _ in range(2):
        assert run.silence() == "running"
        assert run.sent == ["a.do"]
        assert run.instance.deadline is not None
        waits.append(run.instance.deadline - run.now)
    assert waits == [20.0, 40.0]
    assert (run.silence(), run.sent) == ("compensating", ["una.do"]), "it may have happened"
    assert run.instance.outcomes == {"0.a.do": "unknown"}
    assert run.instance.reason == "0.a.do: no answer after 3 attempts"


def test_before_the_deadline_nothing_happens() -> None:
    run = Script(saga("a.do"))
    assert run.instance.deadline is not None
    assert on_timeout(run.saga, run.instance, run.instance.deadline - 0.1) == (run.instance, ())


def test_timeout_and_attempts_of_a_step_come_before_those_of_the_saga() -> None:
    patient = replace(saga("a.do"), steps=[Step(command("a.do"), command("una.do"), timeout=500, attempts=1)])
    run = Script(patient)
    assert run.instance.deadline == run.now + 500
    assert run.silence() == "compensating"


def test_the_wait_has_an_upper_bound() -> None:
    run = Script(saga("a.do", attempts=20))
    run.silence(19)
    assert run.instance.deadline == run.now + 300


def test_replies_that_are_not_awaited_change_nothing() -> None:
    run = Script(saga("a.do", "b.do"))
    run.done()
    before = run.instance
    for step, phase in [("0.a.do", "do"), ("0.a.do", "undo"), ("1.b.do", "undo"), (THEN, "do"), ("x", "do")]:
        run.done(step, phase)
        run.refused("late", step, phase)
        assert (run.instance, run.sent) == (before, [])


def test_when_it_has_ended_nothing_changes_it() -> None:
    run = Script(saga("a.do"))
    run.done()
    run.done()
    before = run.instance
    for step in ("0.a.do", THEN, OTHERWISE, ""):
        run.done(step, "do")
        run.refused("late", step, "do")
    assert run.instance == before
    assert on_timeout(run.saga, before, 9e9) == (before, ())
    assert resume(run.saga, before, 9e9) == (before, ())


def test_an_undo_that_is_refused_is_asked_again_and_the_reason_stays() -> None:
    run = Script(saga("a.do", "b.do"))
    run.done()
    run.refused("sold out")
    assert (run.refused("busy"), run.sent) == ("compensating", []), "not at once"
    assert (run.silence(), run.sent) == ("compensating", ["una.do"])
    assert (run.done(), run.sent) == ("aborting", ["o.cancel"])
    assert run.instance.reason == "sold out", "the owner is told why it was given up"


def test_an_undo_that_fails_does_not_stop_the_others_and_then_it_is_stuck() -> None:
    run = Script(saga("a.do", "b.do", "c.do"))
    run.done()
    run.done()
    run.refused("sold out")
    run.refused("broken")
    assert (run.silence(2), run.sent) == ("compensating", ["una.do"])
    assert (run.done(), run.sent) == ("stuck", [])
    assert run.instance.deadline is None
    assert (run.instance.reason, run.instance.trouble) == ("sold out", "1.b.do: broken")
    assert (run.resume(), run.sent) == ("compensating", ["unb.do"])
    assert (run.done(), run.sent) == ("aborting", ["o.cancel"])
    assert run.done() == "compensated"


def test_a_late_undo_mends_a_stuck_saga_by_itself() -> None:
    run = Script(saga("a.do", "b.do"))
    run.done()
    run.refused()
    assert run.silence(2) == "stuck"
    assert (run.done("0.a.do", "undo"), run.sent) == ("aborting", ["o.cancel"])


def test_then_that_is_refused_takes_everything_back() -> None:
    run = Script(saga("a.do"))
    run.done()
    assert (run.refused("too late"), run.sent) == ("compensating", ["una.do"])
    assert run.instance.reason == "too late"


@pytest.mark.parametrize("way", ["silence", "late reply"])
def test_then_without_an_answer_is_stuck_and_goes_on_from_there(way: str) -> None:
    run = Script(saga("a.do"))
    run.done()
    assert run.silence(2) == "stuck"
    assert run.instance.trouble == "then: no answer after 2 attempts"
    if way == "silence":
        assert (run.resume(), run.sent) == ("finishing", ["o.confirm"])
    assert run.done(THEN, "do") == "done"


@pytest.mark.parametrize("way", ["silence", "refusal"])
def test_otherwise_without_success_is_stuck_and_goes_on_from_there(way: str) -> None:
    run = Script(saga("a.do"))
    run.refused("sold out")
    assert (run.silence(2) if way == "silence" else run.refused("no such order")) == "stuck"
    assert run.instance.reason == "sold out"
    assert run.instance.trouble.startswith("else: ")
    assert (run.resume(), run.sent) == ("aborting", ["o.cancel"])
    assert run.instance.trouble == ""
    assert run.done() == "compensated"


def test_an_instance_whose_step_was_edited_away_is_stuck_not_lost() -> None:
    run = Script(saga("a.do", "b.do"))
    run.done()
    old = run.saga
    run.saga = saga("z.do", "a.do", "b.do")  # the names of steps hold their numbers
    assert run.silence() == "stuck"
    assert run.instance.trouble == "the definition of the saga has changed: it has no 0.a.do, 1.b.do"
    assert run.resume() == "stuck"
    run.saga = old
    assert (run.resume(), run.sent) == ("compensating", ["unb.do"]), (
        "it was on its way, and may have been done"
    )
    assert (run.done(), run.sent) == ("compensating", ["una.do"])


@pytest.mark.parametrize("way", ["silence", "late reply", "late refusal"])
def test_a_step_that_nothing_undoes_is_waited_for(way: str) -> None:
    run = Script(saga("a.do", "b.do!", "c.do"))
    run.done()
    assert run.silence(2) == "stuck", "if it was done after all, a must not be undone"
    assert run.instance.trouble == "1.b.do: no answer after 2 attempts"
    if way == "late refusal":
        assert (run.refused("sold out"), run.sent) == ("compensating", ["una.do"])
        return
    if way == "silence":
        assert (run.resume(), run.sent) == ("running", ["b.do"])
    assert (run.done(x=1), run.sent) == ("running", ["c.do"])


# Random worlds


@dataclass
class Participant:
    """The rules of `saga.participant`, without a database. `effects` says what really happened."""

    business: bool  # whether it would do the step
    last: bool = False  # whether it ends what was given up, and so thinks again
    willing: bool = True  # whether it would undo it now
    state: str = ""
    effects: list[str] = field(default_factory=list)

    def answer(self, phase: str) -> bool:
        if phase == "undo":
            if self.state == "done" and not self.willing:
                return False
            if self.state == "done":
                self.effects.append("undo")
            self.state = "undone"
            return True
        if self.state == "" or (self.last and self.state == "refused"):
            self.state = "done" if self.business else "refused"
            if self.business:
                self.effects.append("do")
        return self.state == "done"


@dataclass
class World:
    saga: Saga
    participants: dict[str, Participant]
    now: float = 0.0
    commands: list[Send] = field(default_factory=list)
    replies: list[tuple[str, Any, bool]] = field(default_factory=list)
    history: list[tuple[str, str]] = field(default_factory=list)
    ever_failed: bool = False
    instance: Instance = field(init=False)

    def __post_init__(self) -> None:
        self.keep(begin(self.saga, "i", {"id": "o1"}, 0.0))

    def keep(self, moved: Moved) -> None:
        after, sends = moved
        for send in sends:
            if send.phase == "undo":
                assert after.outcomes.get(send.step) in ("done", "unknown")
                assert self.saga.steps[int(send.step[0])].undo is send.command
        assert (after.deadline is None) == (after.status in (*ENDED, "stuck"))
        assert after.status != "stuck" or after.trouble, "stuck for a reason"
        assert len(sends) <= 1
        self.instance = after
        self.commands += sends
        self.ever_failed |= "undo_failed" in after.outcomes.values()

    def deliver_command(self, index: int, again: bool) -> None:
        send = self.commands[index] if again else self.commands.pop(index)
        participant = self.participants[send.step]
        before = len(participant.effects)
        done = participant.answer(send.phase)
        self.history += [(effect, send.step) for effect in participant.effects[before:]]
        self.replies.append((send.step, send.phase, done))

    def deliver_reply(self, index: int, again: bool) -> None:
        step, phase, done = self.replies[index] if again else self.replies.pop(index)
        self.keep(
            on_reply(self.saga, self.instance, step, phase, done=done, reason="no", result={}, now=self.now)
        )

    def time_out(self) -> None:
        if self.instance.deadline is not None:
            self.now = max(self.now, self.instance.deadline)
        self.keep(on_timeout(self.saga, self.instance, self.now))

    def mend(self) -> None:
        """From now on nothing is lost and everybody is willing; it has to end."""
        for key, participant in self.participants.items():
            participant.willing = True
            participant.business |= key == OTHERWISE
        for _ in range(200):
            if self.commands:
                self.deliver_command(0, again=False)
            elif self.replies:
                self.deliver_reply(0, again=False)
            elif self.instance.status == "stuck":
                self.keep(resume(self.saga, self.instance, self.now))
            elif self.instance.status in ENDED:
                return
            else:
                self.time_out()
        raise AssertionError(f"it does not end: {self.instance}")

    def judge(self) -> None:
        """What must hold once it has ended and every late message has arrived."""
        steps = list(self.saga.keys)
        effects = {key: participant.effects for key, participant in self.participants.items()}
        assert all(each in ([], ["do"], ["do", "undo"]) for each in effects.values()), effects
        if self.instance.status == "done":
            assert all(effects[key] == ["do"] for key in steps)
            assert set(self.instance.outcomes.values()) <= {"done"}
            assert effects[THEN] == (["do"] if self.saga.then else [])
            assert effects[OTHERWISE] == []
            return
        assert self.instance.status == "compensated"
        for index, key in enumerate(steps):
            if self.saga.steps[index].undo:
                assert effects[key] in ([], ["do", "undo"]), f"{key} is left done"
        if not self.saga.steps[-1].undo and not self.saga.then:
            assert effects[steps[-1]] == [], "all else was taken back, and the last step stays"
        assert effects[THEN] == []
        assert effects[OTHERWISE] == (["do"] if self.saga.otherwise else [])
        if not self.ever_failed:
            undone = [step for effect, step in self.history if effect == "undo"]
            assert undone == sorted(undone, reverse=True), "last first"


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = [f"p{n}.do{draw(st.sampled_from(['', '', '!']))}" for n in range(draw(st.integers(1, 5)))]
    options = {"then": draw(st.booleans()), "otherwise": draw(st.booleans())}
    definition = saga(*names, attempts=draw(st.integers(1, 3)), **options)
    keys = [*definition.keys, THEN, OTHERWISE]
    likely = st.sampled_from([True, True, True, False])
    return World(definition, {key: Participant(draw(likely), last=key == OTHERWISE) for key in keys})


def act(world: World, data: st.DataObject) -> None:
    """One thing that may happen next."""
    choices = ["time"] + ["command"] * 3 * bool(world.commands) + ["reply"] * 3 * bool(world.replies)
    match data.draw(st.sampled_from([*choices, "mood", "resume"])):
        case "command" | "reply" as kind:
            queue: list[Any] = world.commands if kind == "command" else world.replies
            index = data.draw(st.integers(0, len(queue) - 1))
            fate = data.draw(st.sampled_from(["arrives", "arrives", "twice", "lost"]))
            if fate == "lost":
                queue.pop(index)
            elif kind == "command":
                world.deliver_command(index, again=fate == "twice")
            else:
                world.deliver_reply(index, again=fate == "twice")
        case "time":
            world.time_out()
        case "mood":
            key = data.draw(st.sampled_from(sorted(world.participants)))
            world.participants[key].willing ^= True
        case _:
            world.keep(resume(world.saga, world.instance, world.now))


@settings(max_examples=300, deadline=None)
@given(worlds(), st.data())
def test_whatever_happens_it_ends_done_or_wholly_taken_back(world: World, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(0, 40))):
        act(world, data)
    world.mend()
    world.judge()
    ended = world.instance
    while world.commands:  # what was delayed the longest
        world.deliver_command(0, again=False)
    while world.replies:
        world.deliver_reply(0, again=False)
    assert world.instance == ended
    world.judge()


@given(worlds())
def test_when_nobody_ever_answers_it_stops_asking(world: World) -> None:
    most = (2 * len(world.saga.steps) + 2) * world.saga.attempts
    for _ in range(most):
        world.commands.clear()
        world.time_out()
    assert world.instance.status in (*ENDED, "stuck")
    assert world.instance.status != "done"


@given(worlds())
def test_in_a_good_world_it_is_done_without_asking_twice(world: World) -> None:
    for participant in world.participants.values():
        participant.business = True
    asked = 0
    while world.commands:
        world.deliver_command(0, again=False)
        world.deliver_reply(0, again=False)
        asked += 1
    assert world.instance.status == "done"
    assert asked == len(world.saga.steps) + bool(world.saga.then)
    world.judge()
