"""Which tables a description has, which keys they take, and what each key may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exchange.model import description_values as values
from exchange.model.credential import KEY_ID, SCOPES
from exchange.model.description_values import Reader
from exchange.model.party import ORGANISATION_KINDS, TLP_LEVELS

KEYS: Mapping[str, tuple[str, ...]] = {
    "group": ("id",),
    "organisation": ("id",),
    "membership": ("org", "group"),
    "agreement": ("org", "id"),
    "community": ("id",),
    "collection": ("id",),
    "credential": ("id",),
}
"""Each table's key columns; tables in the order in which one may refer to another."""

_REGIMES = ("EU-GDPR", "UK-GDPR", "EU-LED", "US")
_STATUS = values.one_of("active", "suspended", "ended")
_NAMES = values.list_of(values.name)
_TEXTS = values.list_of(values.text)
_KEY_ID = values.matching(KEY_ID, "a key id: letters, digits and '.', '_', '@', '-' (at most 64)")

TERMS: Mapping[str, Reader] = {
    "tlp": values.one_of(*TLP_LEVELS),
    "regime": values.one_of(*_REGIMES),
    "legal_basis": _NAMES,
    "special_basis": _NAMES,
    "refs": values.evidence,
    "purposes": _NAMES,
    "notice": values.one_of("public-notice", "given", "deferred"),
    "retention_days": values.whole_number(1, 36_500),
    "personal": values.one_of("yes", "no", "unknown"),
    "categories": _NAMES,
    "subject_kind": values.name,
    "sharing_groups": _NAMES,
    "named_orgs": _NAMES,
    "exclude_orgs": _NAMES,
    "requires_agreements": values.list_of(values.table_of(
        {"id": values.name, "min_version": values.whole_number(1, 1_000_000)}, required=("id", "min_version"),
    )),
}
"""Keys of ``default_terms`` (``exchange.model.party.Collection``)."""
_FACTS = values.table_of({
    "government": values.flag,
    "public_authority": values.flag,
    "led_competent_authority": values.flag,
    "research_safeguards": values.text,
    "transfer": values.list_of(values.table_of({
        "id": values.name, "tia": values.text, "group_of": values.text,
        "authority_informed": values.flag, "until": values.moment,
    }, required=("id",))),
    "platforms": _NAMES,
    "ownership_group": values.name,
    "limits": values.table_of({name: values.whole_number(0, 10**12) for name in ("requests", "bytes", "objects")}),
})
_OIDC = values.table_of({
    "issuer": values.line, "audience": values.line, "keys": values.web_address, "keys_file": values.line,
    "subject": values.line, "claims": values.claims, "typ": values.one_of("at+jwt", "JWT"),
}, required=("issuer", "audience"))
_AUDIENCE = values.list_of(lambda value: "*" if value == "*" else values.name(value))


@dataclass(frozen=True)
class Table:
    """A table of a description."""

    keys: Mapping[str, Reader]
    required: tuple[str, ...]
    nested: tuple[str, ...] = ()
    """Tables that may stand inside a row of this one, which then needn't name it."""
    parent_key: str = ""


_DATED: Mapping[str, Reader] = {"since": values.moment, "until": values.moment}
TABLES: Mapping[str, Table] = {
    "group": Table({"id": values.name, "title": values.line}, ("id",)),
    "organisation": Table({
        "id": values.name, "name": values.line, "kind": values.one_of(*ORGANISATION_KINDS),
        "jurisdiction": values.country,
        "jurisdiction_class": values.one_of("EEA", "UK", "adequate", "third"),
        "clearance": values.one_of(*TLP_LEVELS), "identity": values.stix_identity,
        "regime": values.one_of(*_REGIMES), "active": values.flag, "controller_arrangement": values.text,
        "client_of": _NAMES, "facts": _FACTS, "groups": _NAMES,
    }, ("id", "name", "kind", "jurisdiction"), ("membership", "agreement", "credential"), "org"),
    "membership": Table({
        "org": values.name, "group": values.name, "status": _STATUS, **_DATED,
    }, ("org", "group")),
    "agreement": Table({
        "org": values.name, "id": values.name, "version": values.whole_number(1, 1_000_000),
        "status": _STATUS,
        "purposes": _NAMES, "default_terms": values.table_of(TERMS), **_DATED,
    }, ("org", "id")),
    "community": Table({
        "id": values.community_slug, "title": values.line, "group": values.name,
        "description": values.text,
    }, ("id", "title", "group"), ("collection",), "community"),
    "collection": Table({
        "id": values.uuid, "community": values.community_slug, "alias": values.alias, "title": values.line,
        "description": values.text, "readers": _AUDIENCE, "writers": _AUDIENCE,
        "default_terms": values.table_of(TERMS), "strictness": values.one_of("standard", "strict"),
    }, ("community", "title")),
    "credential": Table({
        "id": _KEY_ID, "org": values.name, "purpose": values.name, "person": values.line,
        "scopes": values.list_of(values.one_of(*SCOPES)), "revoked": values.flag,
        "secret_env": values.variable, "oidc": _OIDC, "certificates": values.list_of(values.certificate), **_DATED,
    }, ("id", "org")),
}
"""What may stand in a description: tables, their keys with what they hold, and which keys must be there."""
