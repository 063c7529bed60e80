"""Who received which versions of what, when, under which receipt: one short row for each page that left.

A row is in the operating system's hands before the answer leaves, so that killing the server loses none. It
doesn't wait for a long push: on SQLite the ledger is a small file of its own beside the database
(``FILE-ledger``, synchronous=NORMAL), on PostgreSQL tables of the database written with synchronous_commit off.
While the disk is full rows wait in memory, a bounded number of them.
"""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, bindparam, delete, event, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from exchange.errors import StorageFullError, UnavailableError
from exchange.store.engine import is_sqlite, open_engine, raw, write
from exchange.store.ledger_tables import DELIVERY, DERIVED, RECEIVER
from exchange.store.object_tables import CONTRIBUTOR, FEED
from exchange.store.runs import decode_runs
from exchange.store.statement import Prepared, count, listed, number, one_of
from exchange.store.visibility import id_key

_MOST_WAITING = 10_000
"""Deliveries that wait in memory for space on the disk."""
_AT_A_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who receives: its number as contributor, on which credential, for which purpose, profile and policy."""

    org: int
    credential: str
    purpose: str
    profile: int
    policy: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One page: the feed's number, its objects' dates as ``runs.encode_runs`` codes them, SHA-256 of its body."""

    at: int
    feed: int
    first: int
    last: int
    count: int
    seqs: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Noted:
    """A delivery in the ledger; ``number`` is None while it waits for space."""

    receipt: str
    """32 hexadecimal digits: what the client is given."""
    number: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """An organisation received the version with the date ``seq`` at ``at`` (microseconds)."""

    org: str
    seq: int
    at: int
    receipt: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A delivery in plain values, for the log; ``digest`` is the hexadecimal SHA-256 of the answer's body."""

    number: int
    at: int
    org: str
    credential: str
    purpose: str
    policy: str
    collection: str
    first: int
    last: int
    count: int
    receipt: str
    digest: str
    feed: int
    """The collection's number."""
    runs: bytes
    """The dates of its objects from ``first`` on, as ``runs.encode_runs`` codes them."""


