"""Events appended, and projected again, per second; run with the generated project's Python.

`append-library` is run in an environment with `eventsourcing` instead.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

AMOUNT = {"amount": "19.99", "currency": "EUR"}
EVENTS = 3  # of each order that is rebuilt: created, confirmed, cancelled


def append(url: str, count: int, threads: int) -> float:
    """Each order is one event in a transaction of its own, loaded first as a command would."""
    from chassis.db import Database
    from chassis.migrate import migrate
    from chassis.store import AggregateStore
    from orders.generated.aggregates import ORDER
    from orders.generated.order import Create

    db = Database(url)
    db.submit(migrate).result()

    def one(id: UUID) -> None:
        def work(conn: Any) -> None:
            store = AggregateStore(conn)
            held = store.load(ORDER, str(id))
            events = ORDER.decide(held.state, Create(order_id=id, amount=_money()))
            store.save(ORDER, str(id), ORDER.evolve(held.state, events[0]), events)
            store.flush()

        db.submit(work).result()

    seconds = timed(one, count, threads)
    db.close()
    return count / seconds


def append_library(url: str, count: int, threads: int) -> float:
    """The same with the library's own aggregate, application and SQLite recorder."""
    os.environ |= {
        "PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "SQLITE_DBNAME": url.removeprefix("sqlite:///"),
    }
    from eventsourcing.application import AggregateNotFoundError, Application
    from eventsourcing.domain import Aggregate

    # A class in a function can't be found by its name again when it is loaded.
    class Order(Aggregate):
        def __init__(self, amount: str, currency: str) -> None:
            self.amount, self.currency, self.status = amount, currency, "created"

        @classmethod
        def create_id(cls, amount: str, currency: str) -> UUID:
            return uuid4()

    Order.__qualname__ = "Order"
    globals()["Order"] = Order
    app: Any = Application()

    def one(id: UUID) -> None:
        try:
            app.repository.get(id)
        except AggregateNotFoundError:
            app.save(Order("19.99", "EUR"))

    return count / timed(one, count, threads)


def timed(one: Callable[[UUID], None], count: int, threads: int) -> float:
    one(uuid4())
    ids = [uuid4() for _ in range(count)]
    began = time.perf_counter()
    if threads == 1:
        for id in ids:
            one(id)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, ids))
    return time.perf_counter() - began


def project(url: str, orders: int) -> dict[str, float]:
    """Events per second of a rebuild, and of a loop that only reads, parses, folds and writes them."""
    from chassis.db import Database
    from chassis.migrate import migrate
    from chassis.rebuild import rebuild
    from chassis.store import AggregateStore
    from orders.generated.aggregates import ORDER
    from orders.generated.order import Cancel, Confirm, Create
    from orders.generated.wiring import SERVICE

    db = Database(url)
    db.submit(migrate).result()

    def fill(conn: Any) -> None:
        store = AggregateStore(conn)
        for _ in range(500):
            id = uuid4()
            for command in (Create(order_id=id, amount=_money()), Confirm(order_id=id), Cancel(order_id=id)):
                state = store.load(ORDER, str(id)).state
                for event in ORDER.decide(state, command):
                    state = ORDER.evolve(state, event)
                    store.save(ORDER, str(id), state, [event])
        store.flush()

    for _ in range(orders // 500):
        db.submit(fill).result()
    rows, events, seconds = asyncio.run(rebuild(db, SERVICE.views[0]))
    assert (rows, events) == (orders, orders * EVENTS), (rows, events)
    db.close()
    found = {"rebuild": events / seconds, "rows": rows / seconds}
    file = url.removeprefix("sqlite:///")
    if file == url:  # the loop is the same one for every database
        file = "bare.db"
        copied(url, file)
    return {**found, "bare": events / bare_projection(file)}


def copied(url: str, file: str) -> None:
    """The events of a PostgreSQL database in a SQLite file."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as conn, sqlite3.connect(file) as target:
        target.execute("CREATE TABLE events (kind TEXT, stream TEXT, version INTEGER, data TEXT)")
        target.execute("CREATE INDEX by_stream ON events (kind, stream, version)")
        rows = conn.execute(sqlalchemy.text("SELECT kind, stream, version, data::text FROM events"))
        target.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", [tuple(row) for row in rows])
    engine.dispose()


def bare_projection(file: str) -> float:
    """The least a projection can be: rows in, a dictionary updated, rows out, in one transaction."""
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE bare (key TEXT PRIMARY KEY, version INTEGER, row TEXT)")
    began = time.perf_counter()
    folded: dict[str, tuple[int, dict[str, Any]]] = {}
    query = "SELECT stream, version, data FROM events WHERE kind = 'Order' ORDER BY stream, version"
    for stream, version, data in connection.execute(query):
        row = folded[stream][1] if stream in folded else {}
        folded[stream] = version, {**row, **json.loads(data)}
    rows = [(key, version, json.dumps(row)) for key, (version, row) in folded.items()]
    connection.executemany("INSERT INTO bare VALUES (?, ?, ?)", rows)
    connection.commit()
    seconds = time.perf_counter() - began
    connection.close()
    return seconds


def _money() -> Any:
    from chassis.money import Money

    return Money.of(AMOUNT["amount"], AMOUNT["currency"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["append", "append-library", "project"])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        if options.postgres:
            from chassis.testing.servers import Postgres

            with Postgres(durable=True) as server:
                print(json.dumps(project(server.url, options.count)))
        elif options.what == "project":
            print(json.dumps(project(url, options.count)))
        else:
            measure = append if options.what == "append" else append_library
            print(json.dumps({"events": measure(url, options.count, options.threads)}))
        sys.stdout.flush()
        os._exit(0)  # the library's recorder keeps a thread


if __name__ == "__main__":
    main()
