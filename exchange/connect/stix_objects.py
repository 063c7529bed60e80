"""One STIX object of somebody else's: taken as it is, mended with a note, or refused with a reason.

What every connector of STIX does with an object, whether it came out of a file, a page or an event. What comes
out of a row: ``indicator`` for an indicator, ``behaviour`` for an attack-pattern, ``repaired`` for what was
mended, ``note`` for every other object that is taken as it is.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from exchange.connect.contract import Outcome, Row
from exchange.connect.mend import mend
from exchange.stix.fault import StixFault
from exchange.stix.parse import parse_strict
from exchange.stix.validate import check

Object = dict[str, Any]

_MOST_RAW = 20_000
_OUTCOMES: Mapping[object, Outcome] = {"indicator": "indicator", "attack-pattern": "behaviour"}


@dataclass(frozen=True, slots=True)
class Taken:
    """An object as it goes in."""

    item: Object
    note: str
    """What was mended, in sentences; empty where nothing was."""

    @property
    def outcome(self) -> Outcome:
        """What became of the row that it came from."""
        return "repaired" if self.note else _OUTCOMES.get(self.item["type"], "note")


def take(item: Object) -> Taken:
    """Mend an object that was parsed and check it; raises StixFault where it can't go in."""
    mended, note = mend(item)
    fault = check(mended)
    if fault is not None:
        raise fault
    return Taken(mended, note)


def parsed(raw: bytes, line: int = 1, column: int = 1) -> Object:
    """Parse one object strictly; raises StixFault, which tells the place in the document and not in the object.

    ``line`` and ``column`` are where the object begins.
    """
    try:
        return parse_strict(raw)
    except StixFault as fault:
        try:
            json.loads(raw)
        except json.JSONDecodeError as error:
            across = error.colno if error.lineno > 1 else column + error.colno - 1
            sentence = f"not JSON: {error.msg} at line {line + error.lineno - 1}, column {across}."
            raise StixFault(fault.code, fault.property, sentence) from fault
        except (ValueError, RecursionError):
            raise fault from None
        raise


def as_told(raw: bytes) -> str:
    """A record as its source has it, for its row in quarantine; long ones are cut, bytes that are no text replaced."""
    return raw[:_MOST_RAW].decode("utf-8", "replace")


def version_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """Id and version of an object: ``modified``, else ``created``, else empty."""
    return item["id"], str(item.get("modified") or item.get("created") or "")


def digest_of(item: Mapping[str, Any]) -> bytes:
    """16 bytes that two objects have in common only where they say the same."""
    return hashlib.blake2b(msgspec.json.encode(item, order="sorted"), digest_size=16).digest()


class Seen:
    """Objects that came already, to know one that comes twice; in a temporary file, so that memory doesn't grow."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("CREATE TABLE seen (key BLOB PRIMARY KEY, digest BLOB, row INTEGER) WITHOUT ROWID")
        self._file.execute("BEGIN")

    def once(self, item: Mapping[str, Any], row: Row) -> tuple[bool, Row]:
        """Whether the object goes in, and its row: not where its very version came in an earlier row."""
        digest = digest_of(item)
        key = hashlib.blake2b("\n".join(version_of(item)).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if self._file.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, digest, row.row)).rowcount:
            return True, row
        first, earlier = self._file.execute("SELECT digest, row FROM seen WHERE key=?", (key,)).fetchone()
        if earlier == row.row:
            return True, row
        if first == digest:
            return False, replace(row, reason=f"The same object as in row {earlier}. {row.reason}".strip())
        reason = f"Row {earlier} has the same id and version with other content; the first one stands."
        return False, replace(row, outcome="quarantined", ids=(), reason=reason)
