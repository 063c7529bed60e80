"""One owner's opinion of one thing, in STIX: an indicator, and what others reacted to it.

ThreatExchange tells things (ThreatIndicator) and opinions of them (ThreatDescriptor); each owner's opinion is an
indicator of its own, so that two owners stay two sources. Its id follows from privacy group, thing and owner: a
deletion tells no more than the thing. MALICIOUS and SUSPICIOUS name it as such, NON_MALICIOUS puts it on the
allow-list, UNKNOWN makes no indicator: that is also how an owner takes a false positive back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.threatexchange.terms import Circle, NotSayableError, Object
from exchange.connect.asset import Asset, head, indicator, read_asset
from exchange.connect.contract import Outcome
from exchange.connect.procedures import FIXED
from exchange.connect.prose import without_payment_numbers
from exchange.connect.threatexchange import KINDS, NAME, REACTIONS, STATUSES, seconds, stamp
from exchange.model.identifiers import account, domain, url
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.platforms import table
from exchange.stix.behaviour import BEHAVIOUR_SOURCES, labels_cib, names_behaviour
from exchange.stix.ids import derived_id

Record = Mapping[str, Any]

GRADES = ("agree", "disagree", "neutral")
_MAX_TEXT = 10_000
_MAX_LABEL = 200
_OWN = "this app"


@dataclass
class Opinion:
    """What became of an owner's opinion."""

    outcome: Outcome
    reason: str = ""
    objects: list[Object] = field(default_factory=list)
    ids: tuple[str, ...] = ()
    """Of what stands for it; identities and markings apart."""


def ids(circle: Circle, thing: str, owner: str) -> tuple[str, ...]:
    """All ids that an owner's opinion of a thing may have led to."""
    key = (NAME, circle.group, thing, owner)
    return (derived_id("indicator", *key), *(derived_id("opinion", *key, grade) for grade in GRADES),
            derived_id("sighting", *key))  # fmt: skip


def opinion(circle: Circle, record: Record, owner: str, descriptors: Sequence[Record]) -> Opinion:
    """The opinion that an owner's descriptors of a thing (the latest last) amount to."""
    last = descriptors[-1]
    status = last.get("status")
    try:
        marks = [mark for one in descriptors for mark in circle.markings(one)]
    except NotSayableError as error:
        return Opinion("quarantined", f"descriptor {last.get('id')}: {error}: nobody knows who may have it")
    kind = str(last.get("type") or record.get("type") or "")
    if not KINDS.get(kind) and kind != "DEBUG_STRING":
        return Opinion("note", f"no indicator is made of {kind[:40] or 'a thing without a type'}")
    if status not in STATUSES:
        return Opinion("note", f"its status is {str(status or 'UNKNOWN')[:40]}: no indicator")
    try:
        asset = _asset(kind, str(last.get("raw_indicator") or record.get("indicator") or ""), _tags(last))
        if asset is None:
            return Opinion("note", "a DEBUG_STRING without a tag that names a platform")
        if asset.nobody and status != "NON_MALICIOUS":
            return Opinion("note", f"no indicator by itself: {asset.nobody}")
        return _told(circle, record, owner, last, asset, marks)
    except IdentifierError as error:
        told = "the value is no telephone number with its country" if kind == "PHONE_NUMBER" else error
        return Opinion("quarantined", f"{kind}: {told}")


def _asset(kind: str, text: str, tags: Iterable[str]) -> Asset | None:
    """The asset of a value; None for a string that names no account. Raises IdentifierError."""
    if kind == "DEBUG_STRING":
        return _account(text, tags)
    if kind == "URI":
        return _address(text)
    failure: IdentifierError | None = None
    for name in KINDS[kind]:
        try:
            return read_asset(text, name)
        except IdentifierError as error:
            failure = failure or error
    raise failure or IdentifierError("it is empty")


def _address(text: str) -> Asset:
    """The account, site or page of a web address; raises IdentifierError."""
    located = account.place(text)
    if located is not None and located.account is not None and not located.is_post:
        return read_asset(text, "account")
    found = read_asset(text, "url")
    host = url.host_of(found.value)
    bare = url.is_bare(found.value) and domain.KIND.valid(host)
    return read_asset(host, "domain") if bare else found


def _account(text: str, tags: Iterable[str]) -> Asset | None:
    """There is no type for accounts: they travel as strings with a tag that says so, or names the platform."""
    words = [word for tag in tags for word in tag.casefold().replace("-", "_").replace(":", "_").split("_")]
    platform = next((found.name for word in words if (found := table().named(word)) is not None), "")
    if not platform and not {"account", "accounts", "handle", "profile", "username"} & set(words):
        return None
    return read_asset(text, "account", platform=platform)


def _told(
    circle: Circle, record: Record, owner: str, last: Record, asset: Asset, marks: Iterable[Object | str]
) -> Opinion:
    name, *others = ids(circle, str(record.get("id")), owner)
    created = seconds(last.get("added_on"))
    begun = stamp(created) if created else FIXED
    until = seconds(last.get("expired_on")) or seconds(last.get("expire_time"))
    if until is not None and stamp(until) <= begun:
        return Opinion("note", "it expired before it was added: no indicator")
    changed = max(filter(None, (created, seconds(last.get("last_updated")))), default=None)
    refs = [mark if isinstance(mark, str) else str(mark["id"]) for mark in marks]
    by, known = _owner(last.get("owner"), refs)
    said = str(last.get("description") or "")[:_MAX_TEXT]
    found = indicator(
        asset, head("indicator", name, begun, stamp(changed) if changed else "", by=by, markings=refs),
        types=(STATUSES[str(last["status"])],), description=without_payment_numbers(said),
        confidence=_confidence(last.get("confidence")), valid_until=stamp(until) if until else "",
        external_references=[{"source_name": "Meta ThreatExchange", "external_id": str(last.get("id") or "unknown")}],
        **_labels(last),
    )
    _keep_calm(found)
    objects = [*known, *(mark for mark in marks if not isinstance(mark, str)), found]
    heard = []
    if STATUSES[str(last["status"])] != "benign":
        latest = max(filter(None, (created, changed, seconds(record.get("last_updated")))), default=None)
        heard = list(_reactions(name, others, last, (begun, stamp(latest) if latest else begun), refs))
    return Opinion("indicator", "", [*objects, *heard], (name, *(one["id"] for one in heard)))


