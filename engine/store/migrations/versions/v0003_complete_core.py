"""What the complete core keeps: several works of an agent, how far a callback was widened, and who said no to it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ONE_WORK = """
UPDATE agents SET works = json_array(json_array(
    work_attempt, (SELECT service FROM callbacks WHERE callbacks.id = work_callback), work_stage, work_callback, 'voice'
)) WHERE work_attempt IS NOT NULL
"""


def upgrade() -> None:
    """Add columns; the work of each agent becomes a list of one."""
    op.add_column("callbacks", sa.Column("skill", sa.Text(), nullable=True))
    op.add_column("callbacks", sa.Column("widened", sa.Integer(), server_default="0", nullable=False))
    op.add_column("callbacks", sa.Column("excluded", sa.Text(), server_default="[]", nullable=False))
    op.add_column("agents", sa.Column("works", sa.Text(), server_default="[]", nullable=False))
    op.execute(_ONE_WORK)
    for column in ("work_attempt", "work_callback", "work_stage"):
        op.drop_column("agents", column)
