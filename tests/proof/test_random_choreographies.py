"""Random choreographies: no crash, fewer orders change no end, and what is proved holds in a simulation.

The simulation knows events by name only and shares no code with the proof.
"""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from archgen.errors import SpecError
from archgen.proof.choreographed import begin, moves, reduced_moves
from archgen.proof.explorer import explore
from archgen.proof.prove import prove
from archgen.proof.tree import Tree
from archgen.spec import loads
from archgen.spec.analysis import Analysis, analyse
from tests.proof.systems import HEAD, choreographed
from tests.proof.test_mistakes_choreographed import SOUND

EVENTS: tuple[str, ...] = (
    "order.created",
    "order.cancelled",
    "order.confirmed",
    "order.not_confirmed",
    "payment.charged",
)
EVENTS += ("payment.failed", "payment.refunded", "hold.reserved", "hold.rejected", "hold.released")
COMMANDS: tuple[str, ...] = (
    "orders.confirm",
    "orders.try_to_confirm",
    "orders.cancel",
    "payments.charge",
    "payments.refund",
)
COMMANDS += ("stock.reserve", "stock.release", "mail.send", "payments.issue")
STEP = st.builds(lambda event, do: f"{event} > {do}", st.sampled_from(EVENTS), st.sampled_from(COMMANDS))
ANY = st.lists(STEP, min_size=1, max_size=7, unique=True).map(lambda steps: choreographed(*steps))


NEAR = st.builds(
    lambda event, do: f"{event} > {do}",
    st.sampled_from([step.partition(" > ")[0] for step in SOUND]),
    st.sampled_from([step.partition(" > ")[2] for step in SOUND]),
)


# What a proof must not be given for, whatever else is changed.
UNSOUND = (
    (*SOUND[:4], "hold.rejected > orders.cancel"),
    (*SOUND[:5], "hold.rejected > orders.cancel", "order.cancelled > payments.refund"),
    (*SOUND, "payment.charged > mail.send"),
    (*SOUND[:2], "payment.charged > orders.confirm", *SOUND[3:]),
)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """A choreography, sound or not, with up to three steps changed, left out or added."""
    steps = list(draw(st.sampled_from((SOUND, *UNSOUND))))
    for _ in range(draw(st.integers(0, 3))):
        index = draw(st.integers(0, len(steps)))
        steps[index : index + draw(st.integers(0, 1))] = draw(st.lists(st.one_of(NEAR, STEP), max_size=1))
    return choreographed(*dict.fromkeys(steps)) if steps else choreographed(*SOUND)


SHARED = HEAD.replace(
    "      Payment:\n        fields: {",
    "      Payment:\n        id: order_id\n        fields: {order_id: uuid, ",
)
# Where the order matters: what one branch makes is needed, or made again, in another.
TANGLED = (
    choreographed(
        "order.created > payments.issue", "order.created > mail.send", "receipt.issued > mail.send"
    ),
    choreographed(
        "order.created > payments.charge",
        "order.created > stock.reserve",
        "hold.rejected > payments.refund",
        head=SHARED,
    ),
    choreographed(
        *SOUND[:5],
        "hold.rejected > orders.cancel",
        "order.cancelled > payments.refund",
        "payment.refunded > mail.send",
    ),
    choreographed(
        "order.created > payments.issue",
        "order.created > stock.reserve",
        "receipt.issued > payments.charge",
        "hold.reserved > mail.send",
        "letter.sent > payments.refund",
        "payment.charged > orders.confirm",
        head=SHARED,
    ),
)


CANCELLED_ANYWAY = choreographed(
    "hold.reserved > orders.cancel",
    "order.created > payments.charge",
    "payment.charged > stock.reserve",
    "payment.charged > orders.confirm",
    "payment.failed > orders.cancel",
    "hold.rejected > payments.refund",
    "payment.refunded > orders.cancel",
)


# The same step ends it after a failure as well, and then the letter is not taken back.
ENDS_ALIKE = choreographed(
    "hold.reserved > payments.refund",
    "order.created > payments.charge",
    "payment.charged > stock.reserve",
    "hold.reserved > orders.confirm",
    "payment.failed > orders.cancel",
    "hold.rejected > payments.refund",
    "payment.refunded > orders.cancel",
    "payment.charged > mail.send",
)


