"""Every table the chassis owns; `migrations/` creates them, on SQLite and PostgreSQL alike.

State is kept as JSON documents: an aggregate is loaded and saved whole, so a column per
field would buy nothing and cost a migration for every field that is added. What is queried
by its fields is a view (a read model), whose rows are documents for the same reason.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

# A missing document is SQL NULL on both, not the JSON text `null`.
Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
# SQLite numbers rows by itself only for a column declared INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")

aggregates = Table(
    "aggregates",
    metadata,
    Column("kind", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Document, nullable=False),
    PrimaryKeyConstraint("kind", "id"),
)

# The event store. The unique constraint is the optimistic lock: of two writers that saw the
# same version, the second fails to append.
events = Table(
    "events",
    metadata,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    # Which shape the data has; see `upcasting`.
    Column("event_version", Integer, nullable=False, server_default="1"),
    Column("data", Document, nullable=False),
    Column("recorded_at", Double, nullable=False),
    UniqueConstraint("kind", "stream", "version", name="events_expected_version"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("message_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("handled_at", Double, nullable=False),
    PrimaryKeyConstraint("consumer", "message_id"),
    Index("inbox_handled_at", "handled_at"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("position", Serial, primary_key=True, autoincrement=True),
    Column("consumer", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", Double, nullable=False),
    Column("redriven_at", Double),
)

view_rows = Table(
    "view_rows",
    metadata,
    Column("view", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("row", Document),  # null: nothing to show yet, but the version is known
    Column("owner", Text),  # whose it is, where the view's rows are somebody's (`security.ownership`)
    PrimaryKeyConstraint("view", "key"),
    Index("view_rows_owner", "view", "owner", "key"),
)

# Queries use these very texts, or a database does not see that an index fits.
SAGA_ENDED = text("status IN ('done', 'compensated')")
SAGA_OPEN = text("status NOT IN ('done', 'compensated')")

# The saga log: one row per instance; `version` is the optimistic lock between replicas.
sagas = Table(
    "sagas",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Document, nullable=False),
    Column("deadline", Double),
    Column("updated_at", Double, nullable=False),
    Index("sagas_deadline", "deadline"),
    # Those that are under way are counted all the time, those that ended only forgotten one day:
    # each index holds its part of the table.
    Index("sagas_open", "name", "status", sqlite_where=SAGA_OPEN, postgresql_where=SAGA_OPEN),
    Index("sagas_ended", "updated_at", sqlite_where=SAGA_ENDED, postgresql_where=SAGA_ENDED),
)

# What a participant remembers of each saga step it was asked to do or undo.
saga_steps = Table(
    "saga_steps",
    metadata,
    Column("saga_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reply", Document, nullable=False),
    Column("updated_at", Double, nullable=False),
    PrimaryKeyConstraint("saga_id", "step"),
    Index("saga_steps_updated_at", "updated_at"),
)

# The job queue; `chassis.jobs.queue` says what the columns mean.
jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("args", Document, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("token", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("enqueued_at", Double, nullable=False),
    Column("finished_at", Double),
    Index("jobs_order", "status", "priority", "due_at"),
    Index("jobs_due", "status", "due_at"),
)

# Up to which moment the due times of a scheduled job have been enqueued.
schedules = Table(
    "schedules",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seen_at", Double, nullable=False),
)

# One holder at a time for work that only one replica may do, such as relaying the outbox.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("expires_at", Double, nullable=False),
)

# Runs of agents: what was said, what it took, and what waits for a person (see `agents.runs`).
agent_runs = Table(
    "agent_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Document, nullable=False),
    Column("updated_at", Double, nullable=False),
    Index("agent_runs_updated_at", "updated_at"),
)

# What accounts sign in with; the account itself is an aggregate (`security.accounts`).
credentials = Table(
    "credentials",
    metadata,
    Column("account", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),
    Column("changed_at", Double, nullable=False),
)

# A session and the refresh tokens that it has had (`security.sessions`).
sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("ended_at", Double),
    Index("sessions_account", "account"),
    Index("sessions_expires_at", "expires_at"),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("session", Text, nullable=False),
    Column("used_at", Double),
    Index("refresh_tokens_session", "session"),
)

# Until when the allowance of each key is used up (`security.rates`).
rate_limits = Table(
    "rate_limits",
    metadata,
    Column("key", Text, primary_key=True),
    Column("used_until", Double, nullable=False),
    Index("rate_limits_used_until", "used_until"),
)
