"""The graph of who waits for whom."""

from __future__ import annotations

from archgen.evidence.edges import Edge, find_edges
from archgen.evidence.facts import Facts, Strength

Graph = dict[str, dict[str, Edge]]


def waits(facts: Facts) -> Graph:
    """Services with those that they wait for, and the place that shows it. An address in a setting alone
    shows no call.
    """
    graph: Graph = {service.name: {} for service in facts.services}
    for edge in find_edges(facts):
        if edge.kind == "sync" and edge.strength >= Strength.USED:
            graph.setdefault(edge.source, {}).setdefault(edge.target, edge)
    return graph


def between(graph: Graph, start: str, end: str) -> tuple[str, ...]:
    """The shortest way from `start` to `end`, both included; empty where there is none."""
    ways: dict[str, tuple[str, ...]] = {start: (start,)}
    now = [start]
    while now:
        after = []
        for name in now:
            if name == end:
                return ways[name]
            for target in sorted(graph.get(name, {})):
                if target not in ways:
                    ways[target] = (*ways[name], target)
                    after.append(target)
        now = after
    return ()


def longest(graph: Graph, start: str, seen: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The longest chain of waiting from `start` on, itself included. A circle ends it."""
    here = (*seen, start)
    ways = [longest(graph, target, here) for target in sorted(graph.get(start, {})) if target not in here]
    return max(ways, key=len, default=here)
