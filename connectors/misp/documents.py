"""Events in JSON: from a file, or every .json file of a folder; what is no event is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connectors.misp import record
from connectors.misp.record import Record
from exchange.connect.unread import HEAD, why_unread
from exchange.errors import InputError

MAX_BYTES = 64 * 1024 * 1024
"""Largest event file: an event is held in memory as a whole, one at a time."""
_FIX = "Name a MISP event as JSON, a folder of them, or a feed's folder or address."
_TELLING = frozenset({"info", "Attribute", "Object", "Orgc", "orgc_id"})
_LEFT_OUT = frozenset({"manifest.json", "hashes.json"})


@dataclass(frozen=True)
class Found:
    """One document of a source, not read yet."""

    name: str
    """As rows name it."""
    read: Callable[[], list[Record]]
    """The events in it; raises InputError or ForbiddenError where this one can't be read."""
    key: str = ""
    """UUID of the event, where a list tells it."""
    stamp: str = ""
    """Time of its last change by the list: an event whose stamp is known isn't read again."""


def listed(place: Path) -> Iterator[Found]:
    """The documents of a file or folder, in the order of their names; raises InputError where there is none."""
    if not place.is_dir():
        yield Found(place.name, lambda: read_file(place))
        return
    paths = [path for path in sorted(place.rglob("*.[jJ][sS][oO][nN]"))
             if path.is_file() and path.name not in _LEFT_OUT
             and not any(part.startswith(".") for part in path.relative_to(place).parts)]  # fmt: skip
    if not paths:
        raise InputError(f"The folder {place} holds no .json file.", fix=_FIX)
    for path in paths:
        name = path.relative_to(place).as_posix().encode(errors="replace").decode()
        yield Found(name, lambda path=path: read_file(path))  # type: ignore[misc]  # mypy can't infer the default


def read_file(path: Path) -> list[Record]:
    """The events of a file; raises InputError."""
    return events(parsed(content(path), str(path)), str(path))


def content(path: Path) -> bytes:
    """The bytes of a file; raises InputError."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(f"{path} has {size:,} bytes; at most {MAX_BYTES:,} are read.",
                             fix="Fetch the event from its server, which sends a large one in parts.")
        if not path.is_file():
            raise InputError(f"{path} is not a file.", fix=_FIX)
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read.", why=f"{error.strerror or type(error).__name__}.",
                         fix="Check the path and its permissions.") from error


def parsed(data: bytes, where: str) -> Any:
    """The JSON values of a document; raises InputError."""
    if (other := why_unread(data[:HEAD])) is not None:
        raise InputError(f"{where} is {other[0]}, no MISP event.", fix=other[1])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        why = str(error) if isinstance(error, msgspec.DecodeError) else "It isn't UTF-8, or nested too deeply"
        raise InputError(f"{where} is no JSON.", why=f"{why[:200]}.", fix=_FIX) from None


def events(document: Any, where: str) -> list[Record]:
    """The events of a document: one, a list, or the answer of a server; raises InputError where it holds none."""
    inner = document.get("response", document) if isinstance(document, dict) else document
    found = [_event(one) for one in (inner if isinstance(inner, list) else [inner])]
    taken = [one for one in found if one is not None]
    if not taken or len(taken) < len(found):
        raise InputError(f"{where} holds something else than MISP events.", fix=_FIX)
    return taken


def _event(one: Any) -> Record | None:
    if not isinstance(one, dict):
        return None
    inner = record.child(one, "Event") or one
    return inner if _TELLING.intersection(inner) else None
