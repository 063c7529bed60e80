"""Values to look for, made of the units of a pattern: which STIX path means which kind, in which form."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from exchange.matcher import names
from exchange.matcher.patterns import TOGETHER, Unit, Unusable
from exchange.matcher.values import clear_token, key, normal, read_token
from exchange.model.identifiers.keyed import Token

_PDQ = re.compile(r"[0-9a-fA-F]{64}")
_WIDEST = 8
"""Shortest prefix of a range that is looked for: 16 million addresses."""
_TOKEN_TYPES = {
    "x-cib-device:token": "device", "x-cib-payment:token": "payment", "x-cib-phone:token": "phone",
    "x-cib-email:token": "email", "x-cib-cookie:token": "cookie", "x-cib-upload-fp:token": "upload_fp",
    "x-cib-email-domain:token": "email_domain", "x-cib-domain:token": "domain",
}
_CLEAR_TYPES = {
    "email-addr:value": "email", "email-message:from_ref.value": "email", "phone-number:value": "phone",
    "x-cib-email:value": "email", "x-cib-phone:value": "phone",
}
_ADDRESSES = frozenset(f"{path}.value" for path in ("network-traffic:src_ref", "network-traffic:dst_ref")) | {
    "ipv4-addr:value", "ipv6-addr:value"}
_PICTURES = frozenset({"x-cib-media:pdq", "file:hashes.PDQ", "file:hashes.'PDQ'", "artifact:hashes.PDQ"})
_ACCOUNT_NAMES = frozenset(
    f"user-account:{name}" for name in ("account_login", "user_id", "x_misp_url"))


@dataclass(frozen=True)
class Probe:
    """One value to look for."""

    kind: str
    how: str
    """token, range, host, url, picture, text or account."""
    shared: str
    """As the contributor wrote it."""
    key: int = 0
    """What is joined: a salted token, a network number."""
    text: str = ""
    """What is joined when it isn't a number: host, URL, PDQ, text, account key."""
    bits: int = 0
    """Prefix length of a range."""
    similarity: float = 1.0
    """1, or less for a value that only stands near the indicated one (the registrable parent)."""
    hashed: Token | None = None
    """The keyed hash that it is, if it is one."""
    part: int | None = None
    """Which part of a compound pattern it is; None: meeting it is enough by itself."""

    @property
    def value(self) -> tuple[str, int, str, int]:
        """What makes two probes the same value, whoever named it."""
        return self.kind, self.key, self.text, self.bits


Found = list[Probe] | Unusable


def probes(unit: Unit, sibling: float) -> Found:
    """Everything to look for because of one unit, or the reason why there is nothing.

    ``sibling`` is the similarity of a host that only has the registrable parent in common.
    """
    if len(unit.values) > 1:
        return _pair(unit)
    path, text = unit.values[0]
    if path in _ADDRESSES:
        return _address(text)
    if unit.subset:
        return Unusable("ISSUBSET is used with an address only")
    if path in _TOKEN_TYPES:
        return _token(_TOKEN_TYPES[path], text)
    if path in _CLEAR_TYPES:
        kind = _CLEAR_TYPES[path]
        return [Probe(kind, "token", text, key(kind, clear_token(kind, text)))]
    if path == "domain-name:value":
        return _domain(text, sibling)
    maker = _MAKERS.get(path)
    if maker is not None:
        return maker(text)
    if path in _PICTURES:
        return _picture(text)
    if path in _ACCOUNT_NAMES:
        return _account(None, text)
    return Unusable(f"nothing local is compared with {path.split('.')[0]}")


def _token(kind: str, text: str) -> Found:
    found = read_token(text)
    if found is None:
        return [Probe(kind, "token", text, key(kind, clear_token(kind, text)))]
    if found[0] != kind:
        return Unusable(f"a token of {found[0]} stands where one of {kind} must")
    return [Probe(kind, "token", text, key(kind, found[1]))]


def _address(text: str) -> Found:
    """An IPv4 address or range; host bits below the prefix are ignored, as STIX does."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return Unusable("the address is none")
    if isinstance(network, ipaddress.IPv6Network):
        return Unusable("nothing local is compared with ipv6-addr:value")
    first, bits = int(network.network_address), network.prefixlen
    if bits == 32:
        return [Probe("ip4", "token", text, key("ip4", first))]
    if bits < _WIDEST:
        return Unusable(f"the range is wider than /{_WIDEST}: it names nobody")
    return [Probe("ip_range", "range", text, first >> (32 - bits), bits=bits)]


def _domain(text: str, sibling: float) -> Found:
    token = read_token(text)
    if token is not None:
        return [Probe(token[0], "token", text, key(*token))] if token[0] in ("domain", "email_domain") else Unusable(
            f"a token of {token[0]} stands where one of a domain must")
    host = names.host(text)
    if host is None:
        return Unusable("the domain is none")
    if names.is_shared(host):
        return Unusable("the domain is a public suffix or a host that many unrelated people use")
    found = [Probe("domain", "host", text, text=host),
             Probe("email_domain", "token", text, key("email_domain", clear_token("email_domain", host)))]
    parent = names.registrable(host)
    if parent is not None and parent != host and not names.is_shared(parent):
        found.append(Probe("domain", "host", text, text=parent, similarity=sibling))
    return found


def _url(text: str) -> Found:
    url = names.url(text)
    if url is None:
        return Unusable("the URL is none")
    found = [Probe("url", "url", text, text=url)]
    account = names.account(None, text)
    if account is not None:
        found.append(Probe("account", "account", text, text=account))
    return found


def _picture(text: str) -> Found:
    if not _PDQ.fullmatch(text):
        return Unusable("the PDQ fingerprint is not 64 hex digits")
    return [Probe("picture", "picture", text, text=text.lower())]


def _text(text: str) -> Found:
    return [Probe("text", "text", text, text=text)] if normal("text", text) else Unusable("the text is empty")


def _account(platform: str | None, text: str) -> Found:
    found = names.account(platform, text)
    if found is None:
        return Unusable("the account is named without its platform, or in a form that isn't known")
    return [Probe("account", "account", text, text=found)]


def _pair(unit: Unit) -> Found:
    values = dict(unit.values)
    if len(values) == 2 and "user-account:account_type" in values:
        platform = values.pop("user-account:account_type")
        path, text = next(iter(values.items()))
        if path in _ACCOUNT_NAMES:
            return _account(platform, text)
    for end in ("network-traffic:src_ref", "network-traffic:dst_ref"):
        if len(values) == 2 and set(values) == {f"{end}.type", f"{end}.value"}:
            return _address(values[f"{end}.value"])
    return Unusable(TOGETHER)


_MAKERS: dict[str, Callable[[str], Found]] = {"url:value": _url, "x-cib-post:text": _text}
