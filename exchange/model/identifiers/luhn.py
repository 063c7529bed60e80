"""The check digit of payment cards and IMEIs (ISO/IEC 7812-1, Annex B)."""

from __future__ import annotations

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def checks(digits: str) -> bool:
    """Whether the last of the ASCII digits is the check digit of those before it."""
    total = sum(map(int, digits[-1::-2])) + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0
