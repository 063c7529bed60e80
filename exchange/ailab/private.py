"""Which personal data a form holds where it must not, field by field, and what is to be sent instead.

Three places may hold what others may not: public accounts stand in ``external_assets``, addresses of roles in the
provider's contacts, hexadecimal digits where fingerprints and keyed hashes belong.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from exchange.ailab.fault import PERSONAL, FormFault, Path
from exchange.model.personal.scan import Found, Trace, scan, scan_document

LONGEST = 20_000
"""Characters of the longest field: longer texts are refused for their length and not searched."""

_KEYED = "send it as a keyed hash in account_identifiers (of: {of}, alg: hmac-sha256, key_id, norm: cib-norm-1)"
_INSTEAD: Mapping[str, str] = {
    "email": _KEYED.format(of="email"),
    "phone": _KEYED.format(of="phone"),
    "payment": _KEYED.format(of="payment-instrument"),
    "national-id": "leave it out",
    "home": "leave it out",
    "ip": _KEYED.format(of="ip"),
    "device": _KEYED.format(of="device"),
    "username": "put a public account into external_assets with its relation to the cluster, and one of your own "
                "service as a keyed hash into account_identifiers (of: account-id)",
    "name": "leave it out, or name the organisation or the office instead",
    "digest": "send keyed hashes in account_identifiers (hmac-sha256, with key_id and norm), and hashes of content in "
              "content_fingerprints",
    "words": "describe it in your own words; say in preserved_records that you hold the records",
}  # fmt: skip
_FORBIDDEN: Mapping[str, str] = {
    **dict.fromkeys(("prompt", "output", "completion", "response", "message", "conversation", "transcript", "chat",
                     "content", "instruction", "excerpt", "sample"), "words"),
    **dict.fromkeys(("email", "mail"), "email"),
    **dict.fromkeys(("phone", "telephone", "mobile", "msisdn", "tel"), "phone"),
    **dict.fromkeys(("card", "pan", "iban", "bank", "payment", "wallet", "billing"), "payment"),
    **dict.fromkeys(("ip", "ipaddress", "ipv4", "ipv6"), "ip"),
    **dict.fromkeys(("device", "cookie", "useragent", "fingerprint", "imei", "session"), "device"),
    **dict.fromkeys(("username", "user", "handle", "login", "account"), "username"),
    **dict.fromkeys(("realname", "fullname", "firstname", "lastname", "person"), "name"),
    **dict.fromkeys(("passport", "ssn", "birthdate", "dob", "address"), "national-id"),
}  # fmt: skip
"""Words in names of fields that no form has, and what kind of data they would bring."""
_ROLES = frozenset((
    "abuse", "admin", "appeal", "appeals", "cert", "compliance", "contact", "csirt", "cti", "data",
    "dataprotection", "disclosure", "dpo", "dsa", "enquiries", "feedback", "gdpr", "hello", "help", "helpdesk",
    "incident", "incidents", "info", "inquiries", "integrity", "intel", "intelligence", "investigations",
    "legal", "mail", "misuse", "noc", "notice", "notices", "objections", "office", "ops", "policy",
    "postmaster", "press", "privacy", "protection", "report", "reporting", "reports", "safety", "secops",
    "security", "soc", "support", "team", "threat", "threatintel", "threats", "tns", "trust", "usersafety",
    "webmaster",
))  # fmt: skip
_MAILBOX = re.compile(r"[^\s@<>()\[\]{},;:\"'/]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,}", re.IGNORECASE)
_PRIVATE_MAIL = re.compile(
    r"@(?:gmail|googlemail|hotmail|outlook|live|yahoo|ymail|icloud|me|proton(?:mail)?|gmx|aol|mail|web|qq|163|yandex)\.",
    re.IGNORECASE)
_FEDIVERSE = re.compile(r"@[\w.-]{1,64}@(?:[\w-]{1,63}\.)+[a-z]{2,}", re.IGNORECASE)
_NUMBERED = frozenset((
    "facebook", "meta", "fb", "vk", "vkontakte", "ok", "ok.ru", "odnoklassniki", "weibo", "bilibili", "google",
))  # fmt: skip
"""Platforms that name accounts, Pages and ads by numbers."""
_HEX = {
    "sha256": 64, "c2pa-manifest-sha256": 64, "pdq": 64, "simhash64": 16,
}  # fmt: skip
_FORMS = {
    "tlsh": r"(?:T1)?[0-9A-Fa-f]{70}",
    "minhash": r"[0-9a-f]{32,20000}|\[?(?:\d{1,20}[,; ]+){15,}\d{1,20}\]?",
    "vpdq": r"(?:[0-9a-f]{64}[,; \n]*(?:\d{1,6}[,; \n]+){0,3}){1,200}",
}
"""Forms of the fingerprints whose length isn't fixed; a watermark's id is searched as any text."""
_NO_KEY = re.compile(
    r"(?:none|null|nil|na|n-a|no|nokey|no-key|plain|raw|clear|unsalted|unkeyed|sha-?\d*|md5|hash|0+)\Z", re.IGNORECASE)
_TEXT = re.compile(rb"[ -~]{14,}|[\w.+-]{2,}@[\w-]{2,}(?:\.[\w-]+)*\.[a-z]{2,}")
"""What bytes of a digest hardly ever are: a long run of letters, or a mailbox."""
_LONG_NUMBER = re.compile(r"\d{7,}\Z")
_TELLING = 5
"""Characters of a text from which on its plain hash gives it away: subjects are counted by fewer."""
_SITE = frozenset({"account", "channel", "group", "page", "url", "ad"})


def personal_faults(document: Mapping[str, Any], pause: Callable[[], None] = lambda: None) -> Iterator[FormFault]:
    """A fault for each place that holds what it must not, whatever else is right or wrong there; ``pause`` lets others
    have their turn."""
    for found in scan_document(_short(document), lambda path: _bare(document, path), pause):
        if found.in_key or not _may_stand(document, found):
            yield FormFault(found.path, PERSONAL, _sentence(found.trace, found.in_key))
    yield from _contacts(document)
    yield from _identifiers(document)
    yield from _fingerprints(document)


def forbidden_name(name: str) -> str:
    """What to send instead of a field whose name says that it would hold personal data; empty for other names."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower())
    for word in [*words, "".join(words)]:
        kind = _FORBIDDEN.get(word) or _FORBIDDEN.get(word.removesuffix("s"))
        if kind:
            return f"Nothing of that kind is taken: {_INSTEAD[kind]}"
    return ""


