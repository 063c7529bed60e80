"""Which personal data an object visibly holds: DPV terms by type and property, also in patterns.

Only what the structure says is found; a name in a description is not. ``unknown`` is the honest word for
objects whose main content is free text or a type that isn't known, and the policy treats it as personal (P6).
Terms are of the W3C Data Privacy Vocabulary, with our own PlatformAccountId (an account's id on a platform).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal

from exchange.model.identifiers.account import place
from exchange.model.terms import PersonalData
from exchange.stix import extensions
from exchange.stix.fault import StixFault
from exchange.stix.pattern import comparisons, parse
from exchange.stix.pattern.parser import single_equality

Status = Literal["yes", "no", "unknown"]
NONE: frozenset[str] = frozenset()

_HELD: dict[str, dict[str, str]] = {
    "user-account": {
        "user_id": "PlatformAccountId", "account_login": "Username", "display_name": "Username",
        "x_misp_url": "PlatformAccountId",
    },
    "email-addr": {"value": "EmailAddress", "display_name": "Name"},
    "email-message": {
        "from_ref": "EmailAddress", "sender_ref": "EmailAddress", "to_refs": "EmailAddress",
        "cc_refs": "EmailAddress", "bcc_refs": "EmailAddress",
    },
    "ipv4-addr": {"value": "IPAddress"},
    "ipv6-addr": {"value": "IPAddress"},
    "mac-addr": {"value": "MACAddress"},
    "url": {"value": "URL"},
    "phone-number": {"value": "TelephoneNumber"},
    "x-phone-number": {"value": "TelephoneNumber"},
    "bank-account": {"iban": "BankAccount", "account_number": "BankAccount", "holder_name": "Name"},
    "payment-card": {"card_number": "PaymentCardNumber", "holder_name": "Name"},
    "cryptocurrency-wallet": {"value": "FinancialAccountIdentifier"},
    "persona": {"persona_name": "Name", "name": "Name"},
    "channel": {"name": "PlatformAccountId"},
}  # fmt: skip
"""Type and property to the term it holds; URL is a stand-in that is looked into."""

_IMPERSONAL = frozenset((
    "attack-pattern", "campaign", "course-of-action", "extension-definition", "grouping", "infrastructure",
    "intrusion-set", "language-content", "location", "malware", "malware-analysis", "marking-definition",
    "relationship", "sighting", "tool", "vulnerability", "opinion", "narrative", "event",
    "autonomous-system", "directory", "domain-name", "file", "mutex", "network-traffic", "process",
    "software", "url", "windows-registry-key", "x509-certificate", "hostname", "x-mitre-tactic", "x-mitre-matrix",
))  # fmt: skip
"""Types that hold no personal data by their structure."""

_IMPERSONAL_PATHS = frozenset((
    "autonomous-system", "directory", "domain-name", "file", "mutex", "software", "url",
    "windows-registry-key", "x509-certificate", "hostname",
))  # fmt: skip
_MAIL = re.compile(r"(?:[:=/]|%3D)[\w.+-]{1,64}(?:@|%40)[\w-]{1,63}\.[\w.-]", re.IGNORECASE)
"""An e-mail address in a URL: mailto:, or a value in its path or query."""
_NETWORK_REFS = ("network-traffic:src_ref", "network-traffic:dst_ref")
_ACCOUNT_SCOPE = frozenset(
    ("user-account:account_type", "user-account:is_disabled", "user-account:is_service_account")
)


def categories(obj: Mapping[str, Any]) -> frozenset[str]:
    """DPV terms of the personal data that an object visibly holds, also in an indicator's STIX pattern."""
    type_name = obj.get("type")
    if type_name == "indicator":
        return _in_indicator(obj)[0]
    if type_name == "identity":
        return _of_identity(obj)
    if type_name == "observed-data" and isinstance(obj.get("objects"), Mapping):
        inner = [categories(one) for one in obj["objects"].values() if isinstance(one, Mapping)
                 and one.get("type") not in ("observed-data", "indicator")]  # fmt: skip
        return NONE.union(*inner)
    held = _HELD.get(type_name) if isinstance(type_name, str) else None
    if not held:
        return NONE
    return frozenset(_terms((name, obj[name], term) for name, term in held.items() if obj.get(name)))


def held_and_status(obj: Mapping[str, Any]) -> tuple[frozenset[str], Status]:
    """``categories`` and ``status`` of an object, in one look at an indicator's pattern."""
    if obj.get("type") != "indicator":
        return categories(obj), status(obj)
    held, impersonal = _in_indicator(obj)
    return held, _of_pattern(held, impersonal)


