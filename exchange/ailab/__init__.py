"""The AI-lab abuse-cluster report: its published schema, what is wrong with one, and what it is in STIX."""
