"""Customers whom agents gave to somebody else."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns; no row is touched."""
    for table in ("attempts", "inbound_calls"):
        op.add_column(table, sa.Column("transferred_at", sa.Double(), nullable=True))
        op.add_column(table, sa.Column("given_to", sa.Text(), nullable=True))
        op.add_column(table, sa.Column("transfer_answered_at", sa.Double(), nullable=True))
        op.add_column(table, sa.Column("waits_again_at", sa.Double(), nullable=True))
