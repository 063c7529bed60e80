"""Accounts on platforms: one account told in six ways is one key.

``twitter.com/X``, ``https://x.com/x``, ``@X`` (on X), ``mobile.twitter.com/x?lang=en``,
``hxxps://x[.]com/X/media`` and ``x.com/X/status/1`` all name the account ``("x", "x")``. The key is what
is compared, hashed and written into STIX; the text as seen is kept beside it.

In STIX 2.1 an account is ``user-account`` with ``account_type`` = the platform's name in this table and
the key in ``account_login`` (a name people type) or ``user_id`` (an id the platform gave);
``AccountKey.stix_property`` says which. Giving key and platform back to ``account_key`` yields the same
key.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, unquote

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind, Said
from exchange.model.identifiers.platforms import ANY_HANDLE, Platform, Shape, client_host, table
from exchange.model.identifiers.refang import refang

_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/?#\\@]*@)?(?P<host>[^/?#\\:@]+)(?::\d*)?(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?",
    re.IGNORECASE,
)
_SLASHES = re.compile("//+")
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_UNFIT = re.compile(r"[\s\x00-\x1f\x7f-\x9f%/]")
"""What no handle holds: also what stays of text that was percent-encoded twice, or in no UTF-8."""
_TOLD = re.compile(r"([a-zA-Z0-9][a-zA-Z0-9 _-]{0,40}):(?!//)(.+)\Z")
"""``platform:handle``: no platform has a dot in its name, so that a host with a port isn't taken for one."""
_SCHEMES = frozenset({"mailto", "tel", "http", "https", "hxxp", "hxxps", "ftp", "data", "urn", "did", "hmac-sha256"})
_HASHED = re.compile(r"hmac-sha256:[^:\s]{1,128}:[0-9a-f]{64}\Z")
_MAX_TEXT = 2048
_URL_SAFE = "@:._-+~!$&'()*,;="


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account, page, group or channel on one platform."""

    platform: str
    kind: str
    """profile, page, group, channel or blog, as far as the address tells."""
    key: str
    """Canonical name or id within the platform: the only part that is compared."""
    canonical_url: str
    """Empty where the platform has no public address for it."""
    seen: str
    """The text as it was given."""
    stix_property: str = "account_login"

    @property
    def same(self) -> tuple[str, str]:
        """What two tellings of one account have in common."""
        return self.platform, self.key

    @property
    def text(self) -> str:
        """``platform:key``: the account's canonical text."""
        return f"{self.platform}:{self.key}"


@dataclass(frozen=True, slots=True)
class Place:
    """What an address on a known platform points at."""

    platform: str
    kind: str
    account: AccountKey | None
    """The account itself, or the author or place of the post where the address names it."""
    post: str = ""
    """Canonical address of the post; empty where it isn't a post or its platform has none."""
    is_post: bool = False
    site: bool = False
    """The account is a whole web site under a host name of its own."""


def account_key(platform: str, handle_or_url: str) -> AccountKey:
    """The account that a handle (on ``platform``) or an address (on any known platform) names.

    A post's address gives its author where it is in the address. The address wins over ``platform``.
    Handles of platforms that the table doesn't know keep their letter case; so does a keyed hash that stands
    for an id (``hmac-sha256:KEY:HEX``). Raises IdentifierError.
    """
    return _named(platform, _plain(handle_or_url), handle_or_url)


def read(text: str) -> AccountKey:
    """The account of one text: an address on a known platform, or ``platform:handle``; raises IdentifierError."""
    plain = _plain(text)
    told = _TOLD.match(plain)
    if told and told[1].strip().casefold() not in _SCHEMES:
        return _named(told[1], told[2].strip(), text)
    return _named("", plain, text)


def place(address: str) -> Place | None:
    """What the address points at; None where its host is no known platform or its path has no known shape.

    Takes fanged or defanged addresses, with or without a scheme; None for one of over 2,048 characters.
    """
    if len(address) > _MAX_TEXT:
        return None
    return _at(refang(address), address)


def _plain(text: str) -> str:
    text = refang(text)
    return text if text.isascii() else refang(unicodedata.normalize("NFKC", text))


def _named(platform: str, text: str, seen: str) -> AccountKey:
    if not text or len(text) > _MAX_TEXT or _BLANK.search(text):
        raise IdentifierError(f"{seen[:80]!r} is no account: it is empty, too long or holds a blank")
    known = table().named(platform)
    if _is_address(text, known):
        found = _at(text, seen)
        if found is None or found.account is None:
            raise IdentifierError(f"{text[:200]!r} is no address of an account on a known platform")
        return found.account
    if known is not None and not _HASHED.match(text):
        return _from_handle(known, text, seen)
    if not platform.strip():
        raise IdentifierError(f"{text[:80]!r} is no address, and no platform was named")
    name = known.name if known is not None else " ".join(platform.casefold().split())
    if _HASHED.match(text):
        return AccountKey(name, "profile", text, "", seen, "user_id")
    key = _normal(text.removeprefix("@"), False)
    if not key or key[0] in "@/":
        raise IdentifierError(f"{seen[:80]!r} is no name of an account")
    return AccountKey(name, "profile", key, "", seen)


def _at(text: str, seen: str) -> Place | None:
    match = _URL.match(text)
    if match is None:
        return None
    host = client_host(match["host"].lower().rstrip("."))
    located = table().at(host)
    if located is None:
        return None
    platform, tenant = located
    path = _path(match["path"] or "")
    if tenant:
        rest = path
        path = platform.tenant_path.format(tenant) + rest
        host = platform.hosts[0]
    return _read(platform, host, path, match["query"] or "", seen)


