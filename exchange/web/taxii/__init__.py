"""TAXII 2.1 over Flask."""
