"""A service is declared, and nothing in the project starts it."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.evidence.nature import TEST_FOLDERS
from archgen.rules.drift.code import declared, home
from archgen.rules.drift.samples import LANGUAGES, SYSTEM, sample
from archgen.rules.model import Hit, Rule, Severity


def check(facts: Facts) -> Iterable[Hit]:
    for one in declared(facts, "service"):
        # a service that is named like a folder of tests is not seen by the audit
        if home(facts, str(one["service"])) is None and str(one["service"]) not in TEST_FOLDERS:
            yield Hit(one.file, one.line, f"service {one['service']} is declared, and nothing starts it")


_MISSING = SYSTEM + "  payments: {}  # <-\n"

RULE = Rule(
    id="DRF-001",
    item="service_boundaries",
    kind="defect",
    severity=Severity.ERROR,
    title="Declared service without code",
    why="Who reads the description counts on a service that is not there, and so do its callers.",
    remedy="Run `archgen architect run`, or take the service out of the description.",
    languages=LANGUAGES,
    valid=tuple(sample(language, SYSTEM, {}) for language in LANGUAGES),
    invalid=tuple(sample(language, _MISSING, {}) for language in LANGUAGES),
    check=check,
)
