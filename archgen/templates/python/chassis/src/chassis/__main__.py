"""For the people who run the system: `python -m chassis dead-letters orders`.

It works on the service's database, so it needs neither the service nor the broker to be up; what
it queues is sent when they are.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
from collections.abc import Sequence
from typing import Any

from chassis import dead_letters
from chassis.db import Database
from chassis.jobs import queue
from chassis.projecting import NoHistory
from chassis.rebuild import Superseded, rebuild
from chassis.saga import log as saga_log
from chassis.service import Service
from chassis.settings import Settings
from chassis.uow import Session


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 when there was nothing of that id or status."""
    options = _parse(arguments)
    db = Database(Settings.from_env(options.service).database_url)
    try:
        match options.command:
            case "dead-letters":
                return _print(db.submit(dead_letters.listed).result())
            case "redrive":
                moved = db.submit(lambda conn: dead_letters.redrive(conn, options.id)).result()
                return _done(moved, "sent again")
            case "sagas":
                return _print(db.submit(lambda conn: saga_log.listed(conn, status=options.status)).result())
            case "jobs":
                return _print(db.submit(lambda conn: queue.listed(conn, options.status)).result())
            case "redrive-jobs":
                return _done(
                    db.submit(lambda conn: queue.redrive(conn, options.id)).result(), "enqueued again"
                )
            case "rebuild":
                return _rebuild(db, _service(options.service), options.view)
            case _:
                return _done(_resume(db, _service(options.service), options.id), "resumed")
    finally:
        db.close()


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chassis", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about, extra in (
        ("dead-letters", "list the messages that were given up", None),
        ("redrive", "send dead letters again, all or one", "id"),
        ("sagas", "list the newest sagas, all or of one status", "status"),
        ("jobs", "list the newest jobs, all or of one status", "status"),
        ("redrive-jobs", "try failed jobs again, all or one", "id"),
        ("resume", "try stuck sagas again, all or one", "id"),
        ("rebuild", "make views again from history while the service runs, all or one", "view"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("service")
        if extra:
            command.add_argument(extra, nargs="?", default="")
    return parser.parse_args(arguments)


def _service(name: str) -> Service:
    """The wiring of the service, found by its package's name."""
    for package in (name, f"{name}_service"):
        try:
            service = importlib.import_module(f"{package}.generated.wiring").SERVICE
        except ModuleNotFoundError:
            continue
        assert isinstance(service, Service)
        return service
    raise SystemExit(f"no package of the service {name!r} is installed here")


def _resume(db: Database, service: Service, id: str) -> int:
    stuck = db.submit(lambda conn: saga_log.listed(conn, status="stuck", limit=1000)).result()
    ids = [saga["id"] for saga in stuck if id in ("", saga["id"])]

    def work(conn: Any) -> int:
        session = Session(conn, service.local)
        moved = sum(service.orchestrator.resume(session, id) for id in ids)
        session.flush()
        return moved

    return db.submit(work).result()


def _rebuild(db: Database, service: Service, name: str) -> int:
    chosen = [view for view in service.views if name in ("", view.name)]
    if not chosen:
        views = ", ".join(view.name for view in service.views) or "none"
        print(f"{service.name} has no view {name!r}; it has: {views}", file=sys.stderr)
    failed = 0
    for view in chosen:
        try:
            rows, read, seconds = asyncio.run(rebuild(db, view))
        except (NoHistory, Superseded) as error:
            print(error, file=sys.stderr)
            failed += 1
        else:
            print(f"{view.name}: {rows} rows from {read} events or states in {seconds:.1f} s")
    return 1 if failed or not chosen else 0


def _print(rows: Sequence[Any]) -> int:
    for row in rows:
        print(json.dumps(row, default=str))
    return 0


def _done(count: int, what: str) -> int:
    print(f"{count} {what}")
    return 0 if count else 1


if __name__ == "__main__":
    sys.exit(main())
