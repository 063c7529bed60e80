"""How people list several values in one cell: a line each, bullets, numbers, signs without blanks between them.

Lists are brought to words with a comma between, which ``exchange.connect.cell`` reads. Only what is a list for
certain is touched: each part has to be a whole value by itself, so that a value broken by a line's end stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from exchange.connect.value import read
from exchange.model.identifiers.refang import refang

_BULLET = re.compile(r"^[ \t]*(?:[•·*▪◦‣]|[-–—](?=\s))[ \t]*(?=\S)", re.MULTILINE)
_NUMBER = r"\d{1,3}[.)][ \t]+(?=(?:h(?:xx|tt)p|www\b|@\w|[\w-]+\[?\.))"
_NUMBERED = re.compile(rf"^[ \t]*{_NUMBER}", re.MULTILINE | re.IGNORECASE)
_NUMBERED_WITHIN = re.compile(rf"(?<=\s){_NUMBER}", re.IGNORECASE)
_LINES = re.compile(r"[\r\n\t]+")
_SIGNS = re.compile(r"[,;|]")
_APART = re.compile(r"(?<=\w)[ \t]+([\[({]\s*(?:\.|dot|@|at)\s*[\])}])[ \t]+(?=\w)", re.IGNORECASE)
_LONG = re.compile(r"\w{3,}\.\w+$|\w{3,}\.\w{2,3}\.\w{2}$|\d$|\.xn--[\w-]+$")
_SITES = frozenset({"domain", "email", "ip"})


def one_by_one(text: str) -> str:
    """The cell with what makes it a list said by commas; the text itself where it is no list."""
    if _NUMBERED.match(text):
        text = _NUMBERED_WITHIN.sub(", ", _NUMBERED.sub("", text))
    text = _APART.sub(r"\1", _BULLET.sub("", text))
    lines = [line.strip() for line in _LINES.split(text) if line.strip()]
    if len(lines) > 1 and _whole(line.rstrip(",;") for line in lines):
        return ", ".join(line.rstrip(",;") for line in lines)
    if " " not in text and _SIGNS.search(text):
        parts = [part for part in _SIGNS.split(text) if part]
        if len(parts) > 1 and (_whole(parts) or _accounts(parts)):
            return ", ".join(parts)
    return text


def _whole(parts: Iterable[str]) -> bool:
    """Whether each is a site, an e-mail or an IP address by itself, and long enough to be no half of a name."""
    return all(" " not in part and _site(part) for part in parts)


def _site(part: str) -> bool:
    found = read(part)
    if len(found.values) != 1 or found.fault or found.values[0].kind not in _SITES:
        return False
    return _sites_only(part) and bool(_LONG.search(found.values[0].canonical))


def _sites_only(part: str) -> bool:
    plain = refang(part)
    return "/" not in plain.partition("://")[2].rstrip("/") if "://" in plain else "/" not in plain.rstrip("/")


def _accounts(parts: Iterable[str]) -> bool:
    return all("/" in part and read(part).values and read(part).values[-1].account is not None for part in parts)
