"""Tables of values in any shape that a person sends, read by a profile that takes minutes to write."""

from __future__ import annotations

from connectors.table.connector import CONNECTOR

__all__ = ["CONNECTOR"]
