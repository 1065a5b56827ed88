"""Cycles and longest paths of small directed graphs, given as node → successors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Graph = Mapping[str, Sequence[str]]


def cycles(graph: Graph) -> list[list[str]]:
    """One shortest cycle, its first node repeated at the end, per group of nodes that reach each other."""
    found: list[list[str]] = []
    told: set[str] = set()
    for start in graph:
        cycle = [] if start in told else _shortest_cycle(graph, start)
        if cycle:
            told |= _reachable(graph, start) & _reaching(graph, start)
            found.append(cycle)
    return found


def longest_path(graph: Graph) -> list[str]:
    """The nodes of one longest path of a graph without cycles."""
    longest: dict[str, list[str]] = {}
    for node in children_first(graph):
        below = max((longest[each] for each in graph.get(node, ())), key=len, default=[])
        longest[node] = [node, *below]
    return max(longest.values(), key=len, default=[])


def _shortest_cycle(graph: Graph, start: str) -> list[str]:
    trails = [[start]]
    seen: set[str] = set()
    while trails:
        longer = []
        for trail in trails:
            for successor in graph.get(trail[-1], ()):
                if successor == start:
                    return [*trail, start]
                if successor not in seen:
                    seen.add(successor)
                    longer.append([*trail, successor])
        trails = longer
    return []


def _reachable(graph: Graph, start: str) -> set[str]:
    seen = {start}
    waiting = [start]
    while waiting:
        for successor in graph.get(waiting.pop(), ()):
            if successor not in seen:
                seen.add(successor)
                waiting.append(successor)
    return seen


def _reaching(graph: Graph, end: str) -> set[str]:
    back: dict[str, list[str]] = {}
    for node, successors in graph.items():
        for successor in successors:
            back.setdefault(successor, []).append(node)
    return _reachable(back, end)


def children_first(graph: Graph) -> Iterator[str]:
    """Every node once, after all nodes that it leads to, in a graph without cycles."""
    done: set[str] = set()
    for root in graph:
        stack = [(root, False)]
        while stack:
            node, expanded = stack.pop()
            if node in done:
                continue
            if expanded:
                done.add(node)
                yield node
                continue
            stack.append((node, True))
            stack += [(each, False) for each in graph.get(node, ()) if each not in done]
