"""Each field of a form is a word of STIX at one place: a table of what changes in the form and what is then said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exchange.ailab.check import faults
from exchange.ailab.convert import to_stix
from exchange.ailab.fault import FormFault, FormRefusedError, in_order
from exchange.stix.extensions import ACCOUNT, CAMPAIGN, EVIDENCE, HANDLING, RELATIONSHIP, of
from exchange.stix.handling import IEP_EXTENSION
from tests.fakes.lab_reports import FULL, SMALL, Form, form

Made = list[dict[str, Any]]


def made(document: Form) -> Made:
    assert faults(document) == []
    return list(to_stix(document))


def every(objects: Made, kind: str) -> Made:
    return [one for one in objects if one["type"] == kind]


def campaign(objects: Made) -> dict[str, Any]:
    (found,) = every(objects, "campaign")
    return found


def figures(objects: Made) -> dict[str, Any]:
    return dict(of(campaign(objects), CAMPAIGN))


def report(objects: Made) -> dict[str, Any]:
    return objects[-1]


def terms(objects: Made, kind: str = "inauthentic-persona") -> dict[str, Any]:
    found = {of(one, HANDLING)["data"]["subject_kind"]: of(one, HANDLING) for one in every(objects, "marking-definition")}
    return dict(found[kind])


def relations(objects: Made, kind: str) -> list[dict[str, Any]]:
    return [one for one in every(objects, "relationship") if one["relationship_type"] == kind]


def related(objects: Made, relation: str) -> dict[str, Any]:
    (found,) = [one for one in every(objects, "relationship") if of(one, RELATIONSHIP).get("relation") == relation]
    return found


def asset(relation: str | None = "operated", value: str = "lorem.example", kind: str = "domain", **more: Any) -> Form:
    entry = {"type": kind, "value": value, "seen_as": "named-in-output", **more}
    return form(SMALL, external_assets=[entry | ({"relation": relation} if relation else {})])


def claim(**change: Any) -> Form:
    return form(SMALL, attribution=[{"claim": "originated-in", "object": "PK", "basis": ["payment"], "confidence": "high", **change}])


def claimed(objects: Made) -> tuple[str, str, Any, Any]:
    (one,) = [one for one in every(objects, "relationship") if "claim_type" in of(one, RELATIONSHIP)]
    return one["relationship_type"], one["target_ref"].partition("--")[0], one.get("confidence"), of(one, RELATIONSHIP).get("confidence_scale")


def infrastructure(objects: Made) -> list[tuple[str, list[str]]]:
    return [(one["name"], one["infrastructure_types"]) for one in every(objects, "infrastructure")]


SCALE = "low, moderate, high (15, 50, 85)"
TLSH = "F0B0128A2B0E2C8A8C0B3C3E8A0A2B8C0E0F3A3B0C8E2A0B3C3E8A0A2B8C0E0F3A3B0C8E"[:70]
NAMED = {"handling__name_provider": "may"}
AI_USE = {"modality": "text", "status": "confirmed", "basis": "outputs logged"}
T0116 = {"framework": "DISARM", "id": "T0116.001"}

SAID: list[tuple[str, Form, Callable[[Made], Any], Any]] = [
    ("no provider unless it says so", SMALL, lambda o: every(o, "identity"), []),
    ("a provider with its name", form(SMALL, **NAMED), lambda o: [(i["name"], i["identity_class"]) for i in every(o, "identity")], [("Lorem AI", "organization")]),
    ("an identity of its own is referred to and not made",
     form(SMALL, **NAMED, provider={"name": "Lorem AI", "identity_ref": "identity--aaaaaaaa-0000-4000-8000-000000000001"}),
     lambda o: (every(o, "identity"), campaign(o)["created_by_ref"]), ([], "identity--aaaaaaaa-0000-4000-8000-000000000001")),
    ("nobody made it where nobody is named", SMALL, lambda o: [one for one in o if "created_by_ref" in one], []),
    ("markings say who made them", form(SMALL, **NAMED), lambda o: all("created_by_ref" in m for m in every(o, "marking-definition")), True),
    ("only markings that something bears", SMALL, lambda o: len(every(o, "marking-definition")), 2),
    ("markings for those whom it copies", asset("impersonated", "@lorem", "account", platform="x"), lambda o: len(every(o, "marking-definition")), 3),
    ("versions are milliseconds apart", form(SMALL, version=3), lambda o: campaign(o)["modified"], "2026-06-10T09:00:00.002Z"),
    ("the first version is when it was published", SMALL, lambda o: campaign(o)["modified"], "2026-06-10T09:00:00.000Z"),
    ("published elsewhere", form(SMALL, published="2026-06-10t11:00:00.5+02:00"), lambda o: campaign(o)["modified"], "2026-06-10T09:00:00.500Z"),
    ("a cluster without a name", SMALL, lambda o: (campaign(o)["name"], "aliases" in campaign(o)), ("AI-lab cluster CL-77", False)),
    ("models where the provider is named", form(SMALL, **NAMED, cluster__models=["lorem-4", "lorem-5"]),
     lambda o: campaign(o)["description"].endswith("Models: lorem-4, lorem-5."), True),
    ("no models where it isn't", form(SMALL, cluster__models=["lorem-4"]), lambda o: "Models" in campaign(o)["description"], False),
    ("days of finding and ending", form(SMALL, cluster__detected="2026-05-01", cluster__disrupted="2026-05-30"),
     lambda o: campaign(o)["description"].partition("it. ")[2], "Detected on 2026-05-01. Disrupted on 2026-05-30."),
    ("how the use of AI was found, for recipients", form(SMALL, cluster__ai_use=[AI_USE], detection_disclosure="full-to-recipients"),
     lambda o: figures(o)["ai_use"], [AI_USE]),
    ("how the use of AI was found, for nobody", form(SMALL, cluster__ai_use=[AI_USE]), lambda o: figures(o)["ai_use"], [{"modality": "text", "status": "confirmed"}]),
    ("a note on a behaviour, for recipients", form(SMALL, cluster__behaviours=[{**T0116, "note": "lorem"}], detection_disclosure="full-to-recipients"),
     lambda o: (figures(o)["behaviours"], relations(o, "uses")[0]["description"]), ([{**T0116, "note": "lorem"}], "lorem")),
    ("a note on a behaviour, for nobody", form(SMALL, cluster__behaviours=[{**T0116, "note": "lorem"}]),
     lambda o: (figures(o)["behaviours"], "description" in relations(o, "uses")[0]), ([T0116], False)),
    ("how a behaviour is known", form(SMALL, cluster__behaviours=[{**T0116, "observation": "inferred"}]),
     lambda o: of(relations(o, "uses")[0], RELATIONSHIP)["observation"], "inferred"),
    ("a behaviour of DISARM has its page", SMALL, lambda o: every(o, "attack-pattern")[0]["external_references"],
     [{"source_name": "DISARM", "external_id": "T0116.001", "url": "https://www.disarm.foundation/framework"}]),
    ("a behaviour of another framework has none", form(SMALL, cluster__behaviours=[{"framework": "META-OOKC", "id": "0.9.4"}]),
     lambda o: every(o, "attack-pattern")[0]["external_references"], [{"source_name": "meta-ookc", "external_id": "0.9.4"}]),
    ("a count of none", form(SMALL, cluster__accounts_actioned={"count": 0}), lambda o: figures(o)["assets_actioned"][0]["count"], 0),
    ("a whole measure", form(SMALL, impact={"breakout": None, "measures": [{"metric": "Views, total", "value": 7.0}]}), lambda o: figures(o)["audience"], [{"metric": "views-total", "value": 7}]),
    ("a rate is told in its text", form(SMALL, impact={"breakout": None, "assessed": "2026-06-01", "measures": [{"metric": "rate", "value": 0.6}]}),
     lambda o: figures(o)["audience"], [{"metric": "rate", "approximate": True, "text": "0.6", "value": 1, "as_of": "2026-06-01"}]),
    ("no breakout", form(SMALL, impact={"breakout": None, "basis": "lorem", "measures": []}), lambda o: "breakout" in figures(o), False),
    ("a class of its own", form(SMALL, cluster__class="influence-op"), lambda o: figures(o)["campaign_class"], "influence-operation"),
    ("no class", SMALL, lambda o: "campaign_class" in figures(o), False),
    ("a country of origin", claim(), claimed, ("originates-from", "location", 85, SCALE)),
    ("an origin that is no country", claim(object="Dolor Group"), claimed, ("related-to", "identity", 85, SCALE)),
    ("a target", claim(claim="targeted"), claimed, ("targets", "location", 85, SCALE)),
    ("another claim", claim(claim="linked-to"), claimed, ("related-to", "location", 85, SCALE)),
    ("confidence in no words", claim(confidence="not-stated"), claimed, ("originates-from", "location", None, None)),
    ("weighed, for nobody", claim(alternatives_considered="lorem"), lambda o: [r for r in every(o, "relationship") if "Alternatives" in r.get("description", "")], []),
    ("audiences are countries or classes", form(SMALL, cluster__target_audiences=[" PK ", "voters"]),
     lambda o: sorted((t["type"], t["name"], t.get("identity_class", "")) for t in o if t["id"] in {r["target_ref"] for r in relations(o, "targets")}),
     [("identity", "voters", "class"), ("location", "PK", "")]),
    ("sites in one infrastructure", asset(), infrastructure, [("AI-lab cluster: accounts and sites", ["unknown"])]),
    ("amplifiers", asset(role="amplifier"), infrastructure, [("AI-lab cluster: amplifying accounts", ["amplification"])]),
    ("relays", asset(role="relay"), infrastructure, [("AI-lab cluster: relays", ["unknown"])]),
    ("accounts of the service", form(SMALL, account_identifiers=FULL["account_identifiers"]), infrastructure, [("AI-lab cluster: accounts and sites", ["unknown"])]),
    ("how strong an identifier is", form(SMALL, account_identifiers=FULL["account_identifiers"][:1]),
     lambda o: [h["strength"] for h in of(every(o, "user-account")[0], ACCOUNT)["hashed_identifiers"]], ["strong"]),
    ("how sure an asset is", asset(confidence=70), lambda o: {(one["type"], one.get("confidence")) for one in o if one["type"] == "indicator"}
     | {(r["relationship_type"], r.get("confidence")) for r in relations(o, "consists-of") + relations(o, "indicates")},
     {("indicator", 70), ("consists-of", 70), ("indicates", 70)}),
    ("how sure an asset is, unsaid", asset(), lambda o: [one for one in o if "confidence" in one], []),
    ("valid since it was first seen", asset(first_seen="2026-03-05"), lambda o: every(o, "indicator")[0]["valid_from"], "2026-03-05T00:00:00.000Z"),
    ("valid since the cluster began", asset(), lambda o: every(o, "indicator")[0]["valid_from"], "2026-03-02T00:00:00.000Z"),
    ("what is run is said so", asset(), lambda o: every(o, "indicator")[0]["description"], "Reported by an AI lab as run by a cluster that abused its service."),
    ("what is legitimate is said so", asset("legitimate-mention"), lambda o: every(o, "indicator")[0]["description"],
     "Reported by an AI lab as legitimate: named by a cluster, and nothing of its own."),
    ("what is beside it", asset("targeted"), lambda o: related(o, "targeted")["description"], "Named beside the cluster, as targeted."),
    ("what is beside it, unknown", asset(None), lambda o: related(o, "unknown")["description"], "Named beside the cluster, its relation unknown."),
    ("a hash in capitals", form(SMALL, content_fingerprints=[{"alg": "sha256", "value": "89ABCDEF01234567" * 4, "modality": "text"}]),
     lambda o: every(o, "file")[0]["hashes"], {"SHA-256": "89abcdef01234567" * 4}),
    ("a TLSH without its version", form(SMALL, content_fingerprints=[{"alg": "tlsh", "value": TLSH.lower(), "modality": "text"}]),
     lambda o: every(o, "file")[0]["hashes"], {"TLSH": "T1" + TLSH}),
    ("a report by nobody has no number", SMALL, lambda o: "external_references" in report(o), False),
    ("a report by somebody has one", form(SMALL, version=2, **NAMED), lambda o: report(o)["external_references"],
     [{"source_name": "ai-cluster-report", "external_id": "rpt-7f3a", "description": "version 2"}]),
    ("pages it refers to", form(SMALL, references=["https://lorem-ipsum.example/r"]), lambda o: report(o)["external_references"],
     [{"source_name": "reference", "url": "https://lorem-ipsum.example/r"}]),
    ("what isn't stated", SMALL, lambda o: report(o)["description"].partition("Not stated: ")[2], "attribution, measured reach, assets elsewhere, preserved records."),
    ("where all is stated", FULL, lambda o: "Not stated" in report(o)["description"], False),
    ("who keeps records, named", form(SMALL, **NAMED, preserved_records=[{"kind": "prompt-trail", "held": True}]),
     lambda o: of(report(o), EVIDENCE)["records"], [{"kind": "prompt-trail", "held": True, "custodian": "Lorem AI"}]),
    ("who keeps records, not named", form(SMALL, preserved_records=[{"kind": "prompt-trail", "held": False}]),
     lambda o: of(report(o), EVIDENCE)["records"], [{"kind": "prompt-trail", "held": False}]),
    ("what STIX has no place for", asset(value="#loremipsum", kind="hashtag"), lambda o: of(report(o), EVIDENCE)["notes"][1:], ["hashtag #loremipsum: operated, named-in-output."]),
    ("what STIX has a place for isn't noted", asset(), lambda o: of(report(o), EVIDENCE)["notes"], ["Detection is disclosed: category-only."]),
    ("a deferred notice stands on the assessment", SMALL, lambda o: (terms(o)["notice"], terms(o)["refs"]),
     ("deferred", {"lia": "LIA-22", "notice_deferral": "assessment of the provider: LIA-22", "notice_review": "2027-03-01"})),
    ("a notice that was given needs no deferral", form(SMALL, handling__subject_notice="given"), lambda o: (terms(o)["notice"], terms(o)["refs"]), ("given", {"lia": "LIA-22"})),
    ("no notice", form(SMALL, handling__subject_notice="not-given"), lambda o: "notice" in terms(o), False),
    ("no assessment", form(SMALL, handling__legal_basis={"regime": "GDPR", "basis": "Art. 6(1)(f)"}), lambda o: "refs" in terms(o), False),
    ("public evidence", form(SMALL, references=["https://lorem-ipsum.example/r"]), lambda o: terms(o)["refs"]["public_evidence"], "https://lorem-ipsum.example/r"),
    ("special categories", form(SMALL, handling__legal_basis={"regime": "GDPR", "basis": "Art. 6(1)(f), Art. 9(2)(e)", "special_category": True}),
     lambda o: (terms(o)["legal_basis"], terms(o)["special_basis"], terms(o)["data"]["special_categories"]), (["A6-1-f"], ["A9-2-e"], ["PoliticalOpinion"])),
    ("no special categories", SMALL, lambda o: "special_categories" in terms(o)["data"] or "special_basis" in terms(o), False),
    ("the law of the United Kingdom", form(SMALL, handling__legal_basis={"regime": "UK GDPR", "basis": "legitimate interests"}),
     lambda o: (terms(o)["regime"], terms(o)["legal_basis"]), ("UK-GDPR", ["UK-A6-1-f"])),
    ("American law without a section", form(SMALL, handling__legal_basis={"regime": "US", "basis": "none is needed"}), lambda o: "legal_basis" in terms(o), False),
    ("where to appeal, named", form(SMALL, **NAMED, provider={"name": "Lorem AI", "appeals_contact": "appeals@lorem.example"}), lambda o: terms(o)["appeals_contact"], "appeals@lorem.example"),
    ("where to appeal, not named", form(SMALL, provider={"name": "Lorem AI", "appeals_contact": "appeals@lorem.example"}), lambda o: "appeals_contact" in terms(o), False),
    ("until when", SMALL, lambda o: (terms(o)["retention_until"], "retention_days" in terms(o)), ("2027-03-01T00:00:00Z", False)),
    ("what recipients may do", form(SMALL, handling__permitted_actions="internally-visible-actions"),
     lambda o: every(o, "marking-definition")[0]["extensions"][IEP_EXTENSION]["permitted_actions"], "internally-visible-actions"),
    ("no policy where nothing is said", SMALL, lambda o: [m for m in every(o, "marking-definition") if IEP_EXTENSION in m["extensions"]], []),
]


@pytest.mark.parametrize(("document", "look", "expected"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_what_a_form_says_is_said_in_stix(document: Form, look: Callable[[Made], Any], expected: Any) -> None:
    assert look(made(document)) == expected


def test_tlp_amber_is_strict_unless_it_may_go_on() -> None:
    marks = {(tlp, onward): report(made(form(SMALL, handling__tlp=tlp, **onward_of(onward))))["object_marking_refs"][0]
             for tlp in ("green", "amber") for onward in (None, False, True)}
    assert marks["amber", None] == marks["amber", False] != marks["amber", True]
    assert marks["green", None] == marks["green", False] == marks["green", True]


def onward_of(onward: bool | None) -> dict[str, Any]:
    return {} if onward is None else {"handling__onward_sharing": onward}


def sentence(document: Any) -> list[tuple[str, str]]:
    return [(fault.place, fault.sentence) for fault in faults(document)]


def number(value: Any) -> Form:
    return form(SMALL, cluster__accounts_actioned={"count": value})


WRONG: list[tuple[Any, list[tuple[str, str]]]] = [
    (asset(first_seen="2026-05-02", last_seen="2026-05-01"),
     [("external_assets[0].last_seen", "lies before external_assets.0.first_seen. Correct one of both.")]),
    (asset(first_seen="2026-05-01", last_seen="2026-05-01"), []),
    (asset(first_seen="2026-05-01"), []),
    (form(SMALL, handling__retain_until="2026-06-10"), []),
    (form(SMALL, handling__retain_until="2026-06-09"), [("handling.retain_until", "lies before published. Correct one of both.")]),
    (form(SMALL, cluster__last_activity="2026-03-02"), []),
    (asset("operated", "lorem", "account"), [("external_assets[0].value", "is no account that can be read. Give its address, or its name with the platform.")]),
    (asset("operated", "no domain", "domain"), [("external_assets[0].value", "is no domain that can be read. Give it as people open it.")]),
    (number(1.5), [("cluster.accounts_actioned.count", "must be a whole number.")]),
    (number(-1), [("cluster.accounts_actioned.count", "must be between 0 and 1,000,000,000.")]),
    (number(10**9), []),
    (number(10**9 + 1), [("cluster.accounts_actioned.count", "must be between 0 and 1,000,000,000.")]),
    (form(SMALL, impact={"breakout": None, "measures": [{"metric": "rate", "value": "7"}]}), [("impact.measures[0].value", "must be a number.")]),
    (form(SMALL, cluster__surfaces=[]), [("cluster.surfaces", "has 0 entries; at least 1 needed.")]),
    (form(SMALL, cluster__themes=["lorem"] * 5_001), [("cluster.themes", "has 5,001 entries; at most 5,000 taken.")]),
    (form(SMALL, cluster__themes=["lorem"] * 5_000), []),
    (form(SMALL, published="2026-06-31T09:00:00Z"), [("published", "must be a time such as 2026-01-31T12:00:00Z.")]),
    (form(SMALL, cluster__first_activity=20260302), [("cluster.first_activity", "must be a day such as 2026-01-31.")]),
    (form(SMALL, handling__legal_basis={"regime": "US", "basis": "none"}), []),
]


@pytest.mark.parametrize(("document", "expected"), WRONG)
def test_a_fault_is_a_sentence_at_its_place(document: Form, expected: list[tuple[str, str]]) -> None:
    assert sentence(document) == expected


@pytest.mark.parametrize(("name", "advised"), [
    ("emails", True), ("user_email", True), ("userEmail", True), ("ip", True), ("IPAddress", True), ("prompts", True), ("lorem", False),
])
def test_a_field_for_personal_data_is_answered_with_what_to_send_instead(name: str, advised: bool) -> None:
    ((place, says),) = sentence(form(SMALL, **{name: 7}))
    assert place == name
    assert ("Nothing of that kind is taken: " in says) == advised


@pytest.mark.parametrize(("name", "theme", "told"), [
    ("Lorem AI", "what lorem-ai is for", True), ("Lorem AI", "lorem ipsum", False),
    ("AIX", "all about aix", False), ("AIXY", "all about aixy", True),  # a name of three letters is in many words
])
def test_a_provider_who_must_not_be_named_is_not_named_in_a_text(name: str, theme: str, told: bool) -> None:
    document = form(SMALL, provider={"name": name}, handling__name_provider="must-not", cluster__themes=[theme], cluster__models=[name])
    assert [place for place, _ in sentence(document)] == (["cluster.themes[0]"] if told else [])
    assert faults(form(document, handling__name_provider="may")) == []


@pytest.mark.parametrize(("count", "ends"), [(40, "is wrong."), (41, " And 1 more."), (43, " And 3 more.")])
def test_forty_faults_are_told_and_the_others_counted(count: int, ends: str) -> None:
    refused = FormRefusedError([FormFault(("cluster", number), "field-invalid", "is wrong.") for number in range(count)])
    assert str(refused).endswith(ends)
    assert str(refused).count("is wrong.") == 40
    assert len(refused.faults) == count


def test_faults_stand_in_the_order_of_their_places_and_each_once() -> None:
    paths: list[tuple[str | int, ...]] = [("a", 10), ("a", 9), ("b",), ("a", "x"), (), ("a", 9)]
    found = in_order(FormFault(path, "field-invalid", "is wrong.") for path in paths)
    assert [fault.path for fault in found] == [(), ("a", 9), ("a", 10), ("a", "x"), ("b",)]
    assert [fault.place for fault in found] == ["the report", "a[9]", "a[10]", "a.x", "b"]


ASSETS = [
    # type, platform, value, type and value that stand in STIX
    ("account", "x", "@lorem_ipsum9", ("user-account", "lorem_ipsum9")),
    ("account", "x", "https://x.com/lorem_ipsum9", ("user-account", "lorem_ipsum9")),
    ("account", "lorem", "https://lorem.example/dolor", ("url", "https://lorem.example/dolor")),
    ("account", "mastodon", "https://social.example/@dolor", ("url", "https://social.example/@dolor")),
    ("url", "", "https://x.com/lorem_ipsum9", ("user-account", "lorem_ipsum9")),
    ("url", "", "https://x.com/lorem_ipsum9/status/1234567890123456789", ("url", "https://x.com/lorem_ipsum9/status/1234567890123456789")),
    ("url", "", "https://lorem.example/a", ("url", "https://lorem.example/a")),
    ("domain", "", "LOREM[.]example", ("domain-name", "lorem.example")),
]


@pytest.mark.parametrize(("kind", "platform", "value", "expected"), ASSETS)
def test_an_asset_is_what_its_address_names(kind: str, platform: str, value: str, expected: tuple[str, str]) -> None:
    objects = made(asset("operated", value, kind, **({"platform": platform} if platform else {})))
    found = [(one["type"], one.get("account_login") or one.get("value")) for one in objects
             if one["type"] in {"user-account", "url", "domain-name"}]
    assert found == [expected]
