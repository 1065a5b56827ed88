"""Orders posted per second, to the generated service and to a bare handler in turn; run with the project's
Python.

Both are up the whole time. Before it is the other one's turn, the generated service publishes and projects
what it still has to, so that neither works while the other is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import httpx
from chassis.testing import System
from chassis.testing.servers import free_port
from load_sagas import databases, post

BARE = Path(__file__).parent / "bare_post.py"
PROJECTED = 'messages_handled_total{consumer="orders-view-order_details",outcome="done"}'


@contextmanager
def bare(folder: Path, url: str) -> Iterator[int]:
    """The port of the bare handler, as a process of its own."""
    port = free_port()
    env = {**os.environ, "PORT": str(port), "DATABASE_URL": url or f"sqlite:///{folder / 'bare.db'}"}
    process = subprocess.Popen([sys.executable, str(BARE)], env=env)
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def measure(port: int, count: int, connections: int) -> float:
    """Posts per second."""
    began = time.perf_counter()
    asyncio.run(post(port, count, connections))
    return count / (time.perf_counter() - began)


def settled(system: System, orders: int) -> None:
    """Wait until the view shows so many orders."""
    query = f"{system.url('orders')}/metrics"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        text = httpx.get(query, timeout=10, trust_env=False).text
        lines = [line for line in text.splitlines() if line.startswith(PROJECTED)]
        if lines and float(lines[0].split()[-1]) >= orders:
            return
        time.sleep(0.02)
    raise TimeoutError("the view did not catch up")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    connections = options.connections
    with ExitStack() as stack:
        env = stack.enter_context(databases(options.postgres))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        theirs = stack.enter_context(bare(folder, env.get("BARE_DATABASE_URL", "")))
        system = stack.enter_context(System(options.project, folder, env))
        ours = system.port("orders")
        posted = 5 * connections
        for port in (ours, theirs):
            measure(port, posted, connections)
        settled(system, posted)
        rates: dict[str, list[float]] = {"ours": [], "whole": [], "bare": []}
        for _ in range(options.rounds):
            began = time.perf_counter()
            rates["ours"].append(measure(ours, options.count, connections))
            posted += options.count
            settled(system, posted)
            rates["whole"].append(options.count / (time.perf_counter() - began))
            rates["bare"].append(measure(theirs, options.count, connections))
    print(json.dumps({name: median(found) for name, found in rates.items()}))


if __name__ == "__main__":
    main()
