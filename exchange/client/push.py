"""Pushing a file of STIX objects over TAXII: read without changing a byte, sent in parts that the server takes.

Markings go first: an object of a later part may refer to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import msgspec

from exchange.client.taxii import Client
from exchange.errors import InputError, TooLargeError, UnavailableError

_MOST_OBJECTS = 5_000
_FRAME = len(b'{"objects":[]}') - 1
"""Bytes around the objects, less the comma that the last one doesn't need."""
_DEFAULT_LENGTH = 1_000_000


class _Bundle(msgspec.Struct):
    objects: list[msgspec.Raw]


class _Head(msgspec.Struct):
    id: str = ""
    type: str = ""


@dataclass(frozen=True)
class Fate:
    """What became, or would become, of one object, in the server's words."""

    id: str
    refused: bool
    message: str
    version: str = ""


def read_objects(path: Path) -> list[bytes]:
    """The objects of a bundle, an envelope, a JSON list or a single object, as they stand in the file.

    Raises InputError for what can't be read.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.",
                         fix="Name a file of STIX objects.") from None
    try:
        raw.decode("utf-8")
        if raw.lstrip()[:1] == b"[":
            found = msgspec.json.decode(raw, type=list[msgspec.Raw])
        else:
            head = msgspec.json.decode(raw, type=_Head)
            single = head.type not in {"bundle", ""}
            found = [msgspec.Raw(raw)] if single else msgspec.json.decode(raw, type=_Bundle).objects
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} is no JSON of STIX objects: {str(error)[:200]}.",
                         fix="Give a STIX bundle, or a list of objects.") from None
    if not found:
        raise InputError(f"{path} holds no objects.", fix="Give a STIX bundle with objects.")
    return sorted((bytes(one) for one in found), key=lambda one: _type(one) != "marking-definition")


def _type(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Head).type
    except msgspec.DecodeError:
        return ""


def parts(objects: Sequence[bytes], most_bytes: int, most_objects: int = _MOST_OBJECTS) -> Iterator[list[bytes]]:
    """The objects in their order, in parts whose envelopes have at most ``most_bytes`` bytes.

    An object that alone is too large makes a part of its own: the server says so.
    """
    part: list[bytes] = []
    size = _FRAME
    for one in objects:
        if part and (size + len(one) + 1 > most_bytes or len(part) >= most_objects):
            yield part
            part, size = [], _FRAME
        part.append(one)
        size += len(one) + 1
    if part:
        yield part


class Pushing:
    """One collection of one server, as somebody who may write to it."""

    def __init__(self, client: Client, collection: str | None) -> None:
        """Raises NotFoundError where there is no such collection, or not exactly one."""
        self._client = client
        self.url = client.collection_url(collection, right="can_write")
        root = client.resource(urljoin(self.url, "../../"))
        length = root.get("max_content_length")
        self._most = length if isinstance(length, int) and length > 0 else _DEFAULT_LENGTH

    def push(self, objects: Sequence[bytes]) -> Iterator[Fate]:
        """Send the objects; gives each one's fate as soon as its part was answered."""
        for part in parts(objects, self._most):
            yield from self._push(part)

    def _push(self, part: Sequence[bytes]) -> Iterator[Fate]:
        try:
            answer = self._client.post(urljoin(self.url, "objects/"), envelope(part))
        except TooLargeError as fault:
            if len(part) == 1:
                yield Fate(_id(part[0]), True, str(fault))
                return
            middle = len(part) // 2
            yield from self._push(part[:middle])
            yield from self._push(part[middle:])
            return
        yield from _fates(answer.json())

    def preview(self, objects: Sequence[bytes]) -> Iterator[Mapping[str, Any]]:
        """What the server says would become of each part (``POST /api/v1/previews``)."""
        collection = self.url.rstrip("/").rpartition("/")[2]
        for part in parts(objects, self._most):
            said = self._client.post(f"/api/v1/previews?collection={quote(collection, safe='')}", envelope(part)).json()
            if not isinstance(said, dict) or "audiences" not in said:
                raise UnavailableError("The server's preview can't be read.", fix="It may be another kind of server.")
            yield said


def envelope(objects: Sequence[bytes]) -> bytes:
    """A TAXII envelope of the objects as they are."""
    return b'{"objects":[' + b",".join(objects) + b"]}"


def _id(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Head).id
    except msgspec.DecodeError:
        return ""


def _fates(status: Any) -> Iterator[Fate]:
    """The fates that a status resource (TAXII 2.1, 4.3) tells; a pending object counts as neither."""
    if not isinstance(status, dict) or "total_count" not in status:
        raise UnavailableError("The server's answer is no status resource of TAXII 2.1.")
    for name in ("successes", "failures", "pendings"):
        for detail in status.get(name) or ():
            told = detail.get("message") or ("not decided yet" if name == "pendings" else "")
            yield Fate(str(detail.get("id", "")), name == "failures", str(told), str(detail.get("version", "")))
