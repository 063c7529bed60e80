"""Contested objects, disputes, contributors' records, emergencies.

Revision ID: 0004
"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """From 0003."""
