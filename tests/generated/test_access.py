"""Who may reach what, run for real: no hole is found, and a check that is taken out makes one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.generated.environment import Project

MATRIX = ("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/test_access.py", "-k", "not often")
CHASSIS = "chassis/python/src/chassis"
# File, what is in it, and what a careless hand makes of it.
BREAKAGE = [
    (f"{CHASSIS}/security/gate.py", "if not caller.meets(rule):", "if False:"),
    (f"{CHASSIS}/http.py", "or not owns(caller_of(request), type, held.state)", ""),
    (f"{CHASSIS}/views.py", "if owner is not None:", "if False:"),
    ("services/goods/src/goods/generated/access.py", 'roles=frozenset({"keeper"})', "public=True"),
]


@pytest.fixture(scope="module")
def depot(odd: Project) -> Project:
    return Project(odd.root / "signed_in_elsewhere", odd.python)


def test_users_of_an_external_issuer_may_what_the_description_says(depot: Project) -> None:
    depot.run(*MATRIX)


@pytest.mark.parametrize(("file", "right", "wrong"), BREAKAGE, ids=lambda text: text[:40])
def test_a_check_that_is_taken_out_is_noticed(
    depot: Project, tmp_path: Path, file: str, right: str, wrong: str
) -> None:
    root = tmp_path / "depot"
    shutil.copytree(depot.root, root)
    source = (root / file).read_text("utf-8")
    assert right in source
    (root / file).write_text(source.replace(right, wrong, 1), "utf-8")
    told = Project(root, depot.python).attempt(*MATRIX)
    assert told.returncode == 1, told.stdout[-3000:]
    assert "may not" in told.stdout or "another's" in told.stdout or "not the owner" in told.stdout
