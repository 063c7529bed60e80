"""The STIX objects that may leave, and the list of all that may stand in one: whatever isn't on it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, get_args

from exchange.errors import ExchangeError
from exchange.matcher.results.found import Found
from exchange.matcher.results.told import Former, Judgement, Opinion, Sighting, rounded
from exchange.stix.extensions import HANDLING
from exchange.stix.ids import derived_id
from exchange.stix.timestamp import from_microseconds, microseconds

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SHARED_ID = re.compile(rf"(indicator|campaign)--{_UUID}")
"""What can be spoken of: an object that a feed gave, by an id that says nothing else."""
IDENTITY = re.compile(rf"identity--{_UUID}")
SEEN = ("Accounts of this platform met it that are likely members of a covert operation by what else is known, without"
        " a word of its source, or that people confirmed. The count is rounded down.")
GONE = "What was told of it here before is taken back."
REVIEWED = "People reviewed accounts of this platform that it named."
_ROOM = "match-results"
_DAY = 86_400
_SECOND = 1_000_000


class LeakError(ExchangeError):
    """An object to share holds something that isn't on the list of what may leave: nothing is sent."""

    code = "leak"


def sighting(said: Sighting, former: Former | None, *, identity: str, marks: list[str], at: int) -> dict[str, Any]:
    """A sighting of an indicator or a campaign: times are months, the moment is a day."""
    found = said.about
    obj = _head("sighting", found.id, former, identity, marks, at) | {
        "sighting_of_ref": found.id, "count": said.shown, "summary": True,
        "description": SEEN if said.shown else GONE,
    }
    if said.shown and found.first is not None and found.last is not None:
        first, last = _month(found.first), _month(min(found.last, at))
        if first <= last:
            obj |= {"first_seen": first, "last_seen": last}
    return obj


def judgement(said: Judgement, former: Former | None, *, identity: str, marks: list[str], at: int) -> dict[str, Any]:
    """An opinion on an indicator or a campaign."""
    return _head("opinion", said.about.id, former, identity, marks, at) | {
        "opinion": said.word, "object_refs": [said.about.id], "explanation": REVIEWED,
    }


def _head(kind: str, about: str, former: Former | None, identity: str, marks: list[str], at: int) -> dict[str, Any]:
    """The same speaker on the same object has the same id: a second word is a new version of the first."""
    day = from_microseconds(at // _DAY * _DAY * _SECOND)
    modified = day if former is None else max(
        day, from_microseconds(microseconds(former.modified) + _SECOND))
    return {
        "type": kind, "spec_version": "2.1", "id": derived_id(kind, _ROOM, identity, about),
        "created_by_ref": identity, "created": day if former is None else former.created, "modified": modified,
        "object_marking_refs": list(marks),
    }


def _month(seconds: int) -> str:
    day = datetime.fromtimestamp(seconds, UTC)
    return f"{day.year:04}-{day.month:02}-01T00:00:00.000000Z"


def handling(terms: Mapping[str, Any], audience: tuple[str, ...]) -> dict[str, Any]:
    """The marking-definition that states a sharing pack's terms; the same terms are the same marking."""
    said: dict[str, Any] = {"extension_type": "property-extension"}
    said |= {name: terms[name] for name in _AS_THEY_ARE if terms.get(name)}
    said["data"] = {name: terms[name] for name in ("personal", "categories", "subject_kind") if terms.get(name)}
    groups, orgs = list(terms.get("sharing_groups") or ()), [*(terms.get("named_orgs") or ()), *audience]
    who = {"sharing_groups": groups, "named_orgs": orgs, "exclude_orgs": list(terms.get("exclude_orgs") or ())}
    if any(who.values()):
        said["audience"] = {name: names for name, names in who.items() if names}
    return {"type": "marking-definition", "spec_version": "2.1",
            "id": derived_id("marking-definition", _ROOM, *(f"{name}={said[name]!r}" for name in sorted(said))),
            "created": "2026-06-01T00:00:00.000000Z", "extensions": {HANDLING: said}}


_AS_THEY_ARE = ("regime", "legal_basis", "special_basis", "refs", "purposes", "notice", "retention_days",
                "requires_agreements")


def _matches(form: str) -> Callable[[Any], bool]:
    compiled = re.compile(form)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


_TIME = _matches(r"\d{4}-\d\d-\d\dT00:0\d:\d\d\.000000Z")
_MONTH = _matches(r"\d{4}-\d\d-01T00:00:00\.000000Z")
_ABOUT = _matches(SHARED_ID.pattern)
_COMMON: Mapping[str, Callable[[Any], bool]] = {
    "spec_version": lambda value: value == "2.1", "created_by_ref": _matches(IDENTITY.pattern), "created": _TIME,
    "modified": _TIME,
    "object_marking_refs": lambda value: isinstance(value, list) and all(
        _matches(rf"marking-definition--{_UUID}")(one) for one in value),
}
ALLOWED: Mapping[str, Mapping[str, Callable[[Any], bool]]] = {
    "sighting": {
        **_COMMON, "type": lambda value: value == "sighting", "id": _matches(rf"sighting--{_UUID}"),
        "sighting_of_ref": _ABOUT, "summary": lambda value: value is True, "first_seen": _MONTH, "last_seen": _MONTH,
        "description": lambda value: value in (SEEN, GONE),
    },
    "opinion": {
        **_COMMON, "type": lambda value: value == "opinion", "id": _matches(rf"opinion--{_UUID}"),
        "opinion": lambda value: value in get_args(Opinion), "explanation": lambda value: value == REVIEWED,
        "object_refs": lambda value: isinstance(value, list) and len(value) == 1 and _ABOUT(value[0]),
    },
}
"""Type to each property that may stand in such an object, and the form of its value."""


def only_allowed(obj: Mapping[str, Any], least: int) -> dict[str, Any]:
    """The object, where all that it holds may leave. Raises LeakError."""
    forms = ALLOWED.get(str(obj.get("type")), {})
    for name, value in obj.items():
        if name == "count" and obj["type"] == "sighting":
            fits = isinstance(value, int) and not isinstance(value, bool) and value in (0, rounded(value, least))
        else:
            fits = name in forms and forms[name](value)
        if not fits:
            raise LeakError(f"The property {name} of an object to share is not of the form that may leave.",
                            why="Nothing is sent.", fix="This is a bug; report it, without the results.")
    return dict(obj)


def speaks_of(found: Found) -> bool:
    """Whether the object's id is one that a feed gives."""
    return SHARED_ID.fullmatch(found.id) is not None
