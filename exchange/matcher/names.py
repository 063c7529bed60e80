"""Names in the clear (hosts, URLs, accounts) in the one form in which the matcher compares them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import ada_url

from exchange.model.identifiers.account import account_key, is_platform_host
from exchange.model.identifiers.fault import IdentifierError

_SCHEME = re.compile(r"[a-z][a-z0-9+-]*:(?![0-9])", re.IGNORECASE)
_HOST = re.compile(r"(?=.{4,253}$)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))+")


def host(text: str) -> str | None:
    """A domain name in lower case A-labels without a last dot; None when it is none."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        name = ada_url.idna.encode(name).decode("ascii")
    return name if _HOST.fullmatch(name) else None


@lru_cache(maxsize=1)
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - reads a large list

    return PublicSuffixList(only_icann=False)


def registrable(name: str) -> str | None:
    """The name one below the public suffix (private suffixes count); None for a suffix itself."""
    found = _suffixes().privatesuffix(name)
    return str(found) if found else None


def is_shared(name: str) -> bool:
    """Whether a host belongs to nobody in particular: a public suffix, or a service of many users."""
    return registrable(name) is None or name.removeprefix("www.") in _MANY_USERS or is_platform_host(name)


def url(text: str) -> str | None:
    """A URL in WHATWG form without scheme, ``www.``, fragment and a slash at its end; None when it has no host."""
    given = text.strip()
    if "://" not in given and not _SCHEME.match(given):
        given = f"https://{given}"
    try:
        whole = ada_url.URL(given)
    except ValueError:
        return None
    name = host(whole.hostname)
    if name is None or whole.protocol not in ("http:", "https:"):
        return None
    return name.removeprefix("www.") + whole.pathname.rstrip("/") + whole.search


def url_host(text: str) -> str:
    """Host of a URL in the form of ``url``, without ``www.``."""
    return urlsplit("//" + text).hostname or ""


def account(platform: str | None, text: str) -> str | None:
    """The one key of an account, however it is told; None when the platform is unknown or the text no account."""
    try:
        found = account_key(platform or "", text)
    except IdentifierError:
        return None
    return f"{found.platform}:{found.key}" if found.platform else None


# Mail, search, shortening and hosting services that the table of platforms doesn't hold.
_MANY_USERS = frozenset({
    "telegram.org", "telegra.ph", "squarespace.com", "tilda.ws", "wixsite.com", "github.io", "google.com", "bit.ly",
    "goo.gl", "t.co", "wikipedia.org", "gmail.com", "outlook.com", "yahoo.com", "hotmail.com", "proton.me", "mail.ru",
    "linkedin.com", "apple.com", "amazon.com", "microsoft.com", "cloudflare.com",
})
