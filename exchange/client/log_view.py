"""A member's view of an exchange's log: the checkpoint it saw last, and that each newer one continues it.

An exchange that shows two members two histories, or takes one back, can't keep either of them content.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from exchange.audit.checkpoint import Checkpoint, open_checkpoint
from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.note import Note, VerifierKey, read_note, read_verifier_key
from exchange.audit.tiles import TileTree
from exchange.audit.verify import Fetch, verify_continues
from exchange.client.disk import sync_folder
from exchange.errors import InputError


@dataclass(frozen=True, slots=True)
class Offered:
    """What the server says of its keys: all of them, and the checkpoints at which one took over from another."""

    keys: tuple[VerifierKey, ...] = ()
    handovers: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class LogView:
    """What a member remembers of one log: keys that it trusts, and the last checkpoint as it was signed.

    In its file each key is a line after ``key ``; the checkpoint follows.
    """

    path: Path
    keys: tuple[VerifierKey, ...]
    last: bytes

    def follow(self, fetch: Fetch, offered: Offered) -> Checkpoint:
        """Check the newest checkpoint against the last one, and remember it.

        The first time the offered keys are trusted, later only what a trusted key vouched for. Raises
        LogAlteredError on a rollback or a fork; nothing is remembered then.
        """
        raw = fetch("checkpoint")
        self._refuse_another(raw)
        keys = self._trusted(offered)
        try:
            newest = open_checkpoint(raw, keys)
        except UnreadableError as unreadable:
            raise LogAlteredError(f"The server's checkpoint can't be read: {unreadable.what}") from None
        if self.last:
            tree = TileTree(newest.size, lambda tile: fetch(f"tile/{tile.path}"))
            verify_continues(open_checkpoint(self.last, keys), newest, tree)
        _replace(self.path, "".join(f"key {key}\n" for key in keys).encode() + raw)
        return newest

    def _refuse_another(self, raw: bytes) -> None:
        """Raise LogAlteredError where the server shows a log of another name."""
        known, shown = (note.partition(b"\n")[0].decode("utf-8", "replace")[:200] for note in (self.last, raw))
        if self.last and known != shown:
            raise LogAlteredError(
                f"The exchange shows another log, {shown!r}; this member followed {known!r}.",
                why="An operator who restores a backup begins a log of another name, which names the last checkpoint"
                    " of the former one and who decided it.",
                fix=f"Ask the operator why; if the answer is good, keep {self.path} as evidence under another name.")

    def _trusted(self, offered: Offered) -> tuple[VerifierKey, ...]:
        if not self.keys:
            return offered.keys
        known = list(self.keys)
        for raw in offered.handovers:
            note = read_note(raw)
            with suppress(LogAlteredError):  # signed by none that is trusted, or wrongly: it vouches for nothing
                open_checkpoint(raw, known)
                known += [key for key in offered.keys if key not in known and _signed(note, key)]
        return tuple(known)


def _signed(note: Note, key: VerifierKey) -> bool:
    try:
        note.signed_by([key])
    except LogAlteredError:
        return False
    return True


def open_view(path: Path) -> LogView:
    """The view in a file; an empty one where there is no file yet. Raises InputError for one that can't be read."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return LogView(path, (), b"")
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.") from None
    keys = []
    while raw.startswith(b"key "):
        line, _, raw = raw.partition(b"\n")
        keys.append(read_verifier_key(line[4:].decode("utf-8", "replace")))
    if not keys or not raw:
        raise UnreadableError(f"{path} holds no remembered checkpoint.",
                              fix="Restore it; deleting it would begin to trust anew.")
    return LogView(path, tuple(keys), raw)


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}.") from None
