"""What may be wrong with how a choreographed saga ends.

Nobody says which step of a choreography takes back which, so that is told from what they touch:

- The aggregate whose event starts the saga is the one that it is about. The last step on it, when all
  goes well and nothing after it can fail, *finishes* the saga; any other step on it after a failure ends it.
- What was done before any failure to another aggregate has to be taken back in a run that does not
  finish, by a step after the failure, on that same aggregate; and once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from archgen.proof.choreographed import Run, impossible, twice
from archgen.proof.effects import Deed, Target, aftermath
from archgen.proof.tree import LOOKED_AT, Node, Tree
from archgen.spec.document import Path
from archgen.spec.judgement import Judgement
from archgen.spec.suggest import listed


@dataclass(frozen=True)
class Ending:
    """What a run came to."""

    run: Run
    done: tuple[Node, ...]
    refused: tuple[Node, ...]
    finishing: tuple[Node, ...]
    besides: tuple[Deed, ...]


class Choreographed:
    """The judge of the runs in `tree`."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.path: Path = ("sagas", tree.saga.name)

    @cached_property
    def last(self) -> frozenset[int]:
        """The steps that come last on the saga's aggregate when all goes well."""
        depths: dict[int, int] = {}
        waiting = [(number, 0) for group in self.tree.roots for number in group]
        for number, depth in waiting:
            node = self.tree.nodes[number]
            if len(waiting) < LOOKED_AT:
                waiting += [(each, depth + 1) for group in self.tree.below(number, False) for each in group]
            if node.target.same(self.tree.trigger) and node.step not in self.tree.fails_after:
                depths[node.step] = max(depth, depths.get(node.step, 0))
        return frozenset(step for step, depth in depths.items() if depth == max(depths.values()))

    def _finishes(self, node: Node) -> bool:
        """Whether the node finishes the saga: it is such a step, or does the same by another one.

        After a failure, that counts only in a saga that has another command for giving up.
        """
        names = {self.tree.command(step).name for step in self.last}
        return self._name(node) in names and (not node.after or self._gives_up(names))

    def _gives_up(self, finishing: set[str]) -> bool:
        about = self.tree.trigger.aggregate
        ends = [self.tree.command(step) for step in self.tree.after_failure]
        return any(f"{end.service}.{end.aggregate}" == about and end.name not in finishing for end in ends)

    def wrong(self, run: Run) -> Iterator[Judgement]:
        """Everything that is wrong with the end `run`."""
        ending = self._ending(run)
        circles = list(self._circles(ending))
        if circles:
            yield from circles  # what else is wrong with it is only a consequence
            return
        yield from self._dead(ending)
        yield from self._twice(ending)
        unheard = [node for node in ending.refused if not self._heard(node)]
        if unheard:
            yield from (self._unheard(node, ending) for node in unheard)
        elif ending.finishing:
            yield from self._both(ending)
        elif ending.refused:
            yield from self._left(ending)
            yield from self._untold(ending)
        yield from self._never_done(ending)

    def _ending(self, run: Run) -> Ending:
        nodes = self.tree.nodes
        done = tuple(nodes[each.node] for each in sorted(run.done) if not each.failed)
        refused = tuple(nodes[each.node] for each in sorted(run.done) if each.failed)
        finishing = tuple(node for node in done if self._finishes(node))
        told = [self.tree.told(*each) for each in sorted(run.done)]
        return Ending(run, done, refused, finishing, tuple(aftermath(self.tree.analysis, told)))

    def _name(self, node: Node) -> str:
        return self.tree.command(node.step).name

    def _at(self, node: Node, key: str = "do") -> Path:
        return (*self.path, "steps", node.step, key)

    def _taken_back(self, node: Node, ending: Ending) -> bool:
        return any(other.after and other.target.same(node.target) for other in ending.done) or any(
            deed.target.same(node.target) and deed.command != self._name(node) for deed in ending.besides
        )

    def _to_take_back(self, ending: Ending) -> list[Node]:
        return [node for node in ending.done if not node.after and not node.target.same(self.tree.trigger)]

    def _heard(self, node: Node) -> bool:
        event = self.tree.command(node.step).fails
        return bool(self.tree.below(node.number, True)) or any(
            event in reactions for reactions in self.tree.analysis.reactions.values()
        )

    def _unheard(self, node: Node, ending: Ending) -> Judgement:
        event = self.tree.command(node.step).fails
        left = [f"`{self._name(each)}`" for each in self._to_take_back(ending)]
        still = f"; {listed(left)} {'stays' if len(left) == 1 else 'stay'} done" if left else ""
        return Judgement(
            "failure-unheard",
            "warning",
            f"`{self._name(node)}` may fail, and no step of the saga hears `{event}`{still}",
            self._at(node),
            f"add a step that undoes what was done: `{{when: {event}, do: ...}}`",
        )

    def _left(self, ending: Ending) -> Iterator[Judgement]:
        for node in self._to_take_back(ending):
            if self._taken_back(node, ending):
                continue
            stray = next(
                (
                    other
                    for other in ending.done
                    if other.after and other.target.aggregate == node.target.aggregate
                ),
                None,
            )
            if stray:
                yield Judgement(
                    "undo-other",
                    "warning",
                    f"`{self._name(node)}` stays done: `{self._name(stray)}` takes back "
                    f"{_named(stray.target)}, and what was done is {_named(node.target)}",
                    self._at(stray),
                    "give it the id of what the saga did; that travels with the saga by its own name",
                )
            else:
                failure = ", ".join(f"`{self.tree.command(each.step).fails}`" for each in ending.refused)
                yield Judgement(
                    "not-undone",
                    "warning",
                    f"`{self._name(node)}` stays done after {failure}: no step takes it back",
                    self._at(node),
                    "add a step that takes it back; what needs no taking back can be done under `on:` of its "
                    "service",
                )

    def _untold(self, ending: Ending) -> Iterator[Judgement]:
        about = self.tree.trigger
        told = [node.target for node in ending.done if node.after]
        told += [deed.target for deed in ending.besides]
        if self.last and not any(target.same(about) for target in told):
            step = ending.refused[0]
            yield Judgement(
                "no-else",
                "warning",
                f"after `{self.tree.command(step.step).fails}` the {_kind(about)} never hears that the saga "
                "was given up",
                self._at(step),
                "end the way back with a command to it",
            )

    def _both(self, ending: Ending) -> Iterator[Judgement]:
        finish = ending.finishing[0]
        for node in ending.done:
            if (
                node.after
                and node.target.same(self.tree.trigger)
                and node not in ending.finishing
                and self._name(node) != self._name(finish)
            ):
                yield Judgement(
                    "both-ends",
                    "warning",
                    f"`{self._name(finish)}` and `{self._name(node)}` both happen in one run",
                    self._at(finish),
                    "finish only after all that can fail",
                )
                return
        taken = next((node for node in self._to_take_back(ending) if self._taken_back(node, ending)), None)
        if taken and not finish.after:
            yield Judgement(
                "both-ends",
                "warning",
                f"`{self._name(finish)}` happens, and `{self._name(taken)}` is taken back all the same",
                self._at(finish),
                "finish only after all that can fail",
            )

    def _twice(self, ending: Ending) -> Iterator[Judgement]:
        for nodes in self._by_command(ending):
            for index, node in enumerate(nodes):
                for other in nodes[:index]:
                    if twice(self.tree, node, other):
                        yield self._done_twice(
                            node, f"after {self._cause(other)} and after {self._cause(node)}"
                        )
        for deed in ending.besides:
            for node in ending.done:
                if node.after and deed.command == self._name(node) and deed.target.same(node.target):
                    yield self._done_twice(node, f"after {self._cause(node)} and by {deed.because}")

    def _by_command(self, ending: Ending) -> list[list[Node]]:
        """The nodes that do the same as another one."""
        found: dict[str, list[Node]] = {}
        for node in ending.done:
            found.setdefault(self._name(node), []).append(node)
        return [nodes for nodes in found.values() if len(nodes) > 1]

    def _done_twice(self, node: Node, causes: str) -> Judgement:
        return Judgement(
            "undone-twice",
            "warning",
            f"`{self._name(node)}` is done twice to the same {_kind(node.target)}: {causes}",
            self._at(node),
            "let one way back lead through it",
        )

    def _cause(self, node: Node) -> str:
        return f"`{self.tree.saga.steps[node.step].when}`"

    def _circles(self, ending: Ending) -> Iterator[Judgement]:
        for node in (node for nodes in self._by_command(ending) for node in nodes):
            circle = self._circle(node)
            if circle:
                names = [f"`{self._name(each)}`" for each in circle]
                yield Judgement(
                    "saga-circle",
                    "warning",
                    f"the saga goes round in a circle: {' → '.join(names)}",
                    self._at(node),
                    "make sure that one of the commands refuses to be done twice, or break the circle",
                )

    def _circle(self, node: Node) -> list[Node]:
        """The way from an earlier node that did the same to `node`, both included; empty if there is none."""
        above = [self.tree.nodes[number] for number in self.tree.ancestors(node.number)]
        for index, other in enumerate(above):
            same_step = node.again and (other.step, other.target) == (node.step, node.target)
            if same_step or twice(self.tree, node, other):
                return [*reversed(above[: index + 1]), node]
        return []

    def _never_done(self, ending: Ending) -> Iterator[Judgement]:
        """Taking back what was refused."""
        for node in ending.done:
            mine = node.target
            if not node.after or self.tree.command(node.step).creates or mine.same(self.tree.trigger):
                continue
            refused = next((each for each in ending.refused if each.target.same(mine)), None)
            did = any(each.target.same(mine) for each in ending.done if not each.after)
            if refused and not did and refused.number in self.tree.ancestors(node.number):
                yield Judgement(
                    "undo-undone",
                    "warning",
                    f"`{self._name(node)}` takes back what never happened: "
                    f"`{self._name(refused)}` was refused",
                    self._at(node),
                    f"let `{self.tree.command(refused.step).fails}` lead to what comes next on the way back",
                )

    def _dead(self, ending: Ending) -> Iterator[Judgement]:
        there = {self.tree.nodes[each.node].target for each in ending.run.done}
        for group in ending.run.dead:
            # The first that can't be done takes the whole event with it.
            nodes = [self.tree.nodes[number] for number in group]
            node = next((each for each in nodes if impossible(self.tree, each, there)), nodes[0])
            if self.tree.command(node.step).creates:
                why = f"would create the same {_kind(node.target)} a second time: it is refused"
                remedy = "a saga creates one of a kind with the same command; make it another command"
            else:
                why = f"may come before the {_kind(node.target)} is there: it fails each time"
                remedy = "let it follow from the event of what it needs"
            message = f"`{self._name(node)}` {why}, and the event becomes a dead letter"
            yield Judgement("dead-letter", "warning", message, self._at(node), remedy)


def _kind(target: Target) -> str:
    return target.aggregate.partition(".")[2]


def _named(target: Target) -> str:
    return f"the {_kind(target)} `{target.id}`"
