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

from exchange.model.identifiers import ip
from exchange.model.identifiers.account import place
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import refang
from exchange.model.identifiers.shared_host import shared, why_shared

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?:(?=//)|(?!\d{1,5}(?:[/?#]|\Z)))", re.IGNORECASE)
"""A scheme before the address, not a host before its port."""
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_ESCAPE = re.compile("%(?:[a-f][0-9a-fA-F]|[0-9A-F][a-f])")
"""An escape that isn't in upper case."""
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
    if not address or len(address) > _MAX or _BLANK.search(address):
        raise IdentifierError(f"{text[:80]!r} is no web address: it is empty, too long or holds a blank")
    if not address[:8].lower().startswith(("http://", "https://")):
        if _SCHEME.match(address):
            raise IdentifierError(f"{text[:80]!r} is no web address: only http and https are taken")
        address = "http://" + address.removeprefix("//")
    try:
        whole = ada_url.normalize_url(address)
    except ValueError as error:
        raise IdentifierError(f"{text[:80]!r} is no web address") from error
    protocol, _, rest = whole.partition("#")[0].partition("://")
    spot, _, rest = rest.partition("/")
    host, port = _host_and_port(spot.rpartition("@")[2])
    if ("." not in host and ":" not in host) or host[-1:] == ".":
        raise IdentifierError(f"{text[:80]!r} is no web address: its host has no dot, or ends in one")
    if "%" in rest:
        rest = _ESCAPE.sub(lambda found: found[0].upper(), rest)
    path, _, query = rest.partition("?")
    return f"{protocol}://{host}{port}/{path}?{query}" if query else f"{protocol}://{host}{port}/{path}"


def _host_and_port(spot: str) -> tuple[str, str]:
    if ":" not in spot or spot.endswith("]"):
        return spot.removesuffix("."), ""
    host, _, port = spot.rpartition(":")
    return host.removesuffix("."), ":" + port


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
    page = path.split("//", 1)[1].removeprefix("www.").rstrip("/")
    return page + "?" + "&".join(sorted(query.split("&"))) if mark else page


_EVERYBODYS = frozenset({
    "search", "hashtag", "explore", "home", "login", "login.php", "tagged", "tag", "topic", "results", "feed", "signup",
    "intent", "share", "share.php", "sharer", "sharer.php", "sharearticle", "dialog", "plugins", "compose", "redirect",
    "accounts",
})  # fmt: skip
_SHARED_POST = re.compile(r"/share/(?:[a-z]{1,5}/)?(?!url\b)[\w-]{8,}/?\Z", re.IGNORECASE)


def everybodys_page(normal: str) -> str:
    """Host and first segment of a page that everybody uses, such as search and share; empty for other pages."""
    host = host_of(normal)
    path = normal.split("/", 3)[3].partition("?")[0]
    first = path.partition("/")[0].casefold()
    if first not in _EVERYBODYS or shared(host) not in ("platform", "everybody") or _SHARED_POST.fullmatch("/" + path):
        return ""
    return f"{host}/{first}"


def nobody(normal: str) -> str:
    """Why a normalised URL stands for nobody in particular; empty where it may stand for somebody.

    A shared host alone, and pages such as search and share on it, are everybody's; a page under a platform,
    a site builder, a shortener or a publisher may be somebody's.
    """
    host = host_of(normal)
    if host.startswith("[") or host.replace(".", "").isdigit():
        return ip.nobody(host.strip("[]"))
    why = why_shared(host)
    if not why:
        return ""
    if is_bare(normal):
        return why
    if place(normal) is not None:
        return ""
    page = everybodys_page(normal)
    if page:
        return f"{page} is a page that everybody uses"
    path, _, query = normal.split("/", 3)[3].partition("?")
    if shared(host) == "platform" and "/" not in path.rstrip("/") and not query:
        return f"{host}/{path} names neither an account nor a post"
    return ""


KIND = Kind(
    name="url",
    title="web address",
    normalise=normalise,
    path="url:value",
    weight=2.2,
    half_life=60,
    nobody=nobody,
    examples={
        "hxxp://Lorem[.]ORG/A?b=1#c": "http://lorem.org/A?b=1",
        "lorem[.]org/a%20b": "http://lorem.org/a%20b",
        "lorem.org/ł?x=ü": "http://lorem.org/%C5%82?x=%C3%BC",
        "https://lorem.org:443/%c3%bc": "https://lorem.org/%C3%BC",
        "https://user:pw@lorem.org./?": "https://lorem.org/",
        "https[:]//lorem{.}org:8443/a/../b": "https://lorem.org:8443/b",
        "http://0x7f.1/a": "http://127.0.0.1/a",
        "hxxps://faß[.]de": "https://xn--fa-hia.de/",
    },
    non_examples=(
        "", "ftp://lorem.org/a", "javascript:alert(1)", "mailto:a@lorem.org", "http://lorem/a", "http://lorem.org/a b",
        "why-boyc ott", "http://", "http://lorem.org/" + "a" * 3000, "http://lo rem.org",
    ),
)  # fmt: skip