CANCELLED_FIRST = choreographed(
    "order.cancelled > payments.refund",
    "order.confirmed > orders.cancel",
    "order.confirmed > stock.reserve",
    "hold.rejected > mail.send",
)


# A step that nothing leads to is no other way to give up.
NEVER_REACHED = choreographed(
    "order.not_confirmed > orders.try_to_confirm",
    "hold.reserved > orders.cancel",
    "order.created > payments.charge",
    "payment.charged > stock.reserve",
    "hold.reserved > orders.confirm",
    "payment.failed > orders.cancel",
    "hold.rejected > orders.cancel",
)


def analysed(text: str) -> Analysis | None:
    try:
        return analyse(loads(text))
    except SpecError:
        return None


@settings(max_examples=200, deadline=None)
@given(st.one_of(ANY, edited()))
@example(TANGLED[0])
@example(TANGLED[1])
@example(TANGLED[2])
@example(TANGLED[3])
def test_fewer_orders_lead_to_the_same_ends(text: str) -> None:
    analysis = analysed(text)
    if analysis is None:
        return
    saga = analysis.choreographies["s"]
    for event in saga.starts_on:
        tree = Tree(saga, analysis, event)
        tried = explore(begin(tree), lambda run, tree=tree: moves(tree, run), limit=4_000)  # type: ignore[misc]
        if tried.complete:
            less = explore(begin(tree), lambda run, tree=tree: reduced_moves(tree, run))  # type: ignore[misc]
            assert {(end, len(less.way_to(end))) for end in less.ends} == {
                (end, len(tried.way_to(end))) for end in tried.ends
            }


@settings(max_examples=300, deadline=None)
@given(st.one_of(ANY, edited()), st.integers(0, 2**32))
@example(CANCELLED_ANYWAY, 0)
@example(ENDS_ALIKE, 0)
@example(CANCELLED_FIRST, 0)
@example(NEVER_REACHED, 0)
def test_what_is_proved_holds_in_a_simulation(text: str, seed: int) -> None:
    analysis = analysed(text)
    if analysis is None:
        return
    for proof in prove(loads(text), analysis):
        for wrong in proof.violations:
            assert wrong.steps[0].endswith(" starts the saga")
            assert wrong.steps[-1] in ("nothing more happens", "and so on, without end")
        if proof.verdict == "proved":
            dice = random.Random(seed)
            for start in analysis.choreographies["s"].starts_on:
                for _ in range(20):
                    judge(analysis, start, dice)


def judge(analysis: Analysis, start: str, dice: random.Random) -> None:
    """One run with the events in any order, and what must be true at its end."""
    steps = [(step.when, step.do.command) for step in analysis.choreographies["s"].steps]
    waiting = [(start, False)]
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    failed = False
    for _ in range(200):
        if not waiting:
            break
        event, broken = waiting.pop(dice.randrange(len(waiting)))
        for when, name in steps:
            if when == event:
                command = analysis.commands[name]
                fails = bool(command.fails) and dice.random() < 0.4
                failed |= fails
                if not fails:
                    (after if broken else before)[name] += 1
                waiting.append((command.fails if fails else command.emits, broken or fails))
    assert not waiting, "it does not end"
    assert all(count == 1 for count in after.values()), after
    about = analysis.events[start].aggregate
    touched = {name: analysis.commands[name].aggregate for name in (*before, *after)}
    confirmed = [name for name in (*before, *after) if name in ("orders.confirm", "orders.try_to_confirm")]
    # An order that is cancelled before anything fails is one that this saga ends so.
    if failed and not confirmed and not before["orders.cancel"]:
        for name in before:
            if touched[name] != about:
                assert touched[name] in {touched[other] for other in after}, f"{name} stays done"
    only = {name for _, name in steps if analysis.commands[name].aggregate == about}
    if len(only) == 2 and after["orders.cancel"] and "order.confirmed" not in {when for when, _ in steps}:
        # Where the order is cancelled although all went well, that is how this saga ends.
        normal = "orders.cancel" in without_failure(analysis, start, steps)
        assert normal or not before.keys() & set(confirmed), (before, after)


def without_failure(analysis: Analysis, start: str, steps: list[tuple[str, str]]) -> set[str]:
    """The commands of a run in which nothing fails."""
    waiting, done = [start], set[str]()
    for event in waiting:
        for when, name in steps:
            if when == event and name not in done:
                done.add(name)
                waiting.append(analysis.commands[name].emits)
    return done
