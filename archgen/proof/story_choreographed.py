"""A run of a choreographed saga, told to people: one line per command, and how it ends."""

from __future__ import annotations

from archgen.proof.choreographed import Done, Handled, Run
from archgen.proof.tree import Tree
from archgen.spec.suggest import listed


def tell(tree: Tree, way: list[tuple[Handled, Run]], *, endless: bool = False) -> tuple[str, ...]:
    """The run along `way` from its beginning. An `endless` one goes on from there as it went before."""
    lines = [f"`{tree.start}` starts the saga"]
    for handled, _ in way:
        lines += [_line(tree, each) for each in handled.done]
        if not handled.done:
            lines.append(_dead(tree, handled))
    return (*lines, "and so on, without end" if endless else "nothing more happens")


def _line(tree: Tree, done: Done) -> str:
    node = tree.nodes[done.node]
    command = tree.command(node.step)
    service, _, verb = command.name.partition(".")
    cause = f"on `{tree.saga.steps[node.step].when}`, {service} "
    if done.failed:
        return f"{cause}refuses `{verb}` (`{command.fails}`)"
    return f"{cause}does `{verb}` (`{command.emits}`)"


def _dead(tree: Tree, handled: Handled) -> str:
    node = tree.nodes[handled.group[0]]
    service = tree.command(node.step).service
    commands = [f"`{tree.command(tree.nodes[n].step).name.partition('.')[2]}`" for n in handled.group]
    return f"on `{tree.saga.steps[node.step].when}`, {service} can't do {listed(commands)}: a dead letter"