class Ledger:
    """The ledger of one process; ``engine`` is the main database's."""

    def __init__(self, engine: Engine) -> None:
        self._main = engine
        self._lock = threading.Lock()
        self._opened: Engine | None = None
        self._statements = _Statements(engine.dialect)
        self._receivers: dict[Receiver, int] = {}
        self._waiting: deque[tuple[Receiver, dict[str, Any]]] = deque()
        self._registered: set[tuple[str, int]] = set()

    def note(self, receiver: Receiver, page: Delivery) -> Noted:
        """Keep one delivery. Raises UnavailableError when the disk is full and too many wait already."""
        receipt = secrets.token_bytes(16)
        row = {"at": page.at, "feed": page.feed, "first": page.first, "last": page.last, "count": page.count,
               "seqs": page.seqs, "digest": page.digest, "receipt": receipt}
        with self._lock:
            try:
                self._write_waiting()
                kept = self._insert(receiver, row)
            except StorageFullError as full:
                if len(self._waiting) >= _MOST_WAITING:
                    raise UnavailableError("What leaves can't be noted now.", why=full.what,
                                           fix="Free some space.") from full
                self._waiting.append((receiver, row))
                kept = None
        return Noted(receipt.hex(), kept)

    def take_back(self, noted: Noted) -> None:
        """Forget a delivery that didn't leave: its page had changed before it was sent."""
        with self._lock:
            if noted.number is None:
                self._waiting = deque(w for w in self._waiting if w[1]["receipt"].hex() != noted.receipt)
                return
            with raw(self._engine()) as connection:
                self._statements.take_back.run(connection, number=noted.number)

    def recipients(self, connection: Connection, feed: int, seqs: Sequence[int]) -> list[Receipt]:
        """Who received which of a collection's versions, oldest delivery first; ``connection`` gives names.

        Deliveries noted after this is called aren't in it: who changes a state asks again after its commit.
        """
        wanted = sorted(seqs)
        if not wanted:
            return []
        with self._lock, raw(self._engine()) as ledger:
            rows: list[tuple[Any, ...]] = self._statements.spans.run(
                ledger, feed=feed, lowest=wanted[0], highest=wanted[-1]
            )
            rows += [(who.org, r["at"], r["first"], r["seqs"], r["receipt"]) for who, r in self._waiting
                     if r["feed"] == feed]
        hits = [(org, at, seq, bytes(receipt).hex()) for org, at, first, coded, receipt in rows
                for seq in _within(wanted, first, bytes(coded))]
        names = _names(connection, CONTRIBUTOR, "org", {org for org, *_ in hits})
        return [Receipt(names[org], seq, at, receipt) for org, at, seq, receipt in hits if org in names]

    def after(self, number: int, limit: int) -> list[LedgerRow]:
        """Deliveries in the order of their numbers, those after ``number``, at most ``limit``."""
        with self._lock, raw(self._engine()) as ledger:
            rows = self._statements.after.run(ledger, number=number, page=limit)
        with self._main.connect() as connection:
            orgs = _names(connection, CONTRIBUTOR, "org", {row[2] for row in rows})
            feeds = _names(connection, FEED, "collection", {row[6] for row in rows})
        return [
            LedgerRow(number, at, orgs.get(org, ""), credential, purpose, policy, feeds.get(feed, ""), first, last,
                      many, bytes(receipt).hex(), bytes(digest).hex(), feed, bytes(runs))
            for number, at, org, credential, purpose, policy, feed, first, last, many, receipt, digest, runs in rows
        ]

    def last(self) -> int:
        """The number of the last delivery; 0 where there is none."""
        with self._lock, raw(self._engine()) as ledger:
            rows = self._statements.last.run(ledger)
        return int(rows[0][0]) if rows else 0

    def register(self, derived: Iterable[tuple[str, int]]) -> None:
        """Note ids of derived objects with the objects' numbers, before they are first shown."""
        fresh = [pair for pair in derived if pair not in self._registered]
        if not fresh:
            return
        with self._lock, raw(self._engine()) as connection:
            for stix_id, made_of in fresh:
                self._statements.register.run(
                    connection, id_key=id_key(stix_id), stix_id=stix_id, object=made_of)
        if len(self._registered) > 100 * _AT_A_TIME:
            self._registered.clear()
        self._registered.update(fresh)

    def made_of(self, ids: Sequence[str]) -> list[int]:
        """Numbers of the objects that derived objects of these ids were made of."""
        with self._lock, raw(self._engine()) as connection:
            dialect = self._main.dialect
            rows = self._statements.made_of.run(
                connection, keys=listed(dialect, [id_key(i) for i in ids]), ids=listed(dialect, ids))
        return [int(row[0]) for row in rows]

    def forms_of(self, numbers: Sequence[int]) -> dict[int, list[str]]:
        """Ids of the derived forms in which objects (by their numbers) were shown, where there are any."""
        found: dict[int, list[str]] = {}
        with self._lock, raw(self._engine()) as connection:
            rows = self._statements.forms_of.run(connection, numbers=listed(self._main.dialect, numbers))
        for number_, stix_id in rows:
            found.setdefault(int(number_), []).append(str(stix_id))
        return found

    def close(self) -> None:
        """End the ledger's own connections; its next use opens them again."""
        if self._opened is not None:
            self._opened.dispose()

    def _write_waiting(self) -> None:
        while self._waiting:
            self._insert(*self._waiting[0])
            self._waiting.popleft()

    def _insert(self, receiver: Receiver, row: dict[str, Any]) -> int:
        with raw(self._engine()) as connection:
            who = self._receivers.get(receiver)
            if who is None:
                who = self._receivers[receiver] = self._receiver(connection, receiver)
            return int(self._statements.deliver.run(connection, receiver=who, **row)[0][0])

    def _receiver(self, connection: Any, receiver: Receiver) -> int:
        values = {name: getattr(receiver, name) for name in Receiver.__slots__}
        self._statements.add_receiver.run(connection, **values)
        return int(self._statements.receiver.run(connection, **values)[0][0])

    def _engine(self) -> Engine:
        if self._opened is None:
            self._opened = _open(self._main)
        return self._opened


