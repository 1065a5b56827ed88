"""A table that two services write."""

from collections import defaultdict
from collections.abc import Iterable

from archgen.evidence.entries import is_tool
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity
from archgen.rules.service_boundaries.bindings import apart, databases


def check(facts: Facts) -> Iterable[Hit]:
    """Tables of one name are one table only where the services share the database."""
    bound = databases(facts)
    shared = [set(users) - apart(bound) for users in bound.values() if len(set(users) - apart(bound)) > 1]
    if not shared:
        return
    writers: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
    for module, function in facts.program.functions():
        if is_tool(module.path):
            continue  # a migration writes wherever it has to
        service = facts.service_of(module.path)
        for effect in function.effects if service else ():
            if service and effect.kind == "db.write" and effect.table and not effect.via:
                table = effect.table.rpartition(".")[2].removesuffix("repository").strip("_")
                writers[table].setdefault(service.name, (module.path, effect.call.line))
    for table, places in sorted(writers.items()):
        for users in shared:
            names = sorted(users & set(places))
            if len(names) > 1:
                file, line = places[names[0]]
                yield Hit(file, line, f"{table} is written by {len(names)} services: {', '.join(names)}")


def _compose(one: str, other: str) -> str:
    return (
        "services:\n"
        f"  orders: {{build: orders, environment: {{DATABASE_URL: 'postgresql://db/{one}'}}}}\n"
        f"  billing: {{build: billing, environment: {{DATABASE_URL: 'postgresql://db/{other}'}}}}\n"
    )


def _python(one: str, other: str, mark: str = "") -> dict[str, str]:
    write = "def keep(conn):\n    conn.execute('update customers set paid = 1'){0}\n"
    return {
        "compose.yaml": _compose(one, other),
        "orders/Dockerfile": "FROM python",
        "orders/main.py": "import uvicorn\nuvicorn.run('a')\n",
        "orders/keep.py": write.format(""),
        "billing/Dockerfile": "FROM python",
        "billing/main.py": "import uvicorn\nuvicorn.run('a')\n",
        "billing/keep.py": write.format(mark),
    }


_TABLES = """from sqlalchemy import MetaData, Table
customers = Table('customers', MetaData())
def keep(conn):
    conn.execute(customers.update().values(paid=1)){0}
"""


def _objects(one: str, other: str, mark: str = "") -> dict[str, str]:
    kept = {"orders/keep.py": _TABLES.format(""), "billing/keep.py": _TABLES.format(mark)}
    return {**_python(one, other), **kept}


def _typescript(one: str, other: str, mark: str = "") -> dict[str, str]:
    write = "export async function keep(pool) {{\n  await pool.query('update customers set paid = true');{0}\n}}\n"
    return {
        "compose.yaml": _compose(one, other),
        "orders/package.json": "{}",
        "orders/src/main.ts": "app.listen(1);\n",
        "orders/src/keep.ts": write.format(""),
        "billing/package.json": "{}",
        "billing/src/main.ts": "app.listen(2);\n",
        "billing/src/keep.ts": write.format(mark),
    }


RULE = Rule(
    id="BND-002",
    item="service_boundaries",
    kind="defect",
    severity=Severity.ERROR,
    title="Table written by two services",
    why="Neither can say what is in it: each breaks the other's rules without touching the other's code.",
    remedy="Let one service own the table, and the others ask it or tell it.",
    languages=("python", "typescript"),
    valid=(Sample("python", _python("a", "b")), Sample("typescript", _typescript("a", "b"))),
    invalid=(
        Sample("python", _python("a", "a", "  # <-")),
        Sample("python", _objects("a", "a", "  # <-")),
        Sample("typescript", _typescript("a", "a", " // <-")),
    ),
    check=check,
)
