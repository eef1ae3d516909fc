"""What the complete core keeps: appointments, several works of an agent, attempts without a dial, suppressions."""

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
_DIALLED_NUMBER = "UPDATE attempts SET phone = (SELECT phone FROM callbacks WHERE callbacks.id = attempts.callback)"
_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Add columns and tables; each agent's work becomes a list of one, attempts get the number they dialled.

    Attempts are copied: SQLite has no other way to say that `dialed_at` may be empty, if only an agent was rung.
    """
    op.add_column("callbacks", sa.Column("skill", sa.Text(), nullable=True))
    op.add_column("callbacks", sa.Column("widened", sa.Integer(), server_default="0", nullable=False))
    op.add_column("callbacks", sa.Column("excluded", sa.Text(), server_default="[]", nullable=False))
    op.add_column("callbacks", sa.Column("zones", sa.Text(), server_default="[]", nullable=False))
    op.add_column("callbacks", sa.Column("scheduled_for", sa.Double(), nullable=True))
    op.add_column("callbacks", sa.Column("booked", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("callbacks", sa.Column("asked_at", sa.Double(), server_default="0", nullable=False))
    with op.batch_alter_table("attempts") as attempts:
        attempts.alter_column("dialed_at", existing_type=sa.Double(), nullable=True)
    op.add_column("attempts", sa.Column("phone", sa.Text(), server_default="", nullable=False))
    op.add_column("attempts", sa.Column("overtook", sa.Integer(), server_default="0", nullable=False))
    op.execute(_DIALLED_NUMBER)
    op.add_column("agents", sa.Column("works", sa.Text(), server_default="[]", nullable=False))
    op.execute(_ONE_WORK)
    for column in ("work_attempt", "work_callback", "work_stage"):
        op.drop_column("agents", column)
    _make_tables()


def _make_tables() -> None:
    op.create_table(
        "classifications",
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("outcome_code", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("callback"),
        sa.ForeignKeyConstraint(["callback"], ["callbacks.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "interactions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("media", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("offered_at", sa.Double(), nullable=True),
        sa.Column("accepted_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("excluded", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_interactions_created_at", "interactions", ["created_at", "id"])
    op.create_index(
        "ix_interactions_open", "interactions", ["created_at", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "suppressions",
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("phone"),
    )
    op.create_table(
        "paused_services",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("service"),
    )
    op.create_table(
        "slot_capacities",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("start", sa.Double(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("service", "start"),
    )
