"""Where the webhook's message that is being tried ends.

Revision ID: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """From 0011."""
    op.add_column("webhook", sa.Column("until", sa.BigInteger))
