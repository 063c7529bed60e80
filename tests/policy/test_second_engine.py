"""A second engine, Cedar, decides like ours on random requests: the word, and every code."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cedarpy

sys.path.insert(0, str(Path(__file__).parent))
from policy_tables import facts

from exchange.policy.decide import decide
from exchange.policy.packs import load
from exchange.policy.shape import ACTIONS, ACTS, TLP_WORDS, moment

REQUESTS, AT_A_TIME = 10_000, 500
NOW, PAST, LATER = "2026-03-01T09:00:00Z", "2025-12-01T00:00:00Z", "2026-08-01T00:00:00Z"
RANKS = {"CLEAR": 0, "GREEN": 1, "AMBER": 2, "AMBER+STRICT": 3, "RED": 4}
IEP_REACH = {"none": 0, "internally-visible-actions": 2, "externally-visible-indirect-actions": 3,
             "externally-visible-direct-actions": 5, "contact-for-instruction": 5}
PAP_REACH = {"PAP:RED": 1, "PAP:AMBER": 3, "PAP:GREEN": 5, "PAP:CLEAR": 5}
ORGS, GROUPS = ["org-north", "org-south", "org-east"], ["integrity-circle", "g1", "g7"]
IEP = [{"tlp": "WHITE"}, {"tlp": "AMBER"}, {"start_date": LATER}, {"end_date": NOW}, {"end_date": LATER},
       {"encrypt_in_transit": "must"}, {"affected_party_notifications": "must-not"}, {"unmodified_resale": "must-not"},
       {"attribution": "must"}, {"attribution": "must-not"}, {"attribution": "may"},
       *({"permitted_actions": level} for level in IEP_REACH)]
POLICY = [{"iep_version": 2.0, **statement} for statement in IEP] + [{"iep_version": 1.0}]
MEMBER = [{"id": group, **more} for group in GROUPS
          for more in ({}, {"until": NOW}, {"since": LATER}, {"status": "suspended"}, {"until": LATER})]
PARTS = [{"selector": "name", "tlp": "TLP:AMBER"}, {"selector": "name", "tlp": "TLP:RED"},
         {"selector": "description", "groups": ["g1"]}, {"selector": "nickname", "tlp": "TLP:RED"},
         {"selector": "name", "lang": "fr"}, {"selector": "name", "tlp": "TLP:GREEN"}]
TRANSFER = [{"id": "A45-3"}, {"id": "A46-2-c"}, {"id": "A46-2-c", "tia": "t"}, {"id": "A45-3", "until": NOW},
            {"id": "A46-2-b", "tia": "t", "group_of": "org-north"}, {"id": "A49-2", "authority_informed": True}]
REFS = {"lia": "x", "law": "x", "consent": "x", "consent_withdrawn": True, "annex1_condition": "5",
        "special_law": "x", "criminal_law": "x", "notice_deferral": "x", "sca_exception": "2702(b)(5)"}
POINTS = [{"id": "x--1", "visible": True, "public": True}, {"id": "x--2", "visible": False}]


def some(chance: random.Random, words: list[Any], most: int = 2) -> list[Any]:
    return chance.sample(words, chance.randint(0, min(most, len(words))))


OPTIONS: dict[str, Any] = {
    "action": lambda c: c.choice(ACTIONS),
    "object.type": lambda c: c.choice(["relationship", "report", "observed-data"]),
    "object.owner": lambda c: c.choice(ORGS),
    "object.regime": lambda c: c.choice(["EU-GDPR", "UK-GDPR", "EU-LED", "US"]),
    "object.fields": lambda c: ["type", "name", "description", "pattern", "provider"],
    "object.markings.tlp": lambda c: some(c, [*TLP_WORDS, "TLP:PINK"]),
    "object.markings.tlp1": lambda c: some(c, ["TLP:WHITE", "TLP:AMBER"], 1),
    "object.markings.iep": lambda c: some(c, POLICY),
    "object.markings.pap": lambda c: some(c, list(PAP_REACH)),
    "object.markings.granular": lambda c: some(c, PARTS, 1),
    "object.markings.collection_default": lambda c: c.choice(TLP_WORDS),
    "object.audience.sharing_groups": lambda c: some(c, GROUPS),
    "object.audience.named_orgs": lambda c: some(c, ORGS),
    "object.audience.named_persons": lambda c: some(c, ["anne"], 1),
    "object.audience.exclude_orgs": lambda c: some(c, ORGS, 1),
    "object.audience.kinds_allowed": lambda c: some(c, ["platform", "researcher"]),
    "object.audience.kinds_denied": lambda c: some(c, ["platform", "government"], 1),
    "object.basis.legal_basis": lambda c: some(c, ["A6-1-a", "A6-1-c", "A6-1-f", "UK-A6-1-f", "UK-A6-1-ea", "LED-A8",
                                                   "A6-1-z"]),
    "object.basis.special_basis": lambda c: some(c, ["A9-2-e", "A9-2-g", "A9-2-j"]),
    "object.basis.purposes": lambda c: some(c, ["cib-detection", "research", "advertising"], 3),
    "object.basis.refs": lambda c: {**{name: REFS[name] for name in some(c, list(REFS), 9)},
                                    "law_system": c.choice(["EU", "US"])},
    "object.basis.notice": lambda c: c.choice(["given", "deferred", "later", None]),
    "object.basis.research_compatible": lambda c: c.random() < 0.5,
    "object.data.personal": lambda c: c.choice(["yes", "no", "unknown"]),
    "object.data.categories": lambda c: some(c, ["Username", "IPAddress"]),
    "object.data.special_categories": lambda c: some(c, ["PoliticalOpinion"], 1),
    "object.data.criminal_offence": lambda c: c.random() < 0.5,
    "object.data.communications_content": lambda c: c.random() < 0.5,
    "object.data.subject_kind": lambda c: c.choice(["operator", "impersonated-victim", "unknown"]),
    "object.life.retention_until": lambda c: c.choice([None, NOW, LATER, "2027-02-01T00:00:00Z", "2030-01-01T00:00:00Z"]),
    "object.life.not_before": lambda c: c.choice([PAST, NOW, LATER]),
    **{f"object.life.{name}": lambda c: c.random() < 0.5 for name in ("revoked", "erased", "legal_hold", "disputed")},
    "object.life.restricted": lambda c: "accuracy-contested",
    "object.requires_agreements": lambda c: [{"id": "base", "min_version": c.randint(1, 3)}],
    "object.refs": lambda c: some(c, POINTS),
    "object.counts": lambda c: {"accounts": c.randint(8, 12)},
    "object.aggregate": lambda c: c.random() < 0.7,
    "object.internal_methods": lambda c: some(c, ["description", "pattern"]),
    "object.derived_from": lambda c: {"source_org": c.choice(ORGS), "tlp": c.choice(TLP_WORDS)},
    "programme.no_government_contributions": lambda c: True,
    "programme.no_government_access": lambda c: True,
    "actor.org": lambda c: c.choice(ORGS),
    "actor.kind": lambda c: c.choice(["platform", "researcher", "government", "dpo"]),
    "actor.government": lambda c: True,
    "actor.jurisdiction": lambda c: c.choice(["US", "FR"]),
    "actor.jurisdiction_class": lambda c: c.choice(["EEA", "UK", "third"]),
    "actor.public_authority": lambda c: True,
    "actor.led_competent_authority": lambda c: True,
    "actor.agreements": lambda c: [{"id": "base", "version": c.randint(1, 3), "status": c.choice(["active", "ended"]),
                                    "until": c.choice([None, NOW, LATER])}],
    "actor.purposes": lambda c: some(c, ["cib-detection", "research", "advertising"], 3),
    "actor.clearance": lambda c: c.choice(TLP_WORDS),
    "actor.groups": lambda c: some(c, MEMBER, 3),
    "actor.transfer": lambda c: some(c, TRANSFER, 1),
    "actor.controller_arrangement": lambda c: None,
    "actor.received_before": lambda c: True,
    "actor.research_safeguards": lambda c: "plan",
    "request.purpose": lambda c: c.choice([None, "cib-detection", "research", "advertising"]),
    "request.channel": lambda c: {"encrypted": c.random() < 0.5, "public": c.random() < 0.3},
    "request.mode": lambda c: c.choice(["feed", "one-off"]),
    "request.principal": lambda c: {"kind": c.choice(["person", "service"]), "person": c.choice(["anne", "ben"])},
    "request.act": lambda c: c.choice(ACTS),
    "request.automated": lambda c: c.random() < 0.5,
    "request.onward": lambda c: {"org": c.choice(["org-north", "org-client"]), "groups": some(c, MEMBER),
                                 "client_of": some(c, ORGS), "jurisdiction_class": c.choice(["EEA", "third"]),
                                 "transfer": some(c, TRANSFER, 1)},
    "request.source_permission": lambda c: "mail-1",
    "request.provider_instruction_ref": lambda c: "mail-2",
    "request.human_review_ref": lambda c: "case-3",
    "request.automation_authorised_by_law": lambda c: "law",
    "request.attributes_provider": lambda c: c.random() < 0.5,
    "request.resale_unmodified": lambda c: True,
    "request.emergency": lambda c: True,
    "request.legal_process": lambda c: c.choice(["warrant", "subpoena"]),
}
LEAST = {"request.onward": {"org": "org-client", "jurisdiction_class": "EEA"}, "request.act": "block-domain",
         "request.automated": False}
"""What some actions can't do without."""


