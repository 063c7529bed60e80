"""Meta ThreatExchange: descriptors of a privacy group, with what matters for policy, and deletions."""

from __future__ import annotations

from connectors.threatexchange.connector import ThreatExchange

__all__ = ["CONNECTOR"]

CONNECTOR = ThreatExchange()
