"""Attempts in which the customer was never dialled: the agent was rung first and did not come."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Copy the attempts into a table where `dialed_at` may be empty; no value is changed."""
    with op.batch_alter_table("attempts") as attempts:
        attempts.alter_column("dialed_at", existing_type=sa.Double(), nullable=True)