LAWFUL = {"object.data.personal": "yes", "object.data.categories": ["Username"], "object.basis.refs": {"lia": "x"},
          "object.basis.legal_basis": ["A6-1-f"]}
REDACTING: list[dict[str, Any]] = [
    {"action": "pull", "object.markings.granular": PARTS[:1]}, {"action": "reshare", "object.refs": POINTS},
    {"action": "pull", "object.life.revoked": True, "actor.received_before": True},
    {"action": "pull", **LAWFUL, "object.data.subject_kind": "impersonated-victim"},
    {"action": "pull", "object.refs": POINTS, "object.type": "report"},
    {"action": "pull", **LAWFUL, "request.purpose": "research", "actor.purposes": ["research"],
     "actor.research_safeguards": "plan", "object.basis.research_compatible": True},
    {"action": "publish", "object.counts": {"accounts": 9}}, {"action": "publish", **LAWFUL, "object.aggregate": True},
    {"action": "publish", "object.internal_methods": ["labels"]},
    {"action": "pull", "object.markings.iep": [POLICY[9]], "object.fields": ["type", "provider"]},
]


def request(chance: random.Random) -> dict[str, Any]:
    """Facts with a few changes, few enough to let some through; often one of those that only redact."""
    chosen = chance.sample(sorted(OPTIONS), chance.choice([1, 2, 3, 5, 8]))
    often = chance.choice(REDACTING) if chance.random() < 0.4 else {}
    changes = {**LEAST, "action": chance.choice(ACTIONS), "object.type": "observed-data", **often,
               **{path: OPTIONS[path](chance) for path in chosen}}
    if changes["action"] in {"push", "update", "delete"} and chance.random() < 0.7:
        changes["actor.org"] = changes.get("object.owner", "org-north")
    if changes["action"] == "publish" and chance.random() < 0.7:
        changes["object.markings.tlp"] = ["TLP:CLEAR"]
    return facts(changes)


