"""Each service names a database of its own."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity
from archgen.rules.service_boundaries.bindings import databases


def check(facts: Facts) -> Iterable[Hit]:
    bound = databases(facts)
    alone = {target: users for target, users in bound.items() if len(users) == 1}
    if len(alone) < 2 or len(alone) < len(bound):
        return
    for target, users in alone.items():
        for service, place in users.items():
            yield Hit(place.file, place.line, f"{service} alone uses {target}", place.strength)


RULE = Rule(
    id="BND-E02",
    item="service_boundaries",
    kind="evidence",
    severity=Severity.NOTE,
    title="A database per service",
    why="A schema that one service owns can change without asking the others.",
    remedy="Give every service its own database, or at least its own schema and credentials.",
    languages=("config",),
    valid=(
        Sample("config", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": "uvicorn.run('a')\n",
            "payments/Dockerfile": "FROM python",
            "payments/main.py": "uvicorn.run('a')\n",
            "compose.yaml": """
                services:
                  orders:
                    build: orders
                    environment:
                      DATABASE_URL: postgresql://db/orders  # <-
                  payments:
                    build: payments
                    environment:
                      DATABASE_URL: postgresql://db/payments  # <-
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": "uvicorn.run('a')\n",
            "compose.yaml": """
                services:
                  orders:
                    build: orders
                #    environment:
                #      DATABASE_URL: postgresql://db/orders
            """,
        }),
    ),
    check=check,
)  # fmt: skip
