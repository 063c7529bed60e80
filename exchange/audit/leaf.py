"""What a leaf of the log says: one event as canonical JSON (RFC 8785), with a nonce that hides what its hash is of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from json.encoder import encode_basestring as _text  # JSON text of a string; a tenth of what json.dumps costs
from typing import Any

from exchange.audit.fault import UnreadableError
from exchange.stix.canonical import canonical

LONGEST_DETAIL = 60_000
"""Bytes of a detail that stand in the leaf itself; of a longer one its SHA-256 does."""

_LATEST = 253_402_300_799_999_999
"""The last microsecond of the year 9999."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: ``at`` in microseconds, ``detail`` as canonical JSON text, ``nonce`` 128 random bits as hex."""

    id: str
    at: int
    kind: str
    org: str
    detail: str
    nonce: str

    @property
    def leaf(self) -> bytes:
        """The bytes that the log's tree is over: the members in the order of RFC 8785."""
        detail = self.detail
        if len(detail) > LONGEST_DETAIL // 4 and len(detail.encode()) > LONGEST_DETAIL:
            detail = f'{{"sha256":"{sha256(detail.encode()).hexdigest()}"}}'
        return (f'{{"at":{self.at},"detail":{detail},"id":{_text(self.id)},"kind":{_text(self.kind)},'
                f'"nonce":{_text(self.nonce)},"org":{_text(self.org)}}}').encode()


def read_leaf(raw: bytes) -> dict[str, Any]:
    """The members of a leaf. Raises UnreadableError for anything that isn't written canonically."""
    try:
        value = json.loads(raw)
        if isinstance(value, dict) and canonical(value).encode() == raw and _is_event(value):
            return value
    except (ValueError, RecursionError, UnicodeError):
        pass
    raise UnreadableError("A leaf of the log is not an event in canonical JSON.")


def _is_event(value: Mapping[str, Any]) -> bool:
    texts = all(isinstance(value.get(name), str) for name in ("id", "kind", "nonce", "org"))
    at = value.get("at")
    timed = type(at) is int and 0 <= at <= _LATEST
    return texts and timed and isinstance(value.get("detail"), dict) and len(value) == 6
