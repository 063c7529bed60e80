"""Backups of a running exchange, and their way back: nothing erased comes back, no date is given out twice."""
