"""The GitHub action and the pre-commit hook: as their makers want them, and doing what they say."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.triage.projects import PLACE, naive

ROOT = Path(__file__).parent.parent
_ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
_HOOK: dict[str, Any] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))[0]
_WHO = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")


def _run(*command: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    whole = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)} | (env or {})
    return subprocess.run(command, cwd=cwd, env=whole, capture_output=True, text=True, check=False)


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *_WHO, *arguments], cwd=root, check=True, capture_output=True)


def test_the_action_follows_githubs_schema() -> None:
    schema = ("--builtin-schema", "vendor.github-actions", "action.yml")
    done = _run(sys.executable, "-m", "check_jsonschema", *schema, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_input_reaches_the_shell_as_text() -> None:
    for step in _ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
    used = {word for step in _ACTION["runs"]["steps"] for word in str(step).split("inputs.")[1:]}
    assert {name for name in _ACTION["inputs"] if any(word.startswith(name) for word in used)} == set(
        _ACTION["inputs"]
    )


def _audit_step(tmp_path: Path, root: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Runs the script of the action's audit step as the runner does, with the inputs' defaults."""
    step = next(step for step in _ACTION["runs"]["steps"] if step.get("id") == "audit")
    values = {name: one["default"] for name, one in _ACTION["inputs"].items()} | {
        name.replace("_", "-"): value for name, value in inputs.items()
    }
    env = {key: values[text.split("inputs.")[1].removesuffix(" }}")] for key, text in step["env"].items()}
    files = {"GITHUB_OUTPUT": tmp_path / "output", "GITHUB_STEP_SUMMARY": tmp_path / "summary"}
    for file in files.values():
        file.write_text("")
    env |= {key: str(file) for key, file in files.items()} | {"RUNNER_TEMP": str(tmp_path)}
    done = _run("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"], cwd=root, env=env)
    return done.returncode, done.stdout + done.stderr, {key: file.read_text() for key, file in files.items()}


@pytest.mark.skipif(shutil.which("bash") is None, reason="the runner's shell is bash")
def test_the_action_fails_for_findings_and_leaves_its_reports(tmp_path: Path) -> None:
    root = naive(tmp_path / "a shop; with 'quotes'")
    code, out, files = _audit_step(tmp_path, root, html="page.html")
    assert code == 1, out
    assert "Score" in out
    assert files["GITHUB_OUTPUT"] == "sarif=archgen.sarif\n"
    assert files["GITHUB_STEP_SUMMARY"].startswith("# Audit of")
    assert (root / "archgen.sarif").is_file()
    assert (root / "page.html").is_file()


@pytest.mark.skipif(shutil.which("bash") is None, reason="the runner's shell is bash")
@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"fail_on": "never"}, 0),
        ({"path": "$(touch evil)", "fail_on": "never"}, 2),
        ({"path": "--help"}, 2),
        ({"fail_on": "never; touch evil"}, 2),
        ({"changed_since": "main"}, 2),
    ],
)
def test_inputs_of_the_action(tmp_path: Path, inputs: dict[str, str], code: int) -> None:
    root = naive(tmp_path / "shop")
    found, out, _ = _audit_step(tmp_path, root, **inputs)
    assert found == code, out
    assert not (root / "evil").exists()


def test_the_hook_follows_pre_commits_rules() -> None:
    done = _run(sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_in_the_hook_only_what_is_about_to_be_committed_decides(tmp_path: Path) -> None:
    command = [*shlex.split(_HOOK["entry"]), *_HOOK["args"]]
    root = naive(tmp_path / "shop")
    _git(root, "init", "-q")
    _git(root, "add", "-A")
    assert _run(*command, cwd=root).returncode == 1
    _git(root, "commit", "-qm", "x")
    (root / "README.md").write_text("# Shop\n")
    _git(root, "add", "-A")
    assert _run(*command, cwd=root).returncode == 0
    naive(root, place=PLACE.replace('"orders", order', '"orders", order.id'))
    _git(root, "add", "-A")
    assert _run(*command, cwd=root).returncode == 1
