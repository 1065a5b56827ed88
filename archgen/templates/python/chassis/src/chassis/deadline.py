"""How long whoever is being served will wait: what is done for them need not take longer.

Set by the ways in that are told it (gRPC), and kept to by calls to peers, which hand it on.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# An instant of the running loop's clock.
_ends: ContextVar[float] = ContextVar("deadline", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is inside is wanted within `seconds`, or earlier if that was said before."""
    token = _ends.set(min(_ends.get(), asyncio.get_running_loop().time() + seconds))
    try:
        yield
    finally:
        _ends.reset(token)


def ends() -> float:
    """The instant, of the running loop's clock, after which nobody waits any more; infinite for no such."""
    return _ends.get()
