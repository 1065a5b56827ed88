"""What a project consists of, and what holds for each of its files."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from archgen.commands.run import run
from archgen.files import File
from archgen.plan import plan
from archgen.render import render
from archgen.spec import loads
from tests.generated.conftest import SYSTEMS

SMALL = """
archgen: 1
system: desk
services:
  notes:
    aggregates:
      Note:
        fields: {text: string}
        commands: {write: {takes: {text: string}, emits: note.written}}
    views: {all_notes: {of: Note, from: [note.*]}}
"""

SPECS = sorted(SYSTEMS.glob("*.yaml"))
HEADER = "Generated from system.yaml"
NO_COMMENTS = {".json"}
"""Formats that have no place for a header."""


def files_of(text: str) -> Mapping[str, File]:
    return {file.path: file for file in render(plan(loads(text)))}


ELSEWHERE = ("deploy/", "docs/", "observability/")
"""Folders whose contents have tests of their own."""


def own(files: Mapping[str, File]) -> Mapping[str, File]:
    """All but the chassis, which is copied as it is."""
    return {path: file for path, file in files.items() if not path.startswith("chassis/")}


def test_the_tree_of_a_small_system() -> None:
    package = "services/notes/src/notes"
    assert sorted(path for path in own(files_of(SMALL)) if not path.startswith(ELSEWHERE)) == sorted(
        [
            ".dockerignore",
            ".env.example",
            ".github/workflows/ci.yml",
            ".gitignore",
            "Makefile",
            "Procfile",
            "README.md",
            "contracts/asyncapi.yaml",
            "contracts/openapi/notes.yaml",
            "contracts/schemas/commands/notes.write.json",
            "contracts/schemas/events/note.written.json",
            "pyproject.toml",
            "recovery.mk",
            "recovery.toml",
            "requirements.lock",
            "scripts/backup.crontab",
            "scripts/demo.py",
            "scripts/deploy_env.py",
            "scripts/drill.py",
            "services/notes/Dockerfile",
            "services/notes/pyproject.toml",
            f"{package}/__init__.py",
            f"{package}/__main__.py",
            f"{package}/commands/__init__.py",
            f"{package}/commands/write.py",
            f"{package}/domain/__init__.py",
            f"{package}/domain/note.py",
            f"{package}/generated/__init__.py",
            f"{package}/generated/aggregates.py",
            f"{package}/generated/note.py",
            f"{package}/generated/openapi.json",
            f"{package}/generated/routes.py",
            f"{package}/generated/use_cases.py",
            f"{package}/generated/wiring.py",
            f"{package}/py.typed",
            f"{package}/views/__init__.py",
            f"{package}/views/all_notes.py",
            "services/notes/tests/test_contract.py",
            "services/notes/tests/test_note.py",
            "services/notes/tests/test_views.py",
            "tests/conftest.py",
            "tests/test_deployment.py",
            "tests/test_drill.py",
            "tests/test_faults.py",
            "tests/test_observability.py",
            "tests/test_system.py",
            "tests/test_trace.py",
        ]
    )


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_generated_files_say_so_and_no_others(spec: Path) -> None:
    for path, file in own(files_of(spec.read_text("utf-8"))).items():
        said = HEADER in file.contents.decode().replace("\n# ", " ")
        if Path(path).suffix not in NO_COMMENTS:
            assert said == (file.kind == "generated"), path
        place = re.match(r"contracts/|docs/diagrams/|recovery\.toml|services/\w+/src/\w+/generated/", path)
        assert (place is not None) == (file.kind == "generated"), path


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_every_file_is_clean(spec: Path) -> None:
    hostile = "{{" in spec.read_text("utf-8")
    for path, file in own(files_of(spec.read_text("utf-8"))).items():
        text = file.contents.decode()
        assert not text or text.endswith("\n"), path
        assert path.startswith(ELSEWHERE) or not text.endswith("\n\n"), path
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), path
        # Containers have paths, and Mermaid, Prometheus and Grafana have markers of their own.
        if not path.startswith(ELSEWHERE) and Path(path).name != "Dockerfile":
            assert not re.search(r"(?<![\w.:/])/(home|root|Users|work|tmp)/", text), path
            assert hostile or not re.search(r"(?<!\$)\{\{|\{%|\{#", text), path
        assert "Undefined" not in text, path


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_data_files_can_be_read(spec: Path) -> None:
    for path, file in own(files_of(spec.read_text("utf-8"))).items():
        match Path(path).suffix:
            case ".json":
                json.loads(file.contents)
            case ".toml":
                tomllib.loads(file.contents.decode())
            case ".yaml" | ".yml":
                list(yaml.safe_load_all(file.contents))
            case ".py":
                compile(file.contents, path, "exec")


def test_what_is_put_in_place_of_a_name_is_the_name_again() -> None:
    files = files_of((SYSTEMS / "hostile_text.yaml").read_text("utf-8"))
    about = loads((SYSTEMS / "hostile_text.yaml").read_text("utf-8")).services["victim"].about
    contract = json.loads(files["services/victim/src/victim/generated/openapi.json"].contents)
    assert contract["info"]["description"] == about
    scope: dict[str, object] = {}
    exec(files["services/victim/src/victim/__init__.py"].contents, scope)
    assert str(scope["__doc__"]).replace("\n", " ").split() == about.split()


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    spec = tmp_path / "system.yaml"
    spec.write_text(SMALL)
    assert run(spec, audit=False) == 0
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run(spec, audit=False) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
