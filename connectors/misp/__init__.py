"""MISP: events as JSON, feeds, and servers, told attribute by attribute with nothing wider than it was."""

from connectors.misp.connector import CONNECTOR

__all__ = ["CONNECTOR"]
