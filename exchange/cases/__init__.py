"""Contests of what was shared, contributors' records, and the crisis lane."""
