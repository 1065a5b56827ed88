"""Pictures of a system: C4 context and containers, and a sequence per saga, from the description alone.

Source: Simon Brown, "The C4 model for visualising software architecture", https://c4model.com
"""

from __future__ import annotations

from archgen.diagrams.containers import containers_svg
from archgen.diagrams.context import context_svg
from archgen.diagrams.scene import Scene, scene
from archgen.diagrams.sequence import Sequence, sequences
from archgen.diagrams.sequence_svg import sequence_svg
from archgen.spec.analysis import Analysis, analyse
from archgen.spec.model import System

__all__ = ["Scene", "Sequence", "pictures", "scene", "sequences"]


def pictures(system: System, analysis: Analysis | None = None) -> dict[str, str]:
    """Every picture as SVG, by name: `context`, `containers`, and `saga-<name>` for each saga."""
    analysis = analysis or analyse(system)
    shown = scene(system, analysis)
    drawn = {"context": context_svg(shown), "containers": containers_svg(shown)}
    return drawn | {f"saga-{one.name}": sequence_svg(one) for one in sequences(system, analysis)}
