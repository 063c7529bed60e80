"""What members took of their allowances, over all workers and servers.

Revision ID: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """From 0008."""
    op.create_table(
        "allowance",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("who", sa.Text, primary_key=True),
        sa.Column("owed", sa.Float(53), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
