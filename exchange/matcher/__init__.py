"""Indicators and local entities become evidence and scores, inside the member's walls."""
