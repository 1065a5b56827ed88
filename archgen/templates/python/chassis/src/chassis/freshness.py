"""Reading what one has written: wait until a view shows at least a given version.

A command's answer tells the version that it led to. Whoever asks a view for that version is not
answered with an older row; views follow within milliseconds, so a short wait is nearly always enough.
"""

from __future__ import annotations

import asyncio
import time

from chassis import views
from chassis.db import Database
from chassis.errors import Unavailable
from chassis.views import Shown

PATIENCE = 2.0  # seconds
FIRST_LOOK, LAST_LOOK = 0.005, 0.1


async def at_least(db: Database, view: str, key: str, version: int, patience: float = PATIENCE) -> Shown:
    """The row for `key` once it shows `version` or a later one.

    Raises Unavailable, to be asked again, when it does not within `patience` seconds.
    """
    end = time.monotonic() + patience
    delay = FIRST_LOOK
    while True:
        found = await db.read(lambda conn: views.shown(conn, view, key))
        if found.version >= version:
            return found
        left = end - time.monotonic()
        if left <= 0:
            raise Unavailable(f"{view} shows version {found.version} of this one, not {version} yet", 1.0)
        await asyncio.sleep(min(delay, left))
        delay = min(delay * 2, LAST_LOOK)
