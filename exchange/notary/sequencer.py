"""The sequencer: gives committed events their places in the log, appends their hashes, signs on a fixed clock.

One at a time does so, whichever process asks first; killed at any moment it leaves the log as it was before its
last transaction, and the next one goes on.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from exchange.audit.checkpoint import Checkpoint, open_checkpoint
from exchange.audit.leaf import Event
from exchange.audit.merkle import HASH_BYTES
from exchange.audit.note import SignerKey, read_verifier_key
from exchange.audit.tiles import WIDTH, Tile, TileTree, grow, tiles_near
from exchange.audit.verify import verify_continues
from exchange.notary.keys import next_path, read_key, remember_head, remembered_head
from exchange.stix.canonical import canonical
from exchange.store import log
from exchange.store.engine import read, write
from exchange.store.log import StoredEvent

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LOG = logging.getLogger("exchange.notary")
_SKEW = 60_000_000
"""Microseconds by which servers' clocks may differ; a page from further ahead left before one was set back."""
_AT_A_TIME = 8_192
"""Leaves of one transaction: some 90 ms in which nobody else writes (SQLite)."""


class Delivered(Protocol):
    """One page that left, as the ledger tells it."""

    @property
    def number(self) -> int:
        """Its number in the ledger, growing."""

    @property
    def at(self) -> int:
        """When it left, in microseconds."""

    @property
    def org(self) -> str:
        """The id of the organisation that received it."""

    @property
    def receipt(self) -> str:
        """The receipt's id, 32 hexadecimal digits."""

    @property
    def detail(self) -> Mapping[str, Any]:
        """What was received: collection, credential, purpose, count, dates, digest, policy."""


class Deliveries(Protocol):
    """The ledger of deliveries, as far as the log needs it."""

    def after(self, number: int, limit: int) -> Sequence[Delivered]:
        """Up to ``limit`` deliveries after that number, in the order of their numbers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run did: leaves placed, and the size that a checkpoint was signed for (None: none was)."""

    placed: int
    signed: int | None


