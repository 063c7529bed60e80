"""Devices and browsers by the ids that they carry: never in the clear, only as keyed hashes.

UUIDs (advertising and vendor ids), MAC addresses and hex fingerprints don't differ by letter case; an IMEI
(3GPP TS 23.003) has 15 digits with a check digit; other ids stay as they are. Ids that mean "none" (all
zeros, which systems hand out where tracking is refused) belong to nobody and are refused.
"""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.luhn import checks
from exchange.model.identifiers.refang import clean

_HEX = re.compile(r"\{?([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{12,128})\}?\Z", re.IGNORECASE)
_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}\Z", re.IGNORECASE)
_IMEI = re.compile(r"(?:imei[:\s]*)?(\d{2})[\s-]?(\d{6})[\s-]?(\d{6})[\s-]?(\d)\Z", re.IGNORECASE | re.ASCII)
_OPAQUE = re.compile(r"[!-~]{8,256}\Z")
_NOBODYS = frozenset({"02:00:00:00:00:00", "9774d56d682e549c", "undefined", "anonymous"})
"""The MAC address and the Android id that systems hand out to all, and words for none."""


def normalise(text: str) -> str:
    """The id of a device in one form; raises IdentifierError."""
    plain = clean(text)
    imei = _IMEI.match(plain)
    if imei and not checks("".join(imei.groups())):
        raise IdentifierError("a device id of 15 digits is no IMEI: its check digit is wrong")
    if imei:
        plain = "".join(imei.groups())
    elif _MAC.match(plain):
        plain = plain.replace("-", ":").lower()
    elif found := _HEX.match(plain):
        plain = found[1].lower()
    if not _OPAQUE.match(plain) or plain.lower() in _NOBODYS or len(set(plain) - set("-:{}")) < 3:
        raise IdentifierError("the text is no device id: 8 to 256 characters without blanks are needed, not a filler")
    return plain


def _fingerprint(text: str) -> str:
    plain = clean(text).lower()
    found = _HEX.match(plain)
    if found is None or len(set(plain)) < 3:
        raise IdentifierError("the text is no browser fingerprint: 12 to 128 hex digits are needed")
    return found[1]


DEVICE = Kind(
    name="device",
    title="device",
    normalise=normalise,
    personal=("DeviceBased",),
    hashed_as="device",
    weight=5.0,
    half_life=120,
    examples={
        "{6D92078A-8246-4BA4-AE5B-76104861E7DC}": "6d92078a-8246-4ba4-ae5b-76104861e7dc",
        "49-015420-323751-8": "490154203237518",
        "IMEI: 490154203237518": "490154203237518",
        "00-00-5E-00-53-AF": "00:00:5e:00:53:af",
        "lorem.Device_7": "lorem.Device_7",
    },
    non_examples=(
        "", "short", "two words here", "00000000-0000-0000-0000-000000000000", "490154203237519", "02:00:00:00:00:00",
        "undefined",
    ),
)  # fmt: skip
BROWSER = Kind(
    name="browser-fingerprint",
    title="browser fingerprint",
    normalise=_fingerprint,
    personal=("BrowserFingerprint",),
    hashed_as="browser-fingerprint",
    weight=3.0,
    half_life=60,
    examples={"A1B2C3D4E5F60718": "a1b2c3d4e5f60718", " a1b2c3d4e5f6071829304152 ": "a1b2c3d4e5f6071829304152"},
    non_examples=("", "lorem", "0000000000000000", "Mozilla/5.0 (X11)", "a1b2"),
)
