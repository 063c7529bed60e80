"""What a record says: its values, what they are to whom, since when, and why one is no indicator."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.table.profile import RELATIONS, Column, Profile, folded
from connectors.table.words import RELATION_WORDS, ROLES, confidence, day, is_legitimate, tlp
from exchange.connect import figures
from exchange.connect.asset import Asset, read_asset
from exchange.connect.cell import Cell, read_cell
from exchange.connect.contract import Outcome
from exchange.connect.prose import without_payment_numbers
from exchange.connect.records import Record
from exchange.connect.value import Value
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kinds import KINDS
from exchange.model.identifiers.platforms import table
from exchange.model.identifiers.refang import clean, refang

_TYPED: Mapping[str, str] = {
    "domain": "domain", "domain name": "domain", "url": "url", "cib url": "url", "link": "url", "website": "domain",
    "site": "domain", "hostname": "domain", "host": "domain", "fqdn": "domain", "account": "account",
    "profile": "account", "user": "account", "username": "account", "handle": "account", "page": "page",
    "group": "group", "channel": "channel", "telegram url": "channel", "email": "email",
    "e mail": "email", "email address": "email",
    "ip": "ip", "ipv4": "ip", "ipv6": "ip", "ip address": "ip", "ip range": "ip", "cidr": "ip", "md5": "md5",
    "sha1": "sha1", "sha 1": "sha1", "sha256": "sha256", "sha 256": "sha256", "sha512": "sha512", "pdq": "image-hash",
    "phone": "phone", "phone number": "phone", "telephone": "phone", "asn": "autonomous-system",
    "as": "autonomous-system", "hashtag": "hashtag", "wallet": "wallet", "ad": "ad", "text fingerprint":
    "text-fingerprint", "tlsh": "text-fingerprint", "iban": "iban", "bank account": "iban", "card": "payment-card",
    "payment card": "payment-card", "credit card": "payment-card",
}  # fmt: skip
"""Words of a type column to kinds; a word that isn't here decides nothing, the value itself does."""
_AS_WRITTEN = frozenset({"domain", "url", "email", "ip", "account", "page", "group", "channel", ""})
"""Kinds that an address tells better than a column does: a URL stands in a column of domains, an account in one of
URLs."""
_REMARKS = ("comm", "note", "remark", "description", "detail", "context", "value", "indicator")
"""Beginnings of names of columns that hold remarks (Meta wrote Comments, Commernts and Note)."""
_LIKE_AN_ADDRESS = re.compile(r"\w\.\w{2}|://|\w@\w|/\w+/")
_APOSTROPHE = re.compile(r"'(?=[=+\-@|%])")
"""What keeps a spreadsheet from taking a cell for a formula."""
_FEW = 3
"""Words up to which a cell is no sentence."""
_UNNAMED = Column("comment")
_NO_PLATFORMS = frozenset({"website", "web", "site", "domain", "blog", "other", "others", "unknown", "n/a", "na",
                           "none",
                           "-", "internet", "various", "multiple", "app", "email"})  # fmt: skip
_MAX_COMMENT = 5_000


@dataclass(frozen=True)
class Named:
    """One value of a record."""

    asset: Asset
    others: tuple[str, ...] = ()
    """Further spellings of it."""


@dataclass(frozen=True)
class Finding:
    """What a record came to."""

    outcome: Outcome
    reason: str = ""
    values: tuple[Named, ...] = ()
    relation: str = "operated"
    campaign: str = ""
    comment: str = ""
    confidence: int | None = None
    tlp: str = ""
    """Id of a marking; empty where the row says nothing."""
    role: str = ""
    first: str = ""
    last: str = ""
    date: str = ""
    counts: tuple[figures.Count, ...] = ()


class _Refused(ValueError):  # noqa: N818 - never leaves this module
    """Why a row can't be taken; the message is for people."""


def judge(record: Record, profile: Profile) -> Finding:
    """Read one record; every record comes to exactly one finding."""
    if record.fault:
        return Finding("quarantined", record.fault)
    if record.blank:
        return Finding("blank")
    if record.prose:
        return Finding("note", "No row of the table.")
    cells = _cells(record, profile)
    try:
        found = _found(cells, profile)
    except _Refused as refused:
        return Finding("quarantined", str(refused))
    if record.repair and found.outcome == "indicator":
        return replace(found, outcome="repaired", reason="; ".join(filter(None, (record.repair, found.reason))))
    return found


def _cells(record: Record, profile: Profile) -> list[tuple[str, Column, str]]:
    """Name, meaning and text of each cell that holds something."""
    if record.named is not None:
        pairs = list(record.named.items())
    else:
        beyond = range(len(profile.names) + 1, len(record.cells) + 1)
        pairs = list(zip((*profile.names, *map(str, beyond)), record.cells, strict=False))
    return [(name, profile.columns.get(folded(name), _UNNAMED), text) for name, text in pairs if clean(text)]


