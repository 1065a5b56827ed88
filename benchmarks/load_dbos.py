"""The same three steps as a DBOS workflow on SQLite, for comparison; run in an environment with `dbos`.

Every step writes one row durably, as the participants of the saga do, and DBOS writes its own record
of the step. Workflows are started from as many threads as the saga benchmark has connections.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dbos import DBOS, DBOSConfig

LOCAL = threading.local()
FOLDER = Path()


def write(step: str, order: str) -> None:
    """One durable row, as a participant's database would get it."""
    connections = LOCAL.__dict__.setdefault("connections", {})
    if step not in connections:
        connection = sqlite3.connect(FOLDER / f"{step}.db", timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS done (id TEXT PRIMARY KEY)")
        connections[step] = connection
    connections[step].execute("INSERT OR IGNORE INTO done VALUES (?)", (order,))


@DBOS.step()
def charge(order: str) -> None:
    write("payments", order)


@DBOS.step()
def reserve(order: str) -> None:
    write("inventory", order)


@DBOS.step()
def ship(order: str) -> None:
    write("shipping", order)


@DBOS.workflow()
def place_order(order: str) -> None:
    charge(order)
    reserve(order)
    ship(order)


def main() -> None:
    global FOLDER
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--threads", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = Path(folder)
        config: DBOSConfig = {
            "name": "bench",
            "system_database_url": f"sqlite:///{folder}/dbos.db",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
        DBOS(config=config)
        DBOS.launch()
        place_order(str(uuid.uuid4()))
        began = time.perf_counter()
        with ThreadPoolExecutor(options.threads) as pool:
            list(pool.map(place_order, [str(uuid.uuid4()) for _ in range(options.count)]))
        seconds = time.perf_counter() - began
        DBOS.destroy()
    print(json.dumps({"sagas_per_second": options.count / seconds, "seconds": seconds}))


if __name__ == "__main__":
    main()