class _Statements:
    """What is run on the ledger, prepared for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        upsert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        row, who = DELIVERY.c, RECEIVER.c
        self.deliver = Prepared(
            insert(DELIVERY).values({c.name: _bound(c) for c in row if c.name != "number"}).returning(row.number),
            dialect)
        same = [column == _bound(column) for column in who if column.name != "number"]
        self.add_receiver = Prepared(
            upsert(RECEIVER).values({c.name: _bound(c) for c in who if c.name != "number"})
            .on_conflict_do_nothing().returning(who.number), dialect)
        self.receiver = Prepared(select(who.number).where(*same), dialect)
        self.take_back = Prepared(delete(DELIVERY).where(row.number == number("number")).returning(row.number), dialect)
        joined = DELIVERY.join(RECEIVER, row.receiver == who.number)
        self.spans = Prepared(
            select(who.org, row.at, row.first, row.seqs, row.receipt).select_from(joined)
            .where(row.feed == number("feed"), row.last >= number("lowest"), row.first <= number("highest"))
            .order_by(row.number), dialect)
        self.after = Prepared(
            select(row.number, row.at, who.org, who.credential, who.purpose, who.policy, row.feed, row.first,
                   row.last, row.count, row.receipt, row.digest, row.seqs).select_from(joined)
            .where(row.number > number("number")).order_by(row.number).limit(count("page")), dialect)
        self.last = Prepared(select(row.number).order_by(row.number.desc()).limit(1), dialect)
        self.register = Prepared(
            upsert(DERIVED).values({c.name: _bound(c) for c in DERIVED.c}).on_conflict_do_nothing()
            .returning(DERIVED.c.object), dialect)
        self.forms_of = Prepared(
            select(DERIVED.c.object, DERIVED.c.stix_id).where(one_of(dialect, DERIVED.c.object, "numbers"))
            .order_by(DERIVED.c.stix_id), dialect)
        self.made_of = Prepared(
            select(DERIVED.c.object).where(one_of(dialect, DERIVED.c.id_key, "keys"),
                                           one_of(dialect, DERIVED.c.stix_id, "ids")), dialect)


def _bound(column: Any) -> Any:
    return bindparam(column.name, type_=column.type)


def _open(main: Engine) -> Engine:
    """The ledger's own connections; on SQLite its file is made where there is none yet."""
    if not is_sqlite(main):
        given = str(main.url.query.get("options", ""))
        return open_engine(
            main.url.update_query_dict({"options": f"{given} -c synchronous_commit=off".strip()})
            .render_as_string(hide_password=False)
        )
    opened = open_engine(f"{main.url.render_as_string(hide_password=False)}-ledger")
    event.listen(opened, "connect", _relax)
    with write(opened) as connection:
        SQLModel.metadata.create_all(connection, tables=[RECEIVER, DELIVERY, DERIVED])
    return opened


def _relax(connection: Any, _record: object) -> None:
    """A power cut may take the last rows, killing the process takes none; no fsync for each page."""
    connection.execute("PRAGMA synchronous = NORMAL").close()


def _within(wanted: Sequence[int], first: int, coded: bytes) -> Iterator[int]:
    runs = list(decode_runs(first, coded))
    place = 0
    for seq in wanted:
        while place < len(runs) and runs[place][1] < seq:
            place += 1
        if place < len(runs) and runs[place][0] <= seq:
            yield seq


def _names(connection: Connection, table: Any, column: str, numbers: Iterable[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    asked = sorted(numbers)
    for start in range(0, len(asked), _AT_A_TIME):
        some = asked[start : start + _AT_A_TIME]
        rows = connection.execute(select(table.c.number, table.c[column]).where(table.c.number.in_(some)))
        found.update((int(n), str(name)) for n, name in rows)
    return found
