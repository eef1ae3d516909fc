"""How calls that came in were classified."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table; no row is touched."""
    op.create_table(
        "inbound_classifications",
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("outcome_code", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["call"], ["inbound_calls.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call"),
    )
