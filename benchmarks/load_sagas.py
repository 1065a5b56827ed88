"""Completed three-step sagas per second through a running system; run with the generated project's Python.

Orders are posted over HTTP on keep-alive connections by this process, as fast as they are taken; the
clock runs from the first request to the last saga's end.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import sqlalchemy
from chassis.testing import System
from chassis.testing.servers import Postgres

BODY = json.dumps({"amount": {"amount": "19.99", "currency": "EUR"}}).encode()
DATABASES = ("orders", "payments", "inventory", "shipping", "bare")


async def post(port: int, count: int, connections: int) -> None:
    """Make `count` orders."""
    request = (
        b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
    )

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(number):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 201"), head
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            assert length
            await reader.readexactly(int(length[1]))
        writer.close()

    await asyncio.gather(*(client(count // connections) for _ in range(connections)))


def ended(system: System) -> int:
    """How many sagas are done."""
    text = httpx.get(f"{system.url('orders')}/metrics", timeout=10, trust_env=False).text
    found = re.search(r'saga_finished_total\{outcome="done",saga="place_order"\} (\S+)', text)
    return int(float(found[1])) if found else 0


def measure(project: Path, count: int, connections: int, env: dict[str, str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder, System(project, Path(folder), env) as system:
        asyncio.run(post(system.port("orders"), connections, connections))
        while ended(system) < connections:
            time.sleep(0.05)
        began = time.perf_counter()
        asyncio.run(post(system.port("orders"), count, connections))
        posted = time.perf_counter() - began
        while ended(system) < count + connections:
            time.sleep(0.05)
        total = time.perf_counter() - began
    return {"sagas_per_second": count / total, "posts_per_second": count / posted, "seconds": total}


@contextlib.contextmanager
def databases(postgres: bool) -> Iterator[dict[str, str]]:
    """The settings for SQLite (none), or for one PostgreSQL with a database per service."""
    if not postgres:
        yield {}
        return
    with Postgres(durable=True) as server:
        url = sqlalchemy.make_url(server.url).set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as conn:
            for service in DATABASES:
                conn.execute(sqlalchemy.text(f"CREATE DATABASE {service}"))
        engine.dispose()
        base = server.url.rpartition("/")[0]
        yield {f"{service.upper()}_DATABASE_URL": f"{base}/{service}" for service in DATABASES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with databases(options.postgres) as env:
        print(json.dumps(measure(options.project, options.count, options.connections, env)))


if __name__ == "__main__":
    main()