def is_platform_host(host: str) -> bool:
    """Whether a lower-case host belongs to a known platform itself: not a sign of anybody in particular."""
    located = table().at(client_host(host))
    return located is not None and not located[1]


def _is_address(text: str, named: Platform | None) -> bool:
    """Whether a text is an address rather than a handle; a handle may look like a host of another platform."""
    if "://" in text:
        return True
    if "/" not in text and "." not in text:
        return False
    match = _URL.match(text)
    located = table().at(client_host(match["host"].lower())) if match else None
    if located is None:
        return False
    return "/" in text or named in (None, located[0]) or not named.handle.fullmatch(text)


def _path(path: str) -> str:
    if "%" in path:
        with suppress(UnicodeDecodeError):
            path = unquote(path, errors="strict")
    if "//" in path:
        path = _SLASHES.sub("/", path)
    return path.rstrip("/").rstrip()


def _read(platform: Platform, host: str, path: str, query: str, seen: str) -> Place | None:
    for shape in platform.shapes:
        if shape.host and shape.host != host:
            continue
        match = shape.path.fullmatch(path)
        if match is None:
            continue
        groups = match.groupdict()
        handle, post = groups.get("h"), groups.get("p")
        if shape.query:
            value = (parse_qs(query).get(shape.query) or [""])[0]
            if not shape.form.fullmatch(value):
                continue
            handle, post = (None, value) if shape.as_post else (value, None)
        if post and post.lower() in shape.pages:
            post = None
        account = None
        if handle is not None:
            first = path.split("/", 2)[1].removeprefix("@")
            if first == handle and handle.lower() in platform.reserved:
                continue
            account = _account(platform, shape, handle, seen)
            if account is None:
                continue
        return _found(platform, shape, account, post)
    return None


def _found(platform: Platform, shape: Shape, account: AccountKey | None, post: str | None) -> Place:
    is_post = shape.kind == "post" or bool(post)
    address = ""
    if is_post and shape.post and post:
        handle = account.key.removeprefix(shape.prefix) if account else ""
        address = shape.post.format(h=_quoted(handle), p=_quoted(post, "/"), host_h=handle.replace("_", "-"))
    return Place(platform.name, "post" if is_post else shape.kind, account, address, is_post, platform.site)


def _account(platform: Platform, shape: Shape, handle: str, seen: str) -> AccountKey | None:
    name = _normal(handle, shape.fold and not shape.is_id)
    if platform.hyphen:
        name = name.replace("-", platform.hyphen)
    if not platform.dots and not shape.is_id:
        name = name.replace(".", "") or name
    form = ANY_HANDLE if shape.prefix else platform.handle
    if not form.fullmatch(name) or _UNFIT.search(name):
        return None
    return AccountKey(
        platform.name,
        shape.kind,
        shape.prefix + name,
        shape.url.format(h=_quoted(name), host_h=name.replace("_", "-")),
        seen,
        "user_id" if shape.is_id else "account_login",
    )


def _from_handle(platform: Platform, text: str, seen: str) -> AccountKey:
    text = given = _path(text) or text
    for pattern, path in platform.bare:
        if pattern.pattern == ".*":
            text = text.removeprefix("@")
        match = pattern.fullmatch(text)
        if match is None:
            continue
        address = path.format(match[1] if pattern.groups else text)
        host, _, rest = address.partition("/")
        found = _read(platform, host or platform.hosts[0], "/" + rest.lstrip("/").rstrip("/"), "", seen)
        if found is not None and found.account is not None:
            return found.account
        break
    name = _normal(given.removeprefix("@"), True)
    if _UNFIT.search(name) or not platform.handle.fullmatch(name):
        raise IdentifierError(f"{text[:80]!r} can't be the name of an account on {platform.name}")
    return AccountKey(platform.name, "profile", name, "", seen)


def _normal(handle: str, fold: bool) -> str:
    if not handle.isascii():
        handle = unicodedata.normalize("NFKC", handle)
        return unicodedata.normalize("NFKC", handle.casefold()) if fold else handle
    return handle.lower() if fold else handle


def _quoted(text: str, more: str = "") -> str:
    return text if text.isalnum() and text.isascii() else quote(text, safe=_URL_SAFE + more)


def _said(value: str) -> Said:
    found = read(value)
    return {"user-account:account_type": found.platform, f"user-account:{found.stix_property}": found.key}


KIND = Kind(
    name="account",
    title="account",
    normalise=lambda text: read(text).text,
    path="user-account:account_login",
    said=_said,
    personal=("Username", "PlatformAccountId"),
    hashed_as="account-id",
    weight=5.0,
    half_life=365,
    examples={
        "twitter.com/Lorem_Ipsum9": "x:lorem_ipsum9",
        "x:@Lorem_Ipsum9": "x:lorem_ipsum9",
        "Twitter: LOREM_IPSUM9": "x:lorem_ipsum9",
        "mobile.twitter.com/lorem_ipsum9?lang=en": "x:lorem_ipsum9",
        "hxxps://x[.]com/lorem_ipsum9/media": "x:lorem_ipsum9",
        "https://x.com/lorem_ipsum9/status/1234567890123456789?s=20": "x:lorem_ipsum9",
        "facebook.com/profile.php?id=100012345&sk=about": "facebook:100012345",
        "t[.]me/s/Dolor_Sit": "telegram:dolor_sit",
        "lorem.tumblr.com/post/123456789/x": "tumblr:lorem",
        "exlab:User-123": "exlab:User-123",
    },
    non_examples=(
        "", "@lorem", "lorem", "63 accounts", "https://x.com/", "https://example.org/lorem", "mailto:a@lorem.org", "x:",
        "youtube.com/watch?v=abcdefghijk", "https://fb.watch/aBcDeF123/", "lorem.org:8080",
    ),
)  # fmt: skip
