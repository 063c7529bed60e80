"""Notices, acknowledgements, holds and state changes.

Revision ID: 0003
"""

from __future__ import annotations

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From 0002."""
