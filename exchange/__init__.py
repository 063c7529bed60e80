"""The exchange: everything that runs."""
