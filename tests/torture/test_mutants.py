"""The mutants still fit the chassis; `python -m tests.torture.mutation` shows that torture notices them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.torture.mutants import CHASSIS, MUTANTS, Mutant
from tests.torture.shop import REPOSITORY

SOURCE = REPOSITORY / "archgen" / "templates" / "python" / "chassis" / "src" / "chassis"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_an_edit_of_code_as_it_is_now(mutant: Mutant, tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / CHASSIS, ignore=shutil.ignore_patterns("__pycache__"))
    mutant.apply(tmp_path)
    for file, _, _ in mutant.edits:
        changed = (tmp_path / CHASSIS / file).read_text("utf-8")
        assert changed != (SOURCE / file).read_text("utf-8")
        compile(changed, file, "exec")
