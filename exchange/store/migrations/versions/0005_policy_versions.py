"""Policy versions and the directory through time.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """From 0004."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "policy_version",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("texts", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "policy_step",
        sa.Column("number", number, primary_key=True),
        sa.Column("digest", sa.Text, sa.ForeignKey("policy_version.digest"), nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by_person", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("organisations", sa.Text, nullable=False),
    )
    op.create_table(
        "policy_count",
        sa.Column("number", number, primary_key=True),
        sa.Column("digest", sa.Text, sa.ForeignKey("policy_version.digest"), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("gained", sa.BigInteger, nullable=False),
        sa.Column("lost", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
    )
    op.create_index("policy_count_version", "policy_count", ["digest", "at"])
    op.create_table(
        "directory_history",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("snapshot", sa.LargeBinary, nullable=False),
    )
    op.create_index("directory_history_at", "directory_history", ["at"])
