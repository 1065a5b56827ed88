"""A model of a choreographed saga at run time: what has been done, and which events are still to arrive.

It follows the chassis (`reactions.py`, `inbox.py`, `service.py`). An event reaches each service once to
effect: redelivery and crashes are the inbox's and the outbox's business. Events of different aggregates
arrive in any order. A service does all its reactions to one event in one transaction; when the domain says
no without an event of its own (something to be created is there already, something to be changed is not
there), the whole message is kept as a dead letter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from archgen.proof.effects import Target
from archgen.proof.tree import Group, Node, Tree


class Done(NamedTuple):
    """A node that was carried out, and whether it told of a refusal."""

    node: int
    failed: bool


class Run(NamedTuple):
    """`waiting` are events that have not arrived yet, as the nodes that each will set off at one service."""

    waiting: frozenset[Group]
    done: frozenset[Done]
    dead: frozenset[Group]


class Handled(NamedTuple):
    """An event arrives; `done` is what came of each reaction, nothing when it became a dead letter."""

    group: Group
    done: tuple[Done, ...]


def begin(tree: Tree) -> Run:
    """The first event has happened and nobody has heard of it."""
    return Run(frozenset(tree.roots), frozenset(), frozenset())


def moves(tree: Tree, run: Run) -> Iterator[tuple[Handled, Run]]:
    """Everything that may happen next."""
    for group in sorted(run.waiting):
        yield from _handle(tree, run, group)


def reduced_moves(tree: Tree, run: Run) -> Iterator[tuple[Handled, Run]]:
    """What may happen next, as far as it has to be tried.

    An event whose reactions touch no aggregate that anything else still to come may touch goes first, and
    alone: nothing can change what comes of it, and it changes nothing for the others, so every order
    leads to the same ends (a persistent set, as in `reduction`).
    """
    waiting = sorted(run.waiting)
    for group in waiting:
        own = {tree.nodes[number].target.aggregate for number in group}
        others = (tree.reach[tree.nodes[n].step] for each in waiting if each != group for n in each)
        if all(own.isdisjoint(other) for other in others):
            yield from _handle(tree, run, group)
            return
    yield from moves(tree, run)


def _handle(tree: Tree, run: Run, group: Group) -> Iterator[tuple[Handled, Run]]:
    waiting = run.waiting - {group}
    for outcome in _outcomes(tree, run.done, group):
        if outcome is None:
            yield Handled(group, ()), Run(waiting, run.done, run.dead | {group})
            continue
        following: set[Group] = set()
        for each in outcome:
            if not _repeats(tree, run.done, tree.nodes[each.node]):
                following.update(tree.below(*each))
        yield Handled(group, outcome), Run(waiting | following, run.done | set(outcome), run.dead)


def _outcomes(tree: Tree, done: frozenset[Done], group: Group) -> Iterator[tuple[Done, ...] | None]:
    """What may come of the reactions of one service to one event; None for a dead letter."""
    found: list[tuple[Done, ...]] = [()]
    there = {tree.nodes[each.node].target for each in done}
    for number in group:
        node = tree.nodes[number]
        if impossible(tree, node, there):
            yield None
            return
        there.add(node.target)
        fates: tuple[bool, ...] = (False, True) if tree.command(node.step).fails else (False,)
        found = [(*before, Done(number, failed)) for before in found for failed in fates]
    yield from found


def impossible(tree: Tree, node: Node, there: set[Target]) -> Literal["", "exists", "missing"]:
    """Why the domain can't do the command, whatever its rules: as the code that archgen generates has it."""
    command = tree.command(node.step)
    if command.creates:
        return "exists" if node.target in there else ""
    return "missing" if node.target in tree.created and node.target not in there else ""


def _repeats(tree: Tree, done: frozenset[Done], node: Node) -> bool:
    """Whether something is taken back that was taken back before: it has happened, and is told once."""
    return any(twice(tree, node, tree.nodes[each.node]) for each in done if not each.failed)


def twice(tree: Tree, one: Node, other: Node) -> bool:
    """Whether two nodes do the same to the same, one of them after a failure."""
    return (
        one.number != other.number
        and (one.after or other.after)
        and one.target.same(other.target)
        and tree.command(one.step).name == tree.command(other.step).name
    )
