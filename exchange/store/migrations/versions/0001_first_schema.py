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
    op.create_table(
        "grp",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("title", sa.Text, nullable=False),
    )
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
# The object tables of the first release (exchange/store/object_tables.py). Until that release is cut they are made
# from their declaration; then each gets its op.create_table here, so that later changes to the declaration don't
# change this revision. tests/store/test_migrations.py compares the result with the metadata on both engines.
# ------------------------------------------------------------------------------------------------------------
def _objects() -> None:
    from sqlmodel import SQLModel

    import exchange.store.object_tables  # noqa: F401 - declares its tables

    SQLModel.metadata.create_all(op.get_bind(), checkfirst=True)
