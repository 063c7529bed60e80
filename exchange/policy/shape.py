"""The shape of decision facts: which paths exist, of which kind, with which words; anything else is refused.

An unknown path is an error and not ignored: a misspelt restriction must not fall silently by the wayside.
Absent optional paths and ``null`` mean the same. Source: the design's policy-facts.json.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from exchange.errors import InputError
from exchange.stix.timestamp import microseconds

Check = Callable[[Any, str], None]

ACTIONS = ("pull", "push", "update", "delete", "reshare", "act", "notify-affected", "publish")
ACTS = ("passive-log-search", "internal-watchlist", "third-party-lookup", "block-domain", "suspend-account")
TLP_WORDS = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
_MOST = 2_000  # entries of one list; a longer one is an attack or a mistake


def check_facts(facts: Any) -> None:
    """Check a whole facts object. Raises InputError that names the path, what is there and what should be."""
    _FACTS(facts, "")


def moment(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 UTC text; a bare date is its midnight. Raises ValueError."""
    return microseconds(f"{text}T00:00:00Z" if len(text) == 10 else text)


def _fault(path: str, value: Any, wanted: str) -> InputError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return InputError(f"{path or 'The facts'}: {shown} is not {wanted}.")


def _plain(name: object) -> str:
    """A name that can be printed, whatever it holds."""
    return str(name).encode("utf-8", "backslashreplace").decode()


def _text(value: Any, path: str) -> None:
    if not isinstance(value, str):
        raise _fault(path, value, "a text")
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise _fault(path, value, "a text of Unicode characters")


def _flag(value: Any, path: str) -> None:
    if not isinstance(value, bool):
        raise _fault(path, value, "true or false")


