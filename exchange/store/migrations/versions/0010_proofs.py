"""Credentials that tokens of an identity provider or client certificates prove.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """From 0009."""
    op.add_column("credential", sa.Column("oidc", sa.Text))
    op.add_column("credential", sa.Column("certificates", sa.Text, nullable=False, server_default="[]"))
