"""E-mail addresses: domain as lower-case A-labels, local part as seen (NFC, RFC 6532).

Folding a local part (case, dots, ``+tag``) is another, named normalisation ("gmail-fold-1"): hashes of
partners would differ if it were done silently.
"""

from __future__ import annotations

import re
import unicodedata

from exchange.model.identifiers import domain
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import refang
from exchange.model.identifiers.shared_host import is_privacy_service

_LOCAL = re.compile(r"[^\s\x00-\x1f\x7f-\x9f@<>()\[\],;:\\\"]{1,64}\Z")
_OFFICES = frozenset({"abuse", "noc", "security", "soc", "postmaster", "hostmaster", "mailer-daemon"})
"""RFC 2142: addresses that belong to whoever runs a network, not to an operation."""
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def normalise(text: str) -> str:
    """``Local@domain`` in canonical form, fanged or defanged; raises IdentifierError."""
    plain = refang(text).removeprefix("mailto:").lstrip("< ").rstrip(">.,; ")
    local, at, host = plain.rpartition("@")
    if not at or not _LOCAL.match(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise IdentifierError(f"{text[:80]!r} is no e-mail address")
    return f"{local if local.isascii() else unicodedata.normalize('NFC', local)}@{domain.normalise(host)}"


def gmail_fold(address: str) -> str:
    """The normalisation "gmail-fold-1" of a normalised address: case, dots and ``+tag`` dropped where
    Gmail ignores them.
    """
    local, _, host = address.rpartition("@")
    if host not in _GMAIL:
        return address.lower()
    return local.partition("+")[0].replace(".", "").lower() + "@gmail.com"


def _nobody(address: str) -> str:
    local, _, host = address.rpartition("@")
    if local.lower() in _OFFICES:
        return f"{local}@ is an office that every domain has"
    return f"{host} forwards the mail of many registrants" if is_privacy_service(host) else ""


KIND = Kind(
    name="email",
    title="e-mail address",
    normalise=normalise,
    path="email-addr:value",
    personal=("EmailAddress",),
    hashed_as="email",
    weight=5.5,
    half_life=400,
    nobody=_nobody,
    norms={"gmail-fold-1": gmail_fold},
    examples={
        "Info[at]Lorem[.]ORG": "Info@lorem.org",
        "info [@] lorem [dot] org": "info@lorem.org",
        "mailto:a+b@faß.de": "a+b@xn--fa-hia.de",
        "<Lo.Rem+Ipsum@gmail.com>": "Lo.Rem+Ipsum@gmail.com",
        "o'lorem@lorem.co.uk": "o'lorem@lorem.co.uk",
    },
    non_examples=(
        "", "lorem.org", "@lorem", "a@b", "a..b@lorem.org", ".a@lorem.org", "lo rem@lorem.org", "a@lorem@lorem.org",
        "a@1.2.3.4", "a" * 65 + "@lorem.org", "Lorem <a@lorem.org>",
    ),
)  # fmt: skip
DOMAIN_OF_EMAIL = Kind(
    name="email-domain",
    title="domain of e-mail addresses",
    normalise=domain.normalise,
    path="domain-name:value",
    hashed_as="email-domain",
    weight=3.0,
    half_life=200,
    nobody=domain.KIND.nobody,
    examples={"Lorem[.]ORG": "lorem.org", "mail.lorem.co.uk": "mail.lorem.co.uk"},
    non_examples=("", "lorem", "a@lorem.org", "co.uk"),
)