def in_force(row: dict[str, Any], first: str = "since", last: str = "until") -> bool:
    at = moment(NOW)
    return moment(row.get(first) or PAST) <= at < moment(row.get(last) or LATER)


def words(obj: dict[str, Any]) -> tuple[set[str], bool]:
    """The TLP levels of an object in one spelling, and whether any word is none."""
    marked = obj["markings"]
    said = [*(marked.get("tlp") or []), *(f"TLP:{p['tlp']}" for p in marked.get("iep") or [] if "tlp" in p),
            *(marked.get("tlp1") or [])]
    said = said or [marked["collection_default"]] if marked.get("collection_default") or said else []
    plain = {word.removeprefix("TLP:").replace("WHITE", "CLEAR") for word in said}
    return plain & set(RANKS), bool(plain - set(RANKS))


def reader(given: dict[str, Any], side: dict[str, Any], onward: bool) -> dict[str, Any]:
    """One who would receive it, in the words of the Cedar policies."""
    obj, asked = given["object"], given["request"]
    audience = obj["audience"]
    groups = {row["id"] for row in side.get("groups") or [] if row.get("status", "active") == "active" and in_force(row)}
    principal = asked.get("principal") or {}
    kinds = {side.get("kind") or ""} | ({"government"} if side.get("government") else set())
    mechanisms = {f"{row['id']}{'+tia' if row.get('tia') else ''}{row.get('group_of') or ''}"
                  for row in side.get("transfer") or [] if in_force(row)}
    if asked.get("mode") != "one-off":
        mechanisms.discard("A49-2")
    return {
        "owner": side["org"] == obj["owner"], "kind": side.get("kind") or "", "kinds": sorted(kinds - {""}),
        "groups": sorted(groups), "ceiling": RANKS[(side.get("clearance") or "TLP:RED")[4:]],
        "addressed": side["org"] in (audience.get("named_orgs") or [])
        or bool(groups & set(audience.get("sharing_groups") or [])),
        "excluded": side["org"] in (audience.get("exclude_orgs") or []), "by_client": False,
        "named_person": not onward and principal.get("kind") == "person"
        and principal.get("person") in (audience.get("named_persons") or []),
        "place": side.get("jurisdiction_class") or "third", "purposes": side.get("purposes") or [],
        "mechanism": obj["regime"] in ("EU-GDPR", "UK-GDPR")
        and bool(mechanisms & {"A45-3", "A46-2-c+tia", "A49-2", f"A46-2-b+tia{obj['owner']}"}),
        "us_state": "government" in kinds and (side.get("jurisdiction") or "US") == "US",
        "arranged": bool(side.get("controller_arrangement")),
        "held": [f"{row['id']}@{version}" for row in side.get("agreements") or []
                 if row["status"] == "active" and in_force(row) for version in range(1, row["version"] + 1)],
    }


