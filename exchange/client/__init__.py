"""The Python client of an exchange, and of any TAXII 2.1 server: ``from exchange.client import Client``."""

from exchange.client.session import Client

__all__ = ["Client"]
