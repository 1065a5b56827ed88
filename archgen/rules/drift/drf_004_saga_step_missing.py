"""A step of a saga, or its compensation, is declared and is not in the saga's code."""

import re
from collections.abc import Iterable, Iterator

from archgen.evidence.facts import Fact, Facts
from archgen.rules.drift.code import declared, mentions, word
from archgen.rules.drift.drf_003_no_saga import SAGA, WHOLE, conductors
from archgen.rules.drift.samples import LANGUAGES, sample
from archgen.rules.model import Hit, Rule, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for step in declared(facts, "step"):
        homes = list(conductors(facts, step))
        if not homes:
            continue
        for what, part in _parts(step):
            name = re.escape(part.partition(".")[2])
            if not any(mentions(module, rf"\b{word(name)}\b") for module in homes):
                yield Hit(
                    step.file,
                    step.line,
                    f"{what} {part} of saga {step['saga']} is declared and not in its code",
                )


def _parts(step: Fact) -> Iterator[tuple[str, str]]:
    yield "step", str(step["do"])
    if step["undo"]:
        yield "compensation", str(step["undo"])


_LACKING = SAGA.replace("undo: payments.refund}", "undo: payments.refund}  # <-")
_PART = {
    language: {
        path: re.sub(r", (undo=)?(payment\.)?Refund|\.withCompensation\(this::refund\)", "", text)
        for path, text in files.items()
    }
    for language, files in WHOLE.items()
}
_BOTH = ("orders", "payments")

RULE = Rule(
    id="DRF-004",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Declared step that the saga lacks",
    why="The saga does less than is declared, or cannot take back what it did.",
    remedy="Put the step and its compensation into the saga, or take them out of the description.",
    languages=LANGUAGES,
    valid=tuple(sample(language, SAGA, WHOLE[language], _BOTH) for language in LANGUAGES),
    invalid=tuple(sample(language, _LACKING, _PART[language], _BOTH) for language in LANGUAGES),
    check=check,
)  # fmt: skip
