"""By which id a contester knows the object: that of a derived form is not the object's own.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """From 0006."""
    op.add_column("contest_object", sa.Column("known_as", sa.Text, nullable=False, server_default=""))
