"""URLs in the form "cib-norm-1": WHATWG normalised, http or https, without fragment and credentials.

WHATWG (ada) writes the host in lower-case A-labels, resolves dots in the path, percent-encodes what isn't
ASCII and turns numbers such as ``0x7f.1`` into the address they are. On top of that this step drops the
fragment, credentials, a dot after the host and an empty query, and writes percent-escapes in upper case.
The path's letter case, the query and its order stay: they may matter to the server. ``without_tracking``
drops what only tells who shared a link; ``key`` is for comparing, not for showing.
"""

from __future__ import annotations

import re

import ada_url

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.refang import refang

STIX_PATH = "url:value"
NORM = "cib-norm-1"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|dclid|yclid|msclkid|twclid|igsh|igshid|mc_[ce]id|ref_src|ref_url|rdt|share_id|feature|si|"
    r"_ga|_gl|wt_mc|cmpid|mibextid|just_launched)\Z",
    re.IGNORECASE,
)
_MAX = 2048


def normalise(text: str) -> str:
    """The canonical form of a web address, fanged or defanged, with or without a scheme (then ``http``).

    Raises IdentifierError for other schemes, for texts with a blank and for hosts without a dot.
    """
    address = refang(text)
    if not address or len(address) > _MAX or any(character.isspace() for character in address):
        raise IdentifierError(f"{text[:80]!r} is no web address: it is empty, too long or holds a blank")
    if not address[:8].lower().startswith(("http://", "https://")):
        if _SCHEME.match(address) and "://" in address:
            raise IdentifierError(f"{text[:80]!r} is no web address: only http and https are taken")
        address = "http://" + address.removeprefix("//")
    try:
        parts = ada_url.parse_url(address, ("protocol", "hostname", "port", "pathname", "search"))
    except ValueError as error:
        raise IdentifierError(f"{text[:80]!r} is no web address") from error
    host = parts["hostname"].rstrip(".")
    if "." not in host and ":" not in host:
        raise IdentifierError(f"{text[:80]!r} is no web address: its host has no dot")
    port = f":{parts['port']}" if parts["port"] else ""
    search = parts["search"] if parts["search"] != "?" else ""
    rest = parts["pathname"] + search
    if "%" in rest:
        rest = _ESCAPE.sub(lambda found: found[0].upper(), rest)
    return f"{parts['protocol']}//{host}{port}{rest}"


def host_of(normal: str) -> str:
    """The host of a normalised URL, without port."""
    host = normal.split("/", 3)[2]
    return host if host.endswith("]") else host.partition(":")[0]


def is_bare(normal: str) -> bool:
    """Whether a normalised URL says no more than its host: ``https://example.org/``."""
    return normal.count("/") == 3 and normal.endswith("/")


def without_tracking(normal: str) -> str:
    """A normalised URL without the query parameters that only tell who shared it where; idempotent."""
    path, mark, query = normal.partition("?")
    if not mark:
        return normal
    kept = [part for part in query.split("&") if part and not _TRACKING.match(part.partition("=")[0])]
    return path + "?" + "&".join(kept) if kept else path


def key(normal: str) -> str:
    """What two tellings of one page have in common: no scheme, ``www.``, tracking, order of parameters or
    last slash.
    """
    path, mark, query = without_tracking(normal).partition("?")
    place = path.split("//", 1)[1].removeprefix("www.").rstrip("/")
    return place + "?" + "&".join(sorted(query.split("&"))) if mark else place
