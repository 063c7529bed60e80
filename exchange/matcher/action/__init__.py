"""Recommended actions: a policy pack reads what the matcher found; detection knows nothing of it (R59)."""
