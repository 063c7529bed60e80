"""How a local value is shown in a case: enough to recognise it beside another, too little to write to its owner.

Identifiers of people and machines are tokens or masked; what was said or linked in public is shown, cut short.
"""

from __future__ import annotations

import ipaddress
import re

PUBLIC = frozenset({"domain", "subdomain", "host", "url", "email_domain", "text", "wording", "signup"})
"""Kinds whose values stand in public posts or name no person."""
_LONGEST = 48
_TOKEN_DIGITS = 16
_HANDLE = re.compile(r"@[\w.]+")
_DIGITS = re.compile(r"\d{5,}")


def shown(kind: str, value: str | None) -> str:
    """A value for a case page."""
    text = " ".join((value or "").split())
    if not text:
        return "–"
    if kind in ("ip4", "ip_range", "ip"):
        return _address(text)
    if text.isdecimal() and (len(text) >= _TOKEN_DIGITS or kind in ("share", "tag")):
        return f"token …{int(text) & 0xFFFFFF:06x}"
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return f"picture {text[:8]}…"
    if re.fullmatch(r"[a-z]{2}_[0-9a-f]{6,16}(\.example)?", text):
        return f"token …{text.removesuffix('.example')[-6:]}"
    if kind in PUBLIC:
        plain = _DIGITS.sub("•••", _HANDLE.sub("@•••", text))
        return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"
    return f"•••{text[-2:]}" if len(text) > 4 else "•••"


def _address(text: str) -> str:
    """The first half of an address."""
    plain = text.split("/", maxsplit=1)[0]
    try:
        address = ipaddress.ip_address(int(plain) if plain.isdigit() else plain)
    except ValueError:
        return "•••"
    if address.version == 4:
        return ".".join(str(address).split(".")[:2]) + ".•.•"
    return ":".join(address.exploded.split(":")[:3]) + ":…"
