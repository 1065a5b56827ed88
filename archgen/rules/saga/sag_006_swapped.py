"""What does a step and what takes it back stand in each other's place."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity

# Words that can only take something back, and words that can only do something.
_BACK = re.compile(
    r"^(undo|revert|compensat\w*|refund|release|cancel|void|restock|unreserve|reverse|deallocate|unbook|unlock|withdraw)",
    re.IGNORECASE,
)
_FORTH = re.compile(
    r"^(charge|pay|reserve|create|book|allocate|debit|authori[sz]e|hold|lock|ship|place|open|submit|buy|order|add)",
    re.IGNORECASE,
)
_UNDO = re.compile(r"\b(undo|compensat\w*|rollback|revert|backward)[\"']?\s*[:=]\s*([\w.]+)", re.IGNORECASE)
_WORD = re.compile(r"[\w.]+")
_FAILED = re.compile(r"fail|reject|declin|refus|out_?of_?stock|timed_?out|denied|released", re.IGNORECASE)


def check(facts: Facts) -> Iterable[Hit]:
    for saga in facts.of("saga.definition"):
        for number, step in enumerate(saga["texts"], 1):
            undo = _UNDO.search(step)
            inner = step[step.find("(") + 1 :] if "(" in step else step
            named = re.search(r"\b(?:do|invoke|action|forward|execute)[\"']?\s*[:=]\s*([\w.]+)", inner)
            first = named[1] if named else getattr(_WORD.search(inner), "group", lambda: "")()
            if undo and _BACK.match(_last(first)) and _FORTH.match(_last(undo[2])):
                message = (
                    f"step {number} of {saga['name']} does {_last(first)} and is undone by {_last(undo[2])}"
                )
                yield Hit(saga.file, saga.line, message, saga.strength)
    reactions = list(facts.of("saga.reaction"))
    back = {facts.service_of(r.file) for r in reactions if _BACK.match(str(r["command"]))}
    for reaction in reactions:
        failed = _FAILED.search(str(reaction["event"]))
        if failed and _FORTH.match(str(reaction["command"])) and facts.service_of(reaction.file) in back:
            message = f"{reaction['command']} is done on {reaction['event']}, which calls for taking it back"
            yield Hit(reaction.file, reaction.line, message, reaction.strength)


def _last(name: str) -> str:
    return name.rpartition(".")[2].removesuffix("Command").removesuffix("Cmd")


RULE = Rule(
    id="SAG-006",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Step and compensation swapped",
    why="The saga refunds what was never charged, and charges when it should give back.",
    remedy="Put the command that does the step first, and the one that takes it back under undo.",
    languages=("python", "typescript"),
    valid=(
        Sample("python", {
            "a.py": """
                s = Saga(steps=[Step(Charge, undo=Refund), Step(Ship, undo=CancelShipment)])
                t = Saga(steps=[Step(CancelBooking, undo=Rebook), Step(Refund)])
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const s = new Saga([{ invoke: charge, compensate: refund }, { invoke: ship }]);
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                s = Saga(steps=[Step(Refund, undo=Charge), Step(Ship, undo=CancelShipment)])  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                const s = new Saga([ // <-
                  { invoke: refund, compensate: charge }, { invoke: ship },
                ]);
            """,
        }),
    ),
    check=check,
)  # fmt: skip
