"""E-mail addresses: domain as lower-case A-labels, local part as seen.

Folding a local part (case, dots, ``+tag``) is another, named normalisation ("gmail-fold-1"): hashes of
partners would differ if it were done silently.
"""

from __future__ import annotations

import re

from exchange.model.identifiers import domain
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.refang import refang

STIX_PATH = "email-addr:value"
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}\Z")
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def normalise(text: str) -> str:
    """``Local@domain`` in canonical form, fanged or defanged; raises IdentifierError."""
    plain = refang(text).removeprefix("mailto:").strip("<>.,; ")
    local, at, host = plain.rpartition("@")
    if not at or not _LOCAL.match(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise IdentifierError(f"{text[:80]!r} is no e-mail address")
    return f"{local}@{domain.normalise(host)}"


def gmail_fold(address: str) -> str:
    """The normalisation "gmail-fold-1" of a normalised address: case, dots and ``+tag`` dropped where
    Gmail ignores them.
    """
    local, _, host = address.rpartition("@")
    if host not in _GMAIL:
        return address.lower()
    return local.partition("+")[0].replace(".", "").lower() + "@gmail.com"
