"""A receipt: a leaf of the log, its proof of inclusion and the checkpoint that the proof leads to, as JSON.

    {"leaf": "<canonical JSON>", "index": 17, "proof": ["<base64>", ...], "checkpoint": "<signed note>"}
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.audit.checkpoint import Checkpoint, open_checkpoint
from exchange.audit.fault import UnreadableError
from exchange.audit.leaf import read_leaf
from exchange.audit.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from exchange.audit.note import VerifierKey

_MOST_BYTES = 1_000_000
_MOST_STEPS = 64
_MEMBERS = {"leaf": str, "index": int, "proof": list, "checkpoint": str}


@dataclass(frozen=True, slots=True)
class Receipt:
    """Shows, with a log's public key alone, that an event is in it."""

    leaf: bytes
    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def value(self) -> dict[str, Any]:
        """As JSON values; ``read_receipt`` is its inverse."""
        return {
            "leaf": self.leaf.decode(), "index": self.index,
            "proof": [base64.b64encode(step).decode() for step in self.proof], "checkpoint": self.checkpoint.decode(),
        }

    def verify(self, keys: Collection[VerifierKey]) -> tuple[dict[str, Any], Checkpoint]:
        """The event it shows and the checkpoint that holds it. Raises LogAlteredError and UnreadableError."""
        checkpoint = open_checkpoint(self.checkpoint, keys)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(self.leaf), self.proof, checkpoint.root)
        return read_leaf(self.leaf), checkpoint


def read_receipt(raw: bytes) -> Receipt:
    """Read a receipt from JSON text. Raises UnreadableError with what is wrong with it."""
    if len(raw) > _MOST_BYTES:
        raise UnreadableError(f"The receipt has more than {_MOST_BYTES} bytes.")
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise UnreadableError("The receipt is no JSON.", fix="Fetch it again: cibx audit receipt ID.") from None
    if not isinstance(value, Mapping):
        raise UnreadableError("The receipt is no JSON object.", fix="Fetch it again: cibx audit receipt ID.")
    for name, kind in _MEMBERS.items():
        if type(value.get(name)) is not kind:
            raise _missing(name, pending=value.get("checkpoint") is None and "leaf" in value)
    steps = [_step(step) for step in value["proof"]]
    if len(steps) > _MOST_STEPS or not 0 <= value["index"] < 2**63:
        raise UnreadableError("The receipt's proof is longer, or its index larger, than any log has.")
    try:
        return Receipt(value["leaf"].encode(), value["index"], tuple(steps), value["checkpoint"].encode())
    except UnicodeEncodeError:
        raise UnreadableError("The receipt's text is not Unicode.") from None


def _missing(name: str, *, pending: bool) -> UnreadableError:
    if pending:
        return UnreadableError("The receipt has no checkpoint yet.", why="The log is signed on a fixed clock.",
                               fix="Fetch it again in a minute.")
    return UnreadableError(f"The receipt's member {name!r} is missing or of another type.",
                           fix="Fetch it again: cibx audit receipt ID.")


def _step(step: object) -> bytes:
    if isinstance(step, str):
        try:
            data = base64.b64decode(step, validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if len(data) == HASH_BYTES:
            return data
    raise UnreadableError("A step of the receipt's proof is no base64 of 32 bytes.")
