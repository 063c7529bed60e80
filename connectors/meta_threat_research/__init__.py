"""Meta's published threat research: takedown files of coordinated inauthentic behaviour, in every format
they come in.
"""

from __future__ import annotations

from connectors.meta_threat_research.connector import MetaThreatResearch

__all__ = ["CONNECTOR"]

CONNECTOR = MetaThreatResearch()
