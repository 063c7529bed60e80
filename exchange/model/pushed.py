"""What became of one pushed object: the answer every way in gives, whoever pushed."""

from __future__ import annotations

from typing import Literal, NamedTuple

PushState = Literal["added", "unchanged", "refused"]


class PushOutcome(NamedTuple):
    """The fate of one object of an envelope, in the order in which the objects were pushed."""

    id: str
    """STIX id of the object; empty when the object has none that can be read."""
    state: PushState
    """added: stored just now; unchanged: this very version was there already; refused: not stored."""
    code: str = ""
    """Refusal code such as ``marking-missing``; empty unless refused."""
    sentence: str = ""
    """For people: which property, why, how to mend it; empty unless refused."""
