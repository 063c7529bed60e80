"""Who takes part: organisations, groups with dated membership, agreements, credentials, communities, collections.

Times are RFC 3339 UTC texts ending in ``Z``; every interval is half-open, [since, until) (P9).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ORGANISATION_KINDS = (
    "platform", "ai-lab", "researcher", "civil-society", "regulator", "government", "operator",
)
TLP_LEVELS = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")


@dataclass(frozen=True)
class Agreement:
    """What an organisation signed; it limits purposes (P8) and may carry default terms for plain pushes."""

    id: str
    version: int = 1
    status: str = "active"
    """active, suspended or ended."""
    since: str | None = None
    until: str | None = None
    purposes: tuple[str, ...] = ()
    default_terms: Mapping[str, Any] | None = None
    """The same table that a collection's ``default_terms`` holds (see ``Collection``)."""


@dataclass(frozen=True)
class Membership:
    """One organisation's dated membership of one sharing group."""

    group: str
    since: str | None = None
    until: str | None = None
    status: str = "active"


@dataclass(frozen=True)
class Organisation:
    """A member of the exchange."""

    id: str
    """Short name such as ``org-alpha``; never changes."""
    name: str
    kind: str
    jurisdiction: str
    """ISO 3166-1 alpha-2 country code."""
    jurisdiction_class: str = "third"
    """EEA, UK, adequate or third."""
    clearance: str = "TLP:AMBER+STRICT"
    """The organisation's TLP ceiling (P5)."""
    identity: str | None = None
    """Id of the STIX identity that stands for it."""
    regime: str | None = None
    """Law it processes under as a contributor."""
    active: bool = True
    memberships: tuple[Membership, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    controller_arrangement: str | None = None
    client_of: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further facts about the actor in the words of the decision facts (government, transfer ...)."""


@dataclass(frozen=True)
class Credential:
    """What an organisation (or one person of it) proves itself by, bound to a purpose.

    By one of three: a secret, of which only a digest is kept; a token of its own identity provider (``oidc``); a TLS
    client certificate (``certificates``).
    """

    id: str
    """Key id: also the user name of HTTP Basic."""
    org: str
    digest: str = field(repr=False)
    """Hex SHA-256 of the secret (256 random bits, so no slow hash is needed); empty where there is none."""
    purpose: str | None = None
    person: str | None = None
    """None: a service credential (P3)."""
    scopes: tuple[str, ...] = ("read", "write")
    since: str | None = None
    until: str | None = None
    revoked: bool = False
    oidc: Mapping[str, Any] | None = None
    """Whose tokens prove it: issuer, audience, keys (URL of a JWKS) or keys_file, subject, claims, typ."""
    certificates: tuple[str, ...] = ()
    """Any of these names of a client certificate proves it: ``sha256:`` and hex digits, ``dns:`` or ``uri:``."""


@dataclass(frozen=True)
class Collection:
    """A TAXII collection of one community."""

    id: str
    """UUID."""
    community: str
    """Slug of the API root that it belongs to."""
    title: str
    alias: str | None = None
    description: str | None = None
    readers: tuple[str, ...] = ()
    """Ids of organisations and groups, or ``*`` for every member of the exchange."""
    writers: tuple[str, ...] = ()
    default_terms: Mapping[str, Any] | None = None
    """Terms for objects that carry none: keys tlp, regime, legal_basis, special_basis, refs, purposes,
    notice, retention_days, personal, categories, subject_kind, sharing_groups, named_orgs, exclude_orgs,
    requires_agreements."""
    strictness: str = "standard"
    """standard, or strict: also refuse what the real world gets harmlessly wrong."""


@dataclass(frozen=True)
class Community:
    """A community: one TAXII API root, whose members are one sharing group (what TLP:GREEN means)."""

    id: str
    """URL slug of the API root."""
    title: str
    group: str
    """The sharing group of its members."""
    description: str | None = None


@dataclass(frozen=True)
class Directory:
    """A snapshot of everything above, indexed by id."""

    version: int
    organisations: Mapping[str, Organisation]
    groups: Mapping[str, str]
    """Group id to its title."""
    communities: Mapping[str, Community]
    collections: Mapping[str, Collection]
    credentials: Mapping[str, Credential]
