"""Completed three-step sagas per second through a running system; run with the generated project's Python.

Orders are posted over HTTP on keep-alive connections by this process, as fast as they are taken; the
clock runs from the first request to the last saga's end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import tempfile
import time
from pathlib import Path

import httpx
from chassis.testing import System

BODY = json.dumps({"amount": {"amount": "19.99", "currency": "EUR"}}).encode()


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

    share = count // connections
    await asyncio.gather(*(client(share) for _ in range(connections)))


def ended(system: System) -> int:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--database-url", default="", help="PostgreSQL URL with {service} in the database's name")
    options = parser.parse_args()
    env = {name: value for name, value in os.environ.items() if name.endswith("_DATABASE_URL")}
    print(json.dumps(measure(options.project, options.count, options.connections, env)))


if __name__ == "__main__":
    main()
