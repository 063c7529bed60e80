"""TLP levels: their order, how each statement is read, and which level results from all of them (P1, P2).

FIRST TLP 2.0 (CLEAR < GREEN < AMBER < AMBER+STRICT < RED), TLP 1.0 (WHITE is CLEAR) and the ``tlp`` statement
of FIRST IEP 2.0, which keeps the words of TLP 1.0. Labels are read without regard to capitals (the standard
says SHOULD) but never with spaces (it says MUST NOT); anything else is no label of the standard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLEAR, GREEN, AMBER, AMBER_STRICT, RED = range(5)
NAMES = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")

TLP2: Mapping[str, int] = {name: rank for rank, name in enumerate(NAMES)}
TLP1: Mapping[str, int] = {"TLP:WHITE": CLEAR, "TLP:GREEN": GREEN, "TLP:AMBER": AMBER, "TLP:RED": RED}
EITHER: Mapping[str, int] = {**TLP2, **TLP1}


def read_level(label: str, words: Mapping[str, int]) -> int | None:
    """Rank of a label in one vocabulary; None when the label isn't in it."""
    return words.get(label.upper())


def read_iep_level(label: str) -> int | None:
    """Rank of an IEP ``tlp`` statement, with or without the prefix ``TLP:``; None: not in the standard."""
    upper = label.upper()
    return TLP1.get(upper if upper.startswith("TLP:") else f"TLP:{upper}")


def effective(markings: Mapping[str, Any]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The ranks of all statements, most restrictive first, and the labels that no standard knows.

    The collection's default counts only when the object states nothing itself; it never loosens or tightens
    an object's own label. No ranks: no level at all.
    """
    found = [(label, read_level(label, TLP2)) for label in markings.get("tlp") or ()]
    found += [(label, read_level(label, TLP1)) for label in markings.get("tlp1") or ()]
    found += [(iep["tlp"], read_iep_level(iep["tlp"])) for iep in markings.get("iep") or () if iep.get("tlp")]
    if not found and markings.get("collection_default"):
        label = markings["collection_default"]
        found = [(label, read_level(label, EITHER))]
    ranks = sorted({rank for _, rank in found if rank is not None}, reverse=True)
    invalid = tuple(label for label, rank in found if rank is None)
    return tuple(ranks), invalid