def _owner(stated: Any, refs: Sequence[str]) -> tuple[str, list[Object]]:
    """Id and identity of an owner; nothing where the record doesn't say who it is."""
    number = stated.get("id") if isinstance(stated, Mapping) else None
    if not number:
        return "", []
    identity = derived_id("identity", NAME, str(number))
    name = str(stated.get("name") or f"ThreatExchange member {number}")[:250]
    return identity, [head("identity", identity, FIXED) | {"name": name, "identity_class": "organization"}]


def _confidence(value: Any) -> int | None:
    """0 to 100, or nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 100 else None


def _tags(descriptor: Record) -> list[str]:
    stated = descriptor.get("tags")
    if isinstance(stated, Mapping):
        stated = stated.get("data")
    if not isinstance(stated, list):
        return []
    texts = (one.get("text") if isinstance(one, Mapping) else one for one in stated)
    return sorted({text.strip() for text in texts if isinstance(text, str) and text.strip()})


def _labels(descriptor: Record) -> dict[str, Any]:
    severity = str(descriptor.get("severity") or "UNKNOWN")
    labels = [tag[:_MAX_LABEL] for tag in _tags(descriptor)]
    if severity != "UNKNOWN":
        labels.append(f"severity:{severity.lower()[:40]}")
    return {"labels": labels}


def _keep_calm(found: Object) -> None:
    """Move tags that call it coordinated inauthentic behaviour into the text where no behaviour is named (R9)."""
    for tag in found.get("labels", ()):
        source, _, number = tag.partition(":")
        if source.casefold() in BEHAVIOUR_SOURCES and number:
            found["external_references"].append({"source_name": source, "external_id": number})
    if not labels_cib(found) or names_behaviour(found):
        return
    loud = [tag for tag in found["labels"] if labels_cib({"type": "indicator", "labels": [tag]})]
    found["labels"] = [tag for tag in found["labels"] if tag not in loud]
    if not found["labels"]:
        del found["labels"]
    found["description"] = f"{found.get('description', '')} (Tagged: {', '.join(loud)})".strip()


def _reactions(
    about: str, others: Sequence[str], descriptor: Record, times: tuple[str, str], refs: Sequence[str]
) -> Iterator[Object]:
    """Opinions and a sighting of what other members say to a descriptor."""
    said: dict[str, dict[str, set[str]]] = {}
    for word, apps in reacted(descriptor).items():
        meaning = REACTIONS.get(word)
        if meaning:
            said.setdefault(meaning, {})[word] = apps
    for grade, identifier in zip((*GRADES, "sighting"), others, strict=True):
        words = said.get(grade)
        if not words:
            continue
        begin = head(identifier.partition("--")[0], identifier, *times, markings=refs)
        told = "; ".join(f"{word}: {len(apps)} of ThreatExchange" for word, apps in sorted(words.items()))
        if grade == "sighting":
            yield begin | {"description": told, "sighting_of_ref": about}
        else:
            authors = sorted({app for apps in words.values() for app in apps})
            named = [app if app == _OWN else f"ThreatExchange app {app}" for app in authors]
            yield begin | {"explanation": told, "authors": named, "opinion": grade, "object_refs": [about]}


def reacted(descriptor: Record) -> dict[str, set[str]]:
    """Reaction to the apps that gave it, in all shapes that the API and its clients show.

    ``{"HELPFUL": ["1"]}``, ``[{"HELPFUL": "1, 2"}]``, ``[{"key": "HELPFUL", "value": "1"}]``, ``["HELPFUL"]``.
    """
    found: dict[str, set[str]] = {}
    stated = descriptor.get("reactions")
    for entry in [stated] if isinstance(stated, Mapping) else stated if isinstance(stated, list) else []:
        if isinstance(entry, str):
            found.setdefault(entry, set()).add("unknown")
        elif isinstance(entry, Mapping):
            pairs = {str(entry["key"]): entry.get("value")} if "key" in entry else entry
            for word, apps in pairs.items():
                found.setdefault(str(word), set()).update(_apps(apps))
    own = descriptor.get("my_reactions")
    for word in own.split(",") if isinstance(own, str) else own if isinstance(own, list) else ():
        if isinstance(word, str) and word.strip():
            found.setdefault(word.strip(), set()).add(_OWN)
    return {word: apps for word, apps in found.items() if apps}


def _apps(stated: Any) -> set[str]:
    if isinstance(stated, Mapping):
        stated = stated.get("data")
    if isinstance(stated, str | int) and not isinstance(stated, bool):
        stated = str(stated).split(",")
    if not isinstance(stated, list):
        return set()
    ids_ = (one.get("id") if isinstance(one, Mapping) else one for one in stated)
    return {str(one).strip() for one in ids_ if isinstance(one, str | int) and str(one).strip()}
