"""Launches and their events; the tables of a store from before there were revisions are taken as they are."""

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None
phase = "pre"


def upgrade() -> None:
    """Create what is missing."""
    there = set(sa.inspect(op.get_bind()).get_table_names())
    if "tm_launch" not in there:
        op.create_table(
            "tm_launch",
            sa.Column("id", sa.String(200), primary_key=True),
            sa.Column("plan_digest", sa.String(64), nullable=False),
            sa.Column("state", sa.String(20), nullable=False),
            sa.Column("opened_at", sa.String(24), nullable=False),
            sa.Column("ended_at", sa.String(24)),
        )
    if "tm_event" not in there:
        op.create_table(
            "tm_event",
            sa.Column("launch", sa.String(200), sa.ForeignKey("tm_launch.id"), primary_key=True),
            sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("prev", sa.String(64), nullable=False),
            sa.Column("key", sa.String(200), nullable=False),
            sa.Column("type", sa.String(100), nullable=False),
            sa.Column("at", sa.String(24), nullable=False),
            sa.Column("line", sa.LargeBinary, nullable=False),
            sa.UniqueConstraint("launch", "key", name="tm_event_key"),
        )
