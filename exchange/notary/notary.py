"""The log of one exchange, for those who keep it and those who ask it: keys, runs, receipts, tiles, cosignatures."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchange.audit.checkpoint import read_checkpoint
from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.note import COSIGNATURE, SignerKey, VerifierKey, read_note, read_verifier_key
from exchange.audit.receipt import Receipt
from exchange.audit.tiles import Tile, bundle, width_in
from exchange.errors import ExchangeError, InputError, NotFoundError, UnavailableError, UnprocessableError
from exchange.notary.keys import key_path, make_key, next_path, put_aside, read_key, remembered_head
from exchange.notary.sequencer import Deliveries, Outcome, Sequencer, leaf_of, stored_tree, with_cosignatures
from exchange.secret_files import check_owner
from exchange.settings import Settings
from exchange.store import log
from exchange.store.engine import is_sqlite, read, write
from exchange.store.events import record
from exchange.store.log import StoredEvent
from exchange.store.salts import commit_person

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LOG = logging.getLogger("exchange.notary")
_SETTLES = 2_000_000
"""Microseconds after which a page that was noted has left, or was taken back."""
_POSTGRES_SETTLES = 120_000_000
"""Microseconds after which no transaction that took an earlier number can still be open (see store.engine)."""
_SECOND = 1_000_000
_MOST_READS = 200
"""Reads that one event tells of at most."""
_OWN_AT_A_TIME = 1_000
_HANDOVER_TRIES, _HANDOVER_PAUSE = 100, 0.1
"""How often, and how many seconds apart, a new key's first checkpoint is tried while others hold the log."""


@dataclass(frozen=True, slots=True)
class LogKeys:
    """The verifier keys of a log: its own, of which the last is in use, and those of cosigning members."""

    own: tuple[VerifierKey, ...]
    members: Mapping[str, str]
    """Verifier key to organisation."""
    handovers: tuple[str, ...] = ()
    """The checkpoints that an old and a new key of the log signed both."""