def _sentence(trace: Trace, in_key: bool = False) -> str:
    where = "has a name that holds" if in_key else "holds"
    return f"{where} {trace.title}. Take it out: {_INSTEAD[trace.kind]}."


def _short(value: Any) -> Any:
    """The document without texts that are too long for every field."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else ""
    if isinstance(value, Mapping):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list) else value


def _at(document: Any, path: Path) -> Any:
    for step in path:
        try:
            document = document[step]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _bare(document: Mapping[str, Any], path: Path) -> bool:
    """Whether digits alone may be a telephone number there: not where platforms number their accounts and posts."""
    if path[:1] == ("references",):
        return False
    if path[:1] != ("external_assets",) or path[2:] != ("value",):
        return True
    platform, of = (_at(document, (*path[:2], name)) for name in ("platform", "type"))
    told = str(_at(document, path)).partition(":")[0]
    return of != "ad" and not any(str(one).strip().lower() in _NUMBERED for one in (platform, told))


def _may_stand(document: Mapping[str, Any], found: Found) -> bool:
    path, kind = found.path, found.trace.kind
    match path:
        case ("external_assets", int(), "value"):
            return _in_asset(document, path, kind)
        case ("references", int()):
            address = str(_at(document, path))
            return (kind == "digest" and _in_path(address)) or (kind == "username" and "@" not in address)
        case ("account_identifiers", int(), "value"):
            return _is_keyed_hash(str(_at(document, path)))
        case ("content_fingerprints", int(), "value"):
            return _is_fingerprint(_at(document, path[:2]))
        case ("provider", "contact" | "appeals_contact"):
            return kind in ("email", "username", "name")  # looked at by itself
        case ("provider", "name") | ("cluster", "models", int()):
            return kind == "name"  # companies and models are called after people
        case ("provider", "identity_ref") | ("published",):
            return kind in ("device", "digest")
        case _:
            return False


def _in_asset(document: Mapping[str, Any], path: Path, kind: str) -> bool:
    """Public names and addresses stand there, and what only looks like more in them."""
    of, value = _at(document, (*path[:2], "type")), str(_at(document, path))
    if kind == "digest":
        return _in_path(value)
    if kind == "username":
        return of in _SITE
    if kind == "email" and of in _SITE:
        rest = _FEDIVERSE.sub("", value)
        return rest != value and not _PRIVATE_MAIL.search(value) and not any(one.kind == "email" for one in scan(rest))
    return False


def _is_keyed_hash(value: str) -> bool:
    """Whether a value can be an HMAC: hexadecimal digits that are no readable text and nothing filled up.

    Of one digit alone are the examples of documentation.
    """
    if len(set(value)) == 1:
        return True
    filled = re.search(r"(.)\1{11}", value) is not None
    return re.fullmatch("[0-9a-f]{64}", value) is not None and not (filled or value.isdecimal() or _readable(value))


def _in_path(address: str) -> bool:
    """Whether hexadecimal digits stand in the path of an address, as ids of content do, and not in its query."""
    path, _, query = address.partition("?")
    return "/" in path and not any(trace.kind == "digest" for trace in scan(query))


def _contacts(document: Mapping[str, Any]) -> Iterator[FormFault]:
    """Mailboxes of roles, not of people: a public notice names them for years."""
    for name in ("contact", "appeals_contact"):
        text = _at(document, ("provider", name))
        if not isinstance(text, str) or len(text) > LONGEST:
            continue
        rest = _MAILBOX.sub(lambda found: "" if _is_role(found[0]) else found[0], text)
        for trace in scan(rest):
            if trace.kind in ("email", "username", "name"):
                yield FormFault(("provider", name), PERSONAL, f"holds {trace.title}. Give the address of a role or a "
                                "team, such as appeals@lab.example, or of a web page.")


def _is_role(address: str) -> bool:
    local = address.partition("@")[0].lower()
    words = [word for word in re.split(r"[^a-z]+", local) if word]
    return not _PRIVATE_MAIL.search(address) and bool(words) and any(word in _ROLES for word in words) \
        and not re.search(r"\d{4,}|%|=", local)


def _identifiers(document: Mapping[str, Any]) -> Iterator[FormFault]:
    """Plain hashes in the place of keyed ones, and numbers that aren't opaque."""
    entries = document.get("account_identifiers")
    if not isinstance(entries, list):
        return
    plain = _plain_hashes(document)
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            continue
        for name in ("key_id", "norm"):
            if isinstance(entry.get(name), str) and _NO_KEY.match(entry[name]):
                yield FormFault(("account_identifiers", number, name), PERSONAL, "names no key or normalisation, so "
                                "that the value would be a plain hash, which is undone by guessing. Hash with "
                                "HMAC-SHA256 under the group's key, and name it here.")  # fmt: skip
        for name in ("key_id", "subject"):
            if isinstance(entry.get(name), str) and _LONG_NUMBER.match(entry[name]):
                yield FormFault(("account_identifiers", number, name), PERSONAL, "is a long number, which may be "
                                "somebody's. Count subjects from 1, and give keys names such as grp-2026-q2.")
        if entry.get("value") in plain:
            yield FormFault(("account_identifiers", number, "value"), PERSONAL, "is a plain hash of something that "
                            "stands in this report. Hash with HMAC-SHA256 under the group's key.")


