"""Which media types a request accepts and sends (TAXII 2.1, 1.6.8; RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import parse_http_list

from werkzeug.http import parse_options_header

from exchange.errors import NotAcceptableError, UnsupportedMediaError

TAXII = "application/taxii+json;version=2.1"
_TYPE, _VERSION = "application/taxii+json", "2.1"
_FIX = f"Use {TAXII}."


def check_accept(header: str | None) -> None:
    """Raise NotAcceptableError unless the Accept header admits TAXII 2.1; no header admits everything.

    The most specific range that fits decides, and q=0 excludes what it names.
    """
    if header is None or header == TAXII or not header.strip():
        return
    best, quality = -1, 0.0
    for media, parameters in _ranges(header):
        rank = _rank(media, parameters.get("version"))
        if rank > best:
            best, quality = rank, _quality(parameters.get("q"))
        elif rank == best >= 0:
            quality = max(quality, _quality(parameters.get("q")))
    if best < 0 or quality <= 0:
        raise NotAcceptableError("The Accept header admits nothing that this server can give.", fix=_FIX)


def check_content_type(header: str | None) -> None:
    """Raise UnsupportedMediaError unless the body is declared as TAXII JSON of version 2.1 (or of none)."""
    ranges = list(_ranges(header or ""))
    if len(ranges) == 1:
        media, parameters = ranges[0]
        if media == _TYPE and parameters.get("version", _VERSION) == _VERSION:
            return
    raise UnsupportedMediaError("The Content-Type of the body isn't TAXII JSON.", fix=_FIX)


def _rank(media: str, version: str | None) -> int:
    """How closely a range names TAXII 2.1; -1 where it doesn't."""
    if media == _TYPE:
        if version is None:
            return 2
        return 3 if version == _VERSION else -1
    return {"*/*": 0, "application/*": 1}.get(media, -1)


def _ranges(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    for item in parse_http_list(header):
        media, parameters = parse_options_header(item)
        if media:
            yield media.strip().lower(), parameters


def _quality(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 1.0
