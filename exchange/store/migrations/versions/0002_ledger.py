"""Object states and references, and the ledger of deliveries.

Revision ID: 0002
"""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """From 0001."""
