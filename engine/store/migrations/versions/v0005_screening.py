"""Who answered each attempt, on what evidence, and since when that was known."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add three columns; no row is touched."""
    op.add_column("attempts", sa.Column("verdict", sa.Text(), nullable=True))
    op.add_column("attempts", sa.Column("evidence", sa.Text(), nullable=True))
    op.add_column("attempts", sa.Column("judged_at", sa.Double(), nullable=True))
