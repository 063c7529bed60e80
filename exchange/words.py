"""Counts in sentences: one account, two accounts."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """``1 account``, ``1,234 accounts``; ``many`` is the plural where it isn't ``one`` with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def verb(number: int, one: str, many: str) -> str:
    """The form of a verb, or of another word, that goes with a count."""
    return one if number == 1 else many
