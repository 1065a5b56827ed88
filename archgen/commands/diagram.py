"""`archgen architect diagram`: pictures of the system and of each saga."""

from __future__ import annotations

from pathlib import Path

from archgen import console
from archgen.diagrams import pictures, scene, sequences
from archgen.diagrams.mermaid import containers_mermaid, context_mermaid, sequence_mermaid
from archgen.diagrams.page import page
from archgen.diagrams.structurizr import workspace
from archgen.errors import ArchgenError, Problem
from archgen.spec import load
from archgen.spec.analysis import analyse
from archgen.spec.model import System

FORMATS = ("svg", "mermaid", "structurizr", "html")


def diagram(spec: Path, format: str, picture: str, out: Path) -> int:
    """Prints the pictures on stdout; all SVGs at once go into the folder `out`, and their paths are printed.

    `picture` chooses one of them, for SVG and Mermaid. Returns 0. Raises SpecError if the file is not
    valid, and ArchgenError for a format or picture that there is not or a folder that can't be written.
    """
    if format not in FORMATS:
        raise _refused(f"there is no format {format!r}", f"one of {', '.join(FORMATS)}")
    system = load(spec)
    if format == "svg":
        return _svg(system, picture, out)
    if format == "mermaid":
        drawn = _chosen(mermaid(system), picture)
        console.out("\n".join(f"%% {name}\n{text}" for name, text in drawn.items()).rstrip("\n"))
        return 0
    if picture:
        raise _refused(f"{format} holds all pictures at once", "leave --picture out")
    shown = scene(system, analyse(system))
    if format == "html":
        console.out(page(shown.title, shown.about, pictures(system)).rstrip("\n"))
    else:
        console.out(workspace(shown, sequences(system, analyse(system))).rstrip("\n"))
    return 0


def mermaid(system: System) -> dict[str, str]:
    """Every picture as Mermaid; a saga has one per way that it can go."""
    analysis = analyse(system)
    shown = scene(system, analysis)
    drawn = {"context": context_mermaid(shown), "containers": containers_mermaid(shown)}
    for one in sequences(system, analysis):
        parts = sequence_mermaid(one)
        drawn |= {f"saga-{one.name}: {title}": text for title, text in parts.items()}
    return drawn


def _svg(system: System, picture: str, out: Path) -> int:
    drawn = _chosen(pictures(system), picture)
    if picture:
        console.out(drawn[picture].rstrip("\n"))
        return 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in drawn.items():
            beside = out / f".{name}.svg.part"
            beside.write_bytes(text.encode())
            beside.replace(out / f"{name}.svg")
            console.out(console.printable(str(out / f"{name}.svg")))
    except OSError as error:
        raise _refused(
            f"{out} can't be written: {error.strerror}", "choose another folder with --out"
        ) from error
    return 0


def _chosen(drawn: dict[str, str], picture: str) -> dict[str, str]:
    """All, or those of that name: a saga's Mermaid has several."""
    if not picture:
        return drawn
    found = {name: text for name, text in drawn.items() if name.partition(":")[0] == picture}
    if not found:
        names = ", ".join(dict.fromkeys(name.partition(":")[0] for name in drawn))
        raise _refused(f"there is no picture {picture!r}", f"one of {names}")
    return found


def _refused(message: str, remedy: str) -> ArchgenError:
    return ArchgenError(Problem(message, remedy=remedy))
