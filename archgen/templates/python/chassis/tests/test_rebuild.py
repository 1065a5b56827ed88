"""A view is made again from nothing while events keep arriving: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, update

from chassis import generations, views
from chassis.db import Database
from chassis.domain import AggregateType
from chassis.errors import Conflict
from chassis.messages import Message
from chassis.projecting import NoHistory
from chassis.rebuild import Rebuild, Superseded, rebuild
from chassis.store import AggregateStore
from chassis.tables import view_rows
from chassis.uow import Session
from chassis.views import Early, View


@dataclass(frozen=True)
class Said:
    NAME: ClassVar[str] = "talk.said"
    word: int


@dataclass(frozen=True)
class Talk:
    words: tuple[int, ...] = ()


def add(state: Talk | None, event: Said) -> Talk:
    return Talk((*(state.words if state else ()), event.word))


def talk(event_sourced: bool) -> AggregateType[Any]:
    return AggregateType("Talk", Talk, "id", lambda _s, _c: [], add, (Said,), event_sourced)


def view_of(event_sourced: bool) -> View:
    """Its row is the whole history, so that an event too many or too few, or out of order, shows."""
    return View(
        "talks", Talk, (Said,), add, talk(event_sourced), None if event_sourced else lambda state: state
    )


SOURCED, STATED = view_of(True), view_of(False)
BOTH = pytest.mark.parametrize("view", [SOURCED, STATED], ids=["events", "state"])


def say(conn: Connection, view: View, key: str, count: int = 1) -> list[Message]:
    """Append `count` events to one aggregate; returns what the broker will bring."""
    store = AggregateStore(conn)
    assert view.of is not None
    held = store.load(view.of, key)
    state, before = held.state, held.version
    new = [Said(before + number) for number in range(1, count + 1)]
    for event in new:
        state = add(state, event)
    store.save(view.of, key, state, new)
    store.flush()
    return [
        Message("", "", "", key, {"word": event.word}, version=before + number)
        for number, event in enumerate(new, 1)
    ]


def hear(conn: Connection, view: View, *messages: Message) -> None:
    session = Session(conn)
    for message in messages:
        view.apply(session.views, message, Said(message.data["word"]))
    session.flush()


async def happen(db: Database, view: View, key: str, count: int = 1) -> None:
    """Events, and their delivery."""
    messages = await db.run(lambda conn: say(conn, view, key, count))
    await db.run(lambda conn: hear(conn, view, *messages))


def whole(version: int) -> list[int]:
    return list(range(1, version + 1))


async def rows(db: Database, view: View = SOURCED) -> dict[str, list[int]]:
    found, _ = await db.read(lambda conn: views.page(conn, view.name, limit=1000))
    keys = await db.read(lambda conn: list(conn.scalars(_keys(view)))) if found else []
    assert all(row["words"] == whole(row["version"]) for row in found)
    return dict(zip(keys, [row["words"] for row in found], strict=True))


def _keys(view: View) -> Any:
    mine = view_rows.c.view == generations.live(view.name)
    return select(view_rows.c.key).where(mine, view_rows.c.row.is_not(None)).order_by(view_rows.c.key)


async def count(db: Database) -> int:
    """Rows of all generations."""
    return await db.read(lambda conn: conn.scalar(select(func.count()).select_from(view_rows)) or 0)


@BOTH
async def test_from_zero(db: Database, view: View) -> None:
    for key, events in {"a": 1, "b": 5, "c": 3}.items():
        await db.run(lambda conn, key=key, events=events: say(conn, view, key, events))  # type: ignore[misc]
    assert await rows(db) == {}
    found, _, seconds = await rebuild(db, view)
    assert (found, seconds > 0) == (3, True)
    assert await rows(db) == {"a": whole(1), "b": whole(5), "c": whole(3)}


@BOTH
async def test_again_and_again_leaves_one_generation(db: Database, view: View) -> None:
    messages = await db.run(lambda conn: say(conn, view, "a", 3))
    await db.run(lambda conn: hear(conn, view, *messages))
    for _ in range(3):
        await rebuild(db, view)
        assert await rows(db) == {"a": whole(3)}
        assert await count(db) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_pieces_may_end_anywhere(db: Database, size: int) -> None:
    for key in "abc":
        await db.run(lambda conn, key=key: say(conn, SOURCED, key, 3))  # type: ignore[misc]
    work = Rebuild(db, SOURCED, size)
    await work.begin()
    while await work.step():
        pass
    await work.finish()
    assert await rows(db) == dict.fromkeys("abc", whole(3))
    assert (work.rows, work.events) == (3, 9)


async def test_an_empty_history_shows_nothing(db: Database) -> None:
    assert (await rebuild(db, SOURCED))[:2] == (0, 0)
    assert await rows(db) == {}


@pytest.mark.parametrize("view", [replace(SOURCED, of=None), replace(STATED, from_state=None)])
async def test_what_nobody_keeps_cannot_be_made_again(db: Database, view: View) -> None:
    with pytest.raises(NoHistory, match="talks"):
        await rebuild(db, view)
    assert (await db.read(lambda conn: generations.current(conn, "talks"))).building is None


async def test_the_old_rows_are_shown_until_the_new_ones_are_complete(db: Database) -> None:
    (message,) = await db.run(lambda conn: say(conn, SOURCED, "a"))
    await db.run(lambda conn: hear(conn, SOURCED, message))
    await db.run(lambda conn: conn.execute(update(view_rows).values(row={"words": [1], "old": True})))
    work = Rebuild(db, SOURCED)
    await work.begin()
    await work.step()
    assert (await db.read(lambda conn: views.find(conn, "talks", "a")))["old"]  # type: ignore[index]
    await work.finish()
    assert await db.read(lambda conn: views.find(conn, "talks", "a")) == {"words": [1], "version": 1}


async def test_an_event_that_history_had_already_is_not_projected_twice(db: Database) -> None:
    """It was stored before the rebuild read it and is delivered after the switch."""
    messages = await db.run(lambda conn: say(conn, SOURCED, "a", 2))
    await rebuild(db, SOURCED)
    await db.run(lambda conn: hear(conn, SOURCED, *messages))
    assert await rows(db) == {"a": whole(2)}


@BOTH
async def test_an_event_behind_the_place_that_was_read_is_in_the_new_rows(db: Database, view: View) -> None:
    for key in "ab":
        await happen(db, view, key)
    work = Rebuild(db, view, 1)
    await work.begin()
    while await work.step():
        for key in "abc":
            await happen(db, view, key)
    before = await rows(db)
    await work.finish()
    assert await rows(db) == before


async def test_the_later_of_two_rebuilds_counts(db: Database) -> None:
    await db.run(lambda conn: say(conn, SOURCED, "a", 3))
    first, second = Rebuild(db, SOURCED, 1), Rebuild(db, SOURCED, 1)
    await first.begin()
    await first.step()
    await second.begin()
    with pytest.raises(Superseded):
        await first.step()
    with pytest.raises(Superseded):
        await first.finish()
    while await second.step():
        pass
    await second.finish()
    assert (await rows(db), await count(db)) == ({"a": whole(3)}, 1)


async def test_a_row_of_another_shape_is_made_again_from_history(db: Database) -> None:
    """After a release that changed what a row is, before anybody has rebuilt the view."""
    messages = await db.run(lambda conn: say(conn, SOURCED, "a", 2))
    await db.run(lambda conn: hear(conn, SOURCED, messages[0]))
    await db.run(lambda conn: conn.execute(update(view_rows).values(row={"words": "none"})))
    await db.run(lambda conn: hear(conn, SOURCED, messages[1]))
    assert await rows(db) == {"a": whole(2)}


# Any order of things


@dataclass
class World:
    """What can happen to a view, one step at a time, and what must hold after each."""

    db: Database
    view: View
    waiting: list[Message] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)
    work: Rebuild | None = None
    read_all: bool = False
    versions: dict[str, int] = field(default_factory=dict)

    async def do(self, action: str, number: int) -> None:
        if action == "say":
            self.waiting += await self.db.run(
                lambda conn: say(conn, self.view, "abcd"[number % 4], 1 + number % 2)
            )
        elif action == "hear" and self.waiting:
            await self.hear(self.waiting.pop(number % len(self.waiting)))
        elif action == "again" and self.heard:
            await self.hear(self.heard[number % len(self.heard)])
        elif action == "begin":
            self.work, self.read_all = Rebuild(self.db, self.view, 1 + number % 3), False
            await self.work.begin()
        elif action == "step" and self.work and not self.read_all:
            self.read_all = not await self.work.step()
        elif action == "finish" and self.work and self.read_all:
            await self.work.finish()
            self.work = None

    async def hear(self, message: Message) -> None:
        try:
            await self.db.run(lambda conn: hear(conn, self.view, message))
            self.heard.append(message)
        except Early:
            self.waiting.append(message)

    async def check(self) -> None:
        """Every row is a whole prefix of its history, and none ever goes back."""
        now = {key: len(words) for key, words in (await rows(self.db)).items()}
        assert all(now.get(key, 0) >= version for key, version in self.versions.items())
        self.versions = now

    async def end(self) -> None:
        while self.work and not self.read_all:
            await self.do("step", 0)
        await self.do("finish", 0)
        while self.waiting:
            await self.do("hear", 0)


ACTIONS = st.tuples(
    st.sampled_from(["say", "say", "hear", "hear", "again", "begin", "step", "step", "finish"]),
    st.integers(0, 11),
)


@BOTH
@settings(max_examples=40, deadline=None)
@given(actions=st.lists(ACTIONS, max_size=40))
def test_any_interleaving_equals_a_fold_over_history(
    _sqlite_file: Path, view: View, actions: list[tuple[str, int]]
) -> None:
    async def live(db: Database) -> None:
        world = World(db, view)
        for action, number in actions:
            await world.do(action, number)
            await world.check()
        await world.end()
        await world.check()
        said = {key: len([m for m in world.heard if m.subject == key]) for key in "abcd"}
        last = {key: max([m.version for m in world.heard if m.subject == key], default=0) for key in "abcd"}
        assert world.versions == {key: version for key, version in last.items() if version}
        assert all(said[key] >= last[key] for key in "abcd")

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(_sqlite_file, Path(folder) / "test.db")
        db = Database(f"sqlite:///{folder}/test.db")
        try:
            asyncio.run(live(db))
        finally:
            db.close()


def tell(view: View, message: Message, conn: Connection) -> None:
    hear(conn, view, message)


# Real concurrency, and a real kill


@BOTH
async def test_under_concurrent_writes_and_two_projectors(url: str, view: View) -> None:
    first, second = Database(url), Database(url)
    queue: asyncio.Queue[Message] = asyncio.Queue()
    keys = [f"k{number:02}" for number in range(20)]
    written = 0
    stop = asyncio.Event()

    async def patiently(db: Database, work: Callable[[Connection], Any]) -> Any:
        while True:
            try:
                return await db.run(work)
            except Conflict:
                await asyncio.sleep(0.001)

    async def write(db: Database, mine: list[str]) -> None:
        nonlocal written
        for round in range(12):
            for key in mine:
                appended = partial(say, view=view, key=key, count=1 + round % 2)
                for message in await patiently(db, appended):
                    await queue.put(message)
                    written += 1

    async def project(db: Database) -> None:
        while not stop.is_set() or not queue.empty():
            try:
                message = await asyncio.wait_for(queue.get(), 0.05)
            except TimeoutError:
                continue
            try:
                await patiently(db, partial(tell, view, message))
            except Early:
                await queue.put(message)
                await asyncio.sleep(0.001)

    async def rebuild_often(db: Database) -> int:
        times = 0
        while not stop.is_set() or times < 2:
            await rebuild(db, view)
            times += 1
        return times

    others = [asyncio.create_task(project(db)) for db in (first, second)]
    rebuilding = asyncio.create_task(rebuild_often(second))
    await asyncio.gather(write(first, keys[:10]), write(second, keys[10:]))
    stop.set()
    await asyncio.wait_for(asyncio.gather(*others, rebuilding), 60)
    found = await rows(first)
    assert {key: len(words) for key, words in found.items()} == dict.fromkeys(keys, 18)
    assert written == 18 * len(keys)
    assert await count(first) == len(keys)
    first.close()
    second.close()


def never_ending(url: str) -> None:
    """What the process does that is going to be killed."""

    async def run() -> None:
        work = Rebuild(Database(url), SOURCED, 1)
        await work.begin()
        while await work.step():
            await asyncio.sleep(0.02)
        await asyncio.sleep(60)

    asyncio.run(run())


async def test_a_kill_in_the_middle_leaves_the_rows_that_are_shown(db: Database, url: str) -> None:
    for key in "abc":
        await happen(db, SOURCED, key, 4)
    before = await rows(db)
    process = multiprocessing.get_context("spawn").Process(target=never_ending, args=(url,), daemon=True)
    process.start()
    end = time.monotonic() + 20
    while await count(db) < 4 and time.monotonic() < end:
        await asyncio.sleep(0.01)
    process.kill()
    process.join()
    assert await count(db) > 3, "it had begun to write"
    assert await rows(db) == before
    await happen(db, SOURCED, "a", 1)
    assert await rows(db) == {**before, "a": whole(5)}
    await rebuild(db, SOURCED)
    assert (await rows(db), await count(db)) == ({**before, "a": whole(5)}, 3)


async def test_what_an_abandoned_rebuild_wrote_is_swept_away_one_day(db: Database) -> None:
    await happen(db, SOURCED, "a", 2)
    work = Rebuild(db, SOURCED)
    await work.begin()
    await work.step()
    assert await db.run(lambda conn: generations.sweep(conn, 100)) == 0, "it may be alive"
    later = time.time() + generations.ABANDONED + 1
    assert await db.run(lambda conn: generations.sweep(conn, 100, later)) == 1
    assert await rows(db) == {"a": whole(2)}
    with pytest.raises(Superseded):
        await work.finish()