def _found(cells: list[tuple[str, Column, str]], profile: Profile) -> Finding:
    said: dict[str, str] = {}
    for _, column, text in cells:
        if column.meaning not in ("value", "comment", "ignore"):
            said.setdefault(column.meaning, clean(text))
    comments = [_remark(name, clean(text)) for name, column, text in cells if column.meaning == "comment"]
    base, more = _about(said, profile)
    values = [(column, text) for _, column, text in cells if column.meaning == "value"]
    if not values:
        return _counted(said, base, comments + more)
    return _valued(values, said, base, comments + more, profile)


def _remark(name: str, text: str) -> str:
    """A comment, with its column's name where that says more than that it is one."""
    return text if name.isdigit() or folded(name).startswith(_REMARKS) or is_legitimate(text) else f"{name}: {text}"


def _about(said: Mapping[str, str], profile: Profile) -> tuple[Finding, list[str]]:
    """Everything but the values, and what is kept as text because it can't be told for sure. Raises _Refused."""
    more: list[str] = []
    marking = ""
    stated = said.get("tlp", "") or profile.said("tlp")
    if stated:
        marking = tlp(stated)
        if not marking:
            raise _Refused(f"its TLP {stated[:40]!r} isn't known: nobody knows who may have it")
    sure = confidence(said.get("confidence", "") or profile.said("confidence"))
    if sure is None and said.get("confidence"):
        more.append(f"Confidence: {said['confidence']}")
    role = folded(said.get("role", "")).replace(" ", "-")
    if role and role not in ROLES:
        more.append(f"Role: {said['role']}")
        role = ""
    dates = {}
    for name, label in (("first_seen", "First seen"), ("last_seen", "Last seen"), ("date", "Date")):
        text = said.get(name, "")
        dates[name] = day(text, profile.said("date_order")) if text else ""
        if text and not dates[name]:
            more.append(f"{label}: {text}")
    if said.get("name"):
        more.append(f"Display name: {said['name']}")
    return Finding("note", "", (), _relation(said.get("relation", ""), profile), said.get("campaign", "")
                   or profile.said("campaign"), "", sure, marking, role, dates["first_seen"], dates["last_seen"],
                   dates["date"]), more  # fmt: skip


def _relation(word: str, profile: Profile) -> str:
    """The relation that a cell says, else the profile's, else operated. Raises _Refused for an unknown word."""
    if not word:
        return profile.said("relation") or "operated"
    plain = folded(word)
    found = profile.words.get(plain, "") or RELATION_WORDS.get(plain, "")
    if found not in RELATIONS:
        raise _Refused(f"its relation {word[:40]!r} isn't known; say what it means under [words] of the profile")
    return found


def _counted(said: Mapping[str, str], base: Finding, comments: list[str]) -> Finding:
    """A row without a value: asset counts, or text."""
    text = said.get("count", "")
    if not text:
        return Finding("note", f"No value: {_joined(comments)[:200]}" if comments else "No value.")
    platform = _platform(said.get("platform", ""))
    asset = folded(said.get("asset_type", "") or "account").replace(" ", "-").removesuffix("s")
    plain = text.replace(",", "").replace(" ", "")
    if plain.isdecimal() and len(plain) < 16:
        found: tuple[figures.Count, ...] = (figures.Count(platform, asset, int(plain), False, False, text),)
    else:
        found = figures.counts(text, platform)
    if not found:
        return Finding("note", f"{text[:80]!r} is no count that can be read")
    return replace(base, outcome="count", counts=found, comment=_joined(comments))


def _valued(
    values: list[tuple[Column, str]], said: Mapping[str, str], base: Finding, comments: list[str], profile: Profile
) -> Finding:
    found: list[Named] = []
    shared: list[str] = []
    repairs: list[str] = []
    relation = base.relation
    word = said.get("kind", "")
    for column, text in values:
        kind = column.kind or _kind(word, profile)
        stated = column.platform or said.get("platform", "") or profile.said("platform")
        platform = _platform(stated) or _platform(word.rpartition(" ")[0]) or _platform(word)
        one = _cell(text, kind, platform, stated)
        if isinstance(one, _Read):
            found += one.named
            shared += one.shared
            repairs += one.repairs
            comments += [one.remark] if one.remark else []
        elif one:
            counts = figures.counts(text, platform) if figures.is_count(clean(text)) else ()
            if counts and len(values) == 1:
                return replace(base, outcome="count", counts=counts, comment=_joined(comments))
            comments.append(clean(text))
        if column.relation and not said.get("relation"):
            relation = column.relation
    comment = _joined(comments)
    if any(map(is_legitimate, comments)):
        relation = "legitimate"
    if base.role == "co-opted" and relation == "operated":
        relation = "unknown"
    told = {one.asset.value: one for one in reversed(found)}  # handle and address of one account are one
    usable = [one for one in reversed(told.values()) if not one.asset.nobody or relation == "legitimate"]
    why = [f"{host} is a host of many people" for host in shared]
    why += [one.asset.nobody for one in found if one.asset.nobody]
    if not usable:
        return Finding("note", "; ".join(why) or f"No value: {comment[:200]}")
    outcome: Outcome = ("repaired" if repairs else "indicator") if relation in ("operated", "legitimate") else "note"
    reason = "; ".join(dict.fromkeys([*repairs, *why]))
    if outcome == "note":
        reason = "; ".join(filter(None, (f"no indicator: its relation is {relation}", reason)))
    return replace(base, outcome=outcome, reason=reason, values=tuple(usable), relation=relation, comment=comment)