class Sequencer:
    """Keeps one log; ``clock`` gives microseconds, ``pause`` lets others have their turn between transactions.

    ``settled`` is how old a delivery must be, in microseconds, for every earlier one to be in the ledger too.
    """

    def __init__(
        self, engine: Engine, key_file: Path, clock: Callable[[], int], *,
        deliveries: Deliveries | None = None, settled: int = 0, pause: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._key_file = key_file
        self._clock = clock
        self._deliveries = deliveries
        self._settled = settled
        self._pause = pause
        self._ahead: tuple[int, int] | None = None
        """The last delivery from before the clock was set back, and when it was met by the present clock."""

    def run(self) -> Outcome:
        """Place everything that is pending, then sign. Raises LogAlteredError where signing would fork the log."""
        return Outcome(self._place(), self._sign())

    def tick(self, period: int) -> Outcome | None:
        """``run``, if nobody did since the clock's last whole ``period`` (microseconds).

        Else place what is pending, and remember that beside the key: removing an event leaves a trace from then on.
        Nobody is shown it before the next checkpoint; None.
        """
        due = self._clock() // period * period

        def is_signed(connection: Connection) -> bool:
            """One that is more than a period ahead was signed before the clock was set back."""
            return due <= log.cursor(connection, "tick") <= due + period

        with read(self._engine) as connection:
            signed = is_signed(connection)
            if signed and not self._anything_waits(connection):
                return None
        if not signed:
            with write(self._engine) as connection:
                signed = log.take_turn(connection) is None or is_signed(connection)
                if not signed:
                    log.set_cursor(connection, "tick", due)
        if not signed:
            return self.run()
        if self._place():
            self._remember()
        return None

    def _place(self) -> int:
        placed = 0
        while now_placed := self._place_some():
            placed += now_placed
            if now_placed < _AT_A_TIME:
                break
            self._pause()
        return placed

    def _anything_waits(self, connection: Connection) -> bool:
        if log.anything_pending(connection):
            return True
        first = self._deliveries.after(log.cursor(connection, "ledger"), 1) if self._deliveries is not None else []
        return any(d.at <= self._clock() - self._settled or d.at > self._clock() + _SKEW for d in first)

    def _place_some(self) -> int | None:
        """One transaction's worth of leaves; None where somebody else is at it."""
        with write(self._engine) as connection:
            size = log.take_turn(connection)
            if size is None:
                return None
            events = log.pending_events(connection, _AT_A_TIME)
            log.give_places(connection, [event.number for event in events], size)
            pulled = self._pulled(connection, _AT_A_TIME - len(events))
            log.add_placed(connection, pulled, size + len(events))
            leaves = [*events, *pulled]
            if leaves:
                hashes = leaf_hashes(leaves)
                log.save_tiles(connection, grow(_edge(connection, size), size, hashes))
                log.set_cursor(connection, "size", size + len(leaves))
        return len(leaves)

    def _pulled(self, connection: Connection, most: int) -> list[StoredEvent]:
        """Deliveries as events; the ledger's number is remembered in the same transaction."""
        if self._deliveries is None or most <= 0:
            return []
        waiting, fresh = self._deliveries.after(log.cursor(connection, "ledger"), most), []
        for delivered in waiting:
            if not self._is_settled(delivered, waiting[-1].number):
                break
            fresh.append(delivered)
        if not fresh:
            return []
        log.set_cursor(connection, "ledger", fresh[-1].number)
        known = log.known_ids(connection, [delivered.receipt for delivered in fresh])
        chance = secrets.token_hex(16 * len(fresh))
        return [
            StoredEvent(0, d.receipt, d.at, "pull", d.org, canonical(d.detail), chance[32 * place:32 * place + 32])
            for place, d in enumerate(fresh) if d.receipt not in known
        ]

    def _is_settled(self, delivered: Delivered, last: int) -> bool:
        """Whether every delivery before it is in the ledger; ``last`` is the number of the last that waits.

        How old one from before the clock was set back is can't be told by its time: it waits from when it is met.
        """
        now = self._clock()
        if not self._settled or delivered.at <= now - self._settled:
            return True
        if delivered.at <= now + _SKEW:
            return False
        if self._ahead is None or delivered.number > self._ahead[0] or now < self._ahead[1]:
            self._ahead = last, now
        return now - self._ahead[1] >= self._settled

    def _sign(self) -> int | None:
        """Sign the log as it is, unless it was or no key is here that may."""
        with write(self._engine) as connection:
            size = log.take_turn(connection)
            newest = log.newest_checkpoint(connection)
            if size is None or not size or (newest is not None and newest[0] >= size):
                return None
            note = self._note(connection, size)
            if note is None:
                return None
            log.save_checkpoint(connection, size, self._clock(), note)
        remember_head(self._key_file, note)
        return size

    def _remember(self) -> None:
        """Sign the log as it is for the signer's own memory: no second history is signed after this one."""
        with read(self._engine) as connection:
            note = self._note(connection, log.cursor(connection, "size"))
        if note is not None:
            remember_head(self._key_file, note)

    def _note(self, connection: Connection, size: int) -> str | None:
        """The checkpoint of that size, signed; None without a key. Raises LogAlteredError where it is a fork."""
        signers = active_signers(connection, self._key_file)
        if not signers:
            return None
        tree = stored_tree(connection, size)
        checkpoint = Checkpoint(signers[0].name, size, tree.root())
        self._check_history(connection, checkpoint, tree)
        return bytes(checkpoint.signed(*signers)).decode()

    def _check_history(self, connection: Connection, checkpoint: Checkpoint, tree: TileTree) -> None:
        """Raise LogAlteredError where the checkpoint doesn't continue what was signed before."""
        before = log.newest_checkpoint(connection)
        told = [raw for raw in (remembered_head(self._key_file), before and before[1].encode()) if raw]
        keys = [read_verifier_key(key.verifier) for key in log.log_keys(connection) if not key.org]
        for raw in told:
            verify_continues(open_checkpoint(raw, keys), checkpoint, tree)


def active_signers(connection: Connection, key_file: Path) -> list[SignerKey]:
    """The keys to sign with now: the file's, if it is the log's; none where another server has the key.

    While the last signed checkpoint is by a key that has been replaced, both sign: the old one vouches for the new.
    """
    own = [key for key in log.log_keys(connection) if not key.org]
    current = {key.verifier for key in own if key.until is None}
    found = [key for key in (read_key(key_file), read_key(next_path(key_file))) if key is not None]
    usable = [key for key in found if str(key.verifier) in current]
    if not usable:
        return []
    retired = [key for key in found if str(key.verifier) in {k.verifier for k in own if k.until is not None}]
    return usable + retired


def stored_tree(connection: Connection, size: int, near: int = 0) -> TileTree:
    """The log's tree, read from the store's tiles; those that a proof about leaf ``near`` needs all at once."""
    ahead = {(tile.level, tile.index) for tile in tiles_near(size, near)}
    held = log.read_tiles(connection, ahead) if ahead else {}

    def fetch(tile: Tile) -> bytes:
        """A tile's hashes, as many as it is wide."""
        found = held.get((tile.level, tile.index))
        if found is None:
            found = log.read_tile(connection, tile.level, tile.index)
        return found[: tile.width * HASH_BYTES]

    return TileTree(size, fetch)


def leaf_hashes(events: Sequence[StoredEvent]) -> list[bytes]:
    """The hash of each event's leaf."""
    return [sha256(b"\x00" + leaf_of(event)).digest() for event in events]


def leaf_of(event: StoredEvent) -> bytes:
    """The bytes of the event's leaf."""
    return Event(event.id, event.at, event.kind, event.org, event.detail, event.nonce).leaf


def _edge(connection: Connection, size: int) -> dict[int, bytes]:
    """The rightmost tile of each level where it is partial."""
    edge, level, count = {}, 0, size
    while count:
        width = count % WIDTH
        if width:
            edge[level] = log.read_tile(connection, level, count // WIDTH)[: width * HASH_BYTES]
        count //= WIDTH
        level += 1
    return edge


def with_cosignatures(note: str, lines: Sequence[str]) -> str:
    """A checkpoint's note with members' signatures under it."""
    return note + "".join(f"{line}\n" for line in lines)


