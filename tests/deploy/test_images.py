"""Dockerfiles as hadolint sees them, and the lock that they install."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from archgen.render import TEMPLATES
from tests.deploy.lock import LOCK, pinned
from tests.deploy.systems import NAMED, files

HADOLINT = Path(sys.executable).parent / "hadolint"


@pytest.mark.parametrize("name", NAMED)
def test_hadolint_has_nothing_to_say(tmp_path: Path, name: str) -> None:
    found = {path: text for path, text in files(name).items() if path.endswith("Dockerfile")}
    for path, text in found.items():
        (tmp_path / path.replace("/", "-")).write_text(text, "utf-8")
    done = subprocess.run([HADOLINT, *sorted(tmp_path.iterdir())], capture_output=True, text=True)
    assert found and (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_the_lock_is_what_the_chassis_asks_for() -> None:
    """Otherwise: python -m tests.deploy.lock"""
    project = tomllib.loads((TEMPLATES / "python/chassis/pyproject.toml").read_text("utf-8"))["project"]
    versions = pinned(LOCK.read_text("utf-8"))
    for text in [*project["dependencies"], *project["optional-dependencies"]["fast"]]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(versions.get(wanted.name.lower(), "0"), prereleases=True), text


def test_the_lock_names_no_host() -> None:
    assert "://" not in LOCK.read_text("utf-8")
