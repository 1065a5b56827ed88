"""How Alembic reaches the database: through the connection that `chassis.migrate` hands over."""

from alembic import context

import chassis.generations
import chassis.idempotency
import chassis.sent
import chassis.snapshots  # noqa: F401 (their tables belong to the metadata)
from chassis.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table="chassis_version",
    # SQLite can't alter most things in place; batch mode copies the table instead.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
