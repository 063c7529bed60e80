"""P8, P10-P12, P17, P18, P20-P25 and who is protected: rows derived from the law, the standards and the rules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from policy_tables import ABSENT, Row, facts

from exchange.policy.decide import decide
from exchange.policy.packs import load

IEP = "object.markings.iep"
BASIS = "object.basis.legal_basis"
SPECIAL = "object.basis.special_basis"
REFS = "object.basis.refs"
NOTICE = "object.basis.notice"
HELD = "object.data.special_categories"
CATEGORIES = "object.data.categories"
UNTIL = "object.life.retention_until"
CREATED = "object.life.created"
ARRANGED = "actor.controller_arrangement"
OWN = {"actor.org": "org-north"}
PUSH = {"action": "push", **OWN}
LAWFUL = {"object.data.personal": "yes", CATEGORIES: ["Username"], BASIS: ["A6-1-f"], REFS: {"lia": "lia-1"}}
CLEAR = {"object.markings.tlp": ["TLP:CLEAR"]}
PUBLISH = {"action": "publish", **CLEAR}
RESHARE = {"action": "reshare", **CLEAR, "request.onward": {"org": "org-x", "jurisdiction_class": "EEA"}}
POLITICAL = {**LAWFUL, HELD: ["PoliticalOpinion"]}
UK = {**LAWFUL, "object.regime": "UK-GDPR", BASIS: ["UK-A6-1-f"]}
US = {"object.regime": "US", "object.data.personal": "yes", CATEGORIES: ["Username"]}
CONTENT = {**US, "object.data.communications_content": True}
STATE = {"actor.kind": "government", "actor.government": True, "actor.jurisdiction": "US"}


def iep(**statements: object) -> dict[str, object]:
    return {IEP: [{"iep_version": 2.0, **statements}]}


def refs(*rows: tuple[str, bool], kind: str = "report", **more: object) -> dict[str, object]:
    return {"object.type": kind, "object.refs": [{"id": name, "visible": seen} for name, seen in rows], **more}


ARRANGEMENTS: list[Row] = [
    ("personal data without an arrangement isn't taken", {**PUSH, **LAWFUL, ARRANGED: ABSENT}, "deny",
     ("controller-arrangement-missing",)),
    ("nor given", {**LAWFUL, ARRANGED: ABSENT}, "deny", ("controller-arrangement-missing",)),
    ("nor passed on", {**RESHARE, **LAWFUL, ARRANGED: ABSENT}, "deny", ("controller-arrangement-missing",)),
    ("its own it gets", {**LAWFUL, **OWN, ARRANGED: ABSENT}, "allow", ()),
    ("unknown counts as personal", {"object.data.personal": "unknown", BASIS: ["A6-1-f"], REFS: {"lia": "x"},
     ARRANGED: ABSENT}, "deny", ("controller-arrangement-missing",)),
    ("no personal data needs none", {ARRANGED: ABSENT}, "allow", ()),
    ("nor does the law of the United States", {**US, ARRANGED: ABSENT}, "allow", ()),
    ("the next recipient's stated agreements count", {**RESHARE, "object.requires_agreements": [{"id": "base"}],
     "actor.agreements": [{"id": "base", "version": 1, "status": "active"}],
     "request.onward": {"org": "org-x", "agreements": []}}, "deny", ("agreement-missing",)),
    ("those it doesn't state are its own affair", {**RESHARE, "object.requires_agreements": [{"id": "base"}],
     "actor.agreements": [{"id": "base", "version": 1, "status": "active"}]}, "allow", ()),
]
SENSITIVE: list[Row] = [
    ("a UK condition", {**UK, HELD: ["PoliticalOpinion"], SPECIAL: ["UK-A9-2-e"]}, "allow", ()),
    ("the same article under UK law", {**UK, HELD: ["PoliticalOpinion"], SPECIAL: ["A9-2-e"]}, "allow", ()),
    ("a UK condition under EU law", {**POLITICAL, SPECIAL: ["UK-A9-2-e"]}, "deny",
     ("special-category-basis-missing",)),
    ("made public, where a reference is demanded", {**POLITICAL, SPECIAL: ["A9-2-e"],
     "programme.demand_public_evidence": True}, "deny", ("special-category-basis-missing",)),
    ("made public, with the reference", {**POLITICAL, SPECIAL: ["A9-2-e"], "programme.demand_public_evidence": True,
     REFS: {"lia": "x", "public_evidence": "https://a.example/post"}}, "allow", ()),
    ("explicit consent without a record", {**POLITICAL, SPECIAL: ["A9-2-a"]}, "deny", ("consent-record-missing",)),
    ("explicit consent, withdrawn", {**POLITICAL, SPECIAL: ["A9-2-a"], REFS: {
        "lia": "x", "consent": "c", "consent_withdrawn": True}}, "deny", ("consent-withdrawn",)),
    ("research as a condition without safeguards", {**POLITICAL, SPECIAL: ["A9-2-j"]}, "deny",
     ("research-safeguards-missing",)),
    ("research as a condition with safeguards", {**POLITICAL, SPECIAL: ["A9-2-j"], "actor.research_safeguards": "p"},
     "allow", ()),
    ("research as a condition of who contributes", {**PUSH, **POLITICAL, SPECIAL: ["A9-2-j"]}, "deny",
     ("research-safeguards-missing",)),
    ("political opinions under US law", {**US, HELD: ["PoliticalOpinion"]}, "allow", ()),
    ("back to its producer, in a third country", {**RESHARE, **LAWFUL, "request.onward": {
        "org": "org-north", "jurisdiction_class": "third"}}, "allow", ()),
    ("offences under the Law Enforcement Directive", {**LAWFUL, "object.data.criminal_offence": True,
     "object.regime": "EU-LED", BASIS: ["LED-A8"], REFS: {"law": "StPO", "law_system": "DE"}}, "allow", ()),
    ("a law system in other capitals", {**LAWFUL, BASIS: ["A6-1-c"], REFS: {"law": "DSA", "law_system": "eu"}},
     "allow", ()),
    ("paragraph 5 in words", {**UK, BASIS: ["UK-A6-1-ea"], REFS: {"annex1_condition": "Annex 1, paragraph 5"}},
     "allow", ()),
    ("paragraph 4 in words", {**UK, BASIS: ["UK-A6-1-ea"], REFS: {"annex1_condition": "Annex 1 para 4"}}, "deny",
     ("recognised-interest-condition-missing",)),
    ("recognised interests before they became law", {**UK, BASIS: ["UK-A6-1-ea"], REFS: {"annex1_condition": "5"},
     "at": "2026-02-04T23:59:59Z"}, "deny", ("basis-unknown",)),
    ("recognised interests from that day", {**UK, BASIS: ["UK-A6-1-ea"], REFS: {"annex1_condition": "5"},
     "at": "2026-02-05T00:00:00Z"}, "allow", ()),
]
COMMUNICATIONS: list[Row] = [
    ("records of US law need no basis that is named", US, "allow", ()),
    ("content without an exception", CONTENT, "deny", ("communications-content",)),
    ("content isn't taken without one", {**PUSH, **CONTENT}, "deny", ("communications-content",)),
    ("content under any regime", {**LAWFUL, "object.data.communications_content": True}, "deny",
     ("communications-content",)),
    *((f"content under {name}", {**CONTENT, REFS: {"sca_exception": name}}, "allow", ())
      for name in ("2702(b)(5)", "18 USC 2702(b)(3)", "b-5", "rights or property", "consent")),
    *((f"no exception for content: {name}", {**CONTENT, REFS: {"sca_exception": name}}, "deny",
       ("communications-content",)) for name in ("2702(c)(6)", "because", "2702(b)(9)", "")),
    ("content is taken under an exception", {**PUSH, **CONTENT, REFS: {"sca_exception": "2702(b)(5)"}}, "allow", ()),
    ("content isn't published under one", {**PUBLISH, **CONTENT, REFS: {}}, "deny", ("communications-content",)),
    ("records to a government without process", {**US, **STATE}, "deny", ("government-disclosure",)),
    ("records by subpoena", {**US, **STATE, "request.legal_process": "subpoena"}, "allow", ()),
    ("records in an emergency", {**US, **STATE, "request.emergency": True}, "allow", ()),
    ("records to another country's government", {**US, **STATE, "actor.jurisdiction": "FR"}, "allow", ()),
    ("a government of nowhere may be theirs", {**US, **STATE, "actor.jurisdiction": ABSENT}, "deny",
     ("government-disclosure",)),
    ("content by subpoena", {**CONTENT, **STATE, "request.legal_process": "subpoena"}, "deny",
     ("government-disclosure",)),
    ("content by warrant", {**CONTENT, **STATE, "request.legal_process": "warrant"}, "allow", ()),
    ("content in an emergency", {**CONTENT, **STATE, "request.emergency": True}, "allow", ()),
    ("an exception is no warrant", {**CONTENT, **STATE, REFS: {"sca_exception": "2702(b)(5)"}}, "deny",
     ("government-disclosure",)),
    ("an emergency doesn't serve others", {**CONTENT, "request.emergency": True}, "deny",
     ("communications-content",)),
    ("nothing personal to a government", {"object.regime": "US", **STATE}, "allow", ()),
    ("passed on to a government", {**RESHARE, **US, "request.onward": {
        "org": "org-x", "government": True, "jurisdiction": "US"}}, "deny", ("government-disclosure",)),
]
YEAR = {**PUSH, CREATED: "2026-03-01T09:00:00Z"}
RETENTION: list[Row] = [
    ("a year from creation", {**YEAR, UNTIL: "2027-03-01T09:00:00Z"}, "allow", ()),
    ("a microsecond more", {**YEAR, UNTIL: "2027-03-01T09:00:00.000001Z"}, "deny", ("retention-too-long",)),
    ("without a creation it counts from now", {**PUSH, CREATED: ABSENT, UNTIL: "2027-03-01T09:00:00.000001Z"}, "deny",
     ("retention-too-long",)),
    ("the maximum of the object", {**YEAR, "object.retention_max_days": 30, UNTIL: "2026-04-01T09:00:00Z"}, "deny",
     ("retention-too-long",)),
    ("the object's maximum doesn't widen", {**YEAR, "object.retention_max_days": 900,
     UNTIL: "2027-03-02T09:00:00Z"}, "deny", ("retention-too-long",)),
    ("the maximum of the programme", {**YEAR, "programme.max_retention_days": 30, UNTIL: "2026-04-01T09:00:00Z"},
     "deny", ("retention-too-long",)),
    ("addresses for half a year", {**YEAR, **LAWFUL, CATEGORIES: ["IPAddress"], UNTIL: "2026-09-01T09:00:00Z"},
     "allow", ()),
    ("addresses for longer", {**YEAR, **LAWFUL, CATEGORIES: ["IPAddress"], UNTIL: "2026-09-02T09:00:00Z"}, "deny",
     ("retention-too-long",)),
    ("vital interests for a year", {**YEAR, **LAWFUL, BASIS: ["A6-1-d"], UNTIL: "2027-03-01T09:00:00Z"}, "deny",
     ("retention-too-long",)),
    ("a victim for longer than ninety days", {**YEAR, **LAWFUL, "object.data.subject_kind": "victim",
     UNTIL: "2026-06-30T00:00:00Z"}, "deny", ("retention-too-long",)),
    ("what is stored is read until its own end", {UNTIL: "2029-01-01T00:00:00Z"}, "allow", ()),
]
NOTICES: list[Row] = [
    *((f"notice {word}", {**PUSH, **LAWFUL, NOTICE: word}, "allow", ()) for word in ("public-notice", "given")),
    ("no notice status", {**PUSH, **LAWFUL, NOTICE: ABSENT}, "deny", ("notice-status-missing",)),
    ("a status nobody knows", {**PUSH, **LAWFUL, NOTICE: "later"}, "deny", ("notice-status-missing",)),
    ("an update needs one too", {"action": "update", **OWN, **LAWFUL, NOTICE: ABSENT}, "deny",
     ("notice-status-missing",)),
    ("deferred without a reason", {**PUSH, **LAWFUL, NOTICE: "deferred"}, "deny", ("notice-deferral-unjustified",)),
    ("deferred with a reason", {**PUSH, **LAWFUL, NOTICE: "deferred", REFS: {"lia": "x", "notice_deferral": "y"}},
     "allow", ()),
    ("deferred without a demanded review", {**PUSH, **LAWFUL, NOTICE: "deferred", "programme.demand_review_date": True,
     REFS: {"lia": "x", "notice_deferral": "y"}}, "deny", ("notice-deferral-unjustified",)),
    ("deferred with a demanded review", {**PUSH, **LAWFUL, NOTICE: "deferred", "programme.demand_review_date": True,
     REFS: {"lia": "x", "notice_deferral": "y", "notice_review": "2026-05-01"}}, "allow", ()),
    ("no personal data, no notice", {**PUSH, NOTICE: ABSENT}, "allow", ()),
    ("US law, no notice", {**PUSH, **US, NOTICE: ABSENT}, "allow", ()),
]
HOLDS: list[Row] = [
    ("a held object isn't released", {"object.life.legal_hold": True}, "deny", ("legal-hold",)),
    ("its producer still has it", {"object.life.legal_hold": True, **OWN}, "allow", ()),
    ("held and erased", {"object.life.legal_hold": True, "object.life.erased": True}, "deny", ("erased",)),
    ("the officer doesn't delete what is held", {"action": "delete", "actor.kind": "dpo",
     "object.life.legal_hold": True}, "deny", ("legal-hold",)),
    ("the officer deletes", {"action": "delete", "actor.kind": "data-protection-officer"}, "allow", ()),
    ("the officer doesn't update", {"action": "update", "actor.kind": "dpo"}, "deny", ("not-object-creator",)),
]
SEEN, UNSEEN = ("identity--1", True), ("indicator--2", False)
CLOSURE: list[Row] = [
    ("both ends are visible", refs(SEEN, ("x--3", True), kind="relationship"), "allow", ()),
    ("an end is hidden", refs(SEEN, UNSEEN, kind="relationship"), "deny", ("endpoint-not-visible",)),
    ("a sighting of something hidden", refs(UNSEEN, kind="sighting"), "deny", ("endpoint-not-visible",)),
    ("a hidden end that everybody knows", refs(SEEN, kind="relationship", **{
        "object.refs": [{"id": "location--1", "visible": False, "public": True}]}), "allow", ()),
    ("an end of which nothing is known", refs(SEEN, kind="relationship", **{"object.refs": [{"id": "location--1"}]}),
     "deny", ("endpoint-not-visible",)),
    ("the producer's own relationship", refs(UNSEEN, kind="relationship", **OWN), "allow", ()),
    *((f"a {kind} on something hidden too", refs(SEEN, UNSEEN, kind=kind), "redact", ("references-withheld",))
      for kind in ("report", "grouping", "note", "opinion")),
    ("a note on nothing but hidden objects", refs(UNSEEN, kind="note"), "deny",
     ("endpoint-not-visible", "required-field-withheld")),
    ("observed data without references stays", refs(UNSEEN, kind="observed-data"), "redact",
     ("references-withheld",)),
    ("the public sees only what is public", refs(SEEN, kind="relationship", **PUBLISH), "deny",
     ("endpoint-not-visible",)),
]
ATTRIBUTION: list[Row] = [
    ("the provider stays unnamed", {**iep(attribution="must-not"), "object.fields": ["type", "provider"]}, "redact",
     ("attribution-withheld",)),
    ("the provider stays unnamed where fields aren't told", {**iep(attribution="MUST NOT"), "object.fields": ABSENT},
     "redact", ("attribution-withheld",)),
    ("nothing names the provider", {**iep(attribution="must-not"), "object.owner_identity_in_object": False}, "allow",
     ()),
    ("no such part", {**iep(attribution="must-not"), "object.fields": ["type", "name"]}, "allow", ()),
    ("a provider that is required", {**iep(attribution="must-not"), "object.fields": ["provider"],
     "object.required_fields": ["provider"]}, "deny", ("required-field-withheld",)),
    ("the producer reads its own name", {**iep(attribution="must-not"), "object.fields": ABSENT, **OWN}, "allow", ()),
    ("the exchange names the provider", iep(attribution="must"), "allow", ()),
    ("the exchange can't name it", {**iep(attribution="must"), "object.owner_identity_in_object": False}, "deny",
     ("attribution-required",)),
    ("passed on with the name", {**RESHARE, **iep(attribution="must"), "request.attributes_provider": True}, "allow",
     ()),
    ("passed on without", {**RESHARE, **iep(attribution="must"), "request.attributes_provider": False}, "deny",
     ("attribution-required",)),
    ("published without", {**PUBLISH, **iep(attribution="must")}, "deny", ("attribution-required",)),
    ("may is free", {**RESHARE, **iep(attribution="may")}, "allow", ()),
    ("must-not beats must", {**RESHARE, IEP: [{"iep_version": 2.0, "attribution": "must"},
     {"iep_version": 2.0, "attribution": "must-not"}], "object.fields": ["provider"]}, "redact",
     ("attribution-withheld",)),
]
AGGREGATE = {**PUBLISH, **LAWFUL, "object.aggregate": True}
PUBLICATION: list[Row] = [
    ("ten are counted", {**PUBLISH, "object.counts": {"accounts": 10}}, "allow", ()),
    ("nine aren't", {**PUBLISH, "object.counts": {"accounts": 9}}, "redact", ("small-count",)),
    ("the programme's minimum", {**PUBLISH, "object.counts": {"accounts": 10}, "programme.min_count": 11}, "redact",
     ("small-count",)),
    ("a small count that is required", {**PUBLISH, "object.counts": {"accounts": 9},
     "object.required_fields": ["counts"]}, "deny", ("required-field-withheld",)),
    ("members see small counts", {"object.counts": {"accounts": 9}}, "allow", ()),
    ("an aggregate goes without identifiers", AGGREGATE, "redact", ("identifiers-withheld",)),
    ("an aggregate of what nobody described", {**AGGREGATE, CATEGORIES: []}, "deny", ("personal-data-not-public",)),
    ("one person's data is no aggregate", {**AGGREGATE, "object.aggregate": False}, "deny",
     ("personal-data-not-public",)),
    ("an aggregate on the public channel", {**AGGREGATE, "action": "pull", "request.channel": {"public": True}},
     "deny", ("personal-data-not-public",)),
    ("no methods in public", {**PUBLISH, "object.internal_methods": ["description"]}, "redact",
     ("methods-withheld",)),
    ("a method in what is required", {**PUBLISH, "object.internal_methods": ["pattern"]}, "deny",
     ("required-field-withheld",)),
    ("members see methods", {"object.internal_methods": ["description"]}, "allow", ()),
]
VICTIM = {**LAWFUL, CATEGORIES: ["Name", "IPAddress"], "object.data.subject_kind": "impersonated-victim"}
PROTECTED: list[Row] = [
    ("a victim isn't named to all", VICTIM, "redact", ("minimised",)),
    ("nor a co-opted person", {**VICTIM, "object.data.subject_kind": "co-opted-authentic-person"}, "redact",
     ("minimised",)),
    ("an operator is", {**VICTIM, "object.data.subject_kind": "operator"}, "allow", ()),
    ("what names nobody is left", {**VICTIM, CATEGORIES: ["IPAddress"]}, "allow", ()),
    ("a victim of whom nothing is described", {**VICTIM, CATEGORIES: []}, "redact", ("minimised",)),
    ("who is named by the object gets it all", {**VICTIM, "object.audience.named_orgs": ["org-south"]}, "allow", ()),
    ("the producer has it all", {**VICTIM, **OWN}, "allow", ()),
    ("a victim isn't passed on", {**VICTIM, **RESHARE}, "deny", ("not-in-audience",)),
    ("a victim is passed on with permission", {**VICTIM, **RESHARE, "request.source_permission": "mail-1"}, "redact",
     ("minimised",)),
    ("a victim is passed on to whom the object names", {**VICTIM, **RESHARE,
     "object.audience.named_orgs": ["org-x", "org-south"]}, "allow", ()),
]
SUSPEND = {"action": "act", "request.act": "suspend-account", "request.automated": True,
           "request.automation_authorised_by_law": "Art. 6 X Act"}
CONDUCT: list[Row] = [
    ("a law doesn't suffice for political opinions", {**POLITICAL, **SUSPEND, SPECIAL: ["A9-2-e"]}, "deny",
     ("human-review-required",)),
    ("unless the condition is of substantial public interest", {**POLITICAL, **SUSPEND, SPECIAL: ["A9-2-g"],
     REFS: {"lia": "x", "special_law": "Art. 34 DSA"}}, "allow", ()),
    ("a person's review always does", {**POLITICAL, **SUSPEND, SPECIAL: ["A9-2-e"],
     "request.human_review_ref": "case-1"}, "allow", ()),
]
LEVELS: list[Row] = [
    ("a further AMBER doesn't replace GREEN's community", {"object.markings.tlp": ["TLP:GREEN", "TLP:AMBER"],
     "object.audience.named_orgs": ["org-south"], "actor.groups": []}, "deny", ("tlp-green",)),
    ("both admit the reader", {"object.markings.tlp": ["TLP:GREEN", "TLP:AMBER"],
     "object.audience.named_orgs": ["org-south"]}, "allow", ()),
    ("a further RED doesn't open AMBER to a person", {"object.markings.tlp": ["TLP:AMBER", "TLP:RED"],
     "object.audience.named_persons": ["anne"], "request.principal": {"kind": "person", "person": "anne"}}, "deny",
     ("tlp-amber", "not-in-audience")),
]
ALL = (ARRANGEMENTS + SENSITIVE + COMMUNICATIONS + RETENTION + NOTICES + HOLDS + CLOSURE + ATTRIBUTION + PUBLICATION
       + PROTECTED + CONDUCT + LEVELS)


@pytest.mark.parametrize("row", ALL, ids=[row[0] for row in ALL])
def test_duties_follow_the_table(row: Row) -> None:
    _, changes, decision, reasons = row
    given = decide(facts(changes), load())
    assert given.decision == decision, given.reasons
    assert set(reasons) <= set(given.reasons)


WITHHELD = [
    (refs(SEEN, UNSEEN), ("indicator--2",)),
    ({**iep(attribution="must-not"), "object.fields": ABSENT}, ("provider",)),
    ({**PUBLISH, "object.counts": {"a": 3, "b": 9, "c": 10}}, ("counts.a", "counts.b")),
    ({**AGGREGATE, CATEGORIES: ["Username", "IPAddress"]}, ("IPAddress", "Username")),
    ({**PUBLISH, "object.internal_methods": ["labels", "description"]}, ("description", "labels")),
    (VICTIM, ("Name",)),
    ({**VICTIM, CATEGORIES: []}, ("*content",)),
]


@pytest.mark.parametrize(("changes", "parts"), WITHHELD, ids=[str(parts) for _, parts in WITHHELD])
def test_what_is_withheld_is_named(changes: dict[str, object], parts: tuple[str, ...]) -> None:
    assert decide(facts(changes), load()).redact == parts


def test_the_officer_hears_why_it_may_not_delete() -> None:
    held = {"action": "delete", "actor.kind": "dpo", "object.life.legal_hold": True, "actor.groups": []}
    assert decide(facts(held), load()).visible_error is None
