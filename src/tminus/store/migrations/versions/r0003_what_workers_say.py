"""What a worker says beside its heartbeat: its own clock, and the newest revision that its code knows."""

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
phase = "pre"


def upgrade() -> None:
    """Add columns that may be empty: earlier code neither reads nor writes them."""
    op.add_column("tm_worker", sa.Column("clock", sa.Float(53)))
    op.add_column("tm_worker", sa.Column("knows", sa.String(32)))
