"""Event sourcing: what is appended, what is folded, and that nothing of it is ever changed."""

from __future__ import annotations

from functools import partial

from tests.mutants.edits import (
    add,
    append,
    chain,
    drop_part,
    imports,
    regex,
    remove,
    rewrite,
)
from tests.mutants.model import Mutation
from tests.mutants.table.places import CHASSIS, ORDERS

_events = partial(Mutation, item="event_sourcing")
_ORDER = f"{ORDERS}domain/order.py"

MUTATIONS = (
    _events(
        "no unique key of stream and version",
        rules=("EVS-002",),
        at=f"{CHASSIS}*",
        edit=chain(
            drop_part(
                f"{CHASSIS}tables.py", {"pattern": 'UniqueConstraint("kind", "stream", "version", $$$X)'}
            ),
            regex(
                f"{CHASSIS}migrations/versions/*.py",
                r'^.*UniqueConstraint\("kind", "stream", "version".*\n',
                "",
            ),
        ),
    ),
    _events(
        "the version is not among what is appended",
        rules=("EVS-002",),
        at=f"{CHASSIS}store.py",
        edit=chain(
            drop_part(
                f"{CHASSIS}store.py",
                {
                    "kind": "pair",
                    "regex": '^"version": held.version - ',
                },
            ),
            regex(
                f"{CHASSIS}tables.py",
                r'"kind", "stream", "version", name="events_expected',
                '"position", name="events_expected',
            ),
        ),
    ),
    _events(
        "an append that overwrites what another writer appended",
        rules=("EVS-002", "EVS-004"),
        at=f"{CHASSIS}store.py",
        edit=chain(
            imports(
                f"{CHASSIS}store.py", "from sqlalchemy.dialects.sqlite import insert as insert_or_update"
            ),
            rewrite(
                f"{CHASSIS}store.py",
                "self._conn.execute(insert(events).inline(), parameters(rows))",
                "self._conn.execute(insert_or_update(events).on_conflict_do_update("
                'index_elements=["kind", "stream", "version"], set_={"data": rows[0]["data"]}), rows)',
            ),
        ),
    ),
    _events(
        "a clock in evolve",
        rules=("EVS-003",),
        at=_ORDER,
        edit=chain(
            imports(_ORDER, "from datetime import UTC, datetime"),
            rewrite(
                _ORDER,
                "replace(order, status=event.status)",
                "replace(order, status=event.status, reason=datetime.now(UTC).isoformat())",
            ),
        ),
    ),
    _events(
        "a random id in evolve",
        rules=("EVS-003",),
        at=_ORDER,
        edit=chain(
            imports(_ORDER, "from uuid import uuid4"),
            regex(_ORDER, r"(return Order\(\n\s+order_id=)event\.order_id", r"\1uuid4()"),
        ),
    ),
    _events(
        "a file read in evolve",
        rules=("EVS-003",),
        at=_ORDER,
        edit=chain(
            imports(_ORDER, "from pathlib import Path"),
            rewrite(
                _ORDER,
                "replace(order, status=event.status)",
                'replace(order, status=event.status, reason=Path("reasons.txt").read_text("utf-8"))',
            ),
        ),
    ),
    _events(
        "a peer asked in evolve",
        rules=("EVS-003",),
        at=_ORDER,
        edit=chain(
            imports(_ORDER, "import httpx"),
            rewrite(
                _ORDER,
                "replace(order, status=event.status)",
                'replace(order, reason=httpx.get(f"{RATES_URL}/eur", timeout=2).text)',
            ),
            regex(_ORDER, r"^(@dataclass)", r'RATES_URL = os.environ["RATES_URL"]\n\n\n\1', count=1),
            imports(_ORDER, "import os"),
        ),
        also=("circuit_breaker",),
    ),
    _events(
        "a clock behind a helper that evolve calls",
        rules=("EVS-003",),
        at=_ORDER,
        edit=chain(
            imports(_ORDER, "import time"),
            rewrite(
                _ORDER, "replace(order, status=event.status)", "_stamped(replace(order, status=event.status))"
            ),
            append(
                _ORDER,
                """


                def _stamped(order: Order) -> Order:
                    return replace(order, reason=f"changed at {time.time():.0f}")
                """,
            ),
        ),
    ),
    _events(
        "old events are corrected in place",
        rules=("EVS-004",),
        at=f"{ORDERS}corrections.py",
        edit=add(
            f"{ORDERS}corrections.py",
            """
            from sqlalchemy import Connection, update

            from chassis.tables import events


            def correct(conn: Connection, position: int, data: dict[str, object]) -> None:
                conn.execute(update(events).where(events.c.position == position).values(data=data))
            """,
        ),
    ),
    _events(
        "old events are deleted in the upkeep",
        rules=("EVS-004",),
        at=f"{CHASSIS}upkeep.py",
        edit=chain(
            imports(f"{CHASSIS}upkeep.py", "from chassis.tables import events"),
            rewrite(
                f"{CHASSIS}upkeep.py",
                "idempotency.forget(conn, limit=PIECE)",
                "idempotency.forget(conn, limit=PIECE)"
                " + conn.execute(delete(events).where(events.c.recorded_at < now - KEEP_SAGAS)).rowcount",
            ),
        ),
    ),
    _events(
        "old events are deleted through a helper",
        rules=("EVS-004",),
        at=f"{CHASSIS}upkeep.py",
        edit=chain(
            imports(f"{CHASSIS}upkeep.py", "from chassis.tables import events"),
            rewrite(
                f"{CHASSIS}upkeep.py",
                "idempotency.forget(conn, limit=PIECE)",
                "idempotency.forget(conn, limit=PIECE) + _delete(conn, events, events.c.recorded_at < now - KEEP_SAGAS)",
            ),
        ),
    ),
    _events(
        "an order's events are deleted by SQL",
        rules=("EVS-004",),
        at=f"{ORDERS}forget_customer.py",
        edit=add(
            f"{ORDERS}forget_customer.py",
            """
            from sqlalchemy import Connection, text


            def forget(conn: Connection, order_id: str) -> None:
                conn.execute(text("DELETE FROM events WHERE stream = :id"), {"id": order_id})
            """,
        ),
    ),
    _events(
        "no decision on record",
        rules=("EVS-001",),
        at="*",
        edit=chain(
            remove("docs/decisions/*event-sourcing.md"),
            regex("system.yaml", r"^  event_sourcing:.*\n(?:    .*\n)*", ""),
            regex("*.md", r"(?i)event[- ]sourc\w+", "history"),
        ),
    ),
    _events(
        "events switched off",
        rules=(),
        at="",
        edit=rewrite(
            f"{ORDERS}generated/aggregates.py",
            "AggregateType($$$A, event_sourced=True, $$$B)",
            "AggregateType($$$A, event_sourced=False, $$$B)",
        ),
    ),
    _events(
        "the state is not folded from the events",
        rules=(),
        at="",
        edit=rewrite(
            f"{CHASSIS}history.py",
            "state, version = type.evolve(state, _event(type, row)), row.version",
            "version = row.version",
        ),
    ),
    _events(
        "a clash of two appends is passed over",
        rules=("EVS-002",),
        at=f"{CHASSIS}store.py",
        edit=rewrite(
            f"{CHASSIS}store.py",
            'raise Conflict("an event was appended by somebody else meanwhile") from error',
            "return",
        ),
        also=("error_handling",),
    ),
)
