"""Runs of the model of choreographies, followed by the chassis's reactions with inbox, outbox and database.

Run in an environment that has the chassis's libraries. Reads runs as JSON from stdin (see
`test_conformance_reactions`); prints how many events were handled. Messages come twice besides, and
handlers die before their commit.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Any

from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.errors import NotFound, Refused
from chassis.inbox import Attempts, Inbox
from chassis.messages import Message, derived_id
from chassis.migrate import migrate
from chassis.reactions import Reaction
from chassis.saga import Field
from chassis.tables import dead_letters, outbox
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Origin, Session, UnitOfWork


class CrashError(Exception):
    """The process dies; whatever it had not committed is gone."""


State = make_dataclass("State", [("events", int, field(default=0))], frozen=True)


class World:
    def __init__(self, run: dict[str, Any], folder: Path) -> None:
        self.run, self.folder = run, folder
        self.events = {name: self._event(name, fields) for name, fields in run["events"].items()}
        self.crash = False
        self.fails: dict[str, list[bool]] = {}
        self.use_cases = {name: self._use_case(name, told) for name, told in run["commands"].items()}
        self.trigger = {name: f"t-{name}" for name in run["events"][run["start"]]}
        self.saga_id = derived_id("s", "m")
        self.created = {(kind, self.value(symbol)) for kind, symbol in run["created"]}
        self.inboxes = {name: self._inbox(name) for name in {each["service"] for each in run["steps"]}}

    def value(self, symbol: str) -> str:
        """The id that a symbol of the model stands for."""
        if symbol.startswith("made by "):
            return str(derived_id(self.saga_id, symbol.removeprefix("made by ")))
        return str(self.trigger[symbol.removeprefix("trigger.")])

    def _event(self, name: str, fields: list[str]) -> type[Any]:
        return make_dataclass(
            name.replace(".", "_"), [(each, Any) for each in fields], namespace={"NAME": name}
        )

    def _use_case(self, name: str, told: dict[str, Any]) -> UseCase:
        emits, fails = self.events[told["emits"]], self.events.get(told["fails"])
        names = {"NAME": name, "ID": told["id"], "CREATES": told["creates"], "EMITS": emits, "FAILS": fails}
        command = make_dataclass("Command", [(each, Any, None) for each in told["takes"]], namespace=names)

        def decide(state: Any, given: Any) -> list[Any]:
            id = getattr(given, told["id"])
            if told["creates"] and state:
                raise Refused("it exists already")
            if not told["creates"] and not state and (told["aggregate"], id) in self.created:
                raise NotFound(told["aggregate"], id)
            event = fails if fails and self.fails[name].pop(0) else emits
            values = {each: getattr(given, each, None) for each in self.run["events"][event.NAME]}
            return [event(**values)]

        kind = AggregateType(
            told["aggregate"],
            State,
            told["id"],
            decide,
            lambda state, _: State((state or State()).events + 1),
            tuple(self.events.values()),
        )
        return UseCase(command, lambda given, unit: self._handle(kind, given, told["id"], unit))

    @staticmethod
    def _handle(kind: AggregateType[Any], given: Any, id: str, unit: UnitOfWork) -> None:
        unit.handle(kind, getattr(given, id), given)

    def _inbox(self, service: str) -> tuple[Inbox, Database]:
        path = self.folder / f"{service}.db"
        shutil.copy(self.folder.parent / "empty.db", path)
        db = Database(f"sqlite:///{path}")
        reactions = [self._reaction(each) for each in self.run["steps"] if each["service"] == service]

        def handle(session: Session, message: Message) -> None:
            for reaction in reactions:
                if message.type == f"shop.{reaction.on.NAME}.v1":
                    reaction.react(session, Origin("shop", service).caused_by(message), message)
            if self.crash:
                session.flush()
                raise CrashError

        return Inbox(f"{service}-reactions", handle, db, Attempts(limit=1)), db

    def _reaction(self, step: dict[str, Any]) -> Reaction:
        given = {
            name: Field(value["field"]) if "field" in value else value["value"]
            for name, value in step["given"].items()
        }
        return Reaction(
            on=self.events[step["when"]],
            do=self.use_cases[step["do"]],
            given=given,
            saga="s",
            starts=step["starts"],
            carries=tuple(self.run["carries"]),
        )

    async def follow(self, dice: random.Random) -> int:
        start = self.run["start"]
        told = {
            -1: Message("m", f"shop.{start}.v1", "/shop/x", "1", self.trigger, address=f"shop.event.{start}")
        }
        for number, handled in enumerate(self.run["moves"]):
            inbox, db = self.inboxes[handled["service"]]
            for node in handled["nodes"]:
                self.fails.setdefault(node["command"], []).append(node["failed"])
            message = told[handled["because"]]
            before = await said(db)
            if dice.random() < 0.3 and handled["done"]:
                kept = {name: list(each) for name, each in self.fails.items()}
                self.crash, inbox._attempts = True, Attempts()
                delivery = FakeDelivery(message)
                await inbox.take([delivery])
                assert not delivery.acked and await said(db) == before, "what was not committed is gone"
                self.crash, inbox._attempts, self.fails = False, Attempts(limit=1), kept
                inbox._troubled.clear()
            for _ in range(dice.choice((1, 1, 2))):  # what comes again changes nothing
                delivery = FakeDelivery(message)
                await inbox.take([delivery])
                assert delivery.acked
            after = (await said(db))[len(before) :]
            where = f"move {number} of {json.dumps(self.run)}"
            self.fails.clear()
            letters = await db.read(lambda conn: len(conn.execute(dead_letters.select()).all()))
            dead = sum(
                not each["done"]
                for each in self.run["moves"][: number + 1]
                if each["service"] == handled["service"]
            )
            assert letters == dead, f"{letters} dead letters after {where}"
            if not handled["done"]:
                assert after == [], where
                continue
            assert len(after) == len(handled["nodes"]), f"{after} after {where}"
            for node, event in zip(handled["nodes"], after, strict=True):
                assert event.type == f"shop.{node['told']}.v1", f"{event.type} {where}"
                assert (event.saga, event.saga_id) == ("s", self.saga_id), where
                if not node["id"].startswith("some "):
                    assert event.subject == self.value(node["id"]), f"{event.subject} is not {node} {where}"
                told[node["number"]] = event
        return len(self.run["moves"])


async def said(db: Database) -> list[Message]:
    rows = await db.read(lambda conn: conn.execute(outbox.select().order_by(outbox.c.position)).all())
    return [Message.from_json(row.body, row.subject) for row in rows]


async def main() -> None:
    runs = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as root:
        empty = Database(f"sqlite:///{root}/empty.db")
        empty.submit(migrate).result()
        empty.close()
        followed = 0
        for number, run in enumerate(runs):
            folder = Path(root) / str(number)
            folder.mkdir()
            world = World(run, folder)
            followed += await world.follow(random.Random(number))
            for _, db in world.inboxes.values():
                db.close()
            shutil.rmtree(folder)
    print(followed)


if __name__ == "__main__":
    asyncio.run(main())
