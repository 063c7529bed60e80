"""Reads a feed file: a STIX bundle, a TAXII envelope, or one object per line; object by object."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from exchange.errors import InputError


class _Box(msgspec.Struct):
    """A bundle or an envelope: only its objects are looked at, each left as its bytes."""

    objects: list[msgspec.Raw] = []


def read_objects(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a feed file, one decoded at a time; an entry that is no object is given as an empty one.

    Raises InputError when the file can't be read, isn't JSON or holds no object at all.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"The feed {path} can't be read.", why=f"{error.strerror}.",
                         fix="Name a STIX bundle, or the URL of a TAXII API root.") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        box = msgspec.json.decode(data, type=_Box)
        raws: list[msgspec.Raw] = box.objects
        if not raws and _is_object(data):
            raws = [msgspec.Raw(data)]
    except msgspec.DecodeError as error:
        raws = _lines(data, path, error)
    unread: Exception | None = None
    found = 0
    for raw in raws:
        try:
            obj: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError) as error:
            unread = error
            yield {}
            continue
        found += 1
        yield obj
    if unread is not None and not found:
        raise InputError(f"The feed {path} holds no STIX object.", why=f"{unread}.",
                         fix="Give a bundle, a TAXII envelope, or one JSON object per line.") from unread


def _is_object(data: bytes) -> bool:
    """Whether a text without ``objects`` is a STIX object by itself and not an empty bundle or envelope."""
    kind = msgspec.json.decode(data, type=dict[str, msgspec.Raw]).get("type")
    return kind is not None and bytes(kind) != b'"bundle"'


def _lines(data: bytes, path: Path, cause: Exception) -> list[msgspec.Raw]:
    """The lines of a file that holds one object per line; ``cause`` is told when it doesn't."""
    lines = [line for line in data.splitlines() if line.strip()]
    if len(lines) < 2 or not all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines):
        raise InputError(f"The feed {path} is no STIX bundle.", why=f"{cause}.",
                         fix="Give a bundle, a TAXII envelope, or one JSON object per line.") from cause
    return [msgspec.Raw(line) for line in lines]
