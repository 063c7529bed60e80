"""The design's example of decision facts, and short names for what the tables of test_standards_cases change in it."""

from __future__ import annotations

from typing import Any

from exchange.policy.check import case_facts
from exchange.policy.decide import decide
from exchange.policy.packs import load

Facts = dict[str, Any]
"""Dotted paths to what stands there instead."""

Row = tuple[str, Facts, str] | tuple[str, Facts, str, list[str]]
"""Name; changes; the decision, its reasons, and 404 or absent; what is withheld."""

BASE: Facts = {"at": "2026-06-15T12:00:00Z",
 "action": "pull",
 "request": {"purpose": "cib-detection",
             "channel": {"encrypted": True, "public": False},
             "mode": "feed",
             "principal": {"kind": "service", "person": None},
             "automated": False},
 "object": {"type": "indicator",
            "owner": "org-alpha",
            "regime": "EU-GDPR",
            "fields": ["type", "id", "created", "modified", "name", "description", "pattern", "pattern_type",
                       "valid_from", "labels", "provider"],
            "required_fields": ["type", "id", "created", "modified", "pattern", "pattern_type", "valid_from"],
            "markings": {"tlp": ["TLP:GREEN"],
                         "tlp1": [],
                         "iep": [],
                         "pap": [],
                         "granular": [],
                         "collection_default": None},
            "audience": {"community": "cib-community",
                         "sharing_groups": [],
                         "named_orgs": [],
                         "named_persons": [],
                         "exclude_orgs": [],
                         "kinds_allowed": None,
                         "kinds_denied": []},
            "basis": {"legal_basis": [],
                      "special_basis": [],
                      "purposes": ["cib-detection", "account-integrity"],
                      "refs": {},
                      "notice": None,
                      "research_compatible": False},
            "data": {"personal": "no",
                     "categories": [],
                     "special_categories": [],
                     "criminal_offence": False,
                     "communications_content": False,
                     "subject_kind": "no-natural-person"},
            "life": {"created": "2026-06-01T00:00:00Z",
                     "retention_until": "2026-12-01T00:00:00Z",
                     "not_before": None,
                     "revoked": False,
                     "erased": False,
                     "restricted": None,
                     "legal_hold": False,
                     "disputed": False},
            "retention_max_days": 365,
            "requires_agreements": [{"id": "base", "min_version": 1}],
            "refs": [],
            "owner_identity_in_object": True},
 "programme": {"min_count": 10, "no_government_contributions": False, "no_government_access": False},
 "actor": {"org": "org-beta",
           "kind": "platform",
           "jurisdiction": "IE",
           "jurisdiction_class": "EEA",
           "government": False,
           "public_authority": False,
           "led_competent_authority": False,
           "agreements": [{"id": "base", "version": 2, "status": "active", "until": None}],
           "purposes": ["cib-detection", "account-integrity"],
           "clearance": "TLP:RED",
           "groups": [{"id": "cib-community", "since": "2025-01-01T00:00:00Z", "until": None, "status": "active"}],
           "client_of": [],
           "transfer": [],
           "controller_arrangement": "art26-2026",
           "received_before": False,
           "research_safeguards": None}}


def judge(row: Row) -> None:
    """Assert that the facts are decided as the row says: a denial may have more reasons, a redaction no others."""
    word, *told = row[2].split()
    shown = {"absent", "404"}.intersection(told)
    codes = set(told) - shown
    given = decide(case_facts(BASE, {"set": row[1]}, "standards"), load())
    assert given.decision == word
    assert codes == set(given.reasons) if word == "redact" else codes <= set(given.reasons)
    if shown:
        assert {given.visible_error} == shown
    if len(row) == 4:
        assert sorted(given.redact) == sorted(row[3])


def tlp(*levels: str) -> Facts:
    return {"object.markings.tlp": [f"TLP:{level}" for level in levels]}


def tlp1(*levels: str) -> Facts:
    return {"object.markings.tlp1": [f"TLP:{level}" for level in levels]}


def ieps(*policies: Facts) -> Facts:
    return {"object.markings.iep": [{"iep_version": 2.0, **policy} for policy in policies]}


def iep(**statements: object) -> Facts:
    return ieps(statements)


def pap(*levels: str) -> Facts:
    return {"object.markings.pap": [f"PAP:{level}" for level in levels]}


def part(selector: str, **marked: object) -> Facts:
    """One granular marking."""
    return {"selector": selector, **marked}


def granular(*parts: Facts) -> Facts:
    return {"object.markings.granular": list(parts)}


def named(*orgs: str) -> Facts:
    return {"object.audience.named_orgs": list(orgs)}


def groups(*names: str) -> Facts:
    return {"object.audience.sharing_groups": list(names)}


def person(name: str | None = "alice") -> Facts:
    return {"request.principal": {"kind": "person", "person": name}}


def act(kind: str, automated: bool = False, **more: object) -> Facts:
    given = {f"request.{name}": value for name, value in more.items()}
    return {"action": "act", "request.act": kind, "request.automated": automated, **given}