class Notary:
    """The log in one store; ``clock`` gives microseconds."""

    def __init__(
        self, engine: Engine, settings: Settings, clock: Callable[[], int], *,
        deliveries: Deliveries | None = None, pause: Callable[[], None] = lambda: None,
    ) -> None:
        self.key_file = key_path(settings)
        self._engine = engine
        self._settings = settings
        self._clock = clock
        self._following = False
        self._reads: dict[tuple[str, str], list[str]] = {}
        self._period = settings.log_seconds * 1_000_000
        self._sequencer = Sequencer(
            engine, self.key_file, clock, deliveries=deliveries, pause=pause,
            settled=_SETTLES if is_sqlite(engine) else _POSTGRES_SETTLES,
        )

    # -- keeping it

    def run(self) -> Outcome:
        """Place what is pending and sign, now. Raises LogAlteredError."""
        self.keep_reads()
        return self._sequencer.run()

    def tick(self) -> Outcome | None:
        """The same if it is time and nobody else did; else what is pending is placed, and it gives None."""
        self.keep_reads()
        return self._sequencer.tick(self._period)

    def follow(self, sleep: Callable[[float], None], going: Callable[[], bool]) -> None:
        """Tick each second for as long as the server goes; a fault is told and the next tick tries again."""
        self._following = True
        while going():
            sleep(self._until_next())
            try:
                self.tick()
            except ExchangeError as fault:
                _LOG.error("The log was not signed: %s", fault)

    def _until_next(self) -> float:
        """Seconds to the clock's next whole second, and a little more in each process: one wakes first."""
        return (_SECOND - self._clock() % _SECOND) / _SECOND + secrets.randbelow(200) / 1e3

    # -- keys

    def keys(self) -> LogKeys:
        """All registered verifier keys."""
        with read(self._engine) as connection:
            return _keys(connection)

    def establish(self) -> None:
        """See to it that the log has a key: made at the first start. What is missing is told, and no reason to stop."""
        keys = self.keys().own
        try:
            self._finish_rotation(keys)
            if not keys:
                self.make_key()
            elif not any(str(key.verifier) in map(str, keys) for key in self._key_files()):
                _LOG.warning("This server doesn't sign the log: %s doesn't hold its key. Copy the key file of the"
                             " server that made it, or set CIBX_LOG_KEY.", self.key_file)
        except InputError as fault:
            _LOG.warning("The log is not signed: %s", fault)

    def make_key(self, name: str | None = None) -> VerifierKey:
        """Make the log's first key and record it. Raises InputError where it has one."""
        with write(self._engine) as connection:
            if log.take_turn(connection) is None or _keys(connection).own:
                raise InputError("The log has a key already.", fix="cibx audit keys rotate replaces it.")
            key = read_key(self.key_file) or make_key(self.key_file, name or self._name())
            now = self._clock()
            log.add_key(connection, str(key.verifier), "", now)
            record(connection, at=now, kind="key", org="", detail={"new": str(key.verifier)})
        return key.verifier

    def rotate_key(self) -> VerifierKey:
        """Replace the log's key; the checkpoint after it is signed by both. Raises InputError without the old key."""
        check_owner(self.key_file)
        old = read_key(self.key_file)
        current = self.keys().own
        if old is None or not current or str(old.verifier) != str(current[-1]):
            raise InputError(f"{self.key_file} doesn't hold the log's present key.",
                             fix="Rotate on the server that signs, or set CIBX_LOG_KEY.")
        self.run()
        waiting = next_path(self.key_file)
        new = read_key(waiting) or make_key(waiting, old.name)
        with write(self._engine) as connection:
            if log.take_turn(connection) is None:  # a checkpoint under way would be signed by the old key alone
                raise UnavailableError("The log is being signed at this moment.", fix="Rotate again.")
            now = self._clock()
            log.end_key(connection, str(old.verifier), now)
            log.add_key(connection, str(new.verifier), "", now)
            record(connection, at=now, kind="key", org="",
                   detail={"old": str(old.verifier), "new": str(new.verifier)})
        self._hand_over()
        return new.verifier

    def _hand_over(self) -> None:
        """Put the waiting key in its place once a checkpoint is signed by both.

        Raises UnavailableError where others keep the log busy; the next start goes on.
        """
        for _ in range(_HANDOVER_TRIES):
            self.run()
            keys = self.keys()
            if len(keys.handovers) == len(keys.own) - 1:
                next_path(self.key_file).replace(self.key_file)
                return
            time.sleep(_HANDOVER_PAUSE)
        raise UnavailableError("The new key waits for its first checkpoint: the log is busy.",
                               fix="It takes over when the server is started again.")

    def restart(self, person: str, reason: str, name: str) -> VerifierKey:
        """Begin another log, after a backup was restored on purpose; gives its verifier key.

        Every event that is there becomes a leaf of it, and one names the last checkpoint of the former log, its keys,
        who decided and why. The former key and checkpoint are kept beside the new ones. Raises InputError.
        """
        if not person.strip() or not reason.strip():
            raise InputError("A restart names who decides and why.", fix="Give --by and --reason.")
        former = remembered_head(self.key_file)
        waiting = next_path(self.key_file)
        with write(self._engine) as connection:
            size = log.take_turn(connection)
            if size is None:
                raise UnavailableError("The log is being signed at this moment.", fix="Stop the server, and try again.")
            own = _keys(connection).own
            if any(key.name == name for key in own):
                raise InputError(f"The former log is called {name}.", fix="Give another name.")
            newest = log.newest_checkpoint(connection)
            last = former.decode() if former is not None else newest[1] if newest is not None else ""
            key = read_key(waiting) or make_key(waiting, name)
            now = self._clock()
            log.forget_order(connection)
            log.add_key(connection, str(key.verifier), "", now)
            record(connection, at=now, kind="restart", org="", detail={
                "former": last, "keys": [str(one) for one in own], "restored": newest[1] if newest is not None else "",
                "new": str(key.verifier), "by": commit_person(connection, person.strip()), "reason": reason.strip(),
            })
        put_aside(self.key_file, str(now))
        waiting.replace(self.key_file)
        self.run()
        return key.verifier

    def register_member_key(self, org: str, verifier: str) -> VerifierKey:
        """Register the key that a member cosigns with. Raises UnreadableError and InputError."""
        key = read_verifier_key(verifier)
        if key.kind != COSIGNATURE:
            raise InputError(f"{key.name} is no key for cosignatures.",
                             fix="Its type byte is 4 (C2SP tlog-cosignature).")
        with write(self._engine) as connection:
            if any(stored.verifier == str(key) for stored in log.log_keys(connection)):
                raise InputError(f"The key {key.name} is registered already.")
            now = self._clock()
            log.add_key(connection, str(key), org, now)
            record(connection, at=now, kind="key", org=org, detail={"cosigner": str(key)})
        return key

    def _finish_rotation(self, keys: Sequence[VerifierKey]) -> None:
        """Go on where a rotation was cut short after it was recorded."""
        waiting = next_path(self.key_file)
        new = read_key(waiting)
        if new is not None and keys and str(new.verifier) == str(keys[-1]):
            self._hand_over()

    def _key_files(self) -> list[SignerKey]:
        return [key for key in (read_key(self.key_file), read_key(next_path(self.key_file))) if key is not None]

    def _name(self) -> str:
        """The log's name: the host that the operator published, else a random one."""
        host = re.sub(r"^https?://|/+$", "", self._settings.public_url)
        return f"{host}/log" if host and not re.search(r"[\s+]", host) else f"cibx-{secrets.token_hex(4)}/log"

    # -- asking it

    def checkpoint(self) -> bytes:
        """The newest checkpoint with its cosignatures. Raises NotFoundError where none was signed yet."""
        with read(self._engine) as connection:
            newest = log.newest_checkpoint(connection)
            if newest is None:
                raise NotFoundError("The log has no checkpoint yet.", fix="It is signed on a fixed clock.")
            return with_cosignatures(newest[1], log.cosignatures(connection, newest[0])).encode()

    def tile(self, tile: Tile) -> bytes:
        """A tile or bundle of the log, as far as a checkpoint was signed over it. Raises NotFoundError."""
        with read(self._engine) as connection:
            newest = log.newest_checkpoint(connection)
            if newest is None or tile.width > width_in(newest[0], tile.level, tile.index):
                raise NotFoundError("There is no such tile in the newest checkpoint.")
            if tile.level >= 0:
                return log.read_tile(connection, tile.level, tile.index)[: tile.width * 32]
            return bundle(stored_leaves(connection, tile))

    def receipt(self, event_id: str, org: str | None) -> dict[str, Any]:
        """The receipt of an event, for the organisation it is about (None: for an auditor).

        Without a checkpoint over it ``index``, ``proof`` and ``checkpoint`` are None. Raises NotFoundError.
        """
        with read(self._engine) as connection:
            event = log.find_event(connection, event_id)
            if event is None or (org is not None and event.org != org):
                raise NotFoundError("There is no such receipt, or not yet: pulls get theirs on the log's clock.")
            return self._receipt(connection, event)

    def _receipt(self, connection: Connection, event: StoredEvent) -> dict[str, Any]:
        newest = log.newest_checkpoint(connection)
        if event.place is None or newest is None or event.place >= newest[0]:
            return {"leaf": leaf_of(event).decode(), "index": None, "proof": None, "checkpoint": None}
        size, note = newest
        proof = stored_tree(connection, size, event.place).inclusion(event.place)
        signed = with_cosignatures(note, log.cosignatures(connection, size))
        return Receipt(leaf_of(event), event.place, tuple(proof), signed.encode()).value()

    def note_read(self, credential: str, what: str, of: str = "") -> None:
        """Note that an auditor or administrator read ``what`` (one kind of answer) ``of`` something (an id, a path).

        While this process follows the log, the reads of a second become one event; else each is one at once.
        """
        noted = self._reads.setdefault((credential, what), [])
        noted.append(of)
        if not self._following or len(noted) >= _MOST_READS:
            self.keep_reads()

    def keep_reads(self) -> None:
        """Record the reads that were noted. Raises UnavailableError; they are kept for the next time then."""
        reads, self._reads = self._reads, {}
        if not reads:
            return
        try:
            with write(self._engine) as connection:
                for (credential, what), of in reads.items():
                    record(connection, at=self._clock(), kind="audit-read", org="", detail={
                        "credential": credential, "what": what, "times": len(of), "of": sorted(set(filter(None, of))),
                    })
        except ExchangeError:
            for key, of in reads.items():
                self._reads.setdefault(key, []).extend(of)
            raise

    def own_entries(self, org: str, after: int) -> list[dict[str, Any]]:
        """Up to a thousand leaves of one organisation after a place, as far as a checkpoint was signed."""
        with read(self._engine) as connection:
            newest = log.newest_checkpoint(connection)
            events = log.placed_events(connection, after + 1, newest[0], org, _OWN_AT_A_TIME) if newest else []
            return [{"index": event.place, "leaf": leaf_of(event).decode()} for event in events]

    def cosign(self, org: str, note: str) -> int:
        """Take a member's signatures under a checkpoint; gives the checkpoint's size.

        Raises UnprocessableError for what isn't a checkpoint of this log under a registered key of the member.
        """
        try:
            signed = read_note(note.encode("utf-8", "replace"))
            size = read_checkpoint(signed.text).size
        except UnreadableError as unreadable:
            raise UnprocessableError(str(unreadable)) from None
        with write(self._engine) as connection:
            ours = log.checkpoint_of_size(connection, size)
            if ours is None or read_note(ours.encode()).text != signed.text:
                raise UnprocessableError("The log has no such checkpoint.",
                                         why="Either it is not this log's, or somebody was shown another history.",
                                         fix="Compare it with the one at /log/checkpoint, and tell the auditor.")
            keys = [read_verifier_key(k) for k, owner in _keys(connection).members.items() if owner == org]
            now = self._clock()
            try:
                found = signed.signed_by(keys)
            except LogAlteredError as wrong:
                raise UnprocessableError(wrong.what, fix="Register the key with cibx audit keys register.") from None
            lines = {(s.name, s.key_id): s.line for s in signed.signatures}
            for key in found:
                log.save_cosignature(connection, size, str(key), now, lines[key.name, key.key_id])
            record(connection, at=now, kind="cosignature", org=org,
                   detail={"size": size, "keys": [str(key) for key in found]})
        return size


def stored_leaves(connection: Connection, tile: Tile) -> list[bytes]:
    """The leaves of a bundle, from the events. Raises LogAlteredError where one is missing."""
    first = tile.index * 256
    events = log.placed_events(connection, first, first + tile.width)
    for place, event in enumerate(events, first):
        if event.place != place:
            break
    else:
        place = first + len(events)
        if len(events) == tile.width:
            return [leaf_of(event) for event in events]
    raise LogAlteredError(f"Leaf {place} of the log is missing: its row was removed.")


def _keys(connection: Connection) -> LogKeys:
    stored: Sequence[log.StoredKey] = log.log_keys(connection)
    own = sorted((key for key in stored if not key.org), key=lambda key: (key.until is None, key.until or 0))
    return LogKeys(tuple(read_verifier_key(key.verifier) for key in own),
                   {key.verifier: key.org for key in stored if key.org}, tuple(log.handovers(connection)))


