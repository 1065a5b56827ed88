"""Changes that belong together are made in one transaction."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("transaction"), lambda f: f"transaction in {f['function'] or 'the module'}")


RULE = Rule(
    id="DTC-E03",
    item="data_consistency",
    kind="evidence",
    severity=Severity.NOTE,
    title="Transactions",
    why="Changes that belong together and are made apart are found half made after a crash.",
    remedy="Open a transaction around what belongs together.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                def f(engine):
                    with engine.begin() as conn:  # <-
                        conn.execute(x)
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                async function f(prisma) {
                  await prisma.$transaction([a, b]); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(db *sql.DB) { tx, _ := db.BeginTx(ctx, nil); tx.Commit() } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  @Transactional public void f() { } // <-
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def f(transaction):
                    return transaction.amount
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                // prisma.$transaction([a])
                const transaction = 1;
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(tx Transaction) { tx.Amount() }
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { /* @Transactional */ public void f(Transaction t) { t.amount(); } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
