"""What handling, IEP and PAP markings say about sharing, as parts of terms; several are joined strictly.

Joining (P1): purposes, allowed kinds and audiences are intersected; exclusions, bases and required agreements
are united; the earliest end and the latest begin hold; personal data is what any of them says it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.model.terms import Audience, Basis, Life, PersonalData
from exchange.stix.fault import IEP_VERSION_UNSUPPORTED, MARKING_INVALID, StixFault, shown
from exchange.stix.timestamp import version_key

IEP_EXTENSION = "extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a"
PAP_EXTENSION = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b"

PAP_IDS = {
    "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92": "PAP:CLEAR",
    "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9": "PAP:GREEN",
    "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab": "PAP:AMBER",
    "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e": "PAP:RED",
    "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730": "PAP:WHITE",
}
"""The fixed PAP markings of OASIS' common objects."""

PERMITTED_ACTIONS = (
    "none", "contact-for-instruction", "internally-visible-actions", "externally-visible-indirect-actions",
    "externally-visible-direct-actions",
)  # fmt: skip
"""The five levels of IEP 2.0, strictest first."""

_IEP_WORDS = ("encrypt_in_transit", "affected_party_notifications", "unmodified_resale", "tlp")
NOBODY = "(nobody)"
"""Stands in an audience that was stated and is empty: an empty audience is nobody (P4), not everybody."""

NO_PURPOSE = "(none)"
"""Stands where several markings state purposes and have none in common, so that no default fills the gap."""

_ADDRESSEES = ("sharing_groups", "named_orgs", "named_persons")
_PERSONAL_ORDER = ("yes", "unknown", "no")


@dataclass(frozen=True)
class Handling:
    """The joined handling markings of an object; None where none of them says anything."""

    audience: Audience | None = None
    basis: Basis | None = None
    data: PersonalData | None = None
    life: Life | None = None
    regime: str | None = None
    retention_days: int | None = None
    """Days from the object's admission; counts besides ``life.retention_until``."""
    requires_agreements: tuple[Mapping[str, Any], ...] | None = None
    appeals_contact: str | None = None


def read_iep(policy: Mapping[str, Any]) -> Mapping[str, Any] | StixFault:
    """An IEP 2.0 extension as decision facts (``attribution`` for provider_attribution), or its fault."""
    path = f"extensions.{IEP_EXTENSION}"
    version = policy.get("iep_version")
    if str(version).strip() not in ("2", "2.0"):
        sentence = f"The IEP marking is of version {shown(version)}; only IEP 2.0 is understood."
        return StixFault(IEP_VERSION_UNSUPPORTED, f"{path}.iep_version", sentence)
    facts: dict[str, Any] = {"iep_version": 2.0}
    for name in _IEP_WORDS:
        if isinstance(policy.get(name), str):
            facts[name] = policy[name].strip().lower()
        elif policy.get(name) is not None:
            sentence = f"Property {name} of the IEP marking must be a word."
            return StixFault(MARKING_INVALID, f"{path}.{name}", sentence)
    for name in ("provider_attribution", "attribution"):
        if isinstance(policy.get(name), str):
            facts["attribution"] = policy[name].strip().lower()
    actions = policy.get("permitted_actions")
    if actions is not None:
        strictest = _strictest_action(actions)
        if strictest is None:
            words = ", ".join(PERMITTED_ACTIONS)
            sentence = f"Property permitted_actions of the IEP marking must be one of {words}."
            return StixFault(MARKING_INVALID, f"{path}.permitted_actions", sentence)
        facts["permitted_actions"] = strictest
    return _with_dates(policy, facts, path)


def _strictest_action(actions: Any) -> str | None:
    given: list[Any] = actions if isinstance(actions, list) else [actions]
    if not given or any(word not in PERMITTED_ACTIONS for word in given):
        return None
    return str(min(given, key=PERMITTED_ACTIONS.index))


def _with_dates(
    policy: Mapping[str, Any], facts: dict[str, Any], path: str
) -> Mapping[str, Any] | StixFault:
    for name in ("start_date", "end_date"):
        value = policy.get(name)
        if value is None:
            continue
        try:
            version_key(value)
        except (ValueError, TypeError):
            sentence = f"Property {name} of the IEP marking must be a UTC timestamp; it is {shown(value)}."
            return StixFault(MARKING_INVALID, f"{path}.{name}", sentence)
        facts[name] = value
    return facts


def read_pap(policy: Mapping[str, Any]) -> str | StixFault:
    """The level of a PAP extension such as ``PAP:AMBER``, or its fault."""
    word = policy.get("pap")
    level = "PAP:" + word.upper().removeprefix("PAP:") if isinstance(word, str) else ""
    if level in PAP_IDS.values():
        return level
    sentence = f"The PAP marking says {shown(word)}; it must be clear, green, amber or red."
    return StixFault(MARKING_INVALID, f"extensions.{PAP_EXTENSION}.pap", sentence)


