"""Careful reading of MISP's JSON: whatever stands in a field, a text, a flag, a time, a list or a key comes out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from exchange.model.misp.words import NAME
from exchange.stix.canonical import canonical
from exchange.stix.ids import OUR_NAMESPACE

Record = Mapping[str, Any]

MAX_TEXT = 100_000
"""Characters of a text that are carried."""
_ROWS = ("Tag", "Sighting", "ObjectReference", "Attribute", "Object", "ShadowAttribute", "EventReport")
_TELLING = ("name", "type", "object_relation", "value", "info", "date")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)")
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
EPOCH = "2015-01-01T00:00:00.000Z"
"""``created`` of what says no date."""


def text(record: Record, name: str) -> str:
    """A text or number as text, without blanks around it; empty where there is none."""
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:MAX_TEXT].strip()


def flag(record: Record, name: str, otherwise: bool = False) -> bool:
    """MISP's true and false: booleans, 0 and 1, also as texts."""
    value = record.get(name)
    if value is None:
        return otherwise
    return value is True or str(value).strip().lower() in {"1", "true", "yes"}


def children(record: Record, name: str) -> list[Record]:
    """The records of a list; what is no record in it is left out."""
    value = record.get(name)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def every(record: Record, left_out: Collection[str] = ()) -> list[Record]:
    """The record and every record in it that has a row of its own, in no particular order but itself first."""
    found = [record]
    for name in (name for name in _ROWS if name not in left_out):
        found += [part for one in children(record, name) for part in every(one)]
    for galaxy in children(record, "Galaxy"):
        found += [one for one in children(galaxy, "GalaxyCluster") if not flag(one, "deleted")]
    return found


def child(record: Record, name: str) -> Record:
    """A record within; an empty one where there is none."""
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}


def key(record: Record, *context: str) -> str:
    """The UUID of a record; one made of its content where it states none (``context``: what it is part of)."""
    stated = text(record, "uuid").lower()
    try:
        return str(uuid.UUID(stated))
    except ValueError:
        content = stated or [text(record, name) for name in _TELLING]
        return str(uuid.uuid5(OUR_NAMESPACE, canonical([NAME, *context, content])))


@lru_cache(maxsize=8192)
def moment(value: str | int) -> str:
    """A STIX time of seconds since 1970 or an ISO 8601 text (UTC where it names no zone); empty where it is none."""
    written = str(value).strip()
    try:
        if written.lstrip("-").isdigit():
            found = datetime.fromtimestamp(int(written), UTC)
        else:
            found = datetime.fromisoformat(written)
            found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    if not _EARLIEST <= found < _LATEST:
        return ""
    return f"{found:%Y-%m-%dT%H:%M:%S}.{found.microsecond // 1000:03d}Z"


def day(record: Record) -> str:
    """The day of an event as a STIX time; ``EPOCH`` where it states none."""
    found = _DAY.match(text(record, "date"))
    return (moment(found[1]) if found else "") or EPOCH


def names(record: Record, name: str) -> list[str]:
    """The texts of a list, or the one text that stands instead of it."""
    value = record.get(name)
    found = value if isinstance(value, list) else [value]
    return [str(one).strip() for one in found if isinstance(one, str | int) and str(one).strip()]
