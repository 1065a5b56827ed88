"""The wrong error is returned, and it is nil."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("error.lost"),
        lambda f: (
            f"{f['function']} checks {f['checked']} and returns {f['used']}"
            + (", so a failed commit looks like success" if f["commit"] else "")
        ),
    )


RULE = Rule(
    id="ERR-003",
    item="error_handling",
    kind="defect",
    severity=Severity.ERROR,
    title="Commit error lost",
    why="The caller is told that all went well, and the data is not there.",
    remedy="Return the error that was checked.",
    languages=("go",),
    valid=(
        Sample("go", {
            "a.go": """
                package a
                func F(tx *sql.Tx, err error) error {
                    if commitErr := tx.Commit(); commitErr != nil {
                        return errors.Wrap(commitErr, "commit")
                    }
                    return nil
                }
            """,
        }),
    ),
    invalid=(
        Sample("go", {
            "a.go": """
                package a
                func F(tx *sql.Tx, err error) error {
                    if commitErr := tx.Commit(); commitErr != nil {
                        return errors.Wrap(err, "commit") // <-
                    }
                    return nil
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