def _plain_hashes(document: Mapping[str, Any]) -> set[str]:
    told = [found for found in _texts(document) if len(found) >= _TELLING]
    texts = {text for found in told for text in (found, found.strip(), found.lower())}
    return {hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in {"", *texts}}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _is_fingerprint(entry: Any) -> bool:
    """Whether a value has the form of its algorithm: hexadecimal digits that are no readable text."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("value"), str):
        return False
    value, alg = entry["value"], entry.get("alg")
    if alg in _HEX:
        length = _HEX[str(alg)]
        form = f"[0-9a-fA-F]{{{length}}}"
    else:
        form = _FORMS.get(str(alg), r"(?!)")
    return re.fullmatch(form, value) is not None and not _readable(value)


def _readable(value: str) -> bool:
    digits = re.sub(r"[^0-9a-fA-F]", "", value.removeprefix("T1"))
    data = bytes.fromhex(digits[: len(digits) // 2 * 2])
    return sum(32 <= byte < 127 for byte in data) > 0.9 * len(data) or _TEXT.search(data) is not None


def _fingerprints(document: Mapping[str, Any]) -> Iterator[FormFault]:
    """Hashes of the wrong length for their algorithm: a short one may be that of an address."""
    entries, plain = document.get("content_fingerprints"), _plain_hashes(document)
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("value"), str):
            continue
        path = ("content_fingerprints", number, "value")
        if entry.get("alg") in _HEX and not _is_fingerprint(entry):
            yield FormFault(path, PERSONAL, f"is no {entry['alg']} fingerprint of content: {_HEX[str(entry['alg'])]} "
                            "hexadecimal digits are needed. Take it out if it stands for a person.")
        elif entry["value"].lower() in plain:
            yield FormFault(path, PERSONAL, "is a hash of something that stands in this report, not of content. "
                            "Take it out.")
