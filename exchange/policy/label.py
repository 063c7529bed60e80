"""Folding for SQL: what never changes about an object's policy becomes a label, who asks becomes a profile.

A grant is the decision on one label and one profile, made once when either is new. What changes with time
is in neither: it becomes columns of the object (``window``) and the moment at which a profile is folded
anew (``next_change``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection as Some
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from exchange.model.party import Credential, Organisation
from exchange.model.terms import Terms
from exchange.policy.case import Party, Subject, in_force, join, read_party, read_subject
from exchange.policy.decide import Word, allowed, outcome
from exchange.policy.packs import Packs
from exchange.policy.shape import check_facts, moment
from exchange.stix.timestamp import from_microseconds

_FIXED = "2000-01-01T00:00:00Z"
"""Where a time is asked for and none matters: labels and profiles hold no dates."""
_FOREVER = "9999-12-31T23:59:59Z"
_NO_RULES_FACTS = frozenset({"platforms", "ownership_group", "limits"})
"""Facts of an organisation that decide nothing about release: contests, disputes and limits count by them."""
_IEP_DATED = frozenset({"start_date", "end_date", "id", "name", "description", "external_reference"})


@dataclass(frozen=True, slots=True)
class Folded:
    """Canonical JSON of facts and its digest; equal facts fold to equal texts."""

    digest: str
    """Hex SHA-256 of ``text``."""
    text: str


def _fold(facts: Mapping[str, Any]) -> Folded:
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Folded(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), text)


def object_facts(
    terms: Terms, *, owner: str, community: str, object_type: str | None = None, categories: Some[str] = ()
) -> dict[str, Any]:
    """The ``object`` part of decision facts: terms, whose object it is, and what it visibly holds.

    ``owner`` is the contributor's organisation id, ``community`` the group that TLP:GREEN means in the
    collection, ``categories`` the personal data found in the object: they count whatever its producer
    declared.
    """
    facts = terms.as_facts()
    facts["owner"] = owner
    if object_type is not None:
        facts["type"] = object_type
    facts["markings"]["unresolved"] = list(terms.markings.unresolved)
    facts["audience"]["community"] = community
    facts["data"]["categories"] = sorted({*facts["data"]["categories"], *categories})
    return facts


def label_facts(
    terms: Terms,
    *,
    owner: str,
    community: str,
    object_type: str | None = None,
    categories: Some[str] = (),
) -> Folded:
    """The label of an object: everything immutable about its policy, the same under every policy version.

    The type counts only where parts of the object are marked. Arguments as in ``object_facts``.
    """
    kept = object_type if terms.markings.granular else None
    facts = object_facts(terms, owner=owner, community=community, object_type=kept, categories=categories)
    facts["life"] = {"retention_until": _FOREVER} if terms.life.retention_until else {}
    facts["markings"]["iep"] = [
        {name: value for name, value in policy.items() if name not in _IEP_DATED} for policy in facts["markings"]["iep"]
    ]
    return _fold({"object": _canonical(facts)})


def _canonical(value: Any) -> Any:
    """Without what is empty or absent, every list sorted: order and repetition never matter to a rule.

    An empty ``kinds_allowed`` or ``groups`` is kept: nobody is not the same as everybody.
    """
    if isinstance(value, Mapping):
        kept = {key: _canonical(item) for key, item in value.items() if item is not None}
        return {
            key: item
            for key, item in kept.items()
            if item not in ([], {}, "") or key in {"kinds_allowed", "groups", *_SECTIONS}
        }
    if isinstance(value, list | tuple):
        items = {json.dumps(_canonical(item), sort_keys=True): _canonical(item) for item in value}
        return [items[key] for key in sorted(items)]
    return value


_SECTIONS = frozenset({"markings", "audience", "basis", "data", "life"})


def actor_facts(organisation: Organisation, at: str) -> dict[str, Any]:
    """The ``actor`` part of decision facts at a time: only what is in force then, so without any dates.

    The purposes are those of the agreements in force (P8). Raises ValueError when ``at`` isn't a time.
    """
    now = moment(at)
    active = organisation.active
    current = [row for row in organisation.agreements if active and row.status == "active" and _current(row, now)]
    transfers = [
        {key: value for key, value in row.items() if key not in {"since", "until"}}
        for row in organisation.facts.get("transfer") or ()
        if in_force(row, now)
    ]
    return {
        **{key: value for key, value in organisation.facts.items() if value is not None and key not in _NO_RULES_FACTS},
        "org": organisation.id,
        "kind": organisation.kind,
        "jurisdiction": organisation.jurisdiction,
        "jurisdiction_class": organisation.jurisdiction_class,
        "clearance": organisation.clearance,
        "controller_arrangement": organisation.controller_arrangement,
        "client_of": sorted(organisation.client_of),
        "groups": [
            {"id": name, "status": "active"}
            for name in sorted(
                {
                    row.group
                    for row in organisation.memberships
                    if active and row.status == "active" and _current(row, now)
                }
            )
        ],
        "agreements": [
            {"id": row.id, "version": row.version, "status": "active"}
            for row in sorted(current, key=lambda row: (row.id, row.version))
        ],
        "purposes": sorted({purpose for row in current for purpose in row.purposes}),
        "transfer": transfers,
    }


def _current(row: Any, now: int) -> bool:
    return in_force({"since": row.since, "until": row.until}, now)


def profile_facts(
    organisation: Organisation,
    credential: Credential,
    *,
    purpose: str | None,
    at: str,
    packs: Packs,
    encrypted: bool = True,
    programme: Mapping[str, Any] | None = None,
) -> Folded:
    """Profile of one who asks at a time, with one credential and for one purpose, under one policy version.

    Raises ValueError when ``at`` isn't a time.
    """
    person, now = credential.person, moment(at)
    request = {
        "purpose": purpose,
        "channel": {"encrypted": encrypted, "public": False},
        "mode": "feed",
        "principal": {"kind": "person", "person": person} if person else {"kind": "service"},
    }
    return _fold(
        {
            "actor": _canonical(actor_facts(organisation, at)),
            "request": {key: value for key, value in request.items() if value is not None},
            "programme": dict(packs.at(now).programme if programme is None else programme),
            "policy": packs.digest,
            "at": packs.boundary(now),
        }
    )


def granted(profile: str, label: str, packs: Packs) -> bool:
    """Whether a profile may read what bears a label in full, as the decision on a pull says.

    Both are ``Folded.text``; ``packs`` are those of the profile's policy version (``policy_of``). What would be
    redacted counts as not granted.
    """
    subject = _read_label(label)
    asked = _read_profile(profile)
    if subject is None or asked is None:
        return False
    request, at, party = asked
    return allowed(join(request, at, subject, party, packs))


def release(profile: str, label: str, packs: Packs) -> tuple[Word, tuple[str, ...]]:
    """How a profile may read what bears a label: ``allow``, ``redact`` with what is withheld, or ``deny``.

    Both are ``Folded.text``. Withheld is ``("*content",)`` (a stub) or any of: selectors of granular markings,
    ``provider`` (who gave it: ``created_by_ref`` and whatever else names the contributor), and personal-data
    categories such as ``Username``. What only the object itself knows is left to the caller: that no required
    property goes with what is withheld (else it is a denial, P21), which properties hold a category, and the
    references (P20). Revoked, erased, restricted, held and the dates are columns: they are the caller's too.
    """
    subject = _read_label(label)
    asked = _read_profile(profile)
    if subject is None or asked is None:
        return "deny", ()
    request, at, party = asked
    return outcome(join(request, at, subject, party, packs))


@lru_cache(maxsize=8_192)
def policy_of(profile: str) -> str:
    """The digest of the policy version that a profile was folded under (``Folded.text``)."""
    return str(json.loads(profile)["policy"])


@lru_cache(maxsize=8_192)
def _read_label(text: str) -> Subject | None:
    facts = json.loads(text)["object"]
    return read_subject(facts) if _readable({"object": facts, "actor": {"org": "-"}, "request": {}}) else None


@lru_cache(maxsize=8_192)
def _read_profile(text: str) -> tuple[Mapping[str, Any], int, Party] | None:
    facts = json.loads(text)
    request = {"action": "pull", "request": facts["request"], "programme": facts["programme"]}
    probe = {"owner": "-", "markings": {}, "audience": {}, "basis": {}, "data": {}}
    if not _readable({**request, "actor": facts["actor"], "object": probe}):
        return None
    return request, facts["at"], read_party(facts["actor"], facts["at"])


def _readable(facts: Mapping[str, Any]) -> bool:
    """Whether folded facts have the shape that decisions need; if not, nothing is granted on them."""
    try:
        check_facts({"at": _FIXED, "action": "pull", **facts})
    except Exception:  # noqa: BLE001 - what can't be read is denied (P24)
        return False
    return True


def window(terms: Terms) -> tuple[int | None, int | None]:
    """When an object may be read: [from, until) in microseconds since 1970; None: no bound.

    The intersection of release date, retention and the dates of every IEP; it is empty (from >= until) where
    they don't meet. Raises ValueError for a text that isn't a time.
    """
    starts = [terms.life.not_before, *(policy.get("start_date") for policy in terms.markings.iep)]
    ends = [terms.life.retention_until, *(policy.get("end_date") for policy in terms.markings.iep)]
    first = [moment(text) for text in starts if text]
    last = [moment(text) for text in ends if text]
    return (max(first) if first else None), (min(last) if last else None)


def next_change(
    organisation: Organisation, at: str, credential: Credential | None = None, packs: Packs | None = None
) -> str | None:
    """The next moment after ``at`` at which the profile changes by date alone; None: never.

    With ``packs`` also the moment at which a word of the vocabulary begins or ends to be valid.

    Raises ValueError for a text that isn't a time.
    """
    now = moment(at)
    later = [moment(text) for text in _dates(organisation, credential) if text and moment(text) > now]
    boundary = None if packs is None else packs.next_boundary(now)
    if boundary is not None:
        later.append(boundary)
    return from_microseconds(min(later)) if later else None


def _dates(organisation: Organisation, credential: Credential | None) -> Iterator[str | None]:
    for membership in organisation.memberships:
        yield from (membership.since, membership.until)
    for agreement in organisation.agreements:
        yield from (agreement.since, agreement.until)
    if credential is not None:
        yield from (credential.since, credential.until)
    for transfer in organisation.facts.get("transfer") or ():
        yield transfer.get("since")
        yield transfer.get("until")
