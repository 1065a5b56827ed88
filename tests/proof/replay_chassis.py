"""Runs of the model, followed by the chassis with its databases, in an environment that has its libraries.

Reads runs (see `traces.as_json`) as JSON from stdin. Every service has a database of its own; what is sent is
taken from its outbox and goes through the receiver's inbox. Besides what the run says, messages come twice,
and a handler dies before its commit: nothing may come of either. Prints how many moves were followed.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import Any

from chassis.db import Database
from chassis.domain import AggregateType, UseCase
from chassis.errors import Refused
from chassis.inbox import Inbox
from chassis.messages import Message
from chassis.migrate import migrate
from chassis.saga import orchestrator as orchestrating
from chassis.saga.definition import OTHERWISE, THEN, Saga, Step
from chassis.saga.orchestrator import Orchestrator
from chassis.saga.participant import carry_out
from chassis.tables import outbox
from chassis.testing.fakes import FakeDelivery
from chassis.uow import Origin, Session, UnitOfWork

REMEMBERED = {"unseen": None, "done": "done", "refused": "refused"}
DOES = {"done": (1, 0), "undone": (1, 1)}


class CrashError(Exception):
    """The process dies; whatever it had not committed is gone."""


@dataclass(frozen=True)
class Happened:
    NAME = "thing.happened"
    id: str
    undone: bool


@dataclass(frozen=True)
class Thing:
    did: int = 0
    undid: int = 0


def evolve(thing: Thing | None, event: Happened) -> Thing:
    thing = thing or Thing()
    return Thing(thing.did + (not event.undone), thing.undid + event.undone)


THING = AggregateType(
    "thing", Thing, "id", lambda _, command: [Happened(command.id, command.UNDOES)], evolve, (Happened,)
)


def command(name: str, undoes: bool) -> type[Any]:
    names = {"NAME": name, "ID": "id", "CREATES": False, "EMITS": Happened, "FAILS": None, "UNDOES": undoes}
    return make_dataclass("Command", [("id", str)], namespace=names, frozen=True)


@dataclass
class Service:
    """A service and its database. `said` are the messages of its outbox, by position."""

    name: str
    db: Database
    crash: bool = False
    willing: bool = True
    heard: list[Message] = field(default_factory=list)
    inbox: Any = None

    async def take(self, message: Message) -> FakeDelivery:
        delivery = FakeDelivery(message)
        await self.inbox.take([delivery])
        return delivery

    async def hears(self, message: Message, dice: random.Random) -> None:
        """The message arrives; before that it may be lost in a crash, after that it may come again."""
        if dice.random() < 0.3:
            before, self.crash = await self.said(), True
            assert not (await self.take(message)).acked
            self.crash = False
            assert await self.said() == before, "what was not committed is gone"
        assert (await self.take(message)).acked
        self.heard.append(message)
        if dice.random() < 0.5:
            before = await self.said()
            assert (await self.take(dice.choice(self.heard))).acked
            assert await self.said() == before, "what comes again changes nothing"

    async def said(self) -> list[Message]:
        query = outbox.select().order_by(outbox.c.position)
        rows = await self.db.read(lambda conn: conn.execute(query).all())
        return [Message.from_json(row.body, row.subject) for row in rows]


class World:
    def __init__(self, run: dict[str, Any], folder: Path) -> None:
        self.run, self.folder = run, folder
        kinds = [step["undo"] for step in run["steps"]]
        self.commands: dict[str, UseCase] = {}
        steps = []
        for i, kind in enumerate(kinds):
            do = self._command(f"s{i}.do", False)
            at = f"e{i}" if kind == "elsewhere" else f"s{i}"
            undo = None if kind == "none" else self._command(f"{at}.undo", True)
            steps.append(Step(do, undo, attempts=run["steps"][i]["attempts"]))
        then = None if run["then"] == "none" else self._command("t.end", False)
        otherwise = None if run["otherwise"] == "none" else self._command("x.end", False)
        self.saga = Saga(
            "s", Happened, steps, then=then, otherwise=otherwise, timeout=1.0, attempts=run["attempts"]
        )
        self.keys = [*self.saga.keys, THEN, OTHERWISE]
        self.orchestrator = Orchestrator({"s": self.saga}, "shop", "o")
        self.services = {
            name: self._service(name) for name in {"o", *(c.split(".")[0] for c in self.commands)}
        }
        self.owner = self.services["o"]
        self.id = ""

    def _command(self, name: str, undoes: bool) -> type[Any]:
        made = command(name, undoes)

        def handle(given: Any, unit: UnitOfWork) -> None:
            unit.handle(THING, given.id, given)
            if not self.services[name.split(".")[0]].willing:
                raise Refused("no")

        self.commands[name] = UseCase(made, handle)
        return made

    def _service(self, name: str) -> Service:
        path = self.folder / f"{name}.db"
        shutil.copy(self.folder.parent / "empty.db", path)
        service = Service(name, Database(f"sqlite:///{path}"))

        def handle(session: Session, message: Message) -> None:
            origin = Origin("shop", name).caused_by(message)
            if name == "o" and not message.saga_id:
                self.orchestrator.start(self.saga, session, origin, message)
            elif name == "o":
                self.orchestrator.hear(session, message)
            else:
                carry_out(self.commands[message.address.split(".command.")[1]], session, origin, message)
            if service.crash:
                session.flush()
                raise CrashError

        service.inbox = Inbox(f"{name}-all", handle, service.db)
        return service

    async def follow(self, dice: random.Random) -> int:
        started = {"id": "1", "undone": False}
        await self.owner.hears(Message("m", "shop.thing.happened.v1", "/shop/o", "1", started), dice)
        self.id = (await self.owner.said())[0].saga_id
        for number, each in enumerate(self.run["run"]):
            await self._move(each["move"], dice)
            await self._compare(each["after"], f"after move {number} of {json.dumps(self.run)}")
        return len(self.run["run"])

    async def _move(self, move: dict[str, Any], dice: random.Random) -> None:
        key, phase = self.keys[move["slot"]], "undo" if move["undo"] else "do"
        if move["kind"] == "silence":
            orchestrating.time = Clock(await self._deadline())
            await self.owner.db.run(self._overdue)
            return
        asked = [m for m in await self.owner.said() if (m.saga_step, m.saga_phase) == (key, phase)]
        message = asked[move["attempt"] - 1]
        participant = self.services[message.address.split(".command.")[1].split(".")[0]]
        if move["kind"] == "command":
            participant.willing = move["done"]
            await participant.hears(message, dice)
        [reply] = [m for m in await participant.said() if m.causation_id == message.id and m.saga_phase]
        assert (reply.data["outcome"] == "done") == move["done"], f"{reply.data} {move} of {self.run}"
        if move["kind"] == "reply":
            await self.owner.hears(reply, dice)

    def _overdue(self, conn: Any) -> None:
        session = Session(conn)
        self.orchestrator.overdue(session, self.id)
        session.flush()

    async def _deadline(self) -> float:
        instance = await self.owner.db.read(lambda conn: Session(conn).sagas.load(self.id))
        return float(instance.deadline)

    async def _compare(self, after: dict[str, Any], where: str) -> None:
        now = await self.owner.db.read(lambda conn: Session(conn).sagas.load(self.id))
        seen = {
            "status": now.status,
            "at": self.keys.index(now.step) if now.step else -1,
            "undoing": now.phase == "undo",
            "attempt": now.attempt,
            "outcomes": [now.outcomes.get(key, "") for key in self.keys[:-2]],
        }
        assert seen == {key: after[key] for key in seen}, f"{seen} {where}"
        for slot, memory in enumerate(after["participants"]):
            name = f"s{slot}" if slot < len(self.keys) - 2 else ("t" if slot == len(self.keys) - 2 else "x")
            if name in self.services:
                state, thing = await self._participant(self.services[name], self.keys[slot])
                assert state == REMEMBERED.get(memory, "undone"), f"{name} {state} {where}"
                assert (thing.did, thing.undid) == DOES.get(memory, (0, 0)), f"{name} {thing} {where}"

    async def _participant(self, service: Service, key: str) -> tuple[str | None, Thing]:
        def look(conn: Any) -> tuple[str | None, Thing]:
            session = Session(conn)
            known = session.steps.load(self.id, key)
            return known.state if known else None, session.aggregates.load(THING, "1").state or Thing()

        found: tuple[str | None, Thing] = await service.db.read(look)
        return found


class Clock:
    """Stands for the module `time` where the chassis looks at deadlines."""

    def __init__(self, now: float) -> None:
        self._now = now

    def time(self) -> float:
        return self._now


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
            for service in world.services.values():
                service.db.close()
            shutil.rmtree(folder)
    print(followed)


if __name__ == "__main__":
    asyncio.run(main())
