"""Everything as large as the platform: its tables in normal form, kept or not, and the few questions asked of them."""
