"""X's (Twitter's) archive of information operations: accounts and tweets of its takedowns."""

from __future__ import annotations

from connectors.x_archive.connector import CONNECTOR

__all__ = ["CONNECTOR"]
