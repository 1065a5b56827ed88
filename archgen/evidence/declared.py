"""What a description of archgen in the project declares: facts to hold the code against.

The only place of the audit that knows the description. It is read as any other file of the project: one
that is not valid is told, and then nothing is known of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from archgen.evidence.facts import Fact, Note, Strength
from archgen.evidence.tree import Source

if TYPE_CHECKING:
    from archgen.spec.document import Path
    from archgen.spec.load import Loaded
    from archgen.spec.model import ChoreographedStep


def wants(source: Source) -> bool:
    """Whether the file may be a description: both keys stand at the start of a line."""
    return source.suffix in (".yaml", ".yml") and bool(
        re.search(r"^archgen\s*:", source.text, re.MULTILINE)
        and re.search(r"^system\s*:", source.text, re.MULTILINE)
    )


def collect(source: Source, notes: list[Note]) -> list[Fact]:
    """`declared.service`, `.event`, `.saga`, `.step`, `.job`, `.call`, `.history`, each with its line."""
    from archgen.errors import SpecError
    from archgen.spec.load import loads_with_marks

    try:
        loaded = loads_with_marks(source.text, source.path)
    except SpecError as error:
        if source.nature.counts:
            first = error.problems[0]
            where = f"line {first.line}: " if first.line else ""
            notes.append(
                Note(source.path, f"no valid description, so drift is not judged: {where}{first.message}")
            )
        return []
    return list(_Reader(source, loaded).facts())


class _Reader:
    def __init__(self, source: Source, loaded: Loaded) -> None:
        self._source, self._system, self._document = source, loaded.system, loaded.document
        self._strength = Strength.DECLARED if source.nature.counts else Strength.CLAIMED

    def facts(self) -> Iterator[Fact]:
        for name, service in self._system.services.items():
            at: Path = ("services", name)
            yield self._fact("service", at, service=name)
            for title, aggregate in service.aggregates.items():
                if aggregate.event_sourced:
                    here = (*at, "aggregates", title, "event_sourced")
                    yield self._fact("history", here, service=name, aggregate=title)
                for verb, command in aggregate.commands.items():
                    for key, event in (("emits", command.emits), ("fails", command.fails)):
                        if event:
                            here = (*at, "aggregates", title, "commands", verb, key)
                            yield self._fact(
                                "event",
                                here,
                                service=name,
                                aggregate=title,
                                event=event,
                                refusal=key == "fails",
                            )
            for job in service.jobs:
                yield self._fact("job", (*at, "jobs", job), service=name, job=job)
            for reference, call in service.calls.items():
                peer = reference.partition(".")[0]
                here = (*at, "calls", reference)
                yield self._fact("call", here, service=name, peer=peer, view=reference, policy=call.policy)
        yield from self._sagas()

    def _sagas(self) -> Iterator[Fact]:
        from archgen.spec.model import OrchestratedStep

        for name, saga in self._system.sagas.items():
            at: Path = ("sagas", name)
            yield self._fact("saga", at, saga=name, style=saga.style, owner=saga.owner)
            steps: tuple[OrchestratedStep | ChoreographedStep, ...] = saga.steps
            for number, step in enumerate(steps):
                data = {"saga": name, "style": saga.style, "owner": saga.owner, "do": step.do}
                data["undo"] = step.undo if isinstance(step, OrchestratedStep) else ""
                yield self._fact("step", (*at, "steps", number), **data)

    def _fact(self, kind: str, at: Path, **data: Any) -> Fact:
        line, _ = self._document.place(at, key=isinstance(at[-1], str))
        return Fact(f"declared.{kind}", self._source.path, line, self._strength, data)
