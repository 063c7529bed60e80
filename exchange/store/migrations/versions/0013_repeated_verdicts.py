"""Verdicts on objects that repeat what their contributor had received.

Revision ID: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """From 0012: verdicts of before count as they did."""
    op.add_column("verdict", sa.Column("repeated", sa.Boolean, nullable=False, server_default=sa.false()))
