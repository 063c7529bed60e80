"""Object states and references, redaction, and the ledger of deliveries.

Revision ID: 0002
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From 0001."""
    op.add_column("object", sa.Column("state", sa.SmallInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("object", sa.Column("refs", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.add_column("object", sa.Column("closure", sa.SmallInteger, nullable=False, server_default=sa.text("0")))
    op.add_column("policy_grant", sa.Column("withheld", sa.Integer, nullable=False, server_default=sa.text("0")))
    meta = sa.table("meta", sa.column("key", sa.Text), sa.column("value", sa.Text))
    op.bulk_insert(meta, [{"key": "redaction.secret", "value": secrets.token_hex(32)}])
    op.create_table(
        "withholding",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("parts", sa.Text, nullable=False, unique=True),
    )
    op.drop_index("object_id", "object")  # targets of references are found in several collections
    op.create_index("object_id", "object", ["id_key", "feed", "claim", "version"])
    _objects()
    _ledger()


def _objects() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "reference",
        sa.Column("object", number, sa.ForeignKey("object.number", ondelete="CASCADE"), primary_key=True,
                  autoincrement=False),
        sa.Column("target_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("target_id", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recipient",
        sa.Column("object", number, sa.ForeignKey("object.number", ondelete="CASCADE"), primary_key=True,
                  autoincrement=False),
        sa.Column("org", sa.Integer, sa.ForeignKey("contributor.number"), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )


def _ledger() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "receiver",
        sa.Column("number", number, primary_key=True),
        sa.Column("org", sa.Integer, nullable=False),
        sa.Column("credential", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("profile", sa.Integer, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.UniqueConstraint("org", "credential", "purpose", "profile", "policy"),
    )
    op.create_table(
        "delivery",
        sa.Column("number", number, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("receiver", sa.Integer, nullable=False),
        sa.Column("feed", sa.Integer, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("seqs", sa.LargeBinary, nullable=False),
        sa.Column("receipt", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
    )
    op.create_index("delivery_span", "delivery", ["feed", "last"])
    op.create_table(
        "derived",
        sa.Column("id_key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("stix_id", sa.Text, primary_key=True),
        sa.Column("object", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
