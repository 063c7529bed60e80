"""The Python client of a TAXII 2.1 server."""
