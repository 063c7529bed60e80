"""What becomes visible to a reader later than it was pushed, and how each reader looked last.

Revision ID: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """From 0010."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "look",
        sa.Column("seat", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), primary_key=True, autoincrement=False),
        sa.Column("profile", sa.Integer, nullable=False),
        sa.Column("collections", sa.Text, nullable=False),
        sa.Column("directory", sa.BigInteger, nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("stirred", sa.BigInteger, nullable=False),
        sa.Column("arrived", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arrival",
        sa.Column("seat", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("object", number, sa.ForeignKey("object.number", ondelete="CASCADE"), primary_key=True,
                  autoincrement=False),
        sa.Column("feed", sa.Integer, nullable=False),
        sa.Column("date", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("arrival_order", "arrival", ["seat", "feed", "date"])
    op.create_index("arrival_object", "arrival", ["object"])
    op.create_table(
        "stir",
        sa.Column("number", number, primary_key=True),
        sa.Column("feed", sa.Integer, sa.ForeignKey("feed.number"), nullable=False),
        sa.Column("object", sa.BigInteger, nullable=False),
        sa.Column("itself", sa.SmallInteger, nullable=False),
    )
    op.create_index("stir_feed", "stir", ["feed", "number"])
    op.create_index("reference_target", "reference", ["target_key"])
    op.create_index("object_opening", "object", ["visible_from"], sqlite_where=sa.text("visible_from IS NOT NULL"),
                    postgresql_where=sa.text("visible_from IS NOT NULL"))
