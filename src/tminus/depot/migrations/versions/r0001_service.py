"""Sessions, the ledger of documents, flags, the outbox and what partners sent.

It only adds tables, so that code which does not know them keeps working. Going down loses what they hold: users
log in again, and events that were not delivered yet are gone.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = "0000"
branch_labels = None
depends_on = None

_NOW = sa.func.now()
_TABLES = ("received", "outbox", "flags", "document_ledger", "refresh_tokens", "sessions")


def upgrade() -> None:
    """Create the six tables and their indexes."""
    _sessions()
    op.create_table(
        "document_ledger",
        # No foreign key: the ledger says what was stored and must not vanish with what it is about.
        sa.Column("document_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        _time("stored_at", default=True),
    )
    op.create_table(
        "flags",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("definition", postgresql.JSONB, nullable=False),
        _time("changed_at", default=True),
    )
    _outbox()
    op.create_table(
        "received",
        sa.Column("delivery", sa.Text, primary_key=True),
        sa.Column("signature", sa.Text, nullable=False, unique=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("body", postgresql.JSONB, nullable=False),
        _time("received_at", default=True),
    )


def downgrade() -> None:
    """Remove the six tables."""
    for table in _TABLES:
        op.drop_table(table)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("user_name", sa.Text, nullable=False),
        _time("created_at", default=True),
        _time("expires_at"),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
    op.create_index("sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "refresh_tokens",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("session", sa.Uuid, sa.ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False),
        _time("expires_at"),
        sa.Column("used_at", sa.DateTime(timezone=True)),
    )
    op.create_index("refresh_tokens_session", "refresh_tokens", ["session"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("delivery", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid()),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("data", postgresql.JSONB, nullable=False),
        _time("created_at", default=True),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        _time("next_at", default=True),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("last_error", sa.Text),
    )
    waiting = sa.text("sent_at IS NULL")
    op.create_index("outbox_waiting", "outbox", ["next_at"], postgresql_where=waiting)
    op.create_index("outbox_sent_at", "outbox", ["sent_at"], postgresql_where=sa.text("sent_at IS NOT NULL"))


def _time(name: str, *, default: bool = False) -> sa.Column[datetime]:
    server_default = _NOW if default else None
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=server_default)
