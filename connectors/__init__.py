"""Connectors: one file per outside party or format."""
