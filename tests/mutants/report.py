"""The table of caught and missed mutants, as docs/mutants.md has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path

from tests.mutants.model import Mutation
from tests.mutants.run import Outcome
from tests.mutants.same import ALL as SAME
from tests.mutants.table import ALL

DOCUMENT = Path(__file__).parents[2] / "docs" / "mutants.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"


def summary(found: Sequence[Outcome]) -> str:
    broken = [outcome for outcome in found if outcome.item]
    same = [outcome for outcome in found if not outcome.item]
    caught = sum(not outcome.problem for outcome in broken)
    share = f" ({100 * caught / len(broken):.1f} %)" if broken else ""
    still = sum(not outcome.problem for outcome in same)
    unchanged = f"{still} of {len(same)} harmless edits changed nothing."
    return f"{caught} of {len(broken)} mutants caught{share}; {unchanged}"


def write(found: Sequence[Outcome]) -> None:
    """Put the results into the document."""
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{tables(found)}\n{END}{after}", "utf-8")


def tables(found: Sequence[Outcome]) -> str:
    by_name = {name: list(group) for name, group in groupby(found, key=lambda outcome: outcome.name)}
    lines = [
        f"{summary(found)} Each is counted once per system that it was tried on.",
        "",
        "| mutation | item | rule | systems | caught |",
        "|---|---|---|---|---|",
    ]
    lines += [row(mutation, by_name.get(mutation.name, ())) for mutation in ALL]
    lines += ["", "| harmless edit | systems | unchanged |", "|---|---|---|"]
    for same in SAME:
        results = by_name.get(same.name, [])
        lines.append(f"| {same.name} | {_systems(same.systems)} | {_said(results)} |")
    return "\n".join(lines) + "\n"


def row(mutation: Mutation, results: Iterable[Outcome]) -> str:
    """One mutation's line."""
    rules = " or ".join(mutation.rules) or "the verdict gets worse"
    return (
        f"| {mutation.name} | `{mutation.item}` | {rules} | {_systems(mutation.systems)} | {_said(results)} |"
    )


def _said(results: Iterable[Outcome]) -> str:
    problems = sorted({outcome.problem for outcome in results if outcome.problem})
    return "**no**: " + "; ".join(problems) if problems else "yes"


def _systems(systems: Sequence[str]) -> str:
    return "both" if len(systems) == 2 else systems[0]
