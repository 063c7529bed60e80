"""Comparators: one file per way in which a local row meets a shared value.

Each has ``prepare(engine, terms)``, which adds rows to the engine's table ``hits``: account_id, ix (the indicator),
kind, similarity (0-1), local and shared (the two values that met, as written), first_seen, last_seen, holders (the
number of accounts that hold the value). It returns the shared values left out because too many hold them.
"""
