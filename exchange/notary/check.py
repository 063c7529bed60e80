"""Whether the log in the store is what was signed, and copies of it for those who check elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from exchange.audit.checkpoint import Checkpoint, open_checkpoint
from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.leaf import LONGEST_DETAIL
from exchange.audit.note import VerifierKey, read_verifier_key
from exchange.audit.tiles import Tile, bundle, read_tile_path, tiles_of
from exchange.audit.verify import verify_continues, verify_earlier, verify_log
from exchange.errors import InputError
from exchange.notary.keys import read_key, remembered_head
from exchange.notary.notary import Notary, stored_leaves
from exchange.notary.sequencer import stored_tree, with_cosignatures
from exchange.store import log
from exchange.store.engine import read

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from exchange.notary.deliveries import LedgerDeliveries


@dataclass(frozen=True, slots=True)
class Checked:
    """What was looked through."""

    checkpoint: Checkpoint
    checkpoints: int


def verify_store(
    engine: Engine, key_file: Path, keys: Collection[VerifierKey] = (),
    seen: Callable[[int, bytes], None] | None = None, deliveries: LedgerDeliveries | None = None,
) -> Checked:
    """Check the log in the store against the checkpoints, and against what the signer remembers.

    With ``deliveries`` the ledger must still have what the log took from it.
    The newest checkpoint must be signed by ``keys``, else by the key in the file, else by a registered one.
    Raises LogAlteredError with what was altered, InputError where there is no log yet.
    """
    head = remembered_head(key_file)  # before the log is read: that only grows
    with read(engine) as connection:
        log.statement_without_limit(connection)
        registered = [read_verifier_key(key.verifier) for key in log.log_keys(connection) if not key.org]
        own = read_key(key_file)
        trusted = list(keys) or ([own.verifier] if own is not None else registered)
        _check_there_is_one(connection, head)
        checkpoint, tree = verify_log(_fetch(connection), trusted, seen=seen)
        everyone = [*trusted, *registered]
        if head is not None:
            remembered = open_checkpoint(head, everyone)
            size = log.cursor(connection, "size")
            if remembered.size > size:
                raise LogAlteredError(f"The log was rolled back: it has {size} leaves,"
                                      f" but one of {remembered.size} leaves was signed before.")
            held = stored_tree(connection, size)
            newest = Checkpoint(checkpoint.origin, size, held.root())
            verify_earlier([head], everyone, newest, held)
            verify_continues(checkpoint, newest, held)
        count = verify_earlier((note.encode() for _, _, note in log.all_checkpoints(connection)), everyone,
                               checkpoint, tree)
        _check_nothing_beyond(connection)
        if deliveries is not None:
            _check_deliveries(connection, deliveries)
    return Checked(checkpoint, count)


def is_known_sound(engine: Engine, key_file: Path, deliveries: LedgerDeliveries) -> bool:
    """Whether the log can go on here: it is as it was signed, and its signer is here and remembers nothing further.

    Raises SettingError for a key file that can't be read.
    """
    own = read_key(key_file)
    with read(engine) as connection:
        registered = [key.verifier for key in log.log_keys(connection) if not key.org and key.until is None]
    if own is None or str(own.verifier) not in registered or remembered_head(key_file) is None:
        return False
    try:
        verify_store(engine, key_file, deliveries=deliveries)
    except (LogAlteredError, UnreadableError):
        return False
    return True


def _check_there_is_one(connection: Connection, head: bytes | None) -> None:
    if log.newest_checkpoint(connection) is None:
        if head is not None:
            raise LogAlteredError("The log was rolled back: a checkpoint was signed before, but the store has none.")
        raise InputError("The log has no checkpoint yet.", fix="cibx audit sequence signs one.")


def _check_nothing_beyond(connection: Connection) -> None:
    """Rows that no leaf was made of, and such that are gone before one was."""
    wrong = log.unplaced(connection, log.cursor(connection, "size"))
    if wrong is not None:
        raise LogAlteredError(wrong)


def _check_deliveries(connection: Connection, deliveries: LedgerDeliveries) -> None:
    """The ledger that the log took pulls from is there, as far as it took them, and is the same."""
    taken = log.cursor(connection, "ledger")
    last = deliveries.last()
    if last < taken:
        raise LogAlteredError(f"The ledger of deliveries was deleted or cut: the log has its pulls up to row {taken},"
                              f" and it ends at row {last}. Who received what is known from the log's pulls alone;"
                              " restore the ledger (on SQLite the file that ends in -ledger) from a backup.")
    at_end = [pull for pull in deliveries.after(taken - 1, 1) if pull.number == taken] if taken else []
    if any(log.find_event(connection, pull.receipt) is None for pull in at_end):
        raise LogAlteredError(f"The ledger of deliveries was replaced: the log has no pull of its row {taken}."
                              " Restore the ledger (on SQLite the file that ends in -ledger) from a backup.")


def _fetch(connection: Connection) -> Callable[[str], bytes]:
    def fetch(path: str) -> bytes:
        """The file of a path as C2SP tlog-tiles names it; empty where there is none."""
        if path == "checkpoint":
            newest = log.newest_checkpoint(connection)
            return b"" if newest is None else newest[1].encode()
        tile = read_tile_path(path.removeprefix("tile/"))
        if tile.level < 0:
            return bundle(stored_leaves(connection, tile))
        return log.read_tile(connection, tile.level, tile.index)[: tile.width * 32]

    return fetch


def export_log(engine: Engine, folder: Path) -> int:
    """Write the log into a folder as C2SP tlog-tiles, with all checkpoints and keys; gives its size.

    ``details/`` holds the long details that leaves have by their digest only. Raises InputError for a folder that
    can't be written.
    """
    try:
        with read(engine) as connection:
            log.statement_without_limit(connection)
            newest = log.newest_checkpoint(connection)
            if newest is None:
                raise InputError("The log has no checkpoint yet.", fix="cibx audit sequence signs one.")
            size, note = newest
            fetch = _fetch(connection)
            for tile in tiles_of(size):
                _write(folder / "tile" / tile.path, fetch(f"tile/{tile.path}"))
                if tile.level == 0:
                    entries = Tile(-1, tile.index, tile.width)
                    _write(folder / "tile" / entries.path, fetch(f"tile/{entries.path}"))
                    _export_details(connection, folder, tile)
            for past, _, signed in log.all_checkpoints(connection):
                lines = log.cosignatures(connection, past)
                _write(folder / "checkpoints" / f"{past}", with_cosignatures(signed, lines).encode())
            keys = "".join(f"{key.verifier}\n" for key in log.log_keys(connection) if not key.org)
            _write(folder / "keys.txt", keys.encode())
            _write(folder / "checkpoint", with_cosignatures(note, log.cosignatures(connection, size)).encode())
    except OSError as error:
        raise InputError(f"{folder} can't be written: {error.strerror}.", fix="Name another folder.") from None
    return size


def export_receipts(notary: Notary, folder: Path, org: str) -> int:
    """Write the receipts of one organisation, a file each; gives how many. Raises InputError."""
    count, last = 0, -1
    try:
        while found := notary.own_entries(org, last):
            for entry in found:
                event = json.loads(entry["leaf"])["id"]
                _write(folder / "receipts" / f"{event}.json", json.dumps(notary.receipt(event, org)).encode())
                count, last = count + 1, entry["index"]
    except OSError as error:
        raise InputError(f"{folder} can't be written: {error.strerror}.", fix="Name another folder.") from None
    return count


def _export_details(connection: Connection, folder: Path, tile: Tile) -> None:
    first = tile.index * 256
    for event in log.placed_events(connection, first, first + tile.width):
        raw = event.detail.encode()
        if len(raw) > LONGEST_DETAIL:
            _write(folder / "details" / f"{sha256(raw).hexdigest()}.json", raw)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
