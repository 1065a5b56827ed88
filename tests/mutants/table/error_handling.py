"""Error handling: nothing swallowed, nothing lost, no part taken for the whole."""

from __future__ import annotations

from functools import partial

from tests.mutants.edits import add, body, chain, drop, regex, rewrite, wrap
from tests.mutants.model import Mutation
from tests.mutants.table.places import CHASSIS, INVENTORY, NOTIFICATIONS, ORDERS, PAYMENTS, SHIPPING

_errors = partial(Mutation, item="error_handling")

MUTATIONS = (
    _errors(
        "a use case that swallows whatever goes wrong",
        rules=("ERR-001",),
        at=f"{ORDERS}commands/create.py",
        edit=wrap(f"{ORDERS}commands/create.py", "uow.handle($$$A)", "try:", "except Exception:\n    pass"),
    ),
    _errors(
        "a job that swallows whatever goes wrong",
        rules=("ERR-001",),
        at=f"{NOTIFICATIONS}jobs/deliver.py",
        edit=regex(
            f"{NOTIFICATIONS}jobs/deliver.py",
            r"    except Undeliverable as error:\n        reason = str\(error\)",
            "    except Exception:\n        pass",
        ),
    ),
    _errors(
        "an exception suppressed around a write",
        rules=("ERR-001",),
        at=f"{CHASSIS}runtime.py",
        edit=rewrite(
            f"{CHASSIS}runtime.py",
            "while await self.db.run(upkeep.forget) >= upkeep.PIECE: $$$B",
            "with contextlib.suppress(Exception):\n            await self.db.run(upkeep.forget)",
        ),
    ),
    _errors(
        "bare except around a call",
        rules=("ERR-001",),
        at=f"{SHIPPING}carrier.py",
        edit=add(
            f"{SHIPPING}carrier.py",
            """
            import os

            from chassis.http_client import Peer

            carrier = Peer("carrier", os.environ["CARRIER_URL"])


            async def book(parcel: dict[str, str]) -> None:
                try:
                    await carrier.post_json("/parcels", parcel)
                except:  # noqa: E722
                    pass
            """,
        ),
    ),
    _errors(
        "a publish that fails is logged and forgotten",
        rules=("ERR-002",),
        at=f"{CHASSIS}relay.py",
        edit=wrap(
            f"{CHASSIS}relay.py",
            "await self._bus.publish($$$A)",
            "try:",
            'except Exception as error:\n    log.warning("not published", extra={"reason": repr(error)})',
        ),
        also=("data_consistency",),
    ),
    _errors(
        "the broker's no is logged and forgotten",
        rules=("ERR-002",),
        at=f"{CHASSIS}bus/nats.py",
        edit=wrap(
            f"{CHASSIS}bus/nats.py",
            "acks.append(await self._publisher.publish_async($$$A))",
            "try:",
            'except NatsError as error:\n    log.warning("not published: %s", error)',
        ),
    ),
    _errors(
        "acknowledgements of a batch are not looked at",
        rules=("ERR-004",),
        at=f"{CHASSIS}bus/nats.py",
        edit=rewrite(
            f"{CHASSIS}bus/nats.py",
            "await asyncio.gather(*acks)",
            "await asyncio.gather(*acks, return_exceptions=True)",
        ),
    ),
    _errors(
        "results of a batch are not looked at",
        rules=("ERR-004",),
        at=f"{SHIPPING}labels.py",
        edit=add(
            f"{SHIPPING}labels.py",
            """
            import asyncio
            import os

            from chassis.http_client import Peer

            printer = Peer("printer", os.environ["PRINTER_URL"])


            async def print_all(labels: list[dict[str, str]]) -> int:
                calls = [printer.post_json("/labels", label, key=label["id"]) for label in labels]
                await asyncio.gather(*calls, return_exceptions=True)
                return len(labels)
            """,
        ),
    ),
    _errors(
        "entries of a batch that the queue refused",
        rules=("ERR-004",),
        at=f"{PAYMENTS}export.py",
        edit=add(
            f"{PAYMENTS}export.py",
            """
            import os

            import boto3

            sqs = boto3.client("sqs")


            def export(bodies: list[str]) -> None:
                entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
                sqs.send_message_batch(QueueUrl=os.environ["EXPORT_QUEUE_URL"], Entries=entries)
            """,
        ),
        also=("data_consistency", "communication_patterns", "circuit_breaker", "observability", "job_queues"),
    ),
    _errors(
        "a commit that fails is only logged",
        rules=("ERR-003",),
        at=f"{INVENTORY}count.py",
        edit=add(
            f"{INVENTORY}count.py",
            """
            import logging
            import sqlite3

            log = logging.getLogger(__name__)


            def count(connection: sqlite3.Connection, sku: str, on_hand: int) -> bool:
                connection.execute("INSERT INTO counts (sku, on_hand) VALUES (?, ?)", (sku, on_hand))
                try:
                    connection.commit()
                except sqlite3.Error as error:
                    log.warning("the count was not committed: %s", error)
                return True
            """,
        ),
    ),
    _errors(
        "those who wait for a commit are not told that it failed",
        rules=("ERR-003",),
        at=f"{CHASSIS}db.py",
        edit=chain(
            rewrite(f"{CHASSIS}db.py", "unit.settle(failure)", "unit.settle()"),
            regex(f"{CHASSIS}db.py", r"^            failure = error\n", "            pass\n"),
            regex(f"{CHASSIS}db.py", r"^        failure: BaseException \| None = None\n", ""),
        ),
    ),
    _errors(
        "who asks is kept in a global",
        rules=("ERR-005",),
        at=f"{ORDERS}who.py",
        edit=add(
            f"{ORDERS}who.py",
            """
            from fastapi import APIRouter, Request

            router = APIRouter()
            current_user = ""


            @router.get("/me")
            async def me(request: Request) -> dict[str, str]:
                global current_user
                current_user = request.headers["x-user"]
                return {"user": current_user}
            """,
        ),
    ),
    _errors(
        "the request is kept in an attribute of a class",
        rules=("ERR-005",),
        at=f"{ORDERS}who.py",
        edit=add(
            f"{ORDERS}who.py",
            """
            from fastapi import Request


            class Context:
                user = None
                tenant = None


            async def remember(request: Request) -> None:
                Context.user = request.headers["x-user"]
                Context.tenant = request.headers["x-tenant"]
            """,
        ),
    ),
    _errors(
        "what failed is left out, and all is reported as done",
        rules=("ERR-006",),
        at=f"{INVENTORY}receive_many.py",
        edit=add(
            f"{INVENTORY}receive_many.py",
            """
            from fastapi import APIRouter, Request

            from chassis.http import execute
            from inventory.generated import stock, use_cases

            router = APIRouter()


            @router.post("/deliveries")
            async def receive(lines: list[dict[str, int]], request: Request) -> dict[str, str]:
                for line in lines:
                    try:
                        await execute(request, use_cases.RECEIVE, stock.Receive(**line))
                    except Exception:
                        continue
                return {"status": "ok"}
            """,
        ),
    ),
    _errors(
        "a failure is answered with 200",
        rules=("ERR-006", "ERR-001"),
        at=f"{PAYMENTS}refund_all.py",
        edit=add(
            f"{PAYMENTS}refund_all.py",
            """
            from fastapi import APIRouter, Request

            from chassis.http import execute
            from payments.generated import payment, use_cases

            router = APIRouter()


            @router.post("/refunds")
            async def refund(ids: list[str], request: Request) -> dict[str, object]:
                failed = []
                for id in ids:
                    try:
                        await execute(request, use_cases.REFUND, payment.Refund(payment_id=id))
                    except Exception as error:
                        failed.append(str(error))
                return {"success": True}
            """,
        ),
    ),
    _errors(
        "errors are not mapped to answers",
        rules=(),
        at="",
        edit=chain(
            drop(f"{CHASSIS}problem.py", "app.add_exception_handler($$$A)"),
            drop(f"{CHASSIS}problem.py", "app.add_middleware(Unexpected)"),
        ),
    ),
    _errors(
        "nothing is tried again",
        rules=(),
        at="",
        edit=chain(
            body(f"{CHASSIS}retry.py", "retrying", "return await attempt()"),
            body(
                f"{CHASSIS}inbox.py",
                "Inbox._again_or_never",
                "await self._give_up(delivery, message, _reason(error))",
            ),
        ),
        also=("circuit_breaker", "job_queues"),
    ),
    _errors(
        "a dead letter that could not be written is forgotten",
        rules=("ERR-001", "ERR-003"),
        at=f"{CHASSIS}inbox.py",
        edit=regex(
            f"{CHASSIS}inbox.py",
            r"(            log\.warning\(\"a dead letter could not be written yet\".*\n)            await delivery\.retry.*\n            return\n",
            r"\1",
        ),
    ),
)
