"""Users, documents with their search vector, and files."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0000"
down_revision = None
branch_labels = None
depends_on = None

_VECTOR = "setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body), 'B')"


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "users",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        _created_at(),
    )
    op.create_table(
        "documents",
        _number(),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        _created_at(),
        sa.Column("search", postgresql.TSVECTOR, sa.Computed(_VECTOR, persisted=True), nullable=False),
    )
    op.create_index("documents_search", "documents", ["search"], postgresql_using="gin")
    op.create_table(
        "files",
        _number(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        _created_at(),
    )


def downgrade() -> None:
    """Remove everything."""
    for table in ("files", "documents", "users"):
        op.drop_table(table)


def _number() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True)


def _created_at() -> sa.Column[datetime]:
    return sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
