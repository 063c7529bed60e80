"""The way out to MISP: events, feeds, servers."""

from connectors.out.misp.event import to_event
from connectors.out.misp.publisher import PUBLISHER

__all__ = ["PUBLISHER", "to_event"]
