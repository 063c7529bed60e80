"""Checkpoints (C2SP tlog-checkpoint): the log's name, size and root, as the text of a signed note.

    exchange.example/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass

from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.note import ED25519, Note, SignerKey, VerifierKey, read_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log had at a moment; ``root`` is 32 bytes."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text; ``read_checkpoint`` is its inverse."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def signed(self, *keys: SignerKey) -> Note:
        """The note under the log's signatures."""
        return Note(self.text, tuple(key.sign(self.text) for key in keys))


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a note's text; extension lines are refused, as this log writes none.

    Raises UnreadableError.
    """
    lines = text.split("\n")
    if len(lines) == 4 and lines[0] and not lines[3] and _SIZE.fullmatch(lines[1]):
        try:
            found = Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True))
        except (binascii.Error, ValueError):
            found = None
        if found is not None and len(found.root) == 32 and found.text == text:
            return found
    raise UnreadableError("The note is no checkpoint: it has a name, a size and a root of 32 bytes on three lines.")


def open_checkpoint(raw: bytes, keys: Collection[VerifierKey]) -> Checkpoint:
    """The checkpoint of a signed note, signed by a known key that has the log's own name.

    Raises UnreadableError, or LogAlteredError where no such key signed it.
    """
    note = read_note(raw)
    checkpoint = read_checkpoint(note.text)
    signers = note.signed_by(keys)
    if not any(key.kind == ED25519 and key.name == checkpoint.origin for key in signers):
        raise LogAlteredError(f"The checkpoint of {checkpoint.origin} is not signed by that log.")
    return checkpoint