def context(given: dict[str, Any]) -> dict[str, Any]:
    """The facts in the words of the Cedar policies."""
    obj, asked, actor, action = given["object"], given["request"], given["actor"], given["action"]
    marked, data, basis, life = obj["markings"], obj["data"], obj["basis"], obj["life"]
    levels, odd = words(obj)
    public = action == "publish" or bool((asked.get("channel") or {}).get("public"))
    a = reader(given, actor, False)
    told: dict[str, Any] = {"a": a}
    if action == "reshare":
        b = told["b"] = reader(given, asked["onward"], True)
        b["by_client"] = actor["org"] in (asked["onward"].get("client_of") or []) and a["addressed"]
    for part in marked.get("granular") or []:
        told["part"] = {"field": part["selector"], "restricts": "lang" not in part, "has_groups": "groups" in part,
                        "groups": part.get("groups", []), "rank": RANKS[part["tlp"][4:]] if "tlp" in part else -2}
    ieps = marked.get("iep") or []
    names = {"encrypt_in_transit": "encrypt", "affected_party_notifications": "notify", "unmodified_resale": "resale",
             "attribution": "name", "permitted_actions": "act"}
    source = obj.get("derived_from") or {"source_org": obj["owner"]}
    refs, regime = basis.get("refs") or {}, obj["regime"]
    held = [*(data.get("categories") or []), *(data.get("special_categories") or [])]
    many = action == "publish" and bool(obj.get("aggregate") and data.get("categories"))
    return {
        **told, "at": moment(NOW) // 1_000_000, "community": "integrity-circle", "public": public,
        "own": actor["org"] == obj["owner"] and not public and action != "reshare", "officer": actor.get("kind") == "dpo",
        "admission": action in {"push", "update"}, "release": action not in {"push", "update", "delete"},
        "levels": sorted(levels), "rank": max((RANKS[word] for word in levels), default=-1), "odd_words": odd,
        "permission": ["b"] if asked.get("source_permission") and not public else [],
        "narrowed": bool(obj["audience"].get("sharing_groups") or obj["audience"].get("named_orgs")),
        "kinds_limited": obj["audience"].get("kinds_allowed") is not None,
        "kinds_allowed": obj["audience"].get("kinds_allowed") or [],
        "kinds_denied": obj["audience"].get("kinds_denied") or [],
        "source_rank": -1 if source["source_org"] == obj["owner"] else RANKS[source["tlp"][4:]],
        "source_allows": bool(asked.get("source_permission")), "fields": obj["fields"],
        "demanded": [f"{row['id']}@{row['min_version']}" for row in obj.get("requires_agreements") or []],
        "nothing_from_states": bool((given.get("programme") or {}).get("no_government_contributions")),
        "nothing_to_states": bool((given.get("programme") or {}).get("no_government_access")),
        "life": [word for word, name in (("erased", "erased"), ("revoked", "revoked"), ("held", "legal_hold"),
                                         ("restricted", "restricted"), ("disputed", "disputed")) if life.get(name)],
        "received": bool(actor.get("received_before")), "instructed": bool(asked.get("provider_instruction_ref")),
        "iep": sorted({f"{word} {policy[name]}" for policy in ieps for name, word in names.items() if name in policy}),
        "iep_other_version": any(policy["iep_version"] != 2 for policy in ieps),
        "iep_from": max((moment(p.get("start_date") or PAST) for p in ieps), default=0) // 1_000_000,
        "iep_until": min((moment(p.get("end_date") or LATER) for p in ieps), default=moment(LATER)) // 1_000_000,
        "iep_reach": min((IEP_REACH[p["permitted_actions"]] for p in ieps if "permitted_actions" in p), default=5),
        "pap_reach": min((PAP_REACH[label] for label in marked.get("pap") or []), default=5),
        "reach": ACTS.index(asked["act"]) + 1, "suspends": asked["act"] == "suspend-account",
        "encrypted": bool((asked.get("channel") or {}).get("encrypted")), "resale": bool(asked.get("resale_unmodified")),
        "attributes": bool(asked.get("attributes_provider")),
        "unattributed": action != "pull" and asked.get("attributes_provider") is False, "automated": bool(asked.get("automated")),
        "reviewed": bool(asked.get("human_review_ref")), "emergency": bool(asked.get("emergency")),
        "lawful_machine": bool(asked.get("automation_authorised_by_law")), "process": asked.get("legal_process") or "",
        "declared": data["personal"], "many": many, "regime": regime,
        "personal": (data["personal"] != "no" or bool(held)) and not many,
        "categories": data.get("categories") or [], "sensitive": bool(data.get("special_categories")) and not many,
        "offences": bool(data.get("criminal_offence")) and not many, "content": bool(data.get("communications_content")),
        "protected": data.get("subject_kind") == "impersonated-victim", "aggregate": bool(obj.get("aggregate")),
        "bases": basis.get("legal_basis") or [], "conditions": basis.get("special_basis") or [],
        "refs": [name for name, value in refs.items() if value], "notice": basis.get("notice") or "",
        "law_of_union": refs.get("law_system") == "EU",
        "public_authority": bool(actor.get("public_authority")),
        "competent_authority": bool(actor.get("led_competent_authority")),
        "safeguards": bool(actor.get("research_safeguards")),
        "only_us_state": all(side["us_state"] for name, side in told.items() if name in "ab"),
        "purpose": asked.get("purpose") or "", "purposes": basis.get("purposes") or [],
        "compatible": bool(basis.get("research_compatible")),
        "until": moment(life["retention_until"]) // 1_000_000 if life.get("retention_until") else -1,
        "created": moment(life["created"]) // 1_000_000,
        "not_before": moment(life.get("not_before") or PAST) // 1_000_000, "type": obj["type"],
        "hidden": sum(not row.get("public") and (public or not row["visible"]) for row in obj.get("refs") or []),
        "referred": len(obj.get("refs") or []), "smallest": min((obj.get("counts") or {"": 99}).values()),
        "methods": obj.get("internal_methods") or [],
    }


