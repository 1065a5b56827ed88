"""Accounts' passwords, sessions, rate limits; and whose a row of a view is.

Rows that exist are nobody's until their view is rebuilt.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = ("credentials", "refresh_tokens", "sessions", "rate_limits")


def upgrade() -> None:
    op.add_column("view_rows", sa.Column("owner", sa.Text(), nullable=True))
    op.create_index("view_rows_owner", "view_rows", ["view", "owner", "key"])
    op.create_table(
        "credentials",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False, unique=True),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sessions_account", "sessions", ["account"])
    op.create_index("sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("refresh_tokens_session", "refresh_tokens", ["session"])
    op.create_table(
        "rate_limits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("used_until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("rate_limits_used_until", "rate_limits", ["used_until"])


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.drop_index("view_rows_owner", "view_rows")
    op.drop_column("view_rows", "owner")
