"""Whatever the loader and `check` accept comes out as code that compiles and is clean."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from archgen.errors import SpecError
from archgen.files import File
from archgen.plan import plan
from archgen.render import render
from archgen.spec import loads
from archgen.spec.findings import require
from archgen.spec.model import Broker, Language, System
from tests.generated.environment import Project, put
from tests.spec.mutation import broken
from tests.strategies import spec_text, systems

# Shrinking would render hundreds of systems; those that fail are small already.
QUICK = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)


def possible(system: System) -> System:
    """The system in the language and on the broker that there are."""
    services = {
        name: service.model_copy(update={"language": Language.PYTHON})
        for name, service in system.services.items()
    }
    return system.model_copy(update={"services": services, "broker": Broker.NATS})


def accepted(text: str) -> System | None:
    """The system that `text` describes; None when it may not be generated."""
    try:
        system = loads(text)
        require(system)
    except SpecError:
        return None
    return system


class Workshop:
    """Projects side by side, so that a tool starts once for all of them."""

    def __init__(self, root: Path, python: Path) -> None:
        self.project = Project(root, python)
        self.texts: list[str] = []

    def add(self, text: str) -> None:
        """Put the system that `text` describes into a folder of its own, if it is accepted."""
        system = accepted(text)
        if system is None:
            return
        files = [file for file in render(plan(system)) if "chassis/python/tests/" not in file.path]
        for file in files:
            readable(file)
        put(files, self.project.root / f"system{len(self.texts)}")
        self.texts.append(text)

    def run(self, *command: str) -> None:
        """Run a tool over everything; what it objects to is told with the description behind it."""
        done = self.project.attempt(*command)
        found = {int(number) for number in re.findall(r"system(\d+)/", done.stdout)}
        texts = "\n".join(f"system{number}:\n{self.texts[number]}" for number in sorted(found)[:3])
        assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}\n{texts}"

    def ruff(self) -> None:
        folders = ("services", "tests", "scripts")
        places = [str(path) for path in sorted(self.project.root.glob("*/*")) if path.name in folders]
        self.run("-m", "ruff", "check", "--no-cache", "--output-format", "concise", *places)
        self.run("-m", "ruff", "format", "--no-cache", "--diff", *places)


def readable(file: File) -> None:
    """The file can be read by whatever reads its kind."""
    match Path(file.path).suffix:
        case ".py":
            compile(file.contents, file.path, "exec", dont_inherit=True)
        case ".json":
            json.loads(file.contents)
        case ".toml":
            tomllib.loads(file.contents.decode())
        case ".yaml" | ".yml":
            list(yaml.load_all(file.contents, yaml.CSafeLoader))


@pytest.fixture
def workshop(python: Path, tmp_path: Path) -> Workshop:
    return Workshop(tmp_path, python)


def test_random_systems(workshop: Workshop) -> None:
    @settings(QUICK, max_examples=30)
    @given(system=systems())
    def collect(system: System) -> None:
        workshop.add(spec_text(possible(system)))

    collect()
    assert len(workshop.texts) > 5
    workshop.ruff()


def test_mutated_shops(workshop: Workshop) -> None:
    @settings(QUICK, max_examples=200)
    @given(data=broken())
    def collect(data: Any) -> None:
        workshop.add(yaml.safe_dump(data, allow_unicode=True, sort_keys=False))

    collect()
    assert workshop.texts
    workshop.ruff()


def test_random_systems_are_typed(workshop: Workshop) -> None:
    """Told apart by the names of their services, so that their code can be checked together."""

    @settings(QUICK, max_examples=12)
    @given(system=systems())
    def collect(system: System) -> None:
        text = spec_text(possible(system))
        number = len(workshop.texts)
        workshop.add(re.sub(r"\b(orders|payments|inventory|loans|parcel_desk)\b", rf"s{number}_\1", text))

    collect()
    root = workshop.project.root
    services = [str(path) for path in sorted(root.glob("*/services/*/*")) if path.is_dir()]
    sources = [
        str(next(root.glob("*/chassis/python/src"))),
        *(each for each in services if each.endswith("src")),
    ]
    workshop.project.env["MYPYPATH"] = os.pathsep.join(sources)
    workshop.run("-m", "mypy", "--strict", "--explicit-package-bases", *services)
