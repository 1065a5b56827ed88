"""Writes that name the version they read."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("optimistic_lock"), lambda f: f"a stale write is refused: {f['what']} in {f['function']}"
    )


RULE = Rule(
    id="DTC-E04",
    item="data_consistency",
    kind="evidence",
    severity=Severity.NOTE,
    title="Optimistic locking",
    why=(
        "Of two writers that read the same state, the second overwrites the first without a word, "
        "unless versions are compared."
    ),
    remedy="Keep a version with each aggregate, and update only where it is still the one that was read.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                def f(conn):
                    conn.execute(update(t).where(t.c.version == read))  # <-
            """,
        }),
        Sample("java", {
            "A.java": """
                @Entity
                class A {
                  @Version // <-
                  Long version;
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import { Entity, VersionColumn } from 'typeorm';
                @Entity()
                export class Order {
                  @VersionColumn() version: number; // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Save(db *sql.DB, o Order) error {
                    _, err := db.Exec("UPDATE orders SET status = $1, version = version + 1 WHERE id = $2 AND version = $3", o.Status, o.ID, o.Version) // <-
                    return err
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {  # of a format, which nobody else changes
            "a.py": """
                class Cipher:
                    def encrypt(self, raw):
                        if self.version == 2:
                            return Fernet(self.key).encrypt(raw)
                        raise ValueError(self.version)
            """,
        }),
        Sample("python", {
            "a.py": """
                def f(app):
                    # where version == read
                    return app.version
            """,
        }),
        Sample("java", {
            "A.java": "class A { String version; /* @Version */ }\n",
        }),
        Sample("typescript", {
            "a.ts": """
                // @VersionColumn()
                export const version = '1.0.0';
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                // AND version = $3
                const version = "1.0.0"
                func Save(db *sql.DB, o Order) error {
                    _, err := db.Exec("UPDATE orders SET status = $1 WHERE id = $2", o.Status, o.ID)
                    return err
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
