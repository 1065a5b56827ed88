"""What time it is where several machines have to agree on it: the database's time, if it has one."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Double, cast, func


def now(conn: Connection) -> Any:
    """Seconds since the epoch, to be used in a statement, where it can be added to and compared.

    With PostgreSQL it is the server's clock, whichever machine asks. A SQLite file belongs to one
    machine, so that one's clock is the same for all.
    """
    if conn.dialect.name == "sqlite":
        return time.time()
    # Not the time at which the transaction began: waiting for a lock may have taken a while.
    return cast(func.extract("epoch", func.clock_timestamp()), Double)
