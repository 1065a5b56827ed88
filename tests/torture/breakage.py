"""Carries out the schedule of faults on the running processes."""

from __future__ import annotations

import heapq
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.torture.plan import Fault


class Processes(Protocol):
    """The part of `chassis.testing.System` that is needed here."""

    def start(self, *names: str, wait: bool = True, timeout: float = 60.0) -> None: ...
    def kill(self, name: str) -> None: ...
    def freeze(self, name: str) -> None: ...
    def thaw(self, name: str) -> None: ...
    def running(self, name: str) -> bool: ...


@dataclass
class Done:
    """What was done, and which processes ended by themselves meanwhile."""

    kills: Counter[str] = field(default_factory=Counter)
    freezes: Counter[str] = field(default_factory=Counter)
    ended_by_itself: list[str] = field(default_factory=list)


def carry_out(faults: Sequence[Fault], system: Processes, began: float, say: Callable[[str], None]) -> Done:
    """Break and mend by the schedule, `at` counted from `began`; returns when all is mended again."""
    done = Done()
    mending: list[tuple[float, Fault]] = []
    waiting = list(faults)
    while waiting or mending:
        fault_next = waiting and (not mending or waiting[0].at <= mending[0][0])
        at, fault = (waiting[0].at, waiting.pop(0)) if fault_next else heapq.heappop(mending)
        time.sleep(max(0.0, began + at - time.monotonic()))
        if not fault_next:
            _mend(fault, system)
            continue
        if not system.running(fault.process):
            done.ended_by_itself.append(fault.process)
            say(f"{fault.process} has ended by itself; it is started again")
            system.start(fault.process, wait=False)
            continue
        if fault.kind == "kill":
            system.kill(fault.process)
            done.kills[fault.process] += 1
        else:
            system.freeze(fault.process)
            done.freezes[fault.process] += 1
        heapq.heappush(mending, (fault.at + fault.seconds, fault))
    return done


def _mend(fault: Fault, system: Processes) -> None:
    if fault.kind == "kill":
        system.start(fault.process, wait=False)
    elif system.running(fault.process):
        system.thaw(fault.process)
