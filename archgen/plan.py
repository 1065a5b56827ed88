"""System → plan: which files, from what. Pure."""

from __future__ import annotations

from archgen.plan_types import Item, Text
from archgen.spec.model import System


def plan(system: System) -> tuple[Item, ...]:
    """The items of the project of `system`, in any order."""
    return (Text("README.md", f"# {system.system}\n"),)
