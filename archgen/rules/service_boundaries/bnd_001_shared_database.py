"""A database that several services use."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity
from archgen.rules.service_boundaries.bindings import apart, databases
from archgen.rules.service_boundaries.libraries import shared_repositories, shared_schemas
from archgen.rules.service_boundaries.packages import shared_stores


def check(facts: Facts) -> Iterable[Hit]:
    bound = databases(facts)
    told: set[tuple[str, ...]] = set()
    for target, users in bound.items():
        same = (target.rpartition("/")[2], *sorted(users))
        if len(users) > 1 and same not in told:
            told.add(same)  # one database has an address of its own in each configuration
            # where another configuration gives each its own, the code is cut rightly and one deployment is
            # not
            lesser = Severity.WARNING if len(set(users) - apart(bound)) < 2 else None
            names = sorted(users)
            place = users[names[0]]
            shown = target.removeprefix("config:")
            message = f"{shown} is used by {len(names)} services: {', '.join(names)}"
            yield Hit(place.file, place.line, message, place.strength, lesser)
    by_code = [] if told else [*shared_schemas(facts), *shared_repositories(facts)]
    for names, file, line in (*shared_stores(facts), *by_code):
        yield Hit(file, line, f"one store is written for {len(names)} services: {', '.join(names)}")


RULE = Rule(
    id="BND-001",
    item="service_boundaries",
    kind="defect",
    severity=Severity.ERROR,
    title="Shared database",
    why=(
        "Services that share a database share its schema, its locks and its outages: none of them "
        "can change alone."
    ),
    remedy="Give each service its own database, and let the others ask it or listen to its events.",
    languages=("config", "java"),
    valid=(
        Sample("java", {  # an outbox that a library brings along is each one's own
            "orders/pom.xml": "<project/>",
            "orders/src/main/java/shop/orders/App.java": """
                package shop.orders;
                import shop.common.OutboxRepository;
                import shop.common.AuditLogRepository;
                @SpringBootApplication
                class App { OutboxRepository outbox; AuditLogRepository log; }
            """,
            "payments/pom.xml": "<project/>",
            "payments/src/main/java/shop/payments/App.java": """
                package shop.payments;
                import shop.common.OutboxRepository;
                import shop.common.AuditLogRepository;
                @SpringBootApplication
                class App { OutboxRepository outbox; AuditLogRepository log; }
            """,
            "common/src/main/java/shop/common/OutboxRepository.java": """
                package shop.common;
                interface OutboxRepository extends JpaRepository<Outbox, Long> {}
            """,
            "common/src/main/java/shop/common/AuditLogRepository.java": """
                package shop.common;
                interface AuditLogRepository extends JpaRepository<AuditLog, Long> {}
            """,
        }),
        Sample("config", {  # one of them only asks the other
            "apps/web/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "apps/web/src/main.ts": """
                createServer((request) => fetch(process.env.API, { method: 'POST' })).listen(1);
            """,
            "apps/api/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "apps/api/src/main.ts": """
                import { prisma } from '@shop/prisma';
                createServer((request) => prisma.order.create({ data: request.body })).listen(2);
            """,
            "packages/prisma/package.json": '{\n"name": "@shop/prisma"\n}',
            "packages/prisma/index.ts": """
                import { PrismaClient } from '@prisma/client';
                export const prisma = new PrismaClient();
            """,
        }),
        Sample("config", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": "uvicorn.run('a')\n",
            "payments/Dockerfile": "FROM python",
            "payments/main.py": "uvicorn.run('a')\n",
            "compose.yaml": """
                services:
                  orders: {build: orders, environment: {DATABASE_URL: "postgresql://db/orders"}}
                  payments: {build: payments, environment: {DATABASE_URL: "postgresql://db/payments"}}
                  migrate: {image: flyway, environment: {DATABASE_URL: "postgresql://db/payments"}}
            """,
        }),
        Sample("config", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": "uvicorn.run('a')\n",
            "orders/src/main/resources/application.properties":
                "spring.datasource.url=${DB_URL:jdbc:postgresql://localhost:15432/postgres}\n",
            "payments/Dockerfile": "FROM python",
            "payments/main.py": "uvicorn.run('a')\n",
            "payments/src/main/resources/application.properties":
                "spring.datasource.url=${DB_URL:jdbc:postgresql://localhost:25432/postgres}\n",
        }),
    ),
    invalid=(
        Sample("config", {  # one file for all of them
            ".env": "DATABASE_URL=postgresql://db/shop  # <-\n",
            "apps/orders/Dockerfile": "FROM node",
            "apps/orders/package.json": '{"name": "orders", "scripts": {"start": "node main.js"}}',
            "apps/orders/main.ts": """
                export function start() { return new Pool({ connectionString: process.env.DATABASE_URL }); }
                createServer(start).listen(1);
            """,
            "apps/payments/Dockerfile": "FROM node",
            "apps/payments/package.json": '{"name": "payments", "scripts": {"start": "node main.js"}}',
            "apps/payments/main.ts": """
                export function start() { return new Pool({ connectionString: process.env.DATABASE_URL }); }
                createServer(start).listen(2);
            """,
        }),
        Sample("java", {  # repositories of a module beside them
            "orders/pom.xml": "<project/>",
            "orders/src/main/java/shop/orders/App.java": """
                package shop.orders;
                import shop.common.OrderRepository;
                import shop.common.ProductRepository;
                @SpringBootApplication
                class App { OrderRepository orders; ProductRepository products; }
            """,
            "admin/pom.xml": "<project/>",
            "admin/src/main/java/shop/admin/App.java": """
                package shop.admin;
                import shop.common.OrderRepository;
                import shop.common.ProductRepository;
                @SpringBootApplication
                class App { OrderRepository orders; ProductRepository products; }
            """,
            "common/src/main/java/shop/common/OrderRepository.java": """
                package shop.common;
                interface OrderRepository extends JpaRepository<Order, Long> {} // <-
            """,
            "common/src/main/java/shop/common/ProductRepository.java": """
                package shop.common;
                interface ProductRepository extends JpaRepository<Product, Long> {}
            """,
        }),
        Sample("config", {  # the schema lies in a package that both bring in
            "apps/web/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "apps/web/src/main.ts": """
                import { prisma } from '@shop/prisma';
                createServer((request) => prisma.order.create({ data: request.body })).listen(1);
            """,
            "apps/worker/package.json": '{"scripts": {"start": "node dist/main.js"}}',
            "apps/worker/src/main.ts": """
                import { prisma } from '@shop/prisma';
                setInterval(() => prisma.order.update({ where: { due: true }, data: { sent: true } }), 1000);
            """,
            "packages/prisma/package.json": '{\n"name": "@shop/prisma"\n}',
            "packages/prisma/index.ts": """
                import { PrismaClient } from '@prisma/client';
                export const prisma = new PrismaClient(); // <-
            """,
        }),
        Sample("config", {
            "pyproject.toml": """
                [project]
                name = "nets"
                [project.scripts]
                nets-api = "nets.cmd.api:main"
                nets-worker = "nets.cmd.worker:main"
            """,
            "nets/cmd/api.py": """
                from nets.api import app
                def main():
                    service.serve(app.load())
            """,
            "nets/cmd/worker.py": """
                from nets.worker import run
                def main():
                    service.serve(run.Worker())
            """,
            "nets/api/app.py": "from nets.db import api as store\n",
            "nets/worker/run.py": "from nets.db import api as store\n",
            "nets/db/__init__.py": "",
            "nets/db/api.py": "BACKEND = load('nets.db.sql')\n",
            "nets/db/sql.py": """
                def keep(session, net):
                    session.add(net)  # <-
            """,
        }),
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
                      - DATABASE_URL=postgresql://user:secret@db/shop  # <-
                  payments:
                    build: payments
                    environment:
                      - DATABASE_URL=postgresql://db/shop
            """,
        }),
    ),
    check=check,
)  # fmt: skip