def join(stated: Sequence[Mapping[str, Any]]) -> Handling:
    """Valid handling extensions (see ``schemas/handling.json``) of one object joined to one."""
    if not stated:
        return Handling()
    days = [one["retention_days"] for one in stated if "retention_days" in one]
    return Handling(
        audience=_audience([one["audience"] for one in stated if "audience" in one]),
        basis=_basis(stated),
        data=_data([one["data"] for one in stated if "data" in one]),
        life=_life(stated),
        regime=_first(stated, "regime"),
        retention_days=min(days) if days else None,
        requires_agreements=_agreements(_lists(stated, "requires_agreements")),
        appeals_contact=_first(stated, "appeals_contact"),
    )


def _first(stated: Iterable[Mapping[str, Any]], name: str) -> Any:
    return next((one[name] for one in stated if name in one), None)


def _union(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for one in lists for item in one))


def _common(lists: Sequence[Sequence[str]]) -> tuple[str, ...]:
    if not lists:
        return ()
    return tuple(item for item in dict.fromkeys(lists[0]) if all(item in other for other in lists[1:]))


def _lists(stated: Iterable[Mapping[str, Any]], name: str) -> list[Sequence[Any]]:
    return [one[name] for one in stated if name in one]


def _audience(stated: Sequence[Mapping[str, Any]]) -> Audience | None:
    if not stated:
        return None
    allowed = _lists(stated, "kinds_allowed")
    # A marking that names somebody leaves out everybody whom it doesn't name, of whatever sort.
    addressing = [one for one in stated if any(name in one for name in _ADDRESSEES)]
    groups, orgs, persons = (_common([one.get(name, ()) for one in addressing]) for name in _ADDRESSEES)
    if addressing and not (groups or orgs or persons):
        orgs = (NOBODY,)
    return Audience(
        community=_first(stated, "community") or "",
        sharing_groups=groups,
        named_orgs=orgs,
        named_persons=persons,
        exclude_orgs=_union(_lists(stated, "exclude_orgs")),
        kinds_allowed=_common(allowed) if allowed else None,
        kinds_denied=_union(_lists(stated, "kinds_denied")),
    )


def _basis(stated: Sequence[Mapping[str, Any]]) -> Basis | None:
    names = ("legal_basis", "special_basis", "purposes", "refs", "notice", "research_compatible")
    telling = [one for one in stated if any(name in one for name in names)]
    if not telling:
        return None
    purposes = _lists(telling, "purposes")
    refs: dict[str, Any] = {}
    for one in telling:
        refs = {**one.get("refs", {}), **refs}
    return Basis(
        legal_basis=_union(_lists(telling, "legal_basis")),
        special_basis=_union(_lists(telling, "special_basis")),
        purposes=_common(purposes) or ((NO_PURPOSE,) if purposes else ()),
        refs=refs,
        notice=_first(telling, "notice"),
        research_compatible=all(one.get("research_compatible", False) for one in telling),
    )


def _data(stated: Sequence[Mapping[str, Any]]) -> PersonalData | None:
    if not stated:
        return None
    words = [one["personal"] for one in stated if "personal" in one]
    return PersonalData(
        personal=min(words, key=_PERSONAL_ORDER.index) if words else "unknown",
        categories=_union(_lists(stated, "categories")),
        special_categories=_union(_lists(stated, "special_categories")),
        criminal_offence=any(one.get("criminal_offence", False) for one in stated),
        communications_content=any(one.get("communications_content", False) for one in stated),
        subject_kind=_first(stated, "subject_kind") or "unknown",
    )


def _life(stated: Sequence[Mapping[str, Any]]) -> Life | None:
    ends = [one["retention_until"] for one in stated if "retention_until" in one]
    begins = [one["not_before"] for one in stated if "not_before" in one]
    if not ends and not begins:
        return None
    return Life(
        retention_until=min(ends, key=version_key) if ends else None,
        not_before=max(begins, key=version_key) if begins else None,
    )


def _agreements(stated: Sequence[Sequence[Any]]) -> tuple[Mapping[str, Any], ...] | None:
    if not stated:
        return None
    least: dict[str, int] = {}
    for item in (item for one in stated for item in one):
        name, version = (item, 1) if isinstance(item, str) else (item["id"], item.get("min_version", 1))
        least[name] = max(least.get(name, 1), version)
    return tuple({"id": name, "min_version": version} for name, version in sorted(least.items()))
