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
        Sample(
            "python",
            {"a.py": "def f(engine):\n    with engine.begin() as conn:  # <-\n        conn.execute(x)\n"},
        ),
        Sample(
            "typescript",
            {"a.ts": "async function f(prisma) {\n  await prisma.$transaction([a, b]); // <-\n}\n"},
        ),
        Sample(
            "go",
            {"a.go": "package a\nfunc F(db *sql.DB) { tx, _ := db.BeginTx(ctx, nil); tx.Commit() } // <-\n"},
        ),
        Sample("java", {"A.java": "class A {\n  @Transactional public void f() { } // <-\n}\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "def f(transaction):\n    return transaction.amount\n"}),
        Sample("typescript", {"a.ts": "// prisma.$transaction([a])\nconst transaction = 1;\n"}),
        Sample("go", {"a.go": "package a\nfunc F(tx Transaction) { tx.Amount() }\n"}),
        Sample(
            "java",
            {"A.java": "class A { /* @Transactional */ public void f(Transaction t) { t.amount(); } }\n"},
        ),
    ),
    check=check,
)
