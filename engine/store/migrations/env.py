"""Alembic's way in: runs the migrations on the connection that `engine.store.migration` hands over.

The whole upgrade is the caller's transaction, so nothing here begins or commits one.
"""

from alembic import context
from sqlmodel import SQLModel

import engine.store.tables  # noqa: F401 - fills the metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite cannot alter a column; alembic then copies the table
)
context.run_migrations()
