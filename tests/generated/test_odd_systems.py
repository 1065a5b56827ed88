"""Systems that are odd, each in its own way, come out as sound as the shop."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from archgen.spec import loads
from archgen.spec.findings import require
from archgen.spec.names import python_module
from tests.generated.conftest import SYSTEMS
from tests.generated.environment import Project

SPECS = sorted(SYSTEMS.glob("*.yaml"))


@dataclass(frozen=True)
class Sources:
    """Where the code of all systems is. They share one chassis: its copies are the same."""

    sources: list[str]
    tests: list[str]
    others: list[str]


@pytest.fixture(scope="module")
def code(odd: Project) -> Sources:
    services = sorted(odd.root.glob("*/services/*"))
    chassis = next(odd.root.glob("*/chassis/python/src"))
    others = [str(path) for path in sorted(odd.root.glob("*/*")) if path.name in ("tests", "scripts")]
    code = Sources(
        [str(chassis), *(str(path / "src") for path in services)],
        [str(path / "tests") for path in services],
        others,
    )
    odd.env["PYTHONPATH"] = odd.env["MYPYPATH"] = os.pathsep.join(code.sources)
    return code


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_the_description_is_accepted(spec: Path) -> None:
    require(loads(spec.read_text("utf-8")))


def test_no_two_systems_have_a_package_of_the_same_name() -> None:
    names = [python_module(name) for spec in SPECS for name in loads(spec.read_text("utf-8")).services]
    assert len(names) == len(set(names))


def test_ruff_has_nothing_to_say(odd: Project, code: Sources) -> None:
    places = [*code.sources[1:], *code.tests, *code.others]
    odd.run("-m", "ruff", "check", "--no-cache", "--output-format", "concise", *places)
    odd.run("-m", "ruff", "format", "--no-cache", "--diff", *places)


def test_mypy_is_strict_and_content(odd: Project, code: Sources) -> None:
    places = [*code.sources[1:], *code.tests, *code.others]
    odd.run("-m", "mypy", "--strict", "--explicit-package-bases", *places)


def test_everything_can_be_imported_together(odd: Project, code: Sources) -> None:
    modules = [
        ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
        for source in code.sources[1:]
        for path in sorted(Path(source).rglob("*.py"))
    ]
    assert len(modules) > 300
    script = "import importlib, sys; [importlib.import_module(name) for name in sys.stdin.read().split()]"
    subprocess.run(
        [odd.python, "-W", "error::UserWarning", "-c", script],
        env=odd.env,
        input="\n".join(modules),
        text=True,
        check=True,
    )


def test_the_services_pass_their_tests(odd: Project, code: Sources) -> None:
    settings = next(odd.root.glob("*/pyproject.toml"))
    odd.run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(settings), *code.tests)
