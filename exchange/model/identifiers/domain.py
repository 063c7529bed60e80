"""Domain names: lower-case A-labels without a trailing dot, under a suffix that exists.

The suffixes are the Public Suffix List, ICANN and private sections (the private one knows ``eu.com`` and
its like). Normalising follows WHATWG/UTS 46 with IDNA 2008 (``faß.de`` is ``xn--fa-hia.de``, not
``fass.de``).
"""

from __future__ import annotations

import re
from functools import lru_cache

import ada_url
from publicsuffixlist import PublicSuffixList

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import refang
from exchange.model.identifiers.shared_host import why_shared

_ASCII = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z"
)
_MADE_UP = (".example", ".test")
"""Suffixes that RFC 2606 keeps for documentation and tests: samples and made-up worlds stand under them."""
_TRIM = " \t\r\n.,;/"


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)


def normalise(text: str) -> str:
    """The canonical form of a domain name, fanged or defanged; a scheme or a path makes it no domain.

    Raises IdentifierError for anything else than a name under a known public suffix, and for a suffix itself.
    """
    host = refang(text).strip(_TRIM).lower()
    if not host.isascii() or "xn--" in host:
        host = _a_labels(host, text)
    if not _ASCII.match(host):
        raise IdentifierError(f"{text[:80]!r} is no domain name")
    if not registrable(host):
        raise IdentifierError(f"{text[:80]!r} is no domain name: no such public suffix, or only one")
    return host


def registrable(host: str) -> str:
    """The part of a normalised domain that somebody registered (``bild.eu.com`` of ``www.bild.eu.com``);
    else empty.
    """
    if host.endswith(_MADE_UP):
        return ".".join(host.rsplit(".", 2)[-2:])
    return _suffixes().privatesuffix(host) or ""


def bare(host: str) -> str:
    """A normalised domain without the ``www.`` that a registrant's own host carries."""
    stripped = host.removeprefix("www.")
    return stripped if stripped != host and registrable(stripped) else host


def _a_labels(host: str, text: str) -> str:
    try:
        return ada_url.idna_to_ascii(host).decode("ascii")
    except ValueError as error:
        raise IdentifierError(f"{text[:80]!r} is no domain name: it can't be written as A-labels") from error


KIND = Kind(
    name="domain",
    title="domain name",
    normalise=normalise,
    path="domain-name:value",
    weight=1.8,
    half_life=60,
    nobody=why_shared,
    examples={
        "Lorem-Ipsum[.]ORG": "lorem-ipsum.org",
        "lorem[.]co[.]uk.": "lorem.co.uk",
        "lorem(dot)org": "lorem.org",
        "faß.de": "xn--fa-hia.de",
        "пример.рф": "xn--e1afmkfd.xn--p1ai",
        "lorem.eu[.]com": "lorem.eu.com",
        "lorem[.]blogspot.com/": "lorem.blogspot.com",
        "www.lorem.org": "www.lorem.org",
        "real-paper[.]example": "real-paper.example",
    },
    non_examples=(
        "", "lorem", "lorem.notasuffix", "co.uk", ".example", "63 accounts", "1.2.3.4", "https://lorem.org/a",
        "-lorem.org",
        "a" * 64 + ".org", "lorem..org", "lorem.org:80", "lo rem.org", "info@lorem.org",
    ),
)  # fmt: skip
