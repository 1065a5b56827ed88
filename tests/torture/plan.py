"""What a run will do, from its seed alone: the orders, and the schedule of faults. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, Literal
from uuid import UUID

Fate = Literal["good", "scarce", "declined", "short", "unshippable"]
FATES: dict[Fate, int] = {"good": 60, "scarce": 14, "declined": 10, "short": 6, "unshippable": 10}
MUST_FAIL: frozenset[Fate] = frozenset({"declined", "short", "unshippable"})

PLENTY = tuple(f"PLENTY-{number}" for number in range(4))
SCARCE = "SCARCE"
NEVER_STOCKED = "NONE"
BROKER = "broker"
DATABASE = "database"
LONGEST_PAUSE = 3.0
RIVALS = 3
LONG_RUN = 40.0
RECOVERY = 2.5  # seconds that a restarted process is left alone, so that it does some work


@dataclass(frozen=True)
class Line:
    sku: str
    quantity: int
    price: Decimal

    def to_json(self) -> dict[str, Any]:
        price = {"amount": str(self.price), "currency": "EUR"}
        return {"sku": self.sku, "quantity": self.quantity, "price": price}


@dataclass(frozen=True)
class OrderPlan:
    """One order to place `at` so many seconds after the start; `cancel_after` its answer, or never.

    With `rivals`, so many people cancel it at the same moment, each only if it is still as it was created.
    Who `looks` reads the view after each answer, and wants to see what they have just written.
    Each order has a customer of its own, so that whatever a customer is told belongs to one order.
    """

    number: int
    at: float
    fate: Fate
    key: str
    customer_id: str
    lines: tuple[Line, ...]
    order_id: str | None = None
    cancel_after: float | None = None
    rivals: int = 0
    looks: bool = False

    @property
    def amount(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal())

    def body(self) -> dict[str, Any]:
        chosen = {"order_id": self.order_id} if self.order_id else {}
        return {"customer_id": self.customer_id, "items": [line.to_json() for line in self.lines], **chosen}


@dataclass(frozen=True, order=True)
class Fault:
    """`kill` is SIGKILL and a restart after `seconds`; `freeze` is SIGSTOP and SIGCONT after them."""

    at: float
    process: str
    kind: Literal["kill", "freeze"]
    seconds: float

    def __str__(self) -> str:
        return f"{self.at:6.2f} s  {self.kind:<6} {self.process:<14} for {self.seconds:.2f} s"


@dataclass(frozen=True, order=True)
class Errand:
    """What somebody who runs the shop does `at` a time: rebuild the view `what`, or enqueue the job.

    `killed_after` so many seconds the command is killed; None lets it end.
    """

    at: float
    kind: Literal["rebuild", "job"]
    service: str
    what: str
    killed_after: float | None = None


@dataclass(frozen=True)
class Cast:
    """Which processes there are, and what is special about some of them.

    A saga gives up a step of a participant after `gives_up` seconds; a job is taken over from a worker that
    was away for `lease` seconds. `unfreezable` ones are killed only. `views` are (service, view).
    """

    processes: tuple[str, ...]
    participants: tuple[str, ...]
    workers: tuple[str, ...]
    gives_up: float
    lease: float
    unfreezable: frozenset[str] = frozenset()
    views: tuple[tuple[str, str], ...] = ()
    job: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Plan:
    seed: int
    orders: tuple[OrderPlan, ...]
    faults: tuple[Fault, ...]
    errands: tuple[Errand, ...] = ()
    stock: dict[str, int] = field(default_factory=dict)


def make(seed: int, cast: Cast, *, orders: int, seconds: float, cancelled: float) -> Plan:
    """The plan of `seed`; `cancelled` is the share of orders whose customer changes their mind."""
    faults = _faults(Random(f"faults {seed}"), cast, seconds)
    placed = _orders(Random(f"orders {seed}"), orders, cancelled, _waves(faults, cast))
    errands = _errands(Random(f"errands {seed}"), cast, seconds)
    stock = dict.fromkeys(PLENTY, 60 * orders)
    # About half of those who want it get it.
    stock[SCARCE] = max(1, sum(line.quantity for o in placed for line in o.lines if line.sku == SCARCE) // 2)
    return Plan(seed, placed, faults, errands, stock)


def _faults(rng: Random, cast: Cast, seconds: float) -> tuple[Fault, ...]:
    """Every process is killed at least once; every fourth time one is frozen instead.

    The first freeze outlasts all attempts of a step and ends with a kill, before anything is handled: the
    commands come back when the saga has long sent their undo. In a run that has the time for it, another
    one outlasts the attempts to undo as well. One keeps a worker away until others take its jobs over, and
    lets it go on as if nothing had happened. The rest end with a kill just after them, in the midst of what
    piled up meanwhile.
    """
    processes, gives_up = cast.processes, cast.gives_up
    victims = rng.sample(list(processes), len(processes))
    gap = min(2.5, seconds / (len(processes) * 4 / 3 + 1))
    busy_until: dict[str, float] = {}
    faults: list[Fault] = []
    at, turn, away_next = 1.0, 0, 3
    while at < seconds or victims:
        free = [name for name in processes if busy_until.get(name, 0.0) <= at]
        if turn == 1:
            name, pause = rng.choice([p for p in cast.participants if p in free]), gives_up + 1
            chosen = [Fault(at, name, "freeze", pause), Fault(at + pause - 0.1, name, "kill", 0.2)]
        elif turn == 5 and seconds >= LONG_RUN and (able := [p for p in cast.participants if p in free]):
            chosen = [Fault(at, rng.choice(able), "freeze", 2 * gives_up + 1)]
        elif turn >= away_next and (able := [p for p in cast.workers if p in free]):
            away_next = turn + 12
            chosen = [Fault(at, rng.choice(able), "freeze", cast.lease + rng.uniform(1.0, 2.0))]
        elif turn % 4 == 1 and (able := [p for p in free if p not in cast.unfreezable]):
            name, pause = rng.choice(able), rng.uniform(0.8, LONGEST_PAUSE)
            woken = at + pause + rng.uniform(0.005, 0.1)
            chosen = [
                Fault(at, name, "freeze", pause),
                Fault(woken, name, "kill", rng.uniform(0.1, 1.2)),
            ]
        else:
            due = [name for name in victims if name in free] or rng.sample(free, len(free))
            chosen = [Fault(at, name, "kill", rng.uniform(0.1, 1.2)) for name in due[:1]]
        for fault in chosen:
            victims = [name for name in victims if fault.kind == "freeze" or name != fault.process]
            busy_until[fault.process] = fault.at + fault.seconds + RECOVERY
        faults += chosen
        turn += 1
        at += rng.uniform(0.5, 1.5) * gap
    return tuple(sorted(faults))


def _errands(rng: Random, cast: Cast, seconds: float) -> tuple[Errand, ...]:
    """A rebuild every few seconds, every third of them killed; and half as many jobs."""
    errands = []
    count = max(3, round(seconds / 4))
    views = rng.sample(list(cast.views), len(cast.views))
    for number in range(count):
        at = (number + rng.random()) * seconds / count
        if views:
            killed = rng.uniform(0.5, 2.0) if number % 3 == 1 else None
            errands.append(Errand(at, "rebuild", *views[number % len(views)], killed))
        if cast.job[0] and number % 2 == 0:
            errands.append(Errand(rng.uniform(0, seconds), "job", *cast.job))
    return tuple(sorted(errands, key=lambda errand: errand.at))


def _waves(faults: Sequence[Fault], cast: Cast) -> list[tuple[float, float]]:
    """When orders come, from and to: before a kill, so that it hits what is busy, and during a freeze.

    Few come when the first freeze begins: all those time out. A worker has something to do some time after
    an order came.
    """
    waves = []
    for fault in faults:
        if fault.process in cast.workers:
            waves += 3 * [(fault.at - 1.5, fault.at)]
        elif fault.kind == "kill":
            waves += 3 * [(fault.at - 0.7, fault.at)]
        elif fault.seconds > LONGEST_PAUSE:
            waves += [(fault.at - 0.2, fault.at + 0.5)]
        else:
            waves += 4 * [(fault.at - 0.1, fault.at + 0.7 * fault.seconds)]
    return waves


def _orders(
    rng: Random, count: int, cancelled: float, waves: Sequence[tuple[float, float]]
) -> tuple[OrderPlan, ...]:
    planned = []
    for number in range(count):
        at = max(0.0, rng.uniform(*waves[number % len(waves)]))
        fate = rng.choices(list(FATES), list(FATES.values()))[0]
        changes_mind = rng.random() < cancelled
        planned.append(
            OrderPlan(
                number,
                at,
                fate,
                key=f"order-{number}-{rng.getrandbits(64):x}",
                customer_id=_uuid(rng),
                lines=_lines(rng, fate),
                order_id=_uuid(rng) if rng.random() < 0.5 else None,
                cancel_after=rng.uniform(0.0, 0.4) if changes_mind else None,
                rivals=RIVALS if changes_mind and rng.random() < 0.5 else 0,
                looks=rng.random() < 0.3,
            )
        )
    return tuple(sorted(planned, key=lambda order: order.at))


def _lines(rng: Random, fate: Fate) -> tuple[Line, ...]:
    def some() -> Line:
        return Line(rng.choice(PLENTY), rng.randint(1, 4), Decimal(rng.randint(100, 9999)) / 100)

    match fate:
        case "good":
            return tuple(some() for _ in range(rng.randint(1, 3)))
        case "scarce":
            return some(), Line(SCARCE, rng.randint(1, 3), Decimal("5.00"))
        case "declined":
            return some(), Line(rng.choice(PLENTY), 2, Decimal("6000.00"))
        case "short":
            return some(), Line(NEVER_STOCKED, 1, Decimal("7.50"))
        case "unshippable":
            return (Line(rng.choice(PLENTY), 51, Decimal("1.20")),)


def _uuid(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))