def policies() -> str:
    """The Cedar text: what speaks of READER stands once for the actor and once for the next recipient."""
    text = re.sub("//.*", "", Path(__file__).with_name("second_engine.cedar").read_text())
    given = []
    for policy in text.split(";"):
        if "READER" in policy:
            given.append(policy.replace("READER", "a"))
            given.append(policy.replace("when {", "when { context has b && (", 1).rsplit("}", 1)[0].replace("READER", "b")
                         + ") }")
        else:
            given.append(policy)
    return ";".join(given)


def verdicts(batch: list[dict[str, Any]], text: str) -> Iterator[tuple[str, set[str]]]:
    """Word and codes that Cedar gives for each."""
    asked = []
    for given in batch:
        tombstone = given["action"] == "pull" and given["object"]["life"].get("erased") and given["actor"].get(
            "received_before")
        asked.append({"principal": 'Organisation::"actor"', "resource": 'Object::"object"', "context": context(given),
                      "action": f'Action::"{"tombstone" if tombstone else given["action"]}"'})
        if tombstone:
            asked[-1]["context"] |= {"release": False}
    for answer in cedarpy.is_authorized_batch(asked, text, []):
        assert not answer.diagnostics.errors
        said = [answer.diagnostics.id_annotations_by_reason[reason] for reason in answer.diagnostics.reasons]
        found = {word for word in said if word != "allow"}
        word = "deny" if any(w.startswith("deny") for w in found) else "redact" if found else "allow"
        yield word, {word.split(" ")[1] for word in found}


def test_cedar_agrees_on_ten_thousand_requests() -> None:
    chance, text, seen = random.Random(1), policies(), {"allow": 0, "redact": 0, "deny": 0}
    codes: set[str] = set()
    for _ in range(0, REQUESTS, AT_A_TIME):
        batch = [request(chance) for _ in range(AT_A_TIME)]
        for given, (word, found) in zip(batch, verdicts(batch, text), strict=True):
            ours = decide(given, load())
            assert (ours.decision, set(ours.reasons) - {"disputed"}) == (word, found - {"disputed"}), given
            assert ("disputed" in found) <= ("disputed" in ours.reasons)
            seen[word] += 1
            codes |= found
    assert min(seen.values()) > REQUESTS / 50
    assert len(codes) > 60
