"""How long generating takes, against a raw copy of the same files and against Copier."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.environment import ARCHGEN
from benchmarks.process import cost, say, size
from benchmarks.tables import Table

_COPY = "import pathlib, sys; s, t = map(pathlib.Path, sys.argv[1:]); " + (
    "[(t / f.relative_to(s)).parent.mkdir(parents=True, exist_ok=True) or (t / f.relative_to(s)).write_bytes("
    "f.read_bytes()) for f in s.rglob('*') if f.is_file()]"
)


def shop(folder: Path) -> Table:
    """The shop, whole process, against a raw copy and a `copier copy` of the same tree."""
    spec = _new_shop(folder / "spec")
    out, raw, template, copied = (folder / name for name in ("out", "raw", "template", "copied"))
    generated = cost(_generate(spec, out), before=_empty(out))
    tree = folder / "tree"
    shutil.copytree(out, tree, ignore=shutil.ignore_patterns(".archgen"))
    _as_template(tree, template)
    copy = cost([sys.executable, "-c", _COPY, str(tree), str(raw)], before=_empty(raw))
    copier = cost(
        [sys.executable, "-m", "copier", "copy", "--quiet", "--defaults", str(template), str(copied)],
        before=_empty(copied),
        runs=3,
    )
    again = cost(_generate(spec, out))
    files, octets = size(tree)
    table = Table(
        f"The shop: {files} files, {octets / 1e6:.1f} MB",
        ("what", "seconds", "against the raw copy", "peak MiB"),
    )
    for what, measured in (
        ("raw copy of the same files by Python", copy),
        ("`archgen architect run`, fresh folder", generated),
        ("`archgen architect run`, nothing changed", again),
        ("`copier copy` of the same tree, one answer in every file", copier),
    ):
        difference = f"{measured.seconds - copy.seconds:+.2f} s"
        table.add(what, f"{measured.seconds:.2f}", difference, f"{measured.mebibytes:.0f}")
    return table


def scale(folder: Path) -> Table:
    """10, 100 and 1,000 services against a raw write of the same bytes."""
    table = Table(
        "More services",
        (
            "services",
            "files",
            "archgen, s",
            "raw copy, s",
            "ratio",
            "s per service",
            "peak MiB",
        ),
    )
    for count in (10, 100, 1000):
        spec, out, raw = folder / f"{count}.yaml", folder / f"out-{count}", folder / f"raw-{count}"
        spec.write_text(_services(count), "utf-8")
        runs = 3 if count < 1000 else 1
        say(f"generating {count:,} services")
        generated = cost(_generate(spec, out), before=_empty(out), runs=runs)
        copy = cost([sys.executable, "-c", _COPY, str(out), str(raw)], before=_empty(raw), runs=runs)
        files, _ = size(out)
        table.add(
            f"{count:,}",
            f"{files:,}",
            f"{generated.seconds:.2f}",
            f"{copy.seconds:.2f}",
            f"{generated.seconds / copy.seconds:.1f}",
            f"{generated.seconds / count:.4f}",
            f"{generated.mebibytes:.0f}",
        )
        shutil.rmtree(out)
        shutil.rmtree(raw)
    return table


def startup() -> Table:
    """`archgen --version` against importing the library that parses its command line."""
    bare = cost([sys.executable, "-c", "import typer"], runs=9)
    version = cost([sys.executable, "-m", "archgen", "--version"], runs=9)
    table = Table("Start-up", ("what", "seconds", "ratio"))
    table.add('`python -c "import typer"`', f"{bare.seconds:.3f}", "1.0")
    table.add("`archgen --version`", f"{version.seconds:.3f}", f"{version.seconds / bare.seconds:.2f}")
    return table


def _generate(spec: Path, out: Path) -> list[str]:
    return [*ARCHGEN, "architect", "run", str(spec), "--out", str(out), "--no-audit"]


def _new_shop(folder: Path) -> Path:
    subprocess.run([*ARCHGEN, "new", "shop", str(folder), "--defaults"], check=True, capture_output=True)
    return folder / "system.yaml"


def _empty(folder: Path) -> Callable[[], None]:
    return lambda: shutil.rmtree(folder, ignore_errors=True)


def _as_template(tree: Path, template: Path) -> None:
    """The same tree as a Copier template: every file is rendered and names the one answer."""
    for path in (path for path in tree.rglob("*") if path.is_file()):
        target = template / path.relative_to(tree)
        target = target.with_name(target.name + ".jinja")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"{% raw %}" + path.read_bytes() + b"{% endraw %}{{ name }}\n")
    (template / "copier.yml").write_text("name: {type: str, default: shop}\n", "utf-8")


def _services(count: int) -> str:
    service = """
  service_{n}:
    about: Number {n}.
    owner: benchmarks
    aggregates:
      Thing{n}:
        fields: {{name: string, amount: money, status: created|closed}}
        commands:
          create_{n}: {{takes: {{name: string, amount: money}}, emits: thing{n}.created}}
          close_{n}: {{emits: thing{n}.closed}}
    views:
      things_{n}: {{of: Thing{n}, from: [thing{n}.*]}}
"""
    head = "archgen: 1\nsystem: large\nservices:"
    return head + "".join(service.format(n=n) for n in range(count))