def holders(obj: Mapping[str, Any], wanted: frozenset[str]) -> list[str]:
    """Names of the properties that visibly hold personal data of one of the kinds."""
    type_name = obj.get("type")
    if type_name == "indicator":
        return ["pattern"] if wanted & _in_indicator(obj)[0] else []
    if type_name == "observed-data":
        return ["objects"] if wanted & categories(obj) else []
    if type_name == "identity":
        found = {"name": {"Name"}, "contact_information": {"EmailAddress", "Contact"}}
        return [name for name, terms in found.items() if name in obj and terms & wanted & categories(obj)]
    held = _HELD.get(type_name) if isinstance(type_name, str) else None
    return [name for name, term in (held or {}).items() if obj.get(name) and wanted & _terms([(name, obj[name], term)])]


def status(obj: Mapping[str, Any], stated: PersonalData | str | None = None) -> Status:
    """Whether an object holds personal data: what its contributor stated, else what its structure says.

    A stated ``no`` stands although categories were found: the policy refuses that (personal-data-undeclared).
    """
    word = stated.personal if isinstance(stated, PersonalData) else stated
    if word == "yes":
        return "yes"
    if word == "no":
        return "no"
    type_name = obj.get("type")
    if type_name == "indicator":
        return _of_pattern(*_in_indicator(obj))
    if categories(obj) or extensions.of(obj, extensions.ACCOUNT).get("hashed_identifiers"):
        return "yes"
    if type_name == "identity":
        return "no" if obj.get("identity_class") in ("organization", "system", "class") else "unknown"
    if type_name == "user-account":
        return "yes"
    return "no" if isinstance(type_name, str) and type_name in _IMPERSONAL else "unknown"


def _of_pattern(held: frozenset[str], impersonal: bool) -> Status:
    return "yes" if held else "no" if impersonal else "unknown"


def _of_identity(obj: Mapping[str, Any]) -> frozenset[str]:
    if obj.get("identity_class") != "individual":
        return NONE
    contact = obj.get("contact_information")
    found = {"Name"}
    if isinstance(contact, str) and contact:
        found.add("EmailAddress" if "@" in contact else "Contact")
    return frozenset(found)


def _in_indicator(obj: Mapping[str, Any]) -> tuple[frozenset[str], bool]:
    pattern = obj.get("pattern")
    if obj.get("pattern_type") != "stix" or not isinstance(pattern, str):
        return NONE, False
    try:
        return _in_pattern(pattern)
    except StixFault:
        return NONE, False


@lru_cache(maxsize=64)
def _in_pattern(pattern: str) -> tuple[frozenset[str], bool]:
    """Terms in an indicator's pattern, and whether everything that it compares is surely impersonal."""
    found: set[str] = set()
    impersonal = True
    alone = single_equality(pattern)
    compared = [(one.object_path, one.value) for one in comparisons(parse(pattern))] if alone is None else [alone]
    for path, value in compared:
        type_name, _, rest = path.partition(":")
        name = rest.partition(".")[0].partition("[")[0]
        if path.startswith(_NETWORK_REFS):
            term: str | None = "IPAddress" if path.endswith(".value") else None
            impersonal &= term is None
        else:
            term = _HELD.get(type_name, {}).get(name)
            impersonal &= type_name in _IMPERSONAL_PATHS or path in _ACCOUNT_SCOPE
        if term is not None:
            found |= _terms((name, one, term) for one in (value if isinstance(value, tuple) else (value,)))
    return frozenset(found), impersonal and not found


def _terms(held: Iterable[tuple[str, Any, str]]) -> set[str]:
    found: set[str] = set()
    for name, value, term in held:
        if term == "URL":
            where = place(value) if isinstance(value, str) else None
            if where is not None and where.account is not None:
                found.add("PlatformAccountId")
            if isinstance(value, str) and _MAIL.search(value):
                found.add("EmailAddress")
        elif term == "IPAddress":
            if not (isinstance(value, str) and _is_range(value)):
                found.add(term)
        elif not (name == "user_id" and isinstance(value, str) and value.startswith("hmac-")):
            found.add(term)  # a keyed hash is personal data (see status), but no direct identifier
    return found


_PREFIX = re.compile("[0-9]{1,3}")


def _is_range(value: str) -> bool:
    """Whether a CIDR text spans more than one address, so that it points at no single line."""
    address, _, bits = value.partition("/")
    return _PREFIX.fullmatch(bits) is not None and int(bits) < (128 if ":" in address else 32)
