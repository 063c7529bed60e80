"""What GDPR, UK GDPR, LED, 18 USC 2702 and STIX 2.1 say, as decisions on facts.

The tables were written from the texts before the rules were read, on base facts of their own, so that they judge
the rules and don't repeat them. A row: name, what is changed, "decision reason ...", what is withheld.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from standards_facts import (
    BYID,
    CC,
    COMM,
    DELETE,
    DIS,
    GOV,
    LED,
    MIN,
    OUT,
    OWN,
    PD,
    PUBLISH,
    PUSH,
    REC,
    REL,
    REPORT,
    RS,
    THIRD,
    UK,
    UPDATE,
    US,
    USGOV,
    USPD,
    Row,
    act,
    data,
    granular,
    iep,
    judge,
    kept,
    named,
    notice,
    onward,
    pap,
    part,
    pd,
    person,
    refs,
    special,
    tlp,
    transfer,
)

ON_EVERY_WAY: list[Row] = [
    (f"{way}: {name}", how | changes, answer)
    for way, how in (("push", PUSH), ("update", UPDATE), ("pull", {}), ("act", act("block-domain")))
    for name, changes, answer in (
        ("lawful", PD, "allow"),
        ("no basis", data() | {"object.basis.notice": "public-notice"}, "deny basis-missing"),
        ("unknown counts as personal", data(personal="unknown"), "deny basis-missing"),
        ("unknown with a basis", PD | {"object.data.personal": "unknown"}, "allow"),
        ("no assessment", pd("A6-1-f"), "deny lia-missing"),
        ("a basis that nobody knows", pd("A6-1-z", lia="l"), "deny basis-unknown"),
        ("consent without a record", pd("A6-1-a"), "deny consent-record-missing"),
        ("consent withdrawn", pd("A6-1-a", consent="c-1", consent_withdrawn=True), "deny consent-withdrawn"),
        ("consent that stands", pd("A6-1-a", consent="c-1", consent_withdrawn=False), "allow"),
        ("UK, no condition of Annex 1", UK | pd("UK-A6-1-ea"), "deny recognised-interest-condition-missing"),
        ("a legal obligation without a law", pd("A6-1-c"), "deny law-reference-missing"),
        ("declared 'no', with a user name", PD | {"object.data.personal": "no"}, "deny personal-data-undeclared"),
    )
]
BASES: list[Row] = [
    ("P10: consent without flag", PUSH | pd("A6-1-a", consent="c-1"), "allow"),
    ("P10: contract", PUSH | pd("A6-1-b"), "allow"),
    ("P10: legal obligation with law", PUSH | pd("A6-1-c", law="Regulation (EU) 2022/2065 Art. 18", law_system="EU"), "allow"),
    ("P10: legal obligation member state", PUSH | pd("A6-1-c", law="NetzDG", law_system="DE"), "allow"),
    ("P10: legal obligation US law", PUSH | pd("A6-1-c", law="18 USC 2258A", law_system="US"), "deny law-reference-missing"),
    ("P10: legal obligation UK law under EU", PUSH | pd("A6-1-c", law="OSA 2023", law_system="UK"), "deny law-reference-missing"),
    ("P10: public task with law", PUSH | pd("A6-1-e", law="Law X", law_system="EU") | {"actor.public_authority": True}, "allow"),
    ("P10: public task without law", PUSH | pd("A6-1-e") | {"actor.public_authority": True}, "deny law-reference-missing"),
    ("P10: public task third country law", PUSH | pd("A6-1-e", law="x", law_system="third-country")
     | {"actor.public_authority": True}, "deny law-reference-missing"),
    ("P10: vital", PUSH | pd("A6-1-d"), "allow"),
    ("P10: f by public authority", PUSH | PD | {"actor.public_authority": True}, "deny basis-not-available-to-public-authority"),
    ("P10: f by government that is no authority in its tasks", PUSH | PD | {"actor.government": True}, "allow"),
    ("P10: f pulled by public authority", PD | {"actor.public_authority": True}, "allow"),
    ("P10: each listed complete: f fine, c lacks law", PUSH | pd("A6-1-f", "A6-1-c", lia="l"), "deny law-reference-missing"),
    ("P10: each listed complete: both", PUSH | pd("A6-1-f", "A6-1-c", lia="l", law="DSA", law_system="EU"), "allow"),
    ("P10: UK basis in EU", PUSH | pd("UK-A6-1-f", lia="l"), "deny basis-not-available-in-regime"),
    ("P10: EU basis in UK", PUSH | UK | pd("A6-1-f", lia="l"), "deny basis-not-available-in-regime"),
    ("P10: UK f", PUSH | UK | pd("UK-A6-1-f", lia="l"), "allow"),
    ("P10: UK f no lia", PUSH | UK | pd("UK-A6-1-f"), "deny lia-missing"),
    ("P10: UK a", PUSH | UK | pd("UK-A6-1-a", consent="c"), "allow"),
    ("P10: UK c", PUSH | UK | pd("UK-A6-1-c", law="Online Safety Act 2023", law_system="UK"), "allow"),
    ("P10: UK c EU law", PUSH | UK | pd("UK-A6-1-c", law="DSA", law_system="EU"), "deny law-reference-missing"),
    ("P10: UK e no law", PUSH | UK | pd("UK-A6-1-e") | {"actor.public_authority": True}, "deny law-reference-missing"),
    ("P10: UK ea with 4", PUSH | UK | pd("UK-A6-1-ea", annex1_condition="4"), "deny recognised-interest-condition-missing"),
    ("P10: UK ea by public authority", PUSH | UK | pd("UK-A6-1-ea", annex1_condition="5")
     | {"actor.public_authority": True}, "deny basis-not-available-to-public-authority"),
    ("P10: UK f by public authority", PUSH | UK | pd("UK-A6-1-f", lia="l")
     | {"actor.public_authority": True}, "deny basis-not-available-to-public-authority"),
    ("P10: UK ea in EU", PUSH | pd("UK-A6-1-ea", annex1_condition="5"), "deny basis-not-available-in-regime"),
    ("P10: LED ok", PUSH | LED | pd("LED-A8", law="Police Act §3", law_system="DE", notice="public-notice"), "allow"),
    ("P10: LED no notice status", PUSH | LED | pd("LED-A8", law="Police Act §3", law_system="DE", notice="given"), "allow"),
    ("P10: LED by platform", PUSH | {"object.regime": "EU-LED"}
     | pd("LED-A8", law="x", law_system="EU"), "deny basis-only-for-competent-authority"),
    ("P10: LED basis under GDPR", PUSH | pd("LED-A8", law="x", law_system="EU"), "deny basis-not-available-in-regime"),
    ("P10: LED no law", PUSH | LED | pd("LED-A8"), "deny law-reference-missing"),
    ("P10: GDPR basis under LED", PUSH | LED | pd("A6-1-e", law="x", law_system="EU"), "deny basis-not-available-in-regime"),
    ("P10: LED crime data without criminal_law", PUSH | LED | pd("LED-A8", law="x", law_system="EU")
     | {"object.data.criminal_offence": True}, "allow"),
    ("P10: not personal needs no basis", PUSH, "allow"),
    ("P10: declared no but categories", PUSH | {"object.data.categories": ["Username"]}, "deny personal-data-undeclared"),
    ("P10: declared no but PlatformAccountId", PUSH | {"object.data.categories": ["PlatformAccountId"]}, "deny personal-data-undeclared"),
    ("P10: declared no but special", PUSH | {"object.data.special_categories": ["PoliticalOpinion"]}, "deny personal-data-undeclared"),
    ("P10: declared no but email, pull", {"object.data.categories": ["EmailAddress"]}, "deny personal-data-undeclared"),
    ("P10: US personal, no GDPR basis", PUSH | US | data() | {"object.basis.notice": "public-notice"}, "allow"),
    ("P10: US personal, no notice", PUSH | US | data(), "allow"),
    ("P10: EU basis in US regime", PUSH | US | pd("A6-1-f", lia="l"), "deny basis-not-available-in-regime"),
]
ANNEX_1 = ("1", "2", "3", "5", "6", "crime", "annex1-5", "UK-Annex1-5", "A1-5", "Annex 1 para 5", "national-security",
           "emergencies", "safeguarding-vulnerable-individuals")
RECOGNISED: list[Row] = [
    (f"UK GDPR Annex 1: {word}", PUSH | UK | pd("UK-A6-1-ea", annex1_condition=word), "allow") for word in ANNEX_1
]
SENSITIVE: list[Row] = [
    ("Art9: special no condition", PUSH | special(), "deny special-category-basis-missing"),
    ("Art9: special no condition pull", special(), "deny special-category-basis-missing"),
    ("Art9: g with law", PUSH | special("A9-2-g", special_law="DSA Art. 34"), "allow"),
    ("Art9: g without law", PUSH | special("A9-2-g"), "deny law-reference-missing"),
    ("Art9: e", PUSH | special("A9-2-e"), "allow"),
    ("Art9: e pull", special("A9-2-e"), "allow"),
    ("Art9: a with consent", PUSH | special("A9-2-a", consent="c-1"), "allow"),
    ("Art9: a without consent", PUSH | special("A9-2-a"), "deny consent-record-missing"),
    ("Art9: a withdrawn", PUSH | special("A9-2-a", consent="c-1", consent_withdrawn=True), "deny consent-withdrawn"),
    ("Art9: j with law", PUSH | special("A9-2-j", special_law="Research Act") | {"actor.research_safeguards": "dmp"}, "allow"),
    ("Art9: unknown condition", PUSH | special("A9-2-z"), "deny"),
    ("Art9: Art 6 isn't 9", PUSH | special("A6-1-f"), "deny special-category-basis-missing"),
    ("Art9: UK g", PUSH | UK | special("UK-A9-2-g", special_law="DPA 2018 Sch 1 para 6")
     | {"object.basis.legal_basis": ["UK-A6-1-f"]}, "allow"),
    ("Art9: UK e", PUSH | UK | special("UK-A9-2-e") | {"object.basis.legal_basis": ["UK-A6-1-f"]}, "allow"),
    ("Art9: UK with the EU id", PUSH | UK | special("A9-2-e") | {"object.basis.legal_basis": ["UK-A6-1-f"]}, "allow"),
    ("Art9: two special cats", PUSH | special("A9-2-g", cats=("PoliticalOpinion", "EthnicOrigin"), special_law="x"), "allow"),
    ("Art9: condition without special data", PUSH | PD | {"object.basis.special_basis": ["A9-2-e"]}, "allow"),
    ("Art10: no law", PUSH | PD | {"object.data.criminal_offence": True}, "deny criminal-data-not-authorised"),
    ("Art10: law", PUSH | PD | {"object.data.criminal_offence": True, "object.basis.refs": {"lia": "l", "criminal_law": "BDSG §x"}}, "allow"),
    ("Art10: no law, pull", PD | {"object.data.criminal_offence": True}, "deny criminal-data-not-authorised"),
    ("Art10: UK law", PUSH | UK | pd("UK-A6-1-f", lia="l", criminal_law="DPA 2018 Sch 1 para 10")
     | {"object.data.criminal_offence": True}, "allow"),
    ("SCA: content push", PUSH | USPD | CC, "deny communications-content"),
    ("SCA: content pull without", USPD | CC, "deny communications-content"),
    ("SCA: content pull with exception", USPD | CC | {"object.basis.refs": {"sca_exception": "2702(b)(3)"}}, "allow"),
    ("SCA: content under EU regime push", PUSH | PD | CC, "deny communications-content"),
    ("SCA: records to a platform", USPD, "allow"),
    ("SCA: records to US government", USPD | USGOV, "deny government-disclosure"),
    ("SCA: records to government by id", USPD | USGOV | BYID, "deny government-disclosure 404"),
    ("SCA: records to US government emergency", USPD | USGOV | {"request.emergency": True}, "allow"),
    ("SCA: records to US government no emergency", USPD | USGOV | {"request.emergency": False}, "deny government-disclosure"),
    ("SCA: content to US government subpoena", USPD | CC | USGOV | {"request.legal_process": "subpoena"}, "deny government-disclosure"),
    ("SCA: content to US government court order", USPD | CC | USGOV
     | {"request.legal_process": "court-order"}, "deny government-disclosure"),
    ("SCA: content to US government warrant", USPD | CC | USGOV | {"request.legal_process": "warrant"}, "allow"),
    ("SCA: content to US government search warrant", USPD | CC | USGOV | {"request.legal_process": "search-warrant"}, "allow"),
    ("SCA: content to US government emergency", USPD | CC | USGOV | {"request.emergency": True}, "allow"),
    ("SCA: content to US government, platform exception only", USPD | CC | USGOV
     | {"object.basis.refs": {"sca_exception": "2702(b)(5)"}}, "deny government-disclosure"),
    ("SCA: content to platform, warrant irrelevant", USPD | CC | {"request.legal_process": "warrant"}, "deny communications-content"),
    ("SCA: non-personal to US government", US | USGOV, "allow"),
    ("SCA: EU records to gov", PD | GOV, "allow"),
    ("SCA: unknown US records to US gov", US | USGOV | {"object.data.personal": "unknown"}, "deny government-disclosure"),
]
EXCEPTIONS: list[Row] = [
    *((f"18 USC 2702: content under {word}", PUSH | USPD | CC | {"object.basis.refs": {"sca_exception": word}}, "allow")
      for word in ("2702(b)(3)", "2702(b)(5)", "2702-b-3", "18 USC 2702(b)(3)", "consent", "US-SCA-2702-b-3")),
    *((f"18 USC 2703: records by {word}", USPD | USGOV | {"request.legal_process": word}, "allow")
      for word in ("subpoena", "court-order", "2703(d)-order", "warrant")),
]
COUNTRIES: list[Row] = [
    ("P14: no government contributions", PUSH | GOV | {"programme.no_government_contributions": True}, "deny contributor-kind-excluded"),
    ("P14: government contributes", PUSH | GOV, "allow"),
    ("P14: no government access", GOV | {"programme.no_government_access": True}, "deny audience-kind"),
    ("P14: government reads", GOV, "allow"),
    ("P14: switch doesn't touch platforms pull", {"programme.no_government_access": True}, "allow"),
    ("P14: switch doesn't touch platforms push", PUSH | {"programme.no_government_contributions": True}, "allow"),
    ("P14: no access switch lets government push", PUSH | GOV | {"programme.no_government_access": True}, "allow"),
    ("P14: no contribution switch lets government read", GOV | {"programme.no_government_contributions": True}, "allow"),
    ("P14: no access even for RED named", tlp("CLEAR") | GOV | {"programme.no_government_access": True}, "deny audience-kind"),
    ("Art26: no arrangement push pd", PUSH | PD | {"actor.controller_arrangement": None}, "deny controller-arrangement-missing"),
    ("Art26: no arrangement pull no pd", {"actor.controller_arrangement": None}, "allow"),
    ("ChV: third none", PD | THIRD, "deny transfer-mechanism-missing"),
    ("ChV: third none by id", PD | THIRD | BYID, "deny transfer-mechanism-missing 404"),
    ("ChV: unknown to third", PD | THIRD | {"object.data.personal": "unknown"}, "deny transfer-mechanism-missing"),
    ("ChV: not personal to third", THIRD, "allow"),
    ("ChV: UK to third", UK | pd("UK-A6-1-f", lia="l") | THIRD, "deny transfer-mechanism-missing"),
    ("ChV: UK to third with scc", UK | pd("UK-A6-1-f", lia="l") | THIRD | transfer("A46-2-c", tia="tia"), "allow"),
    ("ChV: scc+tia", PD | THIRD | transfer("A46-2-c", tia="tia-1"), "allow"),
    ("ChV: scc no tia", PD | THIRD | transfer("A46-2-c"), "deny transfer-mechanism-missing"),
    ("ChV: dpf", PD | THIRD | transfer("A45-3"), "allow"),
    ("ChV: dpf until later", PD | THIRD | transfer("A45-3", until="2026-06-15T12:00:01Z"), "allow"),
    ("ChV: dpf until now", PD | THIRD | transfer("A45-3", until="2026-06-15T12:00:00Z"), "deny transfer-mechanism-missing"),
    ("ChV: scc expired", PD | THIRD | transfer("A46-2-c", tia="t", until="2026-06-01T00:00:00Z"), "deny transfer-mechanism-missing"),
    ("ChV: bcr same group", PD | THIRD | transfer("A46-2-b", tia="t", group_of="org-alpha"), "allow"),
    ("ChV: bcr other group", PD | THIRD | transfer("A46-2-b", tia="t", group_of="org-gamma"), "deny transfer-mechanism-missing"),
    ("ChV: A49-2 one-off informed", PD | THIRD | transfer("A49-2", authority_informed=True) | {"request.mode": "one-off"}, "allow"),
    ("ChV: A49-2 feed", PD | THIRD | transfer("A49-2", authority_informed=True), "deny transfer-mechanism-missing"),
    ("ChV: A49-2 one-off not informed", PD | THIRD | transfer("A49-2", authority_informed=False)
     | {"request.mode": "one-off"}, "deny transfer-mechanism-missing"),
    ("ChV: A49-2 by-id informed", PD | THIRD | transfer("A49-2", authority_informed=True) | BYID, "deny transfer-mechanism-missing"),
    ("ChV: unknown mechanism", PD | THIRD | transfer("A99-9", tia="t"), "deny transfer-mechanism-missing"),
    ("ChV: one bad, one good", PD | THIRD | {"actor.transfer": [{"id": "A46-2-c"}, {"id": "A45-3"}]}, "allow"),
    ("ChV: US regime pd to third", USPD | THIRD, "allow"),
    ("ChV: US recipient under EU regime", PD
     | {"actor.jurisdiction": "US", "actor.jurisdiction_class": "third"}, "deny transfer-mechanism-missing"),
    ("ChV: own in third country", PD | THIRD | OWN, "allow"),
    ("ChV: push from third country", PUSH | PD | THIRD, "allow"),
    ("ChV: LED to third", LED | pd("LED-A8", law="x", law_system="EU")
     | {"actor.jurisdiction_class": "third"}, "deny transfer-mechanism-missing"),
]
FREE_FLOW: list[Row] = [
    *((f"GDPR Art. 45: EU to {place}", PD | {"actor.jurisdiction_class": place}, "allow") for place in ("EEA", "UK", "adequate")),
    *((f"UK GDPR Art. 45A: UK to {place}", UK | pd("UK-A6-1-f", lia="l") | {"actor.jurisdiction_class": place}, "allow")
      for place in ("EEA", "UK", "adequate")),
]
LIFE: list[Row] = [
    ("P11: push none", PUSH | kept(None), "deny retention-missing"),
    ("P11: push exactly 365", PUSH | kept("2027-06-01T00:00:00Z"), "allow"),
    ("P11: push 365 + 1s", PUSH | kept("2027-06-01T00:00:01Z"), "deny retention-too-long"),
    ("P11: push 2 years pd", PUSH | PD | kept("2028-06-01T00:00:00Z"), "deny retention-too-long"),
    ("P11: push pd 6 months", PUSH | PD, "allow"),
    ("P11: expired now", kept("2026-06-15T12:00:00Z"), "deny retention-expired"),
    ("P11: expires in a second", kept("2026-06-15T12:00:01Z"), "allow"),
    ("P11: expired by id", BYID | kept("2026-06-10T00:00:00Z"), "deny retention-expired 404"),
    ("P11: expired act", act("block-domain") | kept("2026-06-10T00:00:00Z"), "deny retention-expired"),
    ("P11: expired reshare", onward(groups=[COMM]) | kept("2026-06-10T00:00:00Z"), "deny retention-expired"),
    ("P11: expired publish", PUBLISH | kept("2026-06-10T00:00:00Z"), "deny retention-expired"),
    ("P11: pull none", kept(None), "deny retention-missing"),
    ("P11: update too long", UPDATE | kept("2027-07-01T00:00:00Z"), "deny retention-too-long"),
    ("P11: push smaller programme maximum", PUSH | {"object.retention_max_days": 90}, "deny retention-too-long"),
    ("P12: given", PUSH | PD | notice("given"), "allow"),
    ("P12: public-notice", PUSH | PD | notice("public-notice"), "allow"),
    ("P12: deferred justified", PUSH | PD | notice("deferred", notice_deferral="Art. 14(5)(b), review 2026-09-01"), "allow"),
    ("P12: deferred justified ref", PUSH | PD | notice("deferred", notice_deferral="deferral-2026-3"), "allow"),
    ("P12: deferred unjustified", PUSH | PD | notice("deferred"), "deny notice-deferral-unjustified"),
    ("P12: deferred null", PUSH | PD | notice("deferred", notice_deferral=None), "deny notice-deferral-unjustified"),
    ("P12: no pd no notice", PUSH | notice(None), "allow"),
    ("P15: revoked never got", {"object.life.revoked": True}, "deny revoked absent"),
    ("P15: revoked by id", BYID | {"object.life.revoked": True}, "deny revoked 404"),
    ("P15: revoked got", REC | {"object.life.revoked": True}, "redact revoked", ["*content"]),
    ("P15: erased got", REC | {"object.life.erased": True}, "redact erased", ["*content"]),
    ("P15: erased never got", {"object.life.erased": True}, "deny erased"),
    ("P15: erased never got by id", BYID | {"object.life.erased": True}, "deny erased 404"),
    ("P15: erased got, former member", REC | OUT | {"object.life.erased": True, "actor.agreements": []}, "redact erased", ["*content"]),
    ("P15: erased got, excluded since", REC
     | {"object.life.erased": True, "object.audience.exclude_orgs": ["org-beta"]}, "redact erased", ["*content"]),
    ("P15: erased after retention", REC | kept("2026-06-10T00:00:00Z") | {"object.life.erased": True}, "redact erased", ["*content"]),
    ("P15: revoked and erased got", REC | {"object.life.erased": True, "object.life.revoked": True}, "redact erased", ["*content"]),
    ("P15: act on revoked", act("block-domain") | REC | {"object.life.revoked": True}, "deny revoked"),
    ("P15: reshare revoked", onward(groups=[COMM]) | REC | {"object.life.revoked": True}, "deny revoked"),
    ("P15: publish revoked", PUBLISH | {"object.life.revoked": True}, "deny revoked"),
    ("P15: act on erased", act("passive-log-search") | REC | {"object.life.erased": True}, "deny erased"),
    ("P15: received before but expired", REC | kept("2026-06-10T00:00:00Z"), "deny retention-expired"),
    ("STIX: update revoked", UPDATE | {"object.life.revoked": True}, "deny revoked-permanently"),
    ("STIX: update by another", {"action": "update"}, "deny not-object-creator"),
    ("STIX: update own", UPDATE, "allow"),
    ("STIX: update own pd", UPDATE | PD, "allow"),
    ("P18: delete own", DELETE, "allow"),
    ("P18: delete by another", {"action": "delete"}, "deny not-object-creator"),
    ("P17: delete held", DELETE | {"object.life.legal_hold": True}, "deny legal-hold"),
    ("P17: delete held by another", {"action": "delete"} | {"object.life.legal_hold": True}, "deny legal-hold not-object-creator"),
    ("P17: hold doesn't release expired", {"object.life.legal_hold": True} | kept("2026-06-10T00:00:00Z"), "deny retention-expired"),
    ("P17: hold doesn't release to stranger", OUT | {"object.life.legal_hold": True}, "deny tlp-green"),
    ("P18: delete needs no purpose", DELETE | {"request.purpose": None}, "allow"),
    ("P18: delete expired", DELETE | kept("2026-06-10T00:00:00Z"), "allow"),
    ("P18: delete revoked", DELETE | {"object.life.revoked": True}, "allow"),
    ("P18: delete without agreement", DELETE | {"actor.agreements": []}, "allow"),
    ("Art18: restricted pull", {"object.life.restricted": "accuracy-contested"}, "deny processing-restricted"),
    ("Art18: restricted by id", BYID | {"object.life.restricted": "accuracy-contested"}, "deny processing-restricted 404"),
    ("Art18: restricted act", act("passive-log-search") | {"object.life.restricted": "objection-pending"}, "deny processing-restricted"),
    ("Art18: restricted reshare", onward(groups=[COMM]) | {"object.life.restricted": "objection-pending"}, "deny processing-restricted"),
    ("Art18: restricted publish", PUBLISH | {"object.life.restricted": "objection-pending"}, "deny processing-restricted"),
    ("Embargo: before", {"object.life.not_before": "2026-06-15T12:00:01Z"}, "deny embargo"),
    ("Embargo: exactly", {"object.life.not_before": "2026-06-15T12:00:00Z"}, "allow"),
    ("Embargo: own sees before", OWN | {"object.life.not_before": "2026-07-01T00:00:00Z"}, "allow"),
    ("Embargo: push", PUSH | {"object.life.not_before": "2026-07-01T00:00:00Z"}, "allow"),
    ("Embargo: by id", BYID | {"object.life.not_before": "2026-07-01T00:00:00Z"}, "deny embargo 404"),
    ("P19: disputed pull", DIS, "allow"),
    ("P19: disputed automated block", DIS | act("block-domain", True), "deny disputed"),
    ("P19: disputed automated suspend", DIS | PD | act("suspend-account", True), "deny disputed human-review-required"),
    ("P19: disputed automated suspend, reviewed", DIS | PD | act("suspend-account", True, human_review_ref="r-1"), "deny disputed"),
    ("P19: disputed manual block", DIS | act("block-domain"), "allow"),
    ("P19: disputed manual suspend", DIS | PD | act("suspend-account"), "allow"),
    ("P19: disputed automated log search", DIS | act("passive-log-search", True), "allow"),
    ("P19: disputed automated watchlist", DIS | act("internal-watchlist", True), "allow"),
    ("P19: disputed reshare", DIS | onward(groups=[COMM]), "allow"),
    ("Art22: automated suspend", PD | act("suspend-account", True), "deny human-review-required"),
    ("Art22: automated suspend reviewed", PD | act("suspend-account", True, human_review_ref="r-1"), "allow"),
    ("Art22: automated suspend authorised by law", PD | act("suspend-account", True, automation_authorised_by_law="DSA Art. 23"), "allow"),
    ("Art22: manual suspend", PD | act("suspend-account"), "allow"),
    ("Art22: automated block", PD | act("block-domain", True), "allow"),
    ("Art22: automated log search", PD | act("passive-log-search", True), "allow"),
    ("Art22: automated watchlist", PD | act("internal-watchlist", True), "allow"),
]
PARTS: list[Row] = [
    ("P20: rel both visible", REL | refs(("a", True, False), ("b", True, False)), "allow"),
    ("P20: rel one hidden", REL | refs(("a", True, False), ("b", False, False)), "deny endpoint-not-visible"),
    ("P20: rel one hidden by id", REL | refs(("a", True, False), ("b", False, False)) | BYID, "deny endpoint-not-visible 404"),
    ("P20: rel hidden but public", REL | refs(("a", True, False), ("b", False, True)), "allow"),
    ("P20: rel without public key", REL
     | {"object.type": "relationship", "object.refs": [{"id": "a", "visible": True}, {"id": "b", "visible": True}]}, "allow"),
    ("P20: rel hidden without public key", REL
     | {"object.type": "relationship", "object.refs": [{"id": "a", "visible": True}, {"id": "b", "visible": False}]}, "deny endpoint-not-visible"),
    ("P20: sighting hidden", refs(("a", False, False), type="sighting"), "deny endpoint-not-visible"),
    ("P20: report some hidden", REPORT | refs(("a", True, False), ("b", False, False), type="report"), "redact references-withheld"),
    ("P20: grouping some hidden", REPORT | refs(("a", True, False), ("b", False, False), type="grouping"), "redact references-withheld"),
    ("P20: report all visible", REPORT | refs(("a", True, False), ("b", True, False), type="report"), "allow"),
    ("P20: report all hidden", REPORT | refs(("a", False, False), ("b", False, False), type="report"), "deny endpoint-not-visible"),
    ("P20: note hidden", REPORT | refs(("a", False, False), type="note"), "deny endpoint-not-visible"),
    ("P20: opinion hidden", REPORT | refs(("a", False, False), type="opinion"), "deny endpoint-not-visible"),
    ("P20: note some hidden", REPORT | refs(("a", True, False), ("b", False, False), type="note"), "redact references-withheld"),
    ("P20: own report with hidden", REPORT | OWN | refs(("a", True, False), ("b", False, False), type="report"), "allow"),
    ("P21: granular red", granular(part("description", tlp="TLP:RED")), "redact granular-marking", ["description"]),
    ("P21: granular amber outside", granular(part("description", tlp="TLP:AMBER")), "redact granular-marking", ["description"]),
    ("P21: granular amber, addressed", named("org-beta") | granular(part("description", tlp="TLP:AMBER")), "allow"),
    ("P21: granular green", granular(part("description", tlp="TLP:GREEN")), "allow"),
    ("P21: granular never widens", OUT | granular(part("description", tlp="TLP:CLEAR")), "deny tlp-green"),
    ("P21: granular clear in green", granular(part("description", tlp="TLP:CLEAR")), "allow"),
    ("P21: granular over required", granular(part("pattern", tlp="TLP:RED")), "deny required-field-withheld"),
    ("P21: granular groups out", granular(part("labels", groups=["g-elections"])), "redact granular-marking", ["labels"]),
    ("P21: granular groups in", granular(part("labels", groups=["cib-community"])), "allow"),
    ("P21: granular lang", granular(part("description", lang="fr")), "allow"),
    ("P21: granular two", granular(part("description", tlp="TLP:RED"), part("labels", groups=["g-x"])), "redact granular-marking", ["description", "labels"]),
    ("P21: granular list item", granular(part("labels.[0]", tlp="TLP:RED")), "redact granular-marking", ["labels.[0]"]),
    ("P21: granular selects nothing push", PUSH | granular(part("no_such", tlp="TLP:RED")), "deny granular-selector-invalid"),
    ("P21: granular push ok", PUSH | granular(part("description", tlp="TLP:RED")), "allow"),
    ("P21: granular red named person", person() | {"object.audience.named_persons": ["alice"]}
     | granular(part("description", tlp="TLP:RED")), "allow"),
    ("P21: granular clearance", {"actor.clearance": "TLP:GREEN"} | named("org-beta")
     | granular(part("description", tlp="TLP:AMBER")), "redact granular-marking", ["description"]),
    ("P21: granular own", OWN | granular(part("description", tlp="TLP:RED")), "allow"),
    ("P21: granular invalid word push", PUSH | granular(part("description", tlp="TLP:PINK")), "deny marking-invalid"),
    ("P21: granular and attribution", granular(part("description", tlp="TLP:RED"))
     | iep(attribution="must-not"), "redact granular-marking attribution-withheld", ["description", "provider"]),
    ("Min: needed only", PD | MIN, "allow"),
    ("Min: one more", PD | MIN | {"object.data.categories": ["Username", "EmailAddress"]}, "redact minimised", ["EmailAddress"]),
    ("Min: no table for the purpose", PD
     | {"programme.purpose_categories": {"transparency": ["Username"]}, "object.data.categories": ["Username", "EmailAddress"]}, "allow"),
    ("Min: nothing allowed", PD | MIN | {"programme.purpose_categories": {"transparency": []}}, "redact minimised", ["Username"]),
]
SUBJECTS: list[Row] = [
    (f"data of: {kind}{', pushed' if how else ''}", how | PD | {"object.data.subject_kind": kind}, "allow")
    for kind in ("inauthentic-persona", "operator", "organisation", "unknown", "natural-person") for how in ({}, PUSH)
]
TOGETHER: list[Row] = [
    ("P24: three", OUT | {"actor.agreements": [], "request.purpose": None}, "deny tlp-green agreement-missing purpose-missing"),
    ("P24: five", tlp("AMBER")
     | {"actor.agreements": [], "request.purpose": "advertising", "actor.clearance": "TLP:GREEN", "object.audience.exclude_orgs": ["org-beta"]}, "deny tlp-amber agreement-missing purpose-incompatible purpose-not-agreed clearance audience-excluded"),
    ("P24: deny over redact", OUT | granular(part("description", tlp="TLP:RED")), "deny tlp-green"),
    ("P24: push: everything missing", PUSH | tlp() | data() | kept(None)
     | {"actor.agreements": [], "actor.controller_arrangement": None, "object.basis.purposes": []}, "deny marking-missing basis-missing retention-missing notice-status-missing agreement-missing controller-arrangement-missing purpose-missing"),
    ("P24: pd: f+c+special+criminal", PUSH | pd("A6-1-f", "A6-1-c", notice=None)
     | {"object.data.special_categories": ["PoliticalOpinion"], "object.data.criminal_offence": True}, "deny lia-missing law-reference-missing special-category-basis-missing criminal-data-not-authorised notice-status-missing"),
    ("P24: transfer and retention", PD | THIRD | kept("2026-06-15T12:00:00Z"), "deny transfer-mechanism-missing retention-expired"),
    ("P24: iep: version, encryption", {"object.markings.iep": [{"iep_version": 1.0, "encrypt_in_transit": "must", "end_date": "2026-06-01T00:00:00Z"}], "request.channel.encrypted": False}, "deny iep-version-unsupported encryption-required iep-not-in-force"),
    ("P24: granular + methods publish + counts", PUBLISH
     | {"object.internal_methods": ["description"], "object.counts": {"a": 1}}
     | granular(part("labels", tlp="TLP:RED")), "redact methods-withheld small-count granular-marking"),
    ("P24: update: not creator and revoked", {"action": "update", "object.life.revoked": True}, "deny not-object-creator revoked-permanently"),
    ("P24: act: iep none and disputed auto", DIS | act("block-domain", True) | iep(permitted_actions="none")
     | pap("RED"), "deny action-not-permitted disputed"),
    ("P24: reshare: strict, third, resale", onward(jurisdiction_class="third") | PD | tlp("AMBER+STRICT")
     | named("org-beta") | iep(unmodified_resale="must-not")
     | {"request.resale_unmodified": True}, "deny tlp-amber-strict transfer-mechanism-missing resale-prohibited"),
    ("P24: publish green pd", PUBLISH | PD | tlp("GREEN"), "deny tlp-not-public personal-data-not-public"),
    ("Allow: act pd block", PD | act("block-domain"), "allow"),
    ("Allow: notify pd", PD | {"action": "notify-affected"}, "allow"),
    ("Allow: reshare pd amber client", PD | onward(client_of=["org-beta"]) | tlp("AMBER") | named("org-beta"), "allow"),
    ("Allow: pull pd amber named by id", PD | BYID | tlp("AMBER") | named("org-beta"), "allow"),
    ("Allow: one-off pull", {"request.mode": "one-off"}, "allow"),
    ("Allow: person pulls green", person(), "allow"),
    ("Allow: pull pd all iep statements lax", PD
     | iep(tlp="GREEN", start_date="2026-01-01T00:00:00Z", end_date="2027-01-01T00:00:00Z", encrypt_in_transit="must", permitted_actions="externally-visible-direct-actions", affected_party_notifications="may", attribution="may", unmodified_resale="may"), "allow"),
    ("Allow: automated pull", {"request.automated": True}, "allow"),
]
LAWS: list[Row] = [
    (f"GDPR Art. 6(3): a law of {system}", PUSH | pd("A6-1-c", law="A law", law_system=system), "allow")
    for system in ("EU", "DE", "member-state", "Member State", "MS", "EU_member_state")
]
ARGUABLE: list[Row] = [
    # Each could be read otherwise; this is how the exchange reads it.
    ("IEP: who would name the provider passes it on without the name", RS | iep(attribution="must-not")
     | {"request.attributes_provider": True}, "redact attribution-withheld", ["provider"]),
    ("IEP: who names nobody keeps to must-not", RS | iep(attribution="must-not") | {"request.attributes_provider": False}, "allow"),
    ("GDPR Art. 14: the notice is the contributor's duty, asked on push", PD | {"object.basis.notice": None}, "allow"),
    ("GDPR Art. 6(3): a law of no legal system may be any", PUSH | pd("A6-1-c", law="A law"), "deny law-reference-missing"),
    ("18 USC 2711(4): a foreign government is no governmental entity", USPD | GOV, "allow"),
    ("P15: the stub is for members, the tombstone for everyone", REC | OUT | {"object.life.revoked": True,
     "actor.agreements": []}, "deny revoked agreement-missing tlp-green"),
    ("STIX 3.6: a first version may be passed on by another", {"action": "push"}, "allow"),
    ("P17: a hold never releases", {"object.life.legal_hold": True}, "deny legal-hold absent"),
    ("P18: the producer deletes what is restricted", DELETE | {"object.life.restricted": "accuracy-contested"}, "allow"),
    ("P22: of a report on many the identifiers stay behind, basis or not", PUBLISH | {"object.aggregate": True,
     "object.data.categories": ["Username"]}, "redact identifiers-withheld", ["Username"]),
    ("reshare to nobody knows whom: GREEN", {"action": "reshare"}, "deny tlp-green"),
    ("reshare to nobody knows whom: CLEAR", {"action": "reshare"} | tlp("CLEAR"), "allow"),
    ("reshare to nobody knows whom: all that is known against it", {"action": "reshare", "request.resale_unmodified": True}
     | iep(unmodified_resale="must-not"), "deny resale-prohibited tlp-green"),
    ("an act that isn't named, nothing stated", {"action": "act"}, "allow"),
    ("an act that isn't named, by a machine", {"action": "act", "request.automated": True}, "deny human-review-required"),
    ("an act that isn't named, under PAP:CLEAR", {"action": "act"} | pap("CLEAR"), "deny action-not-permitted"),
]
TABLES = (ON_EVERY_WAY, BASES, LAWS, RECOGNISED, SENSITIVE, EXCEPTIONS, COUNTRIES, FREE_FLOW, LIFE, PARTS, SUBJECTS, TOGETHER, ARGUABLE)
CASES = [row for table in TABLES for row in table]


@pytest.mark.parametrize("row", CASES, ids=[row[0] for row in CASES])
def test_a_decision_is_what_the_law_says(row: Row) -> None:
    judge(row)


def test_the_tables_say_each_thing_once_and_let_many_pass() -> None:
    assert len({row[0] for row in CASES}) == len(CASES)
    assert sum(row[2] == "allow" for row in CASES) > len(CASES) / 3
