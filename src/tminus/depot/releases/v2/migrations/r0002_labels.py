"""Labels on documents: one new table, before the code that uses it.

It only adds, so that the old release keeps working on the new schema: removing a document removes its labels
by the foreign key, which the old release need not know. Going down loses the labels and nothing else.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the index that finds documents by label."""
    op.create_table(
        "document_labels",
        sa.Column(
            "document_id", sa.BigInteger, sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("label", sa.Text, primary_key=True),
    )
    op.create_index("document_labels_label", "document_labels", ["label"])


def downgrade() -> None:
    """Remove the table with all labels."""
    op.drop_table("document_labels")