def _number(value: Any, path: str) -> None:
    # What isn't finite compares with nothing, so that every limit would hold.
    infinite = isinstance(value, float) and not isfinite(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or infinite:
        raise _fault(path, value, "a number")


def _version(value: Any, path: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _fault(path, value, "a version")


def _moment(value: Any, path: str) -> None:
    _text(value, path)
    try:
        moment(value)
    except ValueError:
        raise _fault(path, value, "a time such as 2026-06-15T12:00:00Z") from None


def _word(*words: str) -> Check:
    def check(value: Any, path: str) -> None:
        """Raises InputError for another value."""
        if not isinstance(value, str) or value not in words:
            raise _fault(path, value, "one of " + ", ".join(words))

    return check


def _maybe(inner: Check) -> Check:
    def check(value: Any, path: str) -> None:
        """As ``inner`` does, unless it is null."""
        if value is not None:
            inner(value, path)

    return check


def _rows(inner: Check) -> Check:
    def check(value: Any, path: str) -> None:
        """Raises InputError for what is no list, is too long, or has an entry that ``inner`` refuses."""
        if not isinstance(value, list | tuple):
            raise _fault(path, value, "a list")
        if len(value) > _MOST:
            raise InputError(f"{path}: the list has {len(value)} entries; at most {_MOST} are taken.")
        for index, item in enumerate(value):
            inner(item, f"{path}[{index}]")

    return check


def _record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    known = {**{name: _maybe(check) for name, check in optional.items()}, **required}

    def check(value: Any, path: str) -> None:
        """Raises InputError for a fact that is missing, unknown or wrong."""
        if not isinstance(value, Mapping):
            raise _fault(path, value, "a table of facts")
        dot = f"{path}." if path else ""
        for name in required:
            if name not in value:
                raise InputError(f"{dot}{name} is missing.",
                                 fix="Give the fact; cibx policy decide --example prints whole ones.")
        for name, item in value.items():
            inner = known.get(name)
            if inner is None:
                raise InputError(
                    f"{dot}{_plain(name)[:60]} is not a known fact.",
                    fix=f"Known there: {', '.join(sorted(known))}.",
                )
            inner(item, f"{dot}{name}")

    return check


def _table(inner: Check) -> Check:
    def check(value: Any, path: str) -> None:
        """Raises InputError for what is no table, or has a name or value that is wrong."""
        if not isinstance(value, Mapping):
            raise _fault(path, value, "a table of facts")
        for name, item in value.items():
            _text(name, f"{path}, a name in it")
            inner(item, f"{path}.{name}")

    return check


_WORDS = _rows(_text)
_JURISDICTION = _word("EEA", "UK", "adequate", "third")
_GROUPS = _rows(_record({"id": _text}, {"since": _moment, "until": _moment, "status": _text}))
_TRANSFER = _rows(
    _record(
        {"id": _text},
        {"tia": _text, "group_of": _text, "authority_informed": _flag, "since": _moment, "until": _moment},
    )
)
_PARTY = {
    "kind": _text,
    "jurisdiction": _text,
    "jurisdiction_class": _JURISDICTION,
    "government": _flag,
    "public_authority": _flag,
    "led_competent_authority": _flag,
    "agreements": _rows(
        _record({"id": _text}, {"version": _number, "status": _text, "since": _moment, "until": _moment})
    ),
    "purposes": _WORDS,
    "clearance": _word(*TLP_WORDS),
    "groups": _GROUPS,
    "client_of": _WORDS,
    "transfer": _TRANSFER,
    "controller_arrangement": _text,
    "received_before": _flag,
    "research_safeguards": _text,
}
_REQUEST = _record(
    {},
    {
        "purpose": _text,
        "channel": _record({}, {"encrypted": _flag, "public": _flag}),
        "mode": _word("feed", "by-id", "one-off"),
        "principal": _record({"kind": _word("service", "person")}, {"person": _text}),
        "automated": _flag,
        "act": _word(*ACTS),
        "attributes_provider": _flag,
        "automation_authorised_by_law": _text,
        "emergency": _flag,
        "human_review_ref": _text,
        "legal_process": _text,
        "onward": _record({"org": _text}, _PARTY),
        "provider_instruction_ref": _text,
        "resale_unmodified": _flag,
        "source_permission": _text,
    },
)
_IEP = _record(
    {},
    {
        "iep_version": _version,
        "tlp": _text,
        "start_date": _moment,
        "end_date": _moment,
        "encrypt_in_transit": _text,
        "permitted_actions": _text,
        "affected_party_notifications": _text,
        "attribution": _text,
        "unmodified_resale": _text,
        "id": _text,
        "name": _text,
        "description": _text,
        "external_reference": _text,
    },
)
_MARKINGS = _record(
    {},
    {
        "tlp": _WORDS,
        "tlp1": _WORDS,
        "iep": _rows(_IEP),
        "pap": _WORDS,
        "granular": _rows(_record({"selector": _text}, {"tlp": _text, "groups": _WORDS, "lang": _text})),
        "collection_default": _text,
        "unresolved": _WORDS,
    },
)
_AUDIENCE = _record(
    {},
    {
        "community": _text,
        "sharing_groups": _WORDS,
        "named_orgs": _WORDS,
        "named_persons": _WORDS,
        "exclude_orgs": _WORDS,
        "kinds_allowed": _WORDS,
        "kinds_denied": _WORDS,
    },
)
_BASIS = _record(
    {},
    {
        "legal_basis": _WORDS,
        "special_basis": _WORDS,
        "purposes": _WORDS,
        "notice": _text,
        "research_compatible": _flag,
        "refs": _record(
            {},
            {
                "lia": _text,
                "law": _text,
                "law_system": _text,
                "consent": _text,
                "consent_withdrawn": _flag,
                "annex1_condition": _text,
                "special_law": _text,
                "criminal_law": _text,
                "notice_deferral": _text,
                "notice_review": _text,
                "public_evidence": _text,
                "contract": _text,
                "sca_exception": _text,
            },
        ),
    },
)
_DATA = _record(
    {},
    {
        "personal": _word("yes", "no", "unknown"),
        "categories": _WORDS,
        "special_categories": _WORDS,
        "criminal_offence": _flag,
        "communications_content": _flag,
        "subject_kind": _text,
    },
)
_LIFE = _record(
    {},
    {
        "created": _moment,
        "retention_until": _moment,
        "not_before": _moment,
        "revoked": _flag,
        "erased": _flag,
        "restricted": _text,
        "legal_hold": _flag,
        "disputed": _flag,
    },
)
_OBJECT = _record(
    {"owner": _text, "markings": _MARKINGS, "audience": _AUDIENCE, "basis": _BASIS, "data": _DATA},
    {
        "type": _text,
        "regime": _text,
        "fields": _WORDS,
        "required_fields": _WORDS,
        "life": _LIFE,
        "retention_max_days": _number,
        "requires_agreements": _rows(_record({"id": _text}, {"min_version": _number})),
        "refs": _rows(_record({"id": _text}, {"visible": _flag, "public": _flag})),
        "owner_identity_in_object": _flag,
        "aggregate": _flag,
        "counts": _table(_number),
        "internal_methods": _WORDS,
        "cib_without_behaviour": _flag,
        "derived_from": _record({}, {"source_org": _text, "tlp": _text, "permission_ref": _text}),
    },
)
_PROGRAMME = _record(
    {},
    {
        "min_count": _number,
        "no_government_contributions": _flag,
        "no_government_access": _flag,
        "purpose_categories": _table(_WORDS),
        "max_retention_days": _number,
        "demand_public_evidence": _flag,
        "demand_review_date": _flag,
    },
)
_FACTS = _record(
    {
        "at": _moment,
        "action": _word(*ACTIONS),
        "request": _REQUEST,
        "object": _OBJECT,
        "actor": _record({"org": _text}, _PARTY),
    },
    {"programme": _PROGRAMME},
)