def _kind(word: str, profile: Profile) -> str:
    """The kind that a type column says, in the profile's words or usual ones; else the profile's; else empty."""
    plain = folded(word)
    found = profile.words.get(plain, "") or _TYPED.get(plain, "") or _TYPED.get(plain.rpartition(" ")[2], "")
    return found or profile.said("kind")


@dataclass(frozen=True)
class _Read:
    named: list[Named]
    shared: list[str]
    repairs: list[str]
    remark: str = ""


def _cell(text: str, kind: str, platform: str, stated: str) -> _Read | bool:
    """What a cell of values holds; True for prose. Raises _Refused where it can't be told what it holds."""
    if kind not in _AS_WRITTEN:
        return _typed(text, kind, platform)
    hashed = clean(text).startswith("hmac-sha256:")
    if hashed:
        return _typed(text, "account", platform)
    cell: Cell = read_cell(text, platform if kind in ("account", "page", "group", "channel", "") else "")
    if cell.fault:
        raise _Refused(cell.fault)
    if not cell.values and not cell.shared:
        return _other(text, kind, platform or " ".join(stated.casefold().split()))
    repairs = [cell.repair] if cell.repair else []
    elsewhere = {one.account.platform for one in cell.values if one.account} - {platform}
    if platform and elsewhere and table().named(platform) is not None:
        repairs.append(f"the row says {platform}, the address {', '.join(sorted(elsewhere))}: the address stands")
    account_kind = kind if kind in ("page", "group", "channel") else ""
    return _Read([_named(one, account_kind) for one in cell.values], list(cell.shared), repairs, cell.remark)


def _other(text: str, kind: str, platform: str) -> _Read | bool:
    """A cell whose words are no address: a handle, a hash, or prose."""
    plain = refang(text)
    try:
        if kind in ("account", "page", "group", "channel"):
            if not platform or platform in _NO_PLATFORMS:
                raise _Refused(f"{plain[:80]!r} is the name of an account, and no column says on which platform")
            return _Read([Named(read_asset(text, "account", platform=platform))], [], [])
        if kind:
            read_asset(text, "ipv4" if kind == "ip" else kind)
        asset = read_asset(text)
    except IdentifierError as error:
        if kind:
            raise _Refused(str(error)) from None
        words = plain.split()
        if len(words) <= _FEW and any(_LIKE_AN_ADDRESS.search(word) for word in words):
            raise _Refused(f"{plain[:80]!r} looks like an address that a blank broke, and is none") from None
        return True
    if asset.account is not None and not kind and table().named(asset.account.platform) is None:
        return True  # "Lorem: ipsum" is a sentence, unless the word before the colon is a platform that is known
    return _Read([Named(asset)], [], [])


def _typed(text: str, kind: str, platform: str) -> _Read:
    """The values of a cell whose kind its column says. Raises _Refused without repeating what may be personal."""
    plain = _APOSTROPHE.sub("", clean(text))
    parts = [part for part in plain.replace(";", ",").split(",") if part.strip()]
    parts = parts if kind != "account" else [text]
    try:
        return _Read([Named(read_asset(part, kind, platform=platform if kind == "account" else "")) for part in parts],
                     [], [])  # fmt: skip
    except IdentifierError as error:
        told = f"a value is no {KINDS[kind].title}" if KINDS[kind].personal else str(error)
        raise _Refused(told) from None


def _named(value: Value, account_kind: str) -> Named:
    if value.account is not None:
        asset = Asset(KINDS["account"], value.account.text, value.seen, value.account, account_kind)
        hosts = tuple(one for one in value.others if not one.startswith("host:"))
        return Named(asset, hosts)
    if value.kind == "ip":
        return Named(read_asset(value.canonical))
    return Named(Asset(KINDS[value.kind], value.canonical, value.seen), value.others)


def _platform(text: str) -> str:
    """The platform's name as the table of platforms has it; empty for one that isn't there."""
    plain = " ".join(text.split())
    found = table().named(plain) if plain else None
    if found is not None:
        return found.name
    named = table().named(plain.partition("/")[0].strip()) if "/" in plain else None
    return named.name if named is not None else ""


def _joined(comments: list[str]) -> str:
    told = "; ".join(dict.fromkeys(" ".join(one.split()) for one in comments if one.strip()))[:_MAX_COMMENT]
    return without_payment_numbers(told)
