"""What is built carries everything: a wheel in an empty environment generates what the checkout generates."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CARRIED = ("archgen", "blueprints", "pyproject.toml", "LICENSE", ".gitignore")
# What packaging tools like to lose: dotfiles, run bits, names that a .gitignore matches, empty files.
AWKWARD = {
    ".gitignore": "*.db\nbuild/\n",
    ".hidden/.dot": "",
    "build/state.db": "kept\n",
    "dist/empty.txt": "",
    "run": "#!/bin/sh\n",
}
LEFTOVERS = ("__pycache__/a.cpython-311.pyc", ".venv/bin/python", ".pytest_cache/x", ".mypy_cache/x")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkout")
    ignore = shutil.ignore_patterns("__pycache__", ".venv", ".*_cache", ".hypothesis")
    for name in CARRIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignore)
        else:
            shutil.copy2(ROOT / name, folder / name)
    readme = ROOT / "README.md"
    (folder / "README.md").write_bytes(readme.read_bytes() if readme.exists() else b"archgen\n")
    for place in ("archgen/templates/system", "blueprints/shop/template"):
        for path, text in {**AWKWARD, **dict.fromkeys(LEFTOVERS, "x")}.items():
            (folder / place / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / place / path).write_text(text, "utf-8")
        (folder / place / "run").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and with the wheel that was built from the sdist."""
    out = tmp_path_factory.mktemp("built")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(checkout))
    return out


def _run(*command: str, cwd: Path | None = None) -> str:
    # Nothing of this checkout may help out what was installed.
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    run = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
    return run.stdout


def _wanted(checkout: Path, folder: str) -> set[str]:
    found = (
        path.relative_to(checkout / folder).as_posix()
        for path in (checkout / folder).rglob("*")
        if path.is_file()
    )
    return {
        path
        for path in found
        if not any(left in f"/{path}" for left in ("/__pycache__/", "/.venv/", "_cache/"))
    }


def test_the_wheel_carries_templates_and_blueprints_whole(checkout: Path, built: Path) -> None:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        runs = {info.filename for info in archive.infolist() if info.external_attr >> 16 & 0o100}
    wanted = {f"archgen/{path}" for path in _wanted(checkout, "archgen")}
    wanted |= {f"archgen/_blueprints/{path}" for path in _wanted(checkout, "blueprints")}
    assert names == wanted
    assert {f"archgen/{place}/run" for place in ("templates/system", "_blueprints/shop/template")} <= runs


def test_the_sdist_carries_what_the_wheel_is_built_from(checkout: Path, built: Path) -> None:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("archgen", "blueprints"):
        assert {f"{folder}/{path}" for path in _wanted(checkout, folder)} == {
            name for name in names if name.startswith(f"{folder}/")
        }


def test_an_empty_environment_generates_what_the_checkout_generates(
    built: Path, tmp_path: Path, checkout: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    [wheel] = built.glob("*.whl")
    _run(str(programs / "python"), "-m", "pip", "install", "--quiet", "--no-compile", str(wheel))
    _run(str(programs / "archgen"), "new", "shop", "installed", "--defaults", cwd=tmp_path)
    _run(str(programs / "archgen"), "architect", "run", "installed/system.yaml", "--no-audit", cwd=tmp_path)
    here = f"import sys; sys.path.insert(0, {str(checkout)!r}); from archgen.cli import main; main()"
    _run(sys.executable, "-c", here, "new", "shop", "checkout", "--defaults", cwd=tmp_path)
    _run(sys.executable, "-c", here, "architect", "run", "checkout/system.yaml", "--no-audit", cwd=tmp_path)
    assert _tree(tmp_path / "installed") == _tree(tmp_path / "checkout")
    assert len(_tree(tmp_path / "installed")) > 100
    assert set(AWKWARD) - {".gitignore"} <= set(_tree(tmp_path / "installed"))


def _tree(folder: Path) -> dict[str, tuple[bytes, bool]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }
