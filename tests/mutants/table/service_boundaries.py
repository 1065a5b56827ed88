"""Service boundaries: whose data is it, and whose code."""

from __future__ import annotations

from functools import partial

from tests.mutants.config import set_value
from tests.mutants.edits import add, append, body, chain, imports, regex, text
from tests.mutants.model import Mutation
from tests.mutants.table.places import (
    COMPOSE,
    INVENTORY,
    KUBERNETES,
    NOTIFICATIONS,
    ORDERS,
    PAYMENTS,
    SHIPPING,
)

_boundary = partial(Mutation, item="service_boundaries")
_LEDGER = """
    from sqlalchemy import Column, MetaData, Numeric, Table, Text

    metadata = MetaData()
    customer_credit = Table(
        "customer_credit", metadata, Column("customer_id", Text, primary_key=True), Column("amount", Numeric)
    )
"""

MUTATIONS = (
    _boundary(
        "two services on one database, in compose",
        rules=("BND-001",),
        at=COMPOSE,
        edit=set_value(
            COMPOSE,
            "services.shipping.environment.DATABASE_URL",
            '"postgresql://orders:secret@postgres:5432/orders"',
        ),
    ),
    _boundary(
        "two services on one database, in Kubernetes",
        rules=("BND-001",),
        at=f"{KUBERNETES}*",
        edit=set_value(
            f"{KUBERNETES}inventory.yaml",
            "spec.template.spec.containers.*.env.[name=DATABASE_URL].valueFrom.secretKeyRef.name",
            "payments",
        ),
    ),
    _boundary(
        "two services on one database, in the Procfile",
        rules=("BND-001",),
        at="Procfile",
        edit=text("Procfile", "DATABASE_URL=$SHIPPING_DATABASE_URL", "DATABASE_URL=$ORDERS_DATABASE_URL"),
    ),
    _boundary(
        "two services on one database, in the environment",
        rules=("BND-001",),
        at=".env.example",
        edit=regex(
            ".env.example",
            "^(ORDERS|PAYMENTS)_DATABASE_URL=$",
            r"\1_DATABASE_URL=postgresql://shop@db:5432/shop",
        ),
    ),
    _boundary(
        "domain code of another service",
        rules=("BND-003",),
        at=f"{PAYMENTS}*",
        edit=imports(f"{PAYMENTS}commands/charge.py", "from orders.domain.order import Order"),
    ),
    _boundary(
        "a view of another service, imported where it is needed",
        rules=("BND-003",),
        at=f"{NOTIFICATIONS}*",
        edit=body(
            f"{NOTIFICATIONS}views/messages.py",
            "from_state",
            """
            from orders.views.order_details import OrderDetails

            return OrderDetails
            """,
        ),
    ),
    _boundary(
        "use cases of another service, under another name",
        rules=("BND-003",),
        at=f"{SHIPPING}*",
        edit=imports(f"{SHIPPING}commands/create.py", "import inventory.commands.reserve as stock"),
    ),
    _boundary(
        "two services write one table, by SQL",
        rules=("BND-002",),
        at="services/*",
        edit=chain(
            add(
                f"{ORDERS}credit.py",
                """
                from sqlalchemy import Connection, text


                def grant(conn: Connection, customer_id: str, amount: int) -> None:
                    conn.execute(
                        text("UPDATE customer_credit SET amount = amount + :a WHERE customer_id = :c"),
                        {"a": amount, "c": customer_id},
                    )
                """,
            ),
            add(
                f"{PAYMENTS}credit.py",
                """
                from sqlalchemy import Connection, text


                def spend(conn: Connection, customer_id: str, amount: int) -> None:
                    conn.execute(
                        text("UPDATE customer_credit SET amount = amount - :a WHERE customer_id = :c"),
                        {"a": amount, "c": customer_id},
                    )
                """,
            ),
        ),
    ),
    _boundary(
        "two services write one table, by table objects",
        rules=("BND-002",),
        at="services/*",
        edit=chain(
            add(
                f"{INVENTORY}credit.py",
                _LEDGER
                + """

    def keep(conn, customer_id, amount):
        conn.execute(customer_credit.insert().values(customer_id=customer_id, amount=amount))
""",
            ),
            add(
                f"{SHIPPING}credit.py",
                _LEDGER
                + """

    def change(conn, customer_id, amount):
        conn.execute(customer_credit.update().values(amount=amount))
""",
            ),
        ),
    ),
    _boundary(
        "entities that all services share",
        rules=("BND-004",),
        at="libs/*",
        edit=chain(
            add("libs/entities/pyproject.toml", '[project]\nname = "entities"\nversion = "1"\n'),
            add("libs/entities/src/entities/__init__.py", ""),
            add(
                "libs/entities/src/entities/models.py",
                """
                from dataclasses import dataclass, field


                @dataclass
                class Customer:
                    customer_id: str
                    name: str
                    email: str


                @dataclass
                class Order:
                    order_id: str
                    customer: Customer
                    lines: list[str] = field(default_factory=list)
                    status: str = "created"
                """,
            ),
            imports(f"{ORDERS}commands/create.py", "from entities.models import Order as SharedOrder"),
            imports(f"{PAYMENTS}commands/charge.py", "from entities.models import Customer"),
            imports(f"{SHIPPING}commands/create.py", "from entities.models import Customer, Order"),
        ),
    ),
    _boundary(
        "a service without owner or purpose",
        rules=("BND-005",),
        at="*",
        edit=chain(
            regex("system.yaml", r"^    about: Parcels on their way to customers\.\n", ""),
            regex("system.yaml", r"^    owner: logistics\n", ""),
            regex("docs/architecture.md", r"^.*\b[Ll]ogistics\b.*\n", ""),
            regex("README.md", r"^.*\b(logistics|Parcels on their way)\b.*\n", ""),
            regex("docs/disaster-recovery.md", "logistics", ""),
        ),
    ),
    _boundary(
        "another service's tables are changed from a job",
        rules=("BND-003",),
        at=f"{PAYMENTS}*",
        edit=chain(
            imports(f"{PAYMENTS}jobs/reconcile.py", "from orders.generated.aggregates import ORDER"),
            append(
                f"{PAYMENTS}jobs/reconcile.py",
                """


                def close(uow: UnitOfWork, order_id: UUID) -> None:
                    uow.handle(ORDER, order_id, None)
                """,
            ),
        ),
    ),
)
