"""Times of messages from their outbox to their consumer; run with the generated project's Python.

Orders come at a steady rate, whether the ones before are done or not. Both ends of a message's way are in the
services' databases: when it was made, and when its consumer began to handle it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import sqlalchemy
from chassis.testing import System
from load_sagas import databases, ended, post

WARM = 40


async def steadily(port: int, rate: int, seconds: int) -> None:
    """One order every `1 / rate` seconds."""
    began = time.perf_counter()
    waiting = []
    for number in range(rate * seconds):
        await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
        waiting.append(asyncio.create_task(post(port, 1, 1)))
    await asyncio.gather(*waiting)


def sent(urls: Sequence[str], since: float) -> Iterator[tuple[str, dict[str, str], float]]:
    """Id, body and time of every message that was made after `since`."""
    for url in urls:
        for id, body in _rows(url, "SELECT message_id, body FROM sent"):
            message = json.loads(body)
            made = datetime.fromisoformat(message["time"]).timestamp()
            if made > since:
                yield id, message, made


def _rows(url: str, query: str) -> list[tuple[str, str]]:
    engine = sqlalchemy.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as conn:
        rows = [tuple(row) for row in conn.execute(sqlalchemy.text(query))]
    engine.dispose()
    return rows


def measure(urls: Sequence[str], since: float) -> dict[str, float]:
    handled = {
        id: float(at) for url in urls for id, at in _rows(url, "SELECT message_id, handled_at FROM inbox")
    }
    times, sagas = [], {}
    for id, message, made in sent(urls, since):
        if id in handled:
            times.append(handled[id] - made)
        if saga := message.get("correlationid"):
            first, last = sagas.get(saga, (made, made))
            sagas[saga] = min(first, made), max(last, made)
    lasted = [last - first for first, last in sagas.values()]
    return {
        "messages": len(times),
        "p50": _quantile(times, 0.5),
        "p99": _quantile(times, 0.99),
        "longest": max(times),
        "saga_p50": _quantile(lasted, 0.5),
        "saga_p99": _quantile(lasted, 0.99),
    }


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with (
        databases(options.postgres) as env,
        tempfile.TemporaryDirectory() as folder,
        System(options.project, Path(folder), env) as system,
    ):
        urls = [
            env.get(f"{service.upper()}_DATABASE_URL") or f"sqlite:///{folder}/data/{service}.db"
            for service in system.services
        ]
        asyncio.run(post(system.port("orders"), WARM, 10))
        while ended(system) < WARM:
            time.sleep(0.05)
        since = time.time()
        asyncio.run(steadily(system.port("orders"), options.rate, options.seconds))
        orders = WARM + options.rate * options.seconds
        while ended(system) < orders:
            time.sleep(0.05)
        time.sleep(1.0)  # the last messages are being moved out of the outbox
        found = measure(urls, since)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
