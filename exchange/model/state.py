"""The states of a shared object after its push: who still sees it, and what it may be used for (P15, P17, P19)."""

from __future__ import annotations

from enum import IntEnum


class State(IntEnum):
    """Stored with every version of an object; ``expired`` follows from its dates, a legal hold stands beside."""

    ACTIVE = 0
    DISPUTED = 1
    """Released with a flag; no automated outward action (P19)."""
    RESTRICTED = 2
    """Its producer alone sees it (GDPR Art. 18)."""
    REVOKED = 3
    """Those who received it are told to stop using it, others see nothing (P15)."""
    ERASED = 4
    """Its content is gone; those who ever received it are told to delete their copy (P15)."""
    HELD = 5
    """Held for review before release: its contributor alone sees it."""
