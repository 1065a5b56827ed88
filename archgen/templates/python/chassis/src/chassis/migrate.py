"""Brings a database to the chassis's newest schema, with Alembic.

A service's own tables, should it need any, get a migration folder of their own in the service.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

_LOCK = 727_274_001  # any number, the same in every replica


def migrate(conn: Connection) -> None:
    """Apply what is missing. Replicas that start together wait for each other."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    command.upgrade(config, "head")
