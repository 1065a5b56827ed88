"""Backup and restore: `python -m chassis.recovery backup`. See docs/disaster-recovery.md.

Run in the project's folder, where recovery.toml is. Exit code 0 when all was done, 1 when not.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from chassis.recovery import layout, sets
from chassis.recovery.backup import backup
from chassis.recovery.errors import RecoveryError
from chassis.recovery.layout import Layout
from chassis.recovery.restore import Wanted, replay, restore

BROKER = "broker"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; returns 0, or 1 after saying on stderr why it could not be done."""
    options = _parse(arguments)
    try:
        _COMMANDS[options.command](options, layout.load(options.layout))
    except (RecoveryError, OSError) as error:
        print(f"{options.command} failed: {error}", file=sys.stderr)
        return 1
    return 0


def _backup(options: argparse.Namespace, system: Layout) -> None:
    parts = options.only or [*system.databases, BROKER]
    services = [name for name in parts if name != BROKER]
    path = asyncio.run(backup(system.only(services), options.folder, with_stream=BROKER in parts))
    size = sum(int(told["bytes"]) for told in sets.read(path).files.values())
    _say(f"{path}: {', '.join(parts)}; {size:,} bytes, checked")
    for old in sets.retain(options.folder, options.keep_days):
        _say(f"{old}: removed, older than {options.keep_days:g} days")


def _verify(options: argparse.Namespace, _system: Layout) -> None:
    path = sets.chosen(options.folder, options.set)
    manifest = sets.verify(path)
    _say(f"{path}: {len(manifest.files)} files of {manifest.began}, all as they were written")


def _restore(options: argparse.Namespace, system: Layout) -> None:
    path = sets.chosen(options.folder, options.set)
    parts = options.only or [*system.databases, BROKER]
    services = [name for name in parts if name != BROKER]
    system.only(services)
    _say(f"from {path}")
    asyncio.run(restore(system, path, Wanted(services, BROKER in parts, options.replace), _say))
    _say("restored; start the services, they catch up by themselves")


def _replay(options: argparse.Namespace, system: Layout) -> None:
    services = list(system.only(options.only).databases if options.only else system.databases)
    asyncio.run(replay(system, services, _say))


_COMMANDS = {"backup": _backup, "verify": _verify, "restore": _restore, "replay": _replay}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chassis.recovery", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("backup", "copy all databases and the stream into a new set, and check it"),
        ("verify", "check a set: every checksum, and that every copy can be read"),
        ("restore", "bring databases and stream back from a set; services are stopped, the broker runs"),
        ("replay", "bring databases that were restored by other means forward to what the stream knows"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument(
            "--layout", type=Path, default=Path(layout.FILE), metavar="FILE", help="recovery.toml"
        )
        if name != "verify":
            command.add_argument(
                "--only",
                action="append",
                default=[],
                metavar="PART",
                help="a service or `broker`; repeatable",
            )
        if name != "replay":
            command.add_argument("--folder", type=Path, default=Path("backups"), help="where the sets are")
        if name in ("verify", "restore"):
            command.add_argument("--set", default="", help="the name of a set; default: the newest")
        if name == "backup":
            command.add_argument("--keep-days", type=float, default=14.0, help="remove sets that are older")
        if name == "restore":
            command.add_argument("--replace", action="store_true", help="also where something is already")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
