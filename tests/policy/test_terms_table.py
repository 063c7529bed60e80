"""P6-P18 as far as they stand: handling statements, personal data, lawful bases, purposes, limits, life."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from policy_tables import ABSENT, Row, facts

from exchange.policy.decide import decide
from exchange.policy.packs import load

IEP = "object.markings.iep"
PAP = "object.markings.pap"
OWN = {"actor.org": "org-north"}
PUSH = {"action": "push", **OWN}
BASIS = "object.basis.legal_basis"
REFS = "object.basis.refs"
PERSONAL = {"object.data.personal": "yes", "object.data.categories": ["Username"]}
LAWFUL = {**PERSONAL, BASIS: ["A6-1-f"], REFS: {"lia": "lia-1"}}
UK = {**PERSONAL, "object.regime": "UK-GDPR"}
LED = {**PERSONAL, "object.regime": "EU-LED", BASIS: ["LED-A8"], REFS: {"law": "StPO", "law_system": "DE"}}
THIRD = {**LAWFUL, "actor.jurisdiction_class": "third"}
CLEAR = {"object.markings.tlp": ["TLP:CLEAR"]}
PUBLIC = {**CLEAR, "request.channel": {"encrypted": True, "public": True}}
ONE_OFF = {"request.mode": "one-off"}
NOW = "2026-03-01T09:00:00Z"


def iep(**statements: object) -> dict[str, object]:
    return {IEP: [{"iep_version": 2.0, **statements}]}


def act(kind: str, **more: object) -> dict[str, object]:
    return {"action": "act", "request.act": kind, **more}


def transfer(name: str, **more: object) -> dict[str, object]:
    return {**THIRD, "actor.transfer": [{"id": name, **more}]}


ACTS = ("passive-log-search", "internal-watchlist", "third-party-lookup", "block-domain", "suspend-account")
IEP_LEVELS = {"none": 0, "internally-visible-actions": 2, "externally-visible-indirect-actions": 3,
              "externally-visible-direct-actions": 5}
PAP_LEVELS = {"PAP:RED": 1, "PAP:AMBER": 3, "PAP:GREEN": 5, "PAP:CLEAR": 5, "PAP:WHITE": 5}

ACTIONS: list[Row] = [
    (f"{kind} under IEP {level}", act(kind, **iep(permitted_actions=level)),
     "allow" if place < count else "deny", () if place < count else ("action-not-permitted",))
    for level, count in IEP_LEVELS.items() for place, kind in enumerate(ACTS)
] + [
    (f"{kind} under {level}", act(kind, **{PAP: [level]}),
     "allow" if place < count else "deny", () if place < count else ("action-not-permitted",))
    for level, count in PAP_LEVELS.items() for place, kind in enumerate(ACTS)
]
HANDLING: list[Row] = [
    ("nothing is stated, everything may be done", act("block-domain"), "allow", ()),
    ("the provider is asked first", act("passive-log-search", **iep(permitted_actions="contact-for-instruction")),
     "deny", ("contact-provider-first",)),
    ("the provider's instruction is there", act("block-domain", **iep(permitted_actions="contact-for-instruction"),
     **{"request.provider_instruction_ref": "mail-4"}), "allow", ()),
    ("an instruction doesn't lift a 'none'", act("internal-watchlist", **iep(permitted_actions="none"),
     **{"request.provider_instruction_ref": "mail-4"}), "deny", ("action-not-permitted",)),
    ("the stricter of IEP and PAP", act("block-domain", **iep(permitted_actions="externally-visible-direct-actions"),
     **{PAP: ["PAP:AMBER"]}), "deny", ("action-not-permitted",)),
    ("the stricter of two PAP levels", act("third-party-lookup", **{PAP: ["PAP:GREEN", "PAP:RED"]}), "deny",
     ("action-not-permitted",)),
    ("the stricter of two IEPs", act("block-domain", **{IEP: [
        {"iep_version": 2.0, "permitted_actions": "externally-visible-direct-actions"},
        {"iep_version": 2.0, "permitted_actions": "internally-visible-actions"}]}), "deny",
         ("action-not-permitted",)),
    ("all reasons of two IEPs", act("block-domain", **{IEP: [
        {"iep_version": 2.0, "permitted_actions": "contact-for-instruction"},
        {"iep_version": 2.0, "permitted_actions": "none"}]}), "deny",
     ("action-not-permitted", "contact-provider-first")),
    ("levels in the capitals of the standard", act("block-domain",
     **iep(permitted_actions="INTERNALLY VISIBLE ACTIONS")),
     "deny", ("action-not-permitted",)),
    ("the producer acts as it likes", act("block-domain", **{PAP: ["PAP:RED"]}, **OWN), "allow", ()),
    ("reading isn't acting", {PAP: ["PAP:RED"]}, "allow", ()),
    ("an unknown level", iep(permitted_actions="everything"), "deny", ("marking-invalid",)),
    ("an unknown statement", iep(encrypt_in_transit="perhaps"), "deny", ("marking-invalid",)),
    ("an unknown PAP", {PAP: ["PAP:PURPLE"]}, "deny", ("marking-invalid",)),
    ("IEP 1.0", {IEP: [{"iep_version": 1.0}]}, "deny", ("iep-version-unsupported",)),
    ("an IEP without a version", {IEP: [{"tlp": "GREEN"}]}, "deny", ("iep-version-unsupported",)),
    ("IEP 1.0 isn't taken", {IEP: [{"iep_version": 1.0}], **PUSH}, "deny", ("iep-version-unsupported",)),
    ("an IEP in force", iep(start_date="2026-01-01T00:00:00Z", end_date="2026-12-31T00:00:00Z"), "allow", ()),
    ("an IEP without an end", iep(start_date="2026-01-01T00:00:00Z", end_date=None), "allow", ()),
    ("an IEP that starts now", iep(start_date=NOW), "allow", ()),
    ("an IEP that ends now", iep(end_date=NOW), "deny", ("iep-not-in-force",)),
    ("an IEP that starts later", iep(start_date="2026-03-01T09:00:01Z"), "deny", ("iep-not-in-force",)),
    ("a lapsed IEP doesn't widen", {**CLEAR, **iep(tlp="AMBER", end_date="2026-01-01T00:00:00Z")}, "deny",
     ("iep-not-in-force", "tlp-amber")),
    ("one lapsed IEP of two", {IEP: [{"iep_version": 2.0}, {"iep_version": 2.0, "end_date": NOW}]}, "deny",
     ("iep-not-in-force",)),
    ("a lapsed IEP allows no action", act("passive-log-search", **iep(end_date=NOW)), "deny", ("iep-not-in-force",)),
    ("an IEP that starts later may be pushed", {**iep(start_date="2026-04-01T00:00:00Z"), **PUSH}, "allow", ()),
    ("encryption is demanded and there", iep(encrypt_in_transit="must"), "allow", ()),
    ("encryption is demanded and not there", {**iep(encrypt_in_transit="MUST"),
     "request.channel": {"encrypted": False}},
     "deny", ("encryption-required",)),
    ("encryption is demanded and unknown", {**iep(encrypt_in_transit="must"), "request.channel": {}}, "deny",
     ("encryption-required",)),
    ("encryption isn't demanded", {**iep(encrypt_in_transit="may"), "request.channel": {"encrypted": False}},
     "allow", ()),
    ("those affected may be told", {"action": "notify-affected", **iep(affected_party_notifications="may")},
     "allow", ()),
    ("those affected may not be told", {"action": "notify-affected", **iep(affected_party_notifications="must-not")},
     "deny", ("affected-party-notification-prohibited",)),
    ("MUST NOT in the words of the standard",
     {"action": "notify-affected", **iep(affected_party_notifications="MUST NOT")}, "deny",
     ("affected-party-notification-prohibited",)),
    ("resale is forbidden", {"action": "reshare", **CLEAR, "request.onward": {"org": "org-x"},
     "request.resale_unmodified": True, **iep(unmodified_resale="must-not")}, "deny", ("resale-prohibited",)),
    ("resale isn't what is done", {"action": "reshare", **CLEAR, "request.onward": {"org": "org-x"},
     "request.resale_unmodified": False, **iep(unmodified_resale="must-not")}, "allow", ()),
    ("resale may be", {"action": "reshare", **CLEAR, "request.onward": {"org": "org-x"},
     "request.resale_unmodified": True, **iep(unmodified_resale="may")}, "allow", ()),
]
PERSONAL_ROWS: list[Row] = [
    ("personal data is never public", {**PUBLIC, **LAWFUL}, "deny", ("personal-data-not-public",)),
    ("unknown is never public", {**PUBLIC, "object.data.personal": "unknown"}, "deny", ("personal-data-not-public",)),
    ("the producer's own isn't public either", {**PUBLIC, **LAWFUL, **OWN}, "deny", ("personal-data-not-public",)),
    ("personal data isn't published", {"action": "publish", **CLEAR, **LAWFUL}, "deny",
     ("personal-data-not-public",)),
    ("categories say more than 'no'", {**PUBLIC, "object.data.categories": ["Name"]}, "deny",
     ("personal-data-not-public",)),
    ("a contradiction isn't taken", {**PUSH, "object.data.categories": ["Name"]}, "deny",
     ("personal-data-undeclared",)),
    ("special categories contradict too", {**PUSH, "object.data.special_categories": ["PoliticalOpinion"]}, "deny",
     ("personal-data-undeclared",)),
    ("no personal data needs no basis", PUSH, "allow", ()),
    ("CLEAR is no basis", {**CLEAR, **PERSONAL}, "deny", ("basis-missing",)),
    ("unknown counts as personal", {**PUSH, "object.data.personal": "unknown"}, "deny", ("basis-missing",)),
    ("the same class of country", {**LAWFUL, "actor.jurisdiction_class": "EEA"}, "allow", ()),
    ("the UK is adequate", {**LAWFUL, "actor.jurisdiction_class": "UK"}, "allow", ()),
    ("a country with an adequacy decision", {**LAWFUL, "actor.jurisdiction_class": "adequate"}, "allow", ()),
    ("a third country", THIRD, "deny", ("transfer-mechanism-missing",)),
    ("an unknown country is a third one", {**LAWFUL, "actor.jurisdiction_class": ABSENT}, "deny",
     ("transfer-mechanism-missing",)),
    ("a label is no transfer mechanism", {**THIRD, **CLEAR}, "deny", ("transfer-mechanism-missing",)),
    ("no personal data goes anywhere", {"actor.jurisdiction_class": "third"}, "allow", ()),
    ("unknown doesn't", {"actor.jurisdiction_class": "third", "object.data.personal": "unknown", BASIS: ["A6-1-f"],
     REFS: {"lia": "x"}}, "deny", ("transfer-mechanism-missing",)),
    ("a certified organisation", transfer("A45-3"), "allow", ()),
    ("a certification that ended", transfer("A45-3", until=NOW), "deny", ("transfer-mechanism-missing",)),
    ("a certification that ends later", transfer("A45-3", until="2026-03-01T09:00:01Z"), "allow", ()),
    ("standard clauses with an assessment", transfer("A46-2-c", tia="tia-1"), "allow", ()),
    ("standard clauses without", transfer("A46-2-c"), "deny", ("transfer-mechanism-missing",)),
    ("corporate rules of the producer's group", transfer("A46-2-b", group_of="org-north", tia="t"), "allow", ()),
    ("corporate rules of another group", transfer("A46-2-b", group_of="org-west", tia="t"), "deny",
     ("transfer-mechanism-missing",)),
    ("compelling interests, once and announced", {**transfer("A49-2", authority_informed=True), **ONE_OFF},
     "allow", ()),
    ("compelling interests, once and not announced", {**transfer("A49-2"), **ONE_OFF}, "deny",
     ("transfer-mechanism-missing",)),
    ("compelling interests for a feed", transfer("A49-2", authority_informed=True), "deny",
     ("transfer-mechanism-missing",)),
    ("a mechanism nobody knows", transfer("A99"), "deny", ("transfer-mechanism-missing",)),
    ("on reshare the next one's country counts", {"action": "reshare", **CLEAR, **LAWFUL,
     "request.onward": {"org": "org-x", "jurisdiction_class": "third"}}, "deny", ("transfer-mechanism-missing",)),
    ("on reshare the next one's mechanism counts", {"action": "reshare", **CLEAR, **LAWFUL, "request.onward": {
        "org": "org-x", "jurisdiction_class": "third", "transfer": [{"id": "A45-3"}]}}, "allow", ()),
    ("the law of the United States knows no Chapter V", {**PERSONAL, "object.regime": "US",
     BASIS: ["US-SCA-2702-c-6"],
     "actor.jurisdiction_class": "third"}, "allow", ()),
]
BASES: list[Row] = [
    ("interests with an assessment", {**PUSH, **LAWFUL}, "allow", ()),
    ("interests without", {**PUSH, **LAWFUL, REFS: {}}, "deny", ("lia-missing",)),
    ("interests of a public authority", {**PUSH, **LAWFUL, "actor.public_authority": True}, "deny",
     ("basis-not-available-to-public-authority",)),
    ("a public authority may receive what others hold on interests", {**LAWFUL, "actor.public_authority": True},
     "allow", ()),
    ("a basis nobody knows", {**PUSH, **PERSONAL, BASIS: ["A6-1-z"]}, "deny", ("basis-unknown",)),
    ("TLP as a basis", {**PUSH, **PERSONAL, BASIS: ["TLP:CLEAR"]}, "deny", ("basis-unknown",)),
    ("one complete basis and one that isn't", {**PUSH, **LAWFUL, BASIS: ["A6-1-f", "A6-1-a"]}, "deny",
     ("consent-record-missing",)),
    ("consent with a record", {**PUSH, **PERSONAL, BASIS: ["A6-1-a"], REFS: {"consent": "c-1"}}, "allow", ()),
    ("consent without", {**PUSH, **PERSONAL, BASIS: ["A6-1-a"]}, "deny", ("consent-record-missing",)),
    ("consent withdrawn", {**PERSONAL, BASIS: ["A6-1-a"], REFS: {"consent": "c-1", "consent_withdrawn": True}},
     "deny",
     ("consent-withdrawn",)),
    ("a contract", {**PUSH, **PERSONAL, BASIS: ["A6-1-b"]}, "allow", ()),
    ("an obligation of Union law", {**PUSH, **PERSONAL, BASIS: ["A6-1-c"], REFS: {"law": "DSA", "law_system": "EU"}},
     "allow", ()),
    ("an obligation of member-state law", {**PUSH, **PERSONAL, BASIS: ["A6-1-c"], REFS: {
        "law": "LCEN", "law_system": "FR"}}, "allow", ()),
    ("an obligation without a law", {**PUSH, **PERSONAL, BASIS: ["A6-1-c"]}, "deny", ("law-reference-missing",)),
    ("an obligation of foreign law", {**PUSH, **PERSONAL, BASIS: ["A6-1-c"], REFS: {
        "law": "18 USC 2703", "law_system": "US"}}, "deny", ("law-reference-missing",)),
    ("a public task without a law", {**PUSH, **PERSONAL, BASIS: ["A6-1-e"]}, "deny", ("law-reference-missing",)),
    ("vital interests", {**PUSH, **PERSONAL, BASIS: ["A6-1-d"], "object.life.retention_until": "2026-04-01T00:00:00Z"},
     "allow", ()),
    ("no regime", {**PUSH, **LAWFUL, "object.regime": ABSENT}, "deny", ("basis-not-available-in-regime",)),
    ("a basis of the EU under UK law", {**PUSH, **UK, BASIS: ["A6-1-f"], REFS: {"lia": "x"}}, "deny",
     ("basis-not-available-in-regime",)),
    ("a UK basis under UK law", {**PUSH, **UK, BASIS: ["UK-A6-1-f"], REFS: {"lia": "x"}}, "allow", ()),
    ("a UK basis under EU law", {**PUSH, **PERSONAL, BASIS: ["UK-A6-1-ea"], REFS: {"annex1_condition": "5"}}, "deny",
     ("basis-not-available-in-regime",)),
    ("UK law for a UK obligation", {**PUSH, **UK, BASIS: ["UK-A6-1-c"], REFS: {"law": "OSA", "law_system": "UK"}},
     "allow", ()),
    *((f"Annex 1 condition {n}", {**PUSH, **UK, BASIS: ["UK-A6-1-ea"], REFS: {"annex1_condition": n}}, "allow", ())
      for n in ("1", "2", "3", "5", "6", "crime")),
    *((f"no Annex 1 condition: {n}", {**PUSH, **UK, BASIS: ["UK-A6-1-ea"], REFS: {"annex1_condition": n}}, "deny",
       ("recognised-interest-condition-missing",)) for n in ("4", "7", "fun", "")),
    ("recognised interests of a public authority", {**PUSH, **UK, BASIS: ["UK-A6-1-ea"], REFS: {
        "annex1_condition": "5"}, "actor.public_authority": True}, "deny",
     ("basis-not-available-to-public-authority",)),
    ("a competent authority", {**PUSH, **LED, "actor.led_competent_authority": True}, "allow", ()),
    ("a platform as competent authority", {**PUSH, **LED}, "deny", ("basis-only-for-competent-authority",)),
    ("political opinions without a condition", {**PUSH, **LAWFUL,
     "object.data.special_categories": ["PoliticalOpinion"]},
     "deny", ("special-category-basis-missing",)),
    ("political opinions made public", {**PUSH, **LAWFUL, "object.data.special_categories": ["PoliticalOpinion"],
     "object.basis.special_basis": ["A9-2-e"]}, "allow", ()),
    ("substantial public interest without a law", {**PUSH, **LAWFUL,
     "object.data.special_categories": ["PoliticalOpinion"],
     "object.basis.special_basis": ["A9-2-g"]}, "deny", ("law-reference-missing",)),
    ("substantial public interest with a law", {**PUSH, **LAWFUL,
     "object.data.special_categories": ["PoliticalOpinion"],
     "object.basis.special_basis": ["A9-2-g"], REFS: {"lia": "x", "special_law": "Art. 34 DSA"}}, "allow", ()),
    ("a condition nobody knows", {**PUSH, **LAWFUL, "object.data.special_categories": ["PoliticalOpinion"],
     "object.basis.special_basis": ["A9-2-z"]}, "deny", ("special-category-basis-missing",)),
    ("offences without a law", {**PUSH, **LAWFUL, "object.data.criminal_offence": True}, "deny",
     ("criminal-data-not-authorised",)),
    ("offences with a law", {**PUSH, **LAWFUL, "object.data.criminal_offence": True, REFS: {
        "lia": "x", "criminal_law": "§ 24 BDSG"}}, "allow", ()),
]
RESEARCH = {"request.purpose": "research", "actor.purposes": ["research"], "actor.research_safeguards": "plan-1",
            "object.basis.research_compatible": True}
PURPOSES: list[Row] = [
    ("no purpose", {"request.purpose": ABSENT}, "deny", ("purpose-missing",)),
    ("no purpose, by the producer", {"request.purpose": ABSENT, **OWN}, "deny", ("purpose-missing",)),
    ("not the object's", {"request.purpose": "transparency", "actor.purposes": ["transparency"]}, "deny",
     ("purpose-incompatible",)),
    ("not the agreement's", {"actor.purposes": ["account-integrity"]}, "deny", ("purpose-not-agreed",)),
    ("neither", {"request.purpose": "transparency"}, "deny", ("purpose-incompatible", "purpose-not-agreed")),
    ("no agreed purposes", {"actor.purposes": ABSENT}, "deny", ("purpose-not-agreed",)),
    *((f"never {p} unless listed", {"request.purpose": p, "actor.purposes": [p]}, "deny", ("purpose-incompatible",))
      for p in ("advertising", "model-training", "political-profiling", "commercial-resale")),
    ("advertising that the producer lists", {"request.purpose": "advertising", "actor.purposes": ["advertising"],
     "object.basis.purposes": ["advertising"]}, "allow", ()),
    ("research that is declared, with safeguards", RESEARCH, "allow", ()),
    ("research that isn't declared", {**RESEARCH, "object.basis.research_compatible": False}, "deny",
     ("purpose-incompatible",)),
    ("research that is listed and not declared", {**RESEARCH, "object.basis.research_compatible": False,
     "object.basis.purposes": ["research"]}, "deny", ("purpose-incompatible",)),
    ("research without safeguards", {**RESEARCH, "actor.research_safeguards": ABSENT}, "deny",
     ("research-safeguards-missing",)),
    ("research that wasn't agreed", {**RESEARCH, "actor.purposes": ["cib-detection"]}, "deny",
     ("purpose-not-agreed",)),
    ("research goes without direct identifiers", {**RESEARCH, **LAWFUL}, "redact", ("minimised",)),
    ("research with what names nobody", {**RESEARCH, **LAWFUL, "object.data.categories": ["IPAddress"]}, "allow", ()),
    ("research on what nobody described", {**RESEARCH, **LAWFUL, "object.data.personal": "unknown",
     "object.data.categories": []}, "redact", ("minimised",)),
    ("categories that the purpose doesn't need", {**LAWFUL, "programme.purpose_categories": {
        "cib-detection": ["IPAddress"]}}, "redact", ("minimised",)),
    ("categories that the purpose needs", {**LAWFUL, "programme.purpose_categories": {
        "cib-detection": ["Username"]}}, "allow", ()),
    ("a push without purposes", {**PUSH, "object.basis.purposes": []}, "deny", ("purpose-missing",)),
]
LIMITS: list[Row] = [
    ("retention ends now", {"object.life.retention_until": NOW}, "deny", ("retention-expired",)),
    ("retention ends a microsecond later", {"object.life.retention_until": "2026-03-01T09:00:00.000001Z"}, "allow",
     ()),
    ("retention has ended for the producer too", {"object.life.retention_until": NOW, **OWN}, "deny",
     ("retention-expired",)),
    ("no retention", {"object.life.retention_until": ABSENT}, "deny", ("retention-missing",)),
    ("a push without retention", {**PUSH, "object.life.retention_until": ABSENT}, "deny", ("retention-missing",)),
    ("a push of the past", {**PUSH, "object.life.retention_until": "2020-01-01T00:00:00Z"}, "deny",
     ("retention-expired",)),
    ("an embargo ends now", {"object.life.not_before": NOW}, "allow", ()),
    ("an embargo lasts", {"object.life.not_before": "2026-03-01T09:00:01Z"}, "deny", ("embargo",)),
    ("an embargo doesn't bind the producer", {"object.life.not_before": "2026-04-01T00:00:00Z", **OWN}, "allow", ()),
    ("revoked, received before", {"object.life.revoked": True, "actor.received_before": True}, "redact",
     ("revoked",)),
    ("revoked, never received", {"object.life.revoked": True}, "deny", ("revoked",)),
    ("revoked isn't passed on", {"object.life.revoked": True, "actor.received_before": True, "action": "reshare",
     **CLEAR, "request.onward": {"org": "org-x"}}, "deny", ("revoked",)),
    ("the producer sees its revoked object", {"object.life.revoked": True, **OWN}, "allow", ()),
    ("erased, received before", {"object.life.erased": True, "actor.received_before": True}, "redact", ("erased",)),
    ("erased, received before by a former member", {"object.life.erased": True, "actor.received_before": True,
     "actor.groups": [], "object.life.retention_until": NOW}, "redact", ("erased",)),
    ("erased, never received", {"object.life.erased": True}, "deny", ("erased",)),
    ("restricted", {"object.life.restricted": "accuracy-contested"}, "deny", ("processing-restricted",)),
    ("held doesn't mean released", {"object.life.legal_hold": True, "object.life.retention_until": NOW}, "deny",
     ("retention-expired",)),
    ("the producer deletes", {"action": "delete", **OWN}, "allow", ()),
    ("another deletes", {"action": "delete"}, "deny", ("not-object-creator",)),
    ("the data-protection officer deletes", {"action": "delete", "actor.kind": "operator",
     "request.principal": {"kind": "person", "person": "dpo"}}, "allow", ()),
    ("the operator's machine deletes", {"action": "delete", "actor.kind": "operator"}, "deny",
     ("not-object-creator",)),
    ("nobody deletes what is held", {"action": "delete", "object.life.legal_hold": True, **OWN}, "deny",
     ("legal-hold",)),
    ("another updates", {"action": "update"}, "deny", ("not-object-creator",)),
    ("the producer updates", {"action": "update", **OWN}, "allow", ()),
    ("nothing follows a revocation", {"action": "update", "object.life.revoked": True, **OWN}, "deny",
     ("revoked-permanently",)),
    ("CIB without a behaviour", {**PUSH, "object.cib_without_behaviour": True}, "deny", ("behaviour-missing",)),
]
AGREED = "actor.agreements"
DEMANDED = {"object.requires_agreements": [{"id": "base", "min_version": 2}]}
AGREEMENTS: list[Row] = [
    ("demanded and held", {**DEMANDED, AGREED: [{"id": "base", "version": 2, "status": "active"}]}, "allow", ()),
    ("a later version", {**DEMANDED, AGREED: [{"id": "base", "version": 3, "status": "active"}]}, "allow", ()),
    ("an earlier version", {**DEMANDED, AGREED: [{"id": "base", "version": 1, "status": "active"}]}, "deny",
     ("agreement-missing",)),
    ("none", DEMANDED, "deny", ("agreement-missing",)),
    ("suspended", {**DEMANDED, AGREED: [{"id": "base", "version": 2, "status": "suspended"}]}, "deny",
     ("agreement-missing",)),
    ("without a status", {**DEMANDED, AGREED: [{"id": "base", "version": 2}]}, "deny", ("agreement-missing",)),
    ("ends now", {**DEMANDED, AGREED: [{"id": "base", "version": 2, "status": "active", "until": NOW}]}, "deny",
     ("agreement-missing",)),
    ("ends later", {**DEMANDED, AGREED: [{"id": "base", "version": 2, "status": "active",
     "until": "2026-03-01T09:00:01Z"}]}, "allow", ()),
    ("another one", {**DEMANDED, AGREED: [{"id": "extra", "version": 9, "status": "active"}]}, "deny",
     ("agreement-missing",)),
    ("the producer needs none to see its own", {**DEMANDED, **OWN}, "allow", ()),
    ("the contributor needs it to push", {**DEMANDED, **PUSH}, "deny", ("agreement-missing",)),
]
STATE = {"actor.government": True, "actor.kind": "regulator"}
DISPUTED = {"object.life.disputed": True}
SUSPEND = act("suspend-account", **{"request.automated": True})
CONDUCT: list[Row] = [
    ("nothing from governments", {**PUSH, "actor.government": True, "programme.no_government_contributions": True},
     "deny", ("contributor-kind-excluded",)),
    ("nothing from an organisation of that kind", {**PUSH, "actor.kind": "government",
     "programme.no_government_contributions": True}, "deny", ("contributor-kind-excluded",)),
    ("from others", {**PUSH, "programme.no_government_contributions": True}, "allow", ()),
    ("from governments, where the switch is off", {**PUSH, "actor.government": True}, "allow", ()),
    ("no access for governments", {**STATE, "programme.no_government_access": True}, "deny", ("audience-kind",)),
    ("access for others", {"programme.no_government_access": True}, "allow", ()),
    ("a switch for one isn't the other", {**STATE, "programme.no_government_contributions": True}, "allow", ()),
    ("a government sees its own", {**STATE, **OWN, "programme.no_government_access": True}, "allow", ()),
    ("nothing is passed on to a government", {"action": "reshare", **CLEAR, "programme.no_government_access": True,
     "request.onward": {"org": "org-x", "government": True}}, "deny", ("audience-kind",)),
    ("a disputed object is released with a flag", DISPUTED, "allow", ("disputed",)),
    *((f"{kind} by itself on a disputed object", {**DISPUTED, **act(kind, **{"request.automated": True})},
       "deny" if place > 1 else "allow", ("disputed",)) for place, kind in enumerate(ACTS)),
    ("a person blocks on a disputed object", {**DISPUTED, **act("block-domain", **{"request.automated": False})},
     "allow", ("disputed",)),
    ("an act that may be automated counts as such", {**DISPUTED, **act("block-domain",
     **{"request.automated": ABSENT})},
     "deny", ("disputed",)),
    ("a machine suspends", SUSPEND, "deny", ("human-review-required",)),
    ("a machine suspends after review", {**SUSPEND, "request.human_review_ref": "case-3"}, "allow", ()),
    ("a machine suspends by law", {**SUSPEND, "request.automation_authorised_by_law": "Art. 6 X Act"}, "allow", ()),
    ("a person suspends", {**SUSPEND, "request.automated": False}, "allow", ()),
    ("a machine blocks", act("block-domain", **{"request.automated": True}), "allow", ()),
]
ALL = CONDUCT + ACTIONS + HANDLING + PERSONAL_ROWS + BASES + PURPOSES + LIMITS + AGREEMENTS


@pytest.mark.parametrize("row", ALL, ids=[row[0] for row in ALL])
def test_terms_follow_the_table(row: Row) -> None:
    _, changes, decision, reasons = row
    given = decide(facts(changes), load())
    assert given.decision == decision, given.reasons
    assert set(reasons) <= set(given.reasons)


def test_a_stub_withholds_everything() -> None:
    changes = {**RESEARCH, **LAWFUL, "object.life.revoked": True, "actor.received_before": True}
    assert decide(facts(changes), load()).redact == ("*content",)


def test_research_withholds_the_direct_identifiers_by_category() -> None:
    held = ["Username", "IPAddress", "EmailAddress"]
    assert decide(facts({**RESEARCH, **LAWFUL, "object.data.categories": held}), load()).redact == (
        "EmailAddress", "Username")
