"""The schema of the first release.

Revision ID: 0001
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first release."""
    _directory()
    _objects()


def _directory() -> None:
    meta = op.create_table(
        "meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.bulk_insert(meta, [
        {"key": "directory.version", "value": "1"},
        {"key": "cursor.secret", "value": secrets.token_hex(32)},
    ])
    op.create_table("grp", sa.Column("id", sa.Text, primary_key=True), sa.Column("title", sa.Text, nullable=False))
    op.create_table(
        "organisation",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("jurisdiction", sa.Text, nullable=False),
        sa.Column("jurisdiction_class", sa.Text, nullable=False),
        sa.Column("clearance", sa.Text, nullable=False),
        sa.Column("identity", sa.Text),
        sa.Column("regime", sa.Text),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("controller_arrangement", sa.Text),
        sa.Column("client_of", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
    )
    op.create_table(
        "membership",
        sa.Column("org", sa.Text, sa.ForeignKey("organisation.id"), primary_key=True),
        sa.Column("grp", sa.Text, sa.ForeignKey("grp.id"), primary_key=True),
        sa.Column("since", sa.Text),
        sa.Column("until", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
    )
    op.create_table(
        "agreement",
        sa.Column("org", sa.Text, sa.ForeignKey("organisation.id"), primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("since", sa.Text),
        sa.Column("until", sa.Text),
        sa.Column("purposes", sa.Text, nullable=False),
        sa.Column("default_terms", sa.Text),
    )
    op.create_table(
        "community",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("grp", sa.Text, sa.ForeignKey("grp.id"), nullable=False),
        sa.Column("description", sa.Text),
    )
    op.create_table(
        "collection",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("community", sa.Text, sa.ForeignKey("community.id"), nullable=False),
        sa.Column("alias", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("readers", sa.Text, nullable=False),
        sa.Column("writers", sa.Text, nullable=False),
        sa.Column("default_terms", sa.Text),
        sa.Column("strictness", sa.Text, nullable=False),
        sa.UniqueConstraint("community", "alias", name="collection_alias"),
    )
    op.create_table(
        "credential",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("org", sa.Text, sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text),
        sa.Column("person", sa.Text),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("since", sa.Text),
        sa.Column("until", sa.Text),
        sa.Column("revoked", sa.Boolean, nullable=False),
    )


# ------------------------------------------------------------------------------------------------------------
# The object tables (exchange/store/object_tables.py). Until the first release is cut a change there is made here
# too; after it, changes are revisions of their own. tests/store/test_migrations.py holds the two to each other.
# ------------------------------------------------------------------------------------------------------------
def _objects() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time_text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "feed",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("collection", sa.Text, nullable=False, unique=True),
        sa.Column("last_seq", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    )
    op.create_table(
        "contributor",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("org", sa.Text, nullable=False, unique=True),
    )
    for name in ("label", "profile"):
        op.create_table(
            name,
            sa.Column("number", sa.Integer, primary_key=True),
            sa.Column("digest", sa.Text, nullable=False, unique=True),
            sa.Column("facts", sa.Text, nullable=False),
        )
    op.create_table(
        "policy_grant",
        sa.Column("profile", sa.Integer, sa.ForeignKey("profile.number"), primary_key=True),
        sa.Column("label", sa.Integer, sa.ForeignKey("label.number"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "object",
        sa.Column("number", number, primary_key=True),
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("claim", sa.BigInteger, nullable=False),
        sa.Column("contributor", sa.Integer, sa.ForeignKey("contributor.number"), nullable=False),
        sa.Column("label", sa.Integer, sa.ForeignKey("label.number"), nullable=False),
        sa.Column("id_key", sa.BigInteger, nullable=False),
        sa.Column("shared_id", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("visible_from", sa.BigInteger),
        sa.Column("visible_until", sa.BigInteger),
        sa.Column("stix_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("version", time_text, nullable=False),
        sa.Column("version_text", sa.Text),
        sa.Column("spec_version", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("object_order", "object", ["feed", "seq"], unique=True)
    op.create_index("object_id", "object", ["feed", "id_key", "claim", "version"])
    op.create_index("object_label", "object", ["feed", "label", "seq"])
    op.create_index("object_type", "object", ["feed", "type", "seq"])
    op.create_table(
        "push_status",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("community", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("push_status_end", "push_status", ["expires"])
    op.create_table(
        "event",
        sa.Column("number", number, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "checkpoint",
        sa.Column("org", sa.Text, primary_key=True),
        sa.Column("connector", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
    )
