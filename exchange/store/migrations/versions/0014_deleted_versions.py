"""When a version was deleted by its contributor, and under which label it was: for questions about the past.

Revision ID: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """From 0013: of versions that were deleted before, nothing of it is known."""
    for name, kind in (("at", sa.BigInteger), ("label", sa.Integer), ("object", sa.BigInteger)):
        op.add_column("withdrawn", sa.Column(name, kind, nullable=True))
