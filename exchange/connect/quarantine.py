"""Rows that didn't go in: which the exchange's refusals put aside, and how they are kept until somebody mends them.

A row is in quarantine when its connector says so, or when anything that was made of it was refused: a job that sees no
quarantined row may trust that all of its source went in. A kept row leaves when its refused objects went in by a
replay, or when a later run of its source brings the same row without a fault. Of a row whose object was revoked or
erased nothing is kept but its place and the reason: no version of that will ever be taken (STIX 2.1, 3.6.3).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from exchange.connect.contract import Row
from exchange.errors import InputError
from exchange.words import verb

if TYPE_CHECKING:
    from exchange.connect.journal import Journal
    from exchange.connect.runner import Sink, Step

MOST_KEPT = 100_000
"""Rows of one source that are kept; beyond it they are only counted."""
MOST_BYTES = 1_000_000
"""The largest object that is kept with its row."""
WITHOUT_ROW = "(objects of no row)"
"""The file of refused objects that no row of the source stands for."""
_FOR_EVER = "revoked-permanently: "
"""Begins the reason where an object was revoked or erased before."""


def settle(row: Row, refused: Mapping[str, str]) -> Row:
    """The row as the exchange's answers leave it.

    ``refused`` maps an object's id to "code: sentence". The ids that did go in stay on the row.
    """
    hit = [identifier for identifier in row.ids if identifier in refused] if refused else []
    if not hit:
        return row
    reason = refused[hit[0]]
    if len(row.ids) > 1:
        reason = f"{len(hit)} of {len(row.ids)} objects {verb(len(hit), 'was', 'were')} refused; {hit[0]}: {reason}"
    if row.reason:
        reason = f"{reason} ({row.reason})"
    kept = tuple(identifier for identifier in row.ids if identifier not in refused)
    return replace(row, outcome="quarantined", ids=kept, reason=reason)


@dataclass(frozen=True)
class Kept:
    """One row in quarantine."""

    number: int
    source: str
    """The source's name."""
    file: str
    row: int
    since: float
    """Seconds since the epoch."""
    reason: str
    objects: Mapping[str, Any]
    """Its refused objects by id, as far as they are there."""
    raw: str
    """The record as the source has it, where its connector gave it."""
    by_exchange: bool
    """Whether the exchange refused it, so that it may go in without a change one day; else its source needs mending."""


class Quarantine:
    """The kept rows of one journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._database = journal.database

    def watch(self, source: str, step: Step, now: float) -> None:
        """Keep the rows of a step that are quarantined, let go of those that are well now."""
        bad: list[tuple[Row, Row]] = []
        well: list[tuple[str, str, str, int]] = []
        for sent, row in zip(step.sent, step.rows, strict=True):
            if row.outcome == "quarantined":
                bad.append((sent, row))
            else:
                well.append((self._journal.whose, source, row.file, row.row))
        count = self.count(source)
        with self._journal.transaction():
            if count:
                self._database.executemany("DELETE FROM quarantine WHERE whose=? AND name=? AND file=? AND row=?", well)
            told: set[str] = set()
            for sent, row in bad:
                told.update(sent.ids)
                refused = {one: step.refused[one] for one in sent.ids if one in step.refused}
                self._put(source, row, refused, now, made=sent.ids, by_exchange=sent.outcome != "quarantined",
                          full=count >= MOST_KEPT)
            for identifier, (_, reason) in step.refused.items():
                if identifier not in told:
                    number = int.from_bytes(identifier.encode()[-6:], "big") % 10**12
                    self._put(source, Row(WITHOUT_ROW, number, "quarantined", (), reason),
                              {identifier: step.refused[identifier]}, now, made=(identifier,), by_exchange=True,
                              full=count >= MOST_KEPT)

    def _put(self, source: str, row: Row, refused: Mapping[str, tuple[bytes, str]], now: float, *, made: Sequence[str],
             by_exchange: bool, full: bool) -> None:
        known = self._database.execute("SELECT objects FROM quarantine WHERE whose=? AND name=? AND file=? AND row=?",
                                       (self._journal.whose, source, row.file, row.row)).fetchone()
        if known is None and full:
            return
        held, record = json.loads(known[0]) if known else {}, row.raw[:MOST_BYTES]
        held |= {key: json.loads(raw) for key, (raw, _) in refused.items() if len(raw) <= MOST_BYTES}
        if _FOR_EVER in row.reason or any(reason.startswith(_FOR_EVER) for _, reason in refused.values()):
            held, record = {}, ""
        number, = self._database.execute(
            "INSERT INTO quarantine (whose, name, file, row, since, reason, objects, raw, by_exchange) VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET reason=excluded.reason, objects=excluded.objects,"
            " raw=excluded.raw, by_exchange=excluded.by_exchange RETURNING number",
            (self._journal.whose, source, row.file, row.row, now, row.reason, json.dumps(held), record,
             int(by_exchange))).fetchone()
        self._database.executemany("INSERT OR IGNORE INTO quarantine_id VALUES (?, ?)",
                                   [(identifier, number) for identifier in {*made, *held}])

    def count(self, source: str | None = None) -> int:
        """Kept rows, of one source or of all."""
        found = self._database.execute("SELECT count(*) FROM quarantine WHERE whose=?1 AND (?2 IS NULL OR name=?2)",
                                       (self._journal.whose, source)).fetchone()
        return int(found[0])

    def rows(self, source: str | None = None, numbers: Sequence[int] = ()) -> Iterator[Kept]:
        """Kept rows in the order of their numbers; of one source, or those with these numbers."""
        found = self._database.execute(
            "SELECT number, name, file, row, since, reason, objects, raw, by_exchange FROM quarantine WHERE whose=?1 "
            "AND (?2 IS NULL OR name=?2) ORDER BY number", (self._journal.whose, source)).fetchall()
        for number, name, file, row, since, reason, objects, raw, by_exchange in found:
            if not numbers or number in numbers:
                yield Kept(number, name, file, row, since, reason, json.loads(objects), raw, bool(by_exchange))

    def get(self, number: int) -> Kept:
        """One kept row; raises InputError where there is none of that number."""
        for kept in self.rows(numbers=[number]):
            return kept
        raise InputError(f"There is no row {number} in quarantine.", fix="See cibx connector quarantine list.")

    def drop(self, number: int) -> None:
        """Let go of a row for good; raises InputError where there is none of that number."""
        self.get(number)
        self._database.execute("DELETE FROM quarantine WHERE whose=? AND number=?", (self._journal.whose, number))

    def replay(self, kept: Kept, objects: Sequence[Mapping[str, Any]], sink: Sink, terms: Mapping[str, Any]) -> str:
        """Push the objects of a kept row, as they are or mended; the row leaves when all of them went in.

        Gives the first refusal's reason, empty when it left. Raises InputError for a row that has no objects.
        """
        if not objects:
            raise InputError(f"Row {kept.number} ({kept.file}, row {kept.row}) has no objects that could be sent.",
                             why=kept.reason, fix="Mend its source and run that again: a row that is well leaves.")
        ordered = sorted(objects, key=lambda item: item.get("type") != "marking-definition")
        answers = sink.push([json.dumps(item, ensure_ascii=False).encode() for item in ordered], terms=terms)
        for answer in answers:
            if answer.state == "refused":
                return f"{answer.id}: {answer.code}: {answer.sentence}"
        self.drop(kept.number)
        return ""
