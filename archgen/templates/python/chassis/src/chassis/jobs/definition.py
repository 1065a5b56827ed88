"""What a job is: its arguments, its handler and how patient the worker is with it."""

from __future__ import annotations

import inspect
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from sqlalchemy import Connection

from chassis.domain import AggregateType
from chassis.jobs.cron import Cron
from chassis.store import AggregateStore

if TYPE_CHECKING:
    from chassis.db import Database
    from chassis.uow import UnitOfWork

S = TypeVar("S")
T = TypeVar("T")
HOUR = 3600.0


class JobArgs(Protocol):
    """A frozen dataclass generated from the description.

    NAME is the job's; PRIORITY orders what waits, the lowest number first.
    """

    NAME: ClassVar[str]
    PRIORITY: ClassVar[int]


class GiveUp(Exception):
    """Trying again can't help: the job fails now, whatever attempts it has left."""


@dataclass(frozen=True)
class Run:
    """One attempt at a job, as a handler that talks to the world sees it.

    `key` is the same in every attempt and after a redrive: pass it on as the idempotency key, since
    a worker that was killed after the call and before the commit calls again.
    """

    id: str
    attempt: int
    _db: Database = field(repr=False)

    @property
    def key(self) -> str:
        return self.id

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read from the service's own database, outside of the transaction that ends the job."""
        return await self._db.read(work)

    async def load(self, type: AggregateType[S], id: object) -> S | None:
        """The aggregate as it is now, or None; whoever writes about it later decides anew."""
        state: S | None = await self.read(lambda conn: AggregateStore(conn).load(type, str(id)).state)
        return state


# What a job did, to be written in the transaction that marks it as done.
Effect = Callable[["UnitOfWork"], None]
Pure = Callable[[Any, "UnitOfWork"], None]
Worldly = Callable[[Any, Run], Awaitable[Effect | None]]


@dataclass(frozen=True)
class Backoff:
    """The wait before the next attempt, in seconds: `delay`, doubled each time up to `longest`.

    Jitter takes up to half of it away, so that jobs that failed together don't come back together.
    """

    type: Literal["exponential", "fixed"] = "exponential"
    delay: float = 2.0
    longest: float = HOUR

    def wait(self, failed: int) -> float:
        """Seconds to wait after `failed` attempts (1 or more)."""
        # The exponent is bounded because a float must not overflow.
        doubled = self.delay * 2 ** min(failed - 1, 30) if self.type == "exponential" else self.delay
        return min(doubled, self.longest) * random.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Job:
    """A kind of job. Times are seconds.

    `handler` is one of two. `def handler(args, uow)` does everything in the transaction that marks
    the job as done, so its effect happens once; it holds locks, so it is short and does no I/O.
    `async def handler(args, run)` may call others, with `run.key` as the idempotency key, and returns
    what to write about it: a function of a unit of work, which commits with the job.

    `attempts` counts the first one, and one that ended with its worker too. An attempt that takes
    longer than `timeout` has failed. A done job can be asked about for `keep` seconds.
    """

    args: type[Any]
    handler: Pure | Worldly
    attempts: int = 3
    backoff: Backoff = Backoff()
    timeout: float = 60.0
    schedule: Cron | None = None
    keep: float = HOUR

    @property
    def name(self) -> str:
        name: str = self.args.NAME
        return name

    @cached_property
    def worldly(self) -> bool:
        return inspect.iscoroutinefunction(self.handler)