def member(
    name: str = "cib-community", since: str = "2025-01-01T00:00:00Z", until: str | None = None, status: str = "active"
) -> Facts:
    return {"id": name, "since": since, "until": until, "status": status}


def membership(**row: Any) -> Facts:
    """The actor's one membership."""
    return {"actor.groups": [member(**row)]}


def agreement(name: str = "base", version: int = 2, status: str = "active", until: str | None = None) -> Facts:
    return {"id": name, "version": version, "status": status, "until": until}


def agreements(*rows: Facts) -> Facts:
    """The actor's agreements."""
    return {"actor.agreements": list(rows)}


def basis(*names: str, notice: str | None = "public-notice", **evidence: object) -> Facts:
    return {"object.basis.legal_basis": list(names), "object.basis.refs": evidence, "object.basis.notice": notice}


def data(personal: str = "yes") -> Facts:
    return {"object.data.personal": personal, "object.data.categories": ["Username"], "object.data.subject_kind": "operator"}


def pd(*names: str, notice: str | None = "public-notice", **evidence: object) -> Facts:
    """Personal data under these lawful bases."""
    return data() | basis(*names, notice=notice, **evidence)


def notice(status: str | None, **evidence: object) -> Facts:
    """A notice status under legitimate interests."""
    return {"object.basis.notice": status, "object.basis.refs": {"lia": "l", **evidence}}


def special(*conditions: str, cats: tuple[str, ...] = ("PoliticalOpinion",), **evidence: object) -> Facts:
    """Special categories of data under these conditions."""
    return PD | {
        "object.data.special_categories": list(cats),
        "object.basis.special_basis": list(conditions),
        "object.basis.refs": {"lia": "lia-7", **evidence},
    }


def transfer(name: str, **more: object) -> Facts:
    return {"actor.transfer": [{"id": name, **more}]}


def onward(
    org: str = "org-gamma",
    client_of: tuple[str, ...] | list[str] = (),
    groups: tuple[Facts, ...] | list[Facts] = (),
    jurisdiction_class: str = "EEA",
    transfer: tuple[Facts, ...] | list[Facts] = (),
) -> Facts:
    """Passing the object on to an organisation."""
    recipient = {"org": org, "client_of": list(client_of), "groups": list(groups), "transfer": list(transfer)}
    return {"action": "reshare", "request.onward": {**recipient, "jurisdiction_class": jurisdiction_class}}


def refs(*rows: tuple[str, bool, bool], type: str = "relationship") -> Facts:
    """References (id, visible, public) of an object of a type."""
    told = [{"id": name, "visible": visible, "public": public} for name, visible, public in rows]
    return {"object.type": type, "object.refs": told}


def derived(level: str, **more: object) -> Facts:
    """Made of what another organisation gave under a level."""
    return {"object.derived_from": {"source_org": "org-gamma", "tlp": f"TLP:{level}", **more}}


def kept(until: str | None) -> Facts:
    """Kept until."""
    return {"object.life.retention_until": until}


BYID = {"request.mode": "by-id"}
OWN = {"actor.org": "org-alpha"}
PUSH = {"action": "push", **OWN}
UPDATE = {"action": "update", **OWN}
DELETE = {"action": "delete", **OWN}
PUBLISH = {"action": "publish", "request.channel.public": True, **tlp("CLEAR")}
OUT: Facts = {"actor.groups": []}
READERS = {"object.audience.named_persons": ["alice"]}
PD = pd("A6-1-f", lia="lia-7")
UK = {"object.regime": "UK-GDPR"}
US = {"object.regime": "US"}
USPD = US | data() | {"object.basis.notice": "public-notice"}
GOV = {"actor.government": True, "actor.kind": "government"}
USGOV = GOV | {"actor.jurisdiction": "US", "actor.jurisdiction_class": "third"}
LED = GOV | {"object.regime": "EU-LED", "actor.led_competent_authority": True, "actor.public_authority": True}
THIRD = {"actor.jurisdiction": "BR", "actor.jurisdiction_class": "third"}
CC = {"object.data.communications_content": True}
COMM = member()
RS = onward(groups=[COMM])
AM = tlp("AMBER") | named("org-beta")
ST = tlp("AMBER+STRICT") | named("org-beta")
RD = tlp("RED") | person() | READERS
REC = {"actor.received_before": True}
DIS = {"object.life.disputed": True}
RES = {"request.purpose": "research", "actor.purposes": ["research"], "actor.kind": "researcher"}
MIN = {
    "programme.purpose_categories": {"transparency": ["Username"]},
    "request.purpose": "transparency",
    "actor.purposes": ["transparency"],
    "object.basis.purposes": ["transparency"],
}
_KNOWN = ["type", "id", "created", "modified"]
REL = {
    "object.fields": [*_KNOWN, "relationship_type", "source_ref", "target_ref", "description"],
    "object.required_fields": [*_KNOWN, "relationship_type", "source_ref", "target_ref"],
}
REPORT = {
    "object.fields": [*_KNOWN, "name", "description", "published", "object_refs", "labels"],
    "object.required_fields": [*_KNOWN, "name", "published", "object_refs"],
}
