"""The exchange's own HTTP interface beside TAXII, under /api/v1: one module with ``routes`` for each noun."""

from __future__ import annotations

PREFIX = "/api/v1"
NOUNS: tuple[str, ...] = ("ai_cluster_reports", "cases", "emergencies", "explanations", "forms", "previews", "log",
                          "notices", "openapi", "records", "states", "streams", "tallies", "webhooks")
"""Modules of this package whose ``routes`` (a flask Blueprint) are served."""
