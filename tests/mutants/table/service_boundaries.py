"""Service boundaries: whose data is it, and whose code."""

from __future__ import annotations

from functools import partial

from tests.mutants.config import set_value
from tests.mutants.edits import Edit, add, append, body, chain, imports, regex, text
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


def one_database(other: str, owner: str) -> Edit:
    """The service `other` works on the database of `owner`, wherever they are deployed."""
    key = "spec.template.spec.containers.*.env.[name=DATABASE_URL].valueFrom.secretKeyRef.name"
    address = f'"postgresql://{owner}:secret@postgres:5432/{owner}"'
    return chain(
        *(set_value(COMPOSE, f"services.{one}.environment.DATABASE_URL", address) for one in (other, owner)),
        set_value(f"{KUBERNETES}{other}.yaml", key, owner),
    )


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
            one_database("payments", "orders"),
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
            one_database("shipping", "inventory"),
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
                from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


                class Base(DeclarativeBase):
                    pass


                class Customer(Base):
                    __tablename__ = "customers"
                    customer_id: Mapped[str] = mapped_column(primary_key=True)
                    name: Mapped[str]
                    email: Mapped[str]


                class Order(Base):
                    __tablename__ = "orders"
                    order_id: Mapped[str] = mapped_column(primary_key=True)
                    status: Mapped[str]
                """,
            ),
            imports(f"{ORDERS}commands/create.py", "from entities.models import Order as SharedOrder"),
            imports(f"{PAYMENTS}commands/charge.py", "from entities.models import Customer"),
            imports(f"{SHIPPING}commands/create.py", "from entities.models import Customer, Order"),
        ),
    ),
    _boundary(
        "a service that no document mentions",
        rules=("BND-005",),
        at="services/tariffs/*",
        edit=chain(
            add("services/tariffs/pyproject.toml", '[project]\nname = "tariffs"\nversion = "1"\n'),
            add("services/tariffs/Dockerfile", 'FROM python:3.12-slim\nCMD ["python", "-m", "tariffs"]\n'),
            add("services/tariffs/src/tariffs/__init__.py", ""),
            add(
                "services/tariffs/src/tariffs/__main__.py",
                """
                import uvicorn
                from fastapi import FastAPI

                app = FastAPI()

                if __name__ == "__main__":
                    uvicorn.run(app, port=8010)
                """,
            ),
        ),
    ),
    _boundary(
        "another service's tables are changed from a job",
        rules=("BND-003",),
        at=f"{PAYMENTS}*",
        edit=chain(
            imports(f"{PAYMENTS}jobs/reconcile.py", "from orders.commands.cancel import cancel"),
            append(
                f"{PAYMENTS}jobs/reconcile.py",
                """


                def close(uow: UnitOfWork, command: Any) -> None:
                    cancel(command, uow)
                """,
            ),
        ),
    ),
)
