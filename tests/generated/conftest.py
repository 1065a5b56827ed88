"""Generated projects that tests share: each is made once and run in one environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archgen.commands.new import new
from archgen.commands.run import run
from archgen.plan import plan
from archgen.render import render
from archgen.spec import loads
from tests.generated.environment import Project, dependencies, environment, put

STYLES = ("orchestration", "choreography")
SYSTEMS = Path(__file__).parent / "systems"


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter for generated projects."""
    files = render(plan(loads((SYSTEMS / "smallest.yaml").read_text("utf-8"))))
    return environment(dependencies({file.path: file.contents for file in files}))


@pytest.fixture(scope="session", params=STYLES)
def shop(request: pytest.FixtureRequest, python: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The shop as `archgen new` and `archgen architect run` leave it. Not to be changed."""
    root = tmp_path_factory.mktemp(request.param) / "shop"
    new("shop", root, [f"style={request.param}"], defaults=True)
    assert run(root / "system.yaml", audit=False) == 0
    return Project(root, python)


@pytest.fixture(scope="session")
def odd(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """All systems of the folder `systems`, each in a folder of its own."""
    root = tmp_path_factory.mktemp("odd")
    for spec in sorted(SYSTEMS.glob("*.yaml")):
        put(render(plan(loads(spec.read_text("utf-8")))), root / spec.stem)
    yield Project(root, python)
