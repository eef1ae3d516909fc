"""What the wait is told from: how long agents are kept by a service's work, and what each request was told."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two columns and a table; no row is touched."""
    op.add_column("callbacks", sa.Column("told_p50_seconds", sa.Double(), nullable=True))
    op.add_column("callbacks", sa.Column("told_p80_seconds", sa.Double(), nullable=True))
    op.create_table(
        "handle_times",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("count", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("service"),
    )
