"""Data flows one way, YAML → System → plan → files → project and facts → findings → report; so do imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "archgen"

# Each room may import those to its left, and itself. The audit reads the project on disk: it knows
# nothing of the description, the plan or the writing, and judges foreign projects in the same way.
GENERATE = ("errors", "spec", "files", "plan", "render", "project", "commands", "cli")
AUDIT = ("errors", "evidence", "rules", "triage", "checklist", "reports", "commands", "cli")

ROOMS = {
    "errors": "errors console drawing",
    "spec": "spec proof",
    "files": "files plan_types",
    "plan": "contracts deploy diagrams languages observability "
    "plan plan_deploy plan_diagrams plan_grpc plan_observability plan_recovery plan_system",
    "render": "escape render blueprints",
    "project": "base lock merge reconcile staging project",
    "evidence": "evidence",
    "rules": "rules",
    "triage": "triage",
    "checklist": "checklist",
    "reports": "reports",
    "commands": "commands",
    "cli": "cli __main__",
}
ROOM_OF = {module: room for room, modules in ROOMS.items() for module in modules.split()}
# What a plan may call although it stands to its right: pure functions that only name files.
EXCEPTIONS = {("plan", "render")}
# The audit knows the description in one place only: there it reads one that lies in the project.
READS_DESCRIPTIONS = PACKAGE / "evidence" / "declared.py"


def _modules() -> Iterator[Path]:
    yield from (
        path
        for path in PACKAGE.rglob("*.py")
        if "templates" not in path.parts and path.parent.name != "_blueprints"
    )


def _imported(path: Path) -> set[str]:
    """Everything a module imports, also inside functions, as dotted names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            found |= (
                {f"{node.module}.{alias.name}" for alias in node.names}
                if node.module == "archgen"
                else {node.module or ""}
            )
    return found


def _room(dotted: str) -> str:
    parts = dotted.split(".")
    return ROOM_OF.get(parts[1], "") if len(parts) > 1 else ""


def _allowed(room: str, other: str) -> bool:
    lines = [line for line in (GENERATE, AUDIT) if room in line]
    return (room, other) in EXCEPTIONS or any(other in line[: line.index(room) + 1] for line in lines)


@pytest.mark.parametrize("path", sorted(_modules()), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_one_way(path: Path) -> None:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if name == "__init__":
        assert not {module for module in _imported(path) if module.startswith("archgen")}
        return
    assert name in ROOM_OF, f"{name} has no room yet: give it one in this test"
    for module in _imported(path):
        if path == READS_DESCRIPTIONS and _room(module) == "spec":
            continue
        if module.startswith("archgen.") and module != "archgen.__version__":
            assert _allowed(ROOM_OF[name], _room(module)), f"{path.name} ({ROOM_OF[name]}) imports {module}"


def test_only_one_room_imports_copier() -> None:
    users = {path.relative_to(PACKAGE).as_posix() for path in _modules() if "copier" in _imported(path)}
    assert users == {"blueprints.py"}


def test_every_library_that_is_imported_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {re.split(r"[^A-Za-z0-9-]", requirement)[0].replace("-", "_") for requirement in declared}
    imported = {module.split(".")[0] for path in _modules() for module in _imported(path)}
    foreign = imported - set(sys.stdlib_module_names) - {"archgen", "msvcrt"}
    assert {{"yaml": "pyyaml", "pydantic_core": "pydantic"}.get(name, name) for name in foreign} == names
