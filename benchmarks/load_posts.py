"""Orders posted per second, to the generated service or a bare handler; run with the project's Python."""

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

import httpx
from chassis.testing import System
from chassis.testing.servers import free_port
from load_sagas import databases, post

BARE = Path(__file__).parent / "bare_post.py"


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
    asyncio.run(post(port, 5 * connections, connections))
    began = time.perf_counter()
    asyncio.run(post(port, count, connections))
    return count / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        env = stack.enter_context(databases(options.postgres))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.bare:
            port = stack.enter_context(bare(folder, env.get("ORDERS_DATABASE_URL", "")))
        else:
            port = stack.enter_context(System(options.project, folder, env)).port("orders")
        rate = measure(port, options.count, options.connections)
    print(json.dumps({"posts": rate}))


if __name__ == "__main__":
    main()
