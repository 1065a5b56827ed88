"""A representative part of the mutants, and whether docs/mutants.md speaks of all of them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from archgen.rules.registry import ITEMS
from tests.mutants import report
from tests.mutants.model import BOTH, Mutation, Same
from tests.mutants.run import Outcome, outcomes, projects
from tests.mutants.same import ALL as SAME
from tests.mutants.table import ALL
from tests.mutants.workspace import NothingToChangeError, Workspace

EVERY: tuple[Mutation | Same, ...] = (*ALL, *SAME)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return projects(tmp_path_factory.mktemp("mutants"), BOTH)


def lines() -> list[str]:
    document = report.DOCUMENT.read_text("utf-8")
    results = document.partition(report.BEGIN)[2].partition(report.END)[0]
    return re.findall(r"^\| .* \|$", results, re.MULTILINE)


def kept(name: str) -> str:
    """What the document says of a mutation or a harmless edit: the last cell of its line."""
    found = [line for line in lines() if line.startswith(f"| {name} |")]
    assert len(found) == 1, f"run `make mutants`: docs/mutants.md has {len(found)} lines for {name!r}"
    return found[0].rsplit("|", 2)[1].strip()


def test_there_are_enough_and_each_is_told_by_its_name() -> None:
    names = [one.name for one in EVERY]
    assert len(set(names)) == len(names)
    assert len(ALL) >= 80 and len(SAME) >= 20
    assert {mutation.item for mutation in ALL} == {item.id for item in ITEMS}


def test_the_document_has_every_mutation_and_every_harmless_edit() -> None:
    for one in EVERY:
        assert kept(one.name).startswith(("yes", "**no**"))
    rows = [line for line in lines() if not line.startswith(("| mutation |", "| harmless edit |"))]
    assert len(rows) == len(ALL) + len(SAME)


def test_every_edit_still_finds_what_it_changes(roots: dict[str, Path]) -> None:
    for one in EVERY:
        for system in one.systems:
            workspace = Workspace(roots[system])
            if isinstance(one, Same):
                one.edit(workspace, random.Random(1))
            else:
                one.edit(workspace)
            assert workspace.changed, one.name


def test_an_edit_without_a_target_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    with pytest.raises(NothingToChangeError):
        ALL[0].edit(Workspace(tmp_path))


def test_one_mutant_of_each_item_is_as_the_document_says(roots: dict[str, Path]) -> None:
    chosen = []
    for item in ITEMS:
        caught = [m for m in ALL if m.item == item.id and kept(m.name) == "yes"]
        assert caught, f"none of {item.id} is caught"
        chosen += random.Random(item.id).sample(caught, min(2, len(caught)))
    check(outcomes(chosen, {"orchestration": roots["orchestration"]}))


def test_harmless_edits_are_as_the_document_says(roots: dict[str, Path]) -> None:
    same = [one for one in SAME if kept(one.name) == "yes"]
    check(outcomes(random.Random(1).sample(same, 6), {"choreography": roots["choreography"]}))


def check(found: list[Outcome]) -> None:
    assert not [f"{one.name}: {one.problem}" for one in found if one.problem]
