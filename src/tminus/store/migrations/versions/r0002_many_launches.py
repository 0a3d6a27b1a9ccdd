"""Many launches in one database: what a worker needs to run one, who has an environment, and who lives."""

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
phase = "pre"


def upgrade() -> None:
    """Add columns that may be empty, and two tables: nothing that earlier code reads or writes is changed."""
    op.add_column("tm_launch", sa.Column("environment", sa.String(200)))
    op.add_column("tm_launch", sa.Column("document", sa.Text))
    op.add_column("tm_launch", sa.Column("binding", sa.Text))
    op.create_table(
        "tm_environment",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("launch", sa.String(200), sa.ForeignKey("tm_launch.id"), nullable=False, unique=True),
    )
    op.create_table(
        "tm_worker",
        sa.Column("executor", sa.String(200), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("version", sa.String(100), nullable=False),
        sa.Column("beats", sa.BigInteger, nullable=False),
        sa.Column("started", sa.Float(53), nullable=False),
        sa.Column("seen", sa.Float(53), nullable=False),
        sa.Column("buried", sa.Float(53)),
    )
