"""Runs of agents, as they are kept: one row each, with everything it takes to go on.

    running ──▶ done                  the model came to an end
       │  ▲ ──▶ limit                 turns, tokens or seconds were used up
       │  │ ──▶ refused               the model would not
       │  │ ──▶ failed, interrupted   the API, or this process, went away
       ▼  │
    needs_confirmation                until a person says yes or no

A command that an agent has carried out and the record that it was commit in one transaction.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from chassis.agents.privacy import cleaned
from chassis.agents.usage import NOTHING, Usage
from chassis.db import Database
from chassis.errors import Conflict, NotFound
from chassis.tables import agent_runs as table

KEEP_SECONDS = 30 * 86_400.0
CONFIRM_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Call:
    """A tool that the model asked for. `outcome`: ok, error, unknown, invalid, rejected or waiting."""

    id: str
    tool: str
    arguments: Any
    outcome: str = "waiting"
    turn: int = 0


@dataclass(frozen=True)
class Run:
    """One run. `messages` is the conversation as the Messages API has it.

    `results` holds the answers to the calls of the last turn while others of it wait for a person.
    `latest` is what the last turn took: the next one reads all of that again. `caller` is whom it works
    for, as `Caller.kept` has it.
    """

    id: str
    agent: str
    model: str
    task: str
    messages: tuple[Mapping[str, Any], ...]
    status: str = "running"
    reason: str = ""
    answer: str = ""
    turns: int = 0
    usage: Usage = NOTHING
    latest: Usage = NOTHING
    seconds: float = 0.0
    calls: tuple[Call, ...] = ()
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    version: int = 0
    updated_at: float = 0.0
    caller: Mapping[str, Any] = field(default_factory=dict)

    @property
    def pending(self) -> tuple[Call, ...]:
        """The calls that wait for a person."""
        return tuple(call for call in self.calls if call.outcome == "waiting")

    def ended(self, status: str, reason: str = "") -> Run:
        """The run as it is kept: what was a conversation is now a record, without secrets."""
        calls = tuple(
            replace(call, outcome="error" if call.outcome == "waiting" else call.outcome)
            for call in self.calls
        )
        return replace(
            self,
            status=status,
            reason=reason,
            calls=tuple(replace(call, arguments=cleaned(call.arguments)) for call in calls),
            messages=tuple(cleaned([dict(message) for message in self.messages])),
            results={},
        )

    def with_call(self, call: Call, result: Mapping[str, Any]) -> Run:
        """The run with `call` settled, and `result` (a tool_result block) to be told to the model."""
        calls = tuple(call if each.id == call.id else each for each in self.calls)
        return replace(self, calls=calls, results={**self.results, call.id: result})


def save(conn: Connection, run: Run) -> Run:
    """Write `run` over the version it was read at; returns it as it now is. Raises Conflict."""
    now = time.time()
    saved = replace(run, version=run.version + 1, updated_at=now)
    state = asdict(saved)
    values = {"status": run.status, "version": saved.version, "state": state, "updated_at": now}
    if run.version == 0:
        conn.execute(insert(table).values(id=run.id, agent=run.agent, **values))
        return saved
    mine = (table.c.id == run.id) & (table.c.version == run.version)
    if conn.execute(update(table).where(mine).values(values)).rowcount == 0:
        raise Conflict(f"the run {run.id} went on meanwhile")
    return saved


def load(conn: Connection, agent: str, id: str) -> Run:
    """The run `id` of `agent`. Raises NotFound."""
    found = conn.execute(select(table.c.state).where(table.c.id == id, table.c.agent == agent)).first()
    if found is None:
        raise NotFound("run", id)
    state = dict(found.state)
    return Run(
        **{
            **state,
            "messages": tuple(state["messages"]),
            "usage": Usage(**state["usage"]),
            "latest": Usage(**state["latest"]),
            "calls": tuple(Call(**call) for call in state["calls"]),
        }
    )


class Runs:
    """The runs of one agent, each save and load a transaction of its own."""

    def __init__(self, db: Database, agent: str) -> None:
        self._db = db
        self._agent = agent

    async def save(self, run: Run) -> Run:
        return await self._db.run(lambda conn: save(conn, run))

    async def load(self, id: str) -> Run:
        return await self._db.read(lambda conn: load(conn, self._agent, id))


def interrupt(conn: Connection, agent: str, older_than: float) -> int:
    """End the runs of `agent` whose process is gone: nobody has touched them for `older_than` seconds.

    Those that waited for a person longer than CONFIRM_SECONDS end, too. Returns how many it were.
    """
    now = time.time()
    lost = (table.c.status == "running") & (table.c.updated_at < now - older_than)
    stale = (table.c.status == "needs_confirmation") & (table.c.updated_at < now - CONFIRM_SECONDS)
    found = conn.execute(select(table.c.id).where(table.c.agent == agent, lost | stale).limit(100)).all()
    for row in found:
        run = load(conn, agent, row.id)
        if run.status == "running":
            save(conn, run.ended("interrupted", "the process that worked on it went away"))
        else:
            save(conn, run.ended("interrupted", "nobody confirmed it in time"))
    return len(found)


def forget(conn: Connection, older_than: float = KEEP_SECONDS, limit: int = 1000) -> int:
    """Delete at most `limit` runs that ended so many seconds ago; returns how many it were."""
    over = table.c.status.not_in(("running", "needs_confirmation"))
    old = select(table.c.id).where(over, table.c.updated_at < time.time() - older_than).limit(limit)
    return conn.execute(delete(table).where(table.c.id.in_(old))).rowcount
