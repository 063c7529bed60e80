"""One value of a row: the account, URL, domain, address or e-mail that a single word names, in canonical
form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from exchange.model.identifiers import domain, email, ip, shared_host, url
from exchange.model.identifiers.account import AccountKey, account_key, place
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.refang import refang

ValueKind = Literal["account", "url", "domain", "ip", "email"]

_BROKEN_TELEGRAM = re.compile(r"(?:https?://)?t\.?/(\+?\w[\w-]{2,})\Z", re.IGNORECASE)
_TELEGRAM_APP = re.compile(
    r"tg://resolve/?\?domain=(\w+).*|(?:https?://)?web\.telegram\.org/.*#@?(\w{3,}).*\Z", re.IGNORECASE
)
_WITH_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}\Z")
_SITE_WITH_PORT = re.compile(r"([\w.-]+\.[^\W\d_]{2,}):\d{2,5}\Z")
_INNER = re.compile(r"#[!/@]")
_HANDLE = re.compile(r"@?[\w.]{3,40}\Z")
_IP_START = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?\Z|[0-9a-f]*:[0-9a-f:]+(?:/\d{1,3})?\Z", re.IGNORECASE)
_NO_HANDLES = frozenset({
    "n/a", "none", "tbd", "unknown", "deleted", "suspended", "inactive",
    "accounts", "account", "channel", "channels",
    "page", "pages", "group", "groups", "various", "multiple", "several", "the", "see", "above", "below", "yes",
    "redacted", "profile",
})  # fmt: skip
_MOJIBAKE = re.compile("[ÃÂÅÄÐÑâ][\u0080-\u00bf\u0152-\u2122]|[\u0080-\u009f\ufffd]|(?<=[a-z])[ÅÃÄ](?=[a-z])")


@dataclass(frozen=True)
class Value:
    """A value that stands for somebody."""

    kind: ValueKind
    canonical: str
    """The value compared and written into STIX; of an account its key."""
    seen: str
    account: AccountKey | None = None
    others: tuple[str, ...] = ()
    """Further spellings that the same thing goes by: with www., with its tracking parameters, a tenant's
    host.
    """
    repair: str = ""
    """What was mended to read it."""

    @property
    def key(self) -> tuple[str, str]:
        """What two tellings of the value have in common."""
        if self.account is not None:
            return f"account:{self.account.platform}", self.account.key
        return self.kind, self.canonical


@dataclass(frozen=True)
class Reading:
    """What a word was read as: values, or why it stands for nobody in particular, or neither (then it is
    no value).
    """

    values: tuple[Value, ...] = ()
    shared: str = ""
    """The host that everybody uses; nothing is made of it."""
    fault: str = ""


NOTHING = Reading()


def read(word: str, platform: str = "") -> Reading:
    """Read one word, fanged or defanged; ``platform`` is whose handle a word without an address would be."""
    seen = word.strip()
    plain = refang(seen).strip("<>\"'`“”‘’").rstrip(",;").removeprefix("*.")
    repair = ""
    broken = _BROKEN_TELEGRAM.match(seen.replace("[.]", ".")) if platform in ("telegram", "") else None
    if broken:
        plain, repair = f"https://t.me/{broken[1]}", "the address of Telegram was cut to 't'"
    app = _TELEGRAM_APP.match(plain)
    if app:
        plain, repair = f"https://t.me/{app[1] or app[2]}", "an address of the Telegram app"
    if _MOJIBAKE.search(plain):
        mended = _mended(plain)
        if mended is None:
            return _mangled(plain, seen)
        plain, repair = mended, "letters that were decoded wrongly"
    try:
        found = _read(plain, seen, platform)
    except IdentifierError as error:
        return Reading(fault=str(error))
    if repair and found.values:
        values = tuple(
            Value(one.kind, one.canonical, one.seen, one.account, one.others, repair) for one in found.values
        )
        return Reading(values, found.shared, found.fault)
    return found


def _read(plain: str, seen: str, platform: str) -> Reading:
    if not plain:
        return NOTHING
    if "/" not in plain and "@" in plain[1:]:
        address = email.normalise(plain)
        return Reading(shared=address) if email.KIND.nobody(address) else Reading((Value("email", address, seen),))
    port = _WITH_PORT.match(plain)
    if port or _IP_START.match(plain):
        return _ip(port[1] if port else plain, seen)
    site = _SITE_WITH_PORT.match(plain)
    if site:
        plain = site[1]
    if "/" in plain:
        if plain.partition("/")[0].count(".") == 0 and "://" not in plain:
            return NOTHING
        return _address(plain, seen)
    if "." in plain.strip(".") and not plain.startswith("@"):
        found = _host(plain, seen)
        if found is not None:
            return found
    return _handle(plain, seen, platform)


def _ip(plain: str, seen: str) -> Reading:
    network = ip.parse(plain)
    if not ip.is_narrow(network):
        return Reading(fault=f"{plain[:80]!r} is a range too wide to name anybody")
    value = ip.normalise(plain)
    return Reading(shared=plain) if ip.nobody(value) else Reading((Value("ip", value, seen),))


def _address(plain: str, seen: str) -> Reading:
    normal = url.normalise(plain)
    host = url.host_of(normal)
    if not host.startswith("[") and not host.replace(".", "").isdigit():
        domain.normalise(host)
    found = place(plain)
    if found is not None and found.account is not None and not found.is_post:
        return Reading((_account(found.account, seen, host if found.site else "", normal),))
    if url.is_bare(normal):
        return _host(host, seen) or Reading(fault=f"{plain[:80]!r} has a host that can't be registered")
    if found is None:
        if (page := url.everybodys_page(normal)) or (why := url.nobody(normal)):
            return Reading(shared=page) if page else Reading(fault=why)
        if _INNER.search(plain):
            return Reading(fault=f"{plain[:120]!r} says where it leads after the # only")
        return Reading((_url(normal, seen),))
    value = Value("url", found.post, seen, others=_spellings(normal, found.post)) if found.post else _url(normal, seen)
    if found.account is None:
        return Reading((value,))
    return Reading((value, _account(found.account, seen)))


def _url(normal: str, seen: str) -> Value:
    canonical = url.without_tracking(normal)
    return Value("url", canonical, seen, others=_spellings(normal, canonical))


def _spellings(normal: str, canonical: str) -> tuple[str, ...]:
    return tuple(sorted({normal, url.without_tracking(normal)} - {canonical}))


def _account(account: AccountKey, seen: str, host: str = "", normal: str = "") -> Value:
    """An account; posts that link to it use the address as it was published more often than the canonical
    one.
    """
    spellings = [f"host:{host}"] if host else []
    if normal and normal != account.canonical_url:
        spellings.append(url.without_tracking(normal))
    return Value("account", account.key, seen, account, tuple(spellings))


def _host(plain: str, seen: str) -> Reading | None:
    lower = plain.lower().strip("./").removeprefix("www.")
    if shared_host.shared(lower):
        return Reading(shared=lower)
    try:
        host = domain.normalise(plain)
    except IdentifierError:
        return None
    found = place(host)
    if found is not None and found.account is not None:
        return Reading((_account(found.account, seen, host if found.site else ""),))
    bare = domain.bare(host)
    if bare.startswith("www."):  # "www.mu": what is left of a name that was cut
        return None
    if shared_host.shared(bare):
        return Reading(shared=bare)
    return Reading((Value("domain", bare, seen, others=(host,) if host != bare else ()),))


def _handle(plain: str, seen: str, platform: str) -> Reading:
    if not platform or not _HANDLE.match(plain) or plain.casefold() in _NO_HANDLES or plain.strip("@").isdigit():
        return NOTHING
    account = account_key(platform, plain)
    return Reading((_account(account, seen),))


def _mended(text: str) -> str | None:
    """The text that UTF-8 taken for a one-byte encoding was; None where it can't be told."""
    for encoding in ("cp1252", "latin-1"):
        try:
            mended = text.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        return None if _MOJIBAKE.search(mended) else mended
    return None


def _mangled(plain: str, seen: str) -> Reading:
    """Of an address with letters lost: what its undamaged parts tell for sure, a post's number and its
    author.
    """
    found = place(plain)
    sure = found is not None and found.account is not None and not _MOJIBAKE.search(found.account.key)
    if found is None or not sure or not found.post or _MOJIBAKE.search(found.post) or "%" in found.post:
        return Reading(fault=f"{plain[:120]!r} has letters that were lost when it was decoded")
    repair = "letters in the title part were lost; the post's number stands"
    values = [Value("url", found.post, seen, repair=repair)]
    if found.account is not None:
        values.append(Value("account", found.account.key, seen, found.account, repair=repair))
    return Reading(tuple(values))
