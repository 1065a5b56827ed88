"""Cycles and longest paths, against networks that are small enough to search by hand."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from archgen.spec.graph import cycles, longest_path

NODES = "abcde"
GRAPHS = st.fixed_dictionaries(
    {node: st.lists(st.sampled_from(NODES), unique=True, max_size=3) for node in NODES}
)


def walks(graph: dict[str, list[str]], trail: list[str]) -> list[list[str]]:
    """All paths from the end of `trail` that visit no node twice."""
    return [trail] + [
        walk
        for successor in graph[trail[-1]]
        if successor not in trail
        for walk in walks(graph, [*trail, successor])
    ]


def on_a_cycle(graph: dict[str, list[str]], node: str) -> bool:
    return any(node in graph[walk[-1]] for walk in walks(graph, [node]))


@given(GRAPHS)
def test_cycles_are_cycles_and_none_is_missed(graph: dict[str, list[str]]) -> None:
    found = cycles(graph)
    for cycle in found:
        assert cycle[0] == cycle[-1]
        assert all(successor in graph[node] for node, successor in pairwise(cycle))
    assert bool(found) == any(on_a_cycle(graph, node) for node in graph)


@given(GRAPHS)
def test_the_longest_path(graph: dict[str, list[str]]) -> None:
    acyclic = {node: [each for each in successors if each > node] for node, successors in graph.items()}
    path = longest_path(acyclic)
    assert all(successor in acyclic[node] for node, successor in pairwise(path))
    assert len(path) == max(len(walk) for node in acyclic for walk in walks(acyclic, [node]))
