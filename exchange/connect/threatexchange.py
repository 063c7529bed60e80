"""The words of Meta ThreatExchange, for both ways: types of indicators, levels of resharing, statuses, times.

Source: Meta's reference of the ThreatExchange API (IndicatorType, ShareLevelType, StatusType, SeverityType,
ReactionType, ThreatDescriptor).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from exchange.errors import InputError
from exchange.stix.tlp import TLP2_IDS

NAME = "threatexchange"

KINDS: Mapping[str, tuple[str, ...]] = {
    "URI": ("account", "url", "domain"),
    "DOMAIN": ("domain",),
    "EMAIL_ADDRESS": ("email",),
    "IP_ADDRESS": ("ipv4", "ipv6"),
    "IP_SUBNET": ("ipv4-range", "ipv6-range", "ipv4", "ipv6"),
    "AS_NUMBER": ("autonomous-system",),
    "PHONE_NUMBER": ("phone",),
    "HASH_MD5": ("md5",),
    "HASH_VIDEO_MD5": ("md5",),
    "HASH_SHA1": ("sha1",),
    "HASH_SHA256": ("sha256",),
    "HASH_SHA512": ("sha512",),
    "HASH_PDQ": ("image-hash",),
    "HASH_TEXT_TLSH": ("text-fingerprint",),
    "DEBUG_STRING": (),
}
"""Type to the kinds of identifier that its value may be, tried in this order."""

LEVELS = {"WHITE": "TLP:CLEAR", "GREEN": "TLP:GREEN", "AMBER": "TLP:AMBER", "RED": "TLP:RED"}
"""share_level to TLP 2.0."""
MARKINGS = {word: next(ref for ref, one in TLP2_IDS.items() if one == level) for word, level in LEVELS.items()}
"""share_level to the id of the marking that says it."""

STATUSES = {"MALICIOUS": "malicious-activity", "SUSPICIOUS": "anomalous-activity", "NON_MALICIOUS": "benign"}
"""Status to the indicator type (STIX 2.1, 10.9); UNKNOWN makes no indicator."""

REACTIONS = {
    "HELPFUL": "agree",
    "SAW_THIS_TOO": "sighting",
    "NOT_HELPFUL": "disagree",
    "NON_MALICIOUS": "disagree",
    "DISAGREE_WITH_TAGS": "disagree",
    "OUTDATED": "neutral",
}
"""Reaction to the opinion that it is (or a sighting); the others (INGESTED, WANT_MORE_INFO, IN_REVIEW, REVIEWED,
ALREADY_KNOWN) tell how data is dealt with and nothing of the thing itself."""

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):?(\d\d))\Z")


def seconds(value: Any) -> int | None:
    """Unix seconds of a time as the API writes it: a number, its digits, or ``2020-07-01T18:31:15+0000``.

    None for 0, for what is missing and for what is no time of the years 1970 to 9999.
    """
    if isinstance(value, bool) or value in (None, "", 0, "0"):
        return None
    text = str(value).strip()
    try:
        if re.fullmatch(r"\d{1,12}", text):
            number = int(text)
            return number if number < 253_402_300_800 else None
        found = _ISO.fullmatch(text)
        if found is None:
            return None
        offset = f"{found[3] or '+'}{found[4] or '00'}:{found[5] or '00'}"
        return max(int(datetime.fromisoformat(f"{found[1]}T{found[2]}{offset}").timestamp()), 0) or None
    except (ValueError, OverflowError):
        return None


def stamp(at: int) -> str:
    """Unix seconds as a STIX timestamp."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def pairs(text: str, option: str) -> dict[str, str]:
    """``123=name, 456=name`` as a mapping; raises InputError."""
    found = {}
    for part in filter(None, re.split(r"[,\s]+", text)):
        number, mark, name = part.partition("=")
        if not mark or not number.isdigit() or not name:
            raise InputError(f"The option {option} can't be read at {part[:60]!r}.",
                             fix=f"Write it like {option}=123456=trust-circle,789=other-circle.")
        found[number] = name
    return found
