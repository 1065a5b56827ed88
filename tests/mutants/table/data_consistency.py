"""Data consistency: one commit for state and message, and each message once."""

from __future__ import annotations

from functools import partial

from tests.mutants.edits import add, append, body, chain, drop, imports, regex, rewrite
from tests.mutants.model import Mutation
from tests.mutants.table.places import CHASSIS, INVENTORY, NOTIFICATIONS, ORDERS, PAYMENTS, SHIPPING

_consistent = partial(Mutation, item="data_consistency")
_INBOX = f"{CHASSIS}inbox.py"

MUTATIONS = (
    _consistent(
        "the outbox is written and never published",
        rules=(),
        at="",
        edit=drop(f"{CHASSIS}relay.py", "await self._bus.publish($$$A)"),
        also=("communication_patterns", "job_queues", "error_handling", "observability", "saga"),
    ),
    _consistent(
        "the outbox is not written",
        rules=(),
        at="",
        edit=drop(f"{CHASSIS}outbox.py", "self._conn.execute(insert(outbox).inline(), parameters(rows))"),
    ),
    _consistent(
        "published beside the write, in a service",
        rules=("DTC-001",),
        at=f"{PAYMENTS}receipts.py",
        edit=add(
            f"{PAYMENTS}receipts.py",
            """
            from nats.js import JetStreamContext
            from sqlalchemy import text


            async def keep(session, js: JetStreamContext, payment_id: str) -> None:
                session.execute(text("INSERT INTO receipts (payment_id) VALUES (:id)"), {"id": payment_id})
                session.commit()
                await js.publish("shop.event.receipt.kept.v1", payment_id.encode())
            """,
        ),
    ),
    _consistent(
        "published beside the write, by another broker",
        rules=("DTC-001",),
        at=f"{SHIPPING}customs.py",
        edit=add(
            f"{SHIPPING}customs.py",
            """
            import json

            from kafka import KafkaProducer
            from sqlalchemy.orm import Session


            class Customs:
                def __init__(self, session: Session, producer: KafkaProducer) -> None:
                    self.session = session
                    self.producer = producer

                def declare(self, declaration) -> None:
                    self.session.add(declaration)
                    self.session.commit()
                    self.producer.send("customs.declared.v1", json.dumps({"id": declaration.id}).encode())
            """,
        ),
    ),
    _consistent(
        "published after the commit instead of through the outbox",
        rules=("DTC-001",),
        at=f"{CHASSIS}*",
        edit=chain(
            drop(f"{CHASSIS}uow.py", "self.outbox.flush()"),
            rewrite(
                f"{CHASSIS}runtime.py",
                "self.relay.wake()",
                "await self.bus.publish([Outgoing(m.id, m.address, m.to_json().encode()) for m in session.outbox.messages])",
            ),
            imports(f"{CHASSIS}runtime.py", "from chassis.bus import Outgoing"),
        ),
        also=("error_handling",),
    ),
    _consistent(
        "a job enqueued at a broker beside the write",
        rules=("DTC-001",),
        at=f"{NOTIFICATIONS}digest.py",
        edit=add(
            f"{NOTIFICATIONS}digest.py",
            """
            from sqlalchemy.orm import Session
            from taskiq_nats import PullBasedJetStreamBroker

            broker = PullBasedJetStreamBroker(["nats://127.0.0.1:4222"])


            @broker.task(retry_on_error=True, max_retries=5)
            async def send_digest(customer_id: str) -> None:
                print(customer_id)


            async def subscribe(session: Session, subscription) -> None:
                session.add(subscription)
                session.commit()
                await send_digest.kiq(subscription.customer_id)
            """,
        ),
        also=("job_queues", "communication_patterns"),
    ),
    _consistent(
        "published before the commit, in a service",
        rules=("DTC-002",),
        at=f"{INVENTORY}count.py",
        edit=add(
            f"{INVENTORY}count.py",
            """
            from nats.js import JetStreamContext
            from sqlalchemy import text


            async def count(engine, js: JetStreamContext, sku: str, on_hand: int) -> None:
                async with engine.begin() as conn:
                    await conn.execute(text("INSERT INTO counts VALUES (:s, :n)"), {"s": sku, "n": on_hand})
                    await js.publish("shop.event.stock.counted.v1", sku.encode())
            """,
        ),
    ),
    _consistent(
        "published inside the transaction of the relay's own rows",
        rules=("DTC-001", "DTC-002"),
        at=f"{CHASSIS}sent.py",
        edit=chain(
            imports(f"{CHASSIS}sent.py", "from chassis.bus import Bus, Outgoing"),
            append(
                f"{CHASSIS}sent.py",
                """


                async def publish_and_keep(engine, bus: Bus, batch: Sequence[Outgoing], rows) -> None:
                    with engine.begin() as conn:
                        conn.execute(insert(sent), rows)
                        await bus.publish(batch)
                """,
            ),
        ),
    ),
    _consistent(
        "a peer called inside a transaction",
        rules=("DTC-003",),
        at=f"{PAYMENTS}terminal.py",
        edit=add(
            f"{PAYMENTS}terminal.py",
            """
            import os

            from sqlalchemy import Engine, text

            from chassis.http_client import Peer

            terminal = Peer("terminal", os.environ["TERMINAL_URL"])


            async def pay(engine: Engine, payment_id: str) -> None:
                with engine.begin() as conn:
                    conn.execute(text("UPDATE drafts SET status = 'paying' WHERE id = :id"), {"id": payment_id})
                    await terminal.post_json("/payments", {"id": payment_id}, key=payment_id)
            """,
        ),
        also=("saga",),
    ),
    _consistent(
        "a use case that calls a gateway",
        rules=("DTC-003",),
        at=f"{PAYMENTS}commands/charge.py",
        edit=chain(
            imports(f"{PAYMENTS}commands/charge.py", "import os"),
            imports(f"{PAYMENTS}commands/charge.py", "import httpx"),
            body(
                f"{PAYMENTS}commands/charge.py",
                "charge",
                """
                url = os.environ["CARDS_URL"] + "/charges"
                httpx.post(url, json={"amount": str(command.amount)}, timeout=5.0).raise_for_status()
                uow.handle(aggregates.PAYMENT, command.payment_id, command)
                """,
            ),
        ),
        also=("circuit_breaker", "saga"),
    ),
    _consistent(
        "repeats are noticed in memory only",
        rules=("DTC-004",),
        at=_INBOX,
        edit=chain(
            regex(
                _INBOX,
                r"^        self\._troubled: ",
                "        self._seen: set[str] = set()\n        self._troubled: ",
            ),
            body(
                _INBOX,
                "Inbox._transact",
                """
                session = self._open(conn)
                for message in messages:
                    if message.id in self._seen:
                        continue
                    with messaging.handling(self.consumer, message):
                        self._handler(session, message)
                    self._seen.add(message.id)
                session.flush()
                return session
                """,
            ),
        ),
    ),
    _consistent(
        "a consumer by hand that remembers in a dictionary",
        rules=("DTC-004",),
        at=f"{ORDERS}reviews.py",
        edit=add(
            f"{ORDERS}reviews.py",
            """
            from nats.aio.msg import Msg
            from sqlalchemy import Connection, text


            class Reviews:
                def __init__(self, conn: Connection) -> None:
                    self._conn = conn
                    self._seen: dict[str, bool] = {}

                async def on_review(self, msg: Msg) -> None:
                    key = msg.headers["Nats-Msg-Id"]
                    if key in self._seen:
                        await msg.ack()
                        return
                    self._conn.execute(text("INSERT INTO reviews (body) VALUES (:b)"), {"b": msg.data.decode()})
                    self._seen[key] = True
                    await msg.ack()
            """,
        ),
    ),
    _consistent(
        "the inbox keeps no record",
        rules=("DTC-005",),
        at=f"{CHASSIS}*",
        edit=chain(
            rewrite(
                _INBOX,
                "fresh = record(conn, self.consumer, [message.id for message in messages])",
                "fresh = {message.id for message in messages}",
            ),
            rewrite(_INBOX, "message is None or record(conn, self.consumer, [message.id])", "True"),
            drop(_INBOX, "def record($$$A) -> set[str]: $$$B"),
        ),
    ),
    _consistent(
        "what the inbox knows is not asked for",
        rules=("DTC-005",),
        at=f"{CHASSIS}*",
        edit=chain(
            rewrite(
                _INBOX,
                "fresh = record(conn, self.consumer, [message.id for message in messages])",
                "fresh = {message.id for message in messages}",
            ),
            rewrite(_INBOX, "message is None or record(conn, self.consumer, [message.id])", "True"),
        ),
    ),
    _consistent(
        "a consumer by hand that inserts what comes",
        rules=("DTC-005",),
        at=f"{ORDERS}reviews.py",
        edit=add(
            f"{ORDERS}reviews.py",
            """
            from nats.js import JetStreamContext
            from sqlalchemy import Engine, text


            class Reviews:
                def __init__(self, js: JetStreamContext, engine: Engine) -> None:
                    self._js = js
                    self._engine = engine

                async def start(self) -> None:
                    await self._js.subscribe("shop.event.review.written.v1", durable="reviews", cb=self.on_review)

                async def on_review(self, msg) -> None:
                    with self._engine.begin() as conn:
                        conn.execute(text("INSERT INTO reviews (body) VALUES (:b)"), {"b": msg.data.decode()})
                    await msg.ack()
            """,
        ),
    ),
    _consistent(
        "a consumer by hand that adds up",
        rules=("DTC-005",),
        at=f"{PAYMENTS}turnover.py",
        edit=add(
            f"{PAYMENTS}turnover.py",
            """
            from nats.js import JetStreamContext
            from sqlalchemy import Engine, text


            class Turnover:
                def __init__(self, js: JetStreamContext, engine: Engine) -> None:
                    self._js = js
                    self._engine = engine

                async def start(self) -> None:
                    await self._js.subscribe("shop.event.payment.completed", durable="turnover", cb=self.on_paid)

                async def on_paid(self, msg) -> None:
                    with self._engine.begin() as conn:
                        conn.execute(text("UPDATE turnover SET amount = amount + :a"), {"a": int(msg.data)})
                    await msg.ack()
            """,
        ),
    ),
)
