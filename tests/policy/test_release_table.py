"""P1-P5: TLP, audience, ceiling: rows derived from FIRST TLP 2.0 and the rules of the exchange."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from policy_tables import ABSENT, Row, facts

from exchange.policy.decide import decide
from exchange.policy.packs import load

TLP = "object.markings.tlp"
TLP1 = "object.markings.tlp1"
IEP = "object.markings.iep"
DEFAULT = "object.markings.collection_default"
GRANULAR = "object.markings.granular"
GROUPS = "object.audience.sharing_groups"
ORGS = "object.audience.named_orgs"
PERSONS = "object.audience.named_persons"
EXCLUDE = "object.audience.exclude_orgs"
ALLOWED = "object.audience.kinds_allowed"
DENIED = "object.audience.kinds_denied"
MEMBER = "actor.groups"
PUBLIC = {"request.channel": {"encrypted": True, "public": True}}
CIRCLE = {"id": "integrity-circle", "since": "2025-06-01T00:00:00Z"}
OWN = {"actor.org": "org-north"}
ANNE = {"request.principal": {"kind": "person", "person": "anne"}}


def client(**more: object) -> dict[str, object]:
    return {"action": "reshare", "request.onward": {
        "org": "org-client", "client_of": ["org-south"], "jurisdiction_class": "EEA", **more}}


def member(group: str = "g7", **more: str) -> dict[str, object]:
    return {MEMBER: [CIRCLE, {"id": group, **more}]}


LEVELS: list[Row] = [
    ("CLEAR reaches a stranger to the community", {TLP: ["TLP:CLEAR"], MEMBER: []}, "allow", ()),
    ("CLEAR reaches the public", {TLP: ["TLP:CLEAR"], **PUBLIC}, "allow", ()),
    ("CLEAR may be published", {TLP: ["TLP:CLEAR"], "action": "publish"}, "allow", ()),
    ("GREEN reaches a member", {}, "allow", ()),
    ("GREEN doesn't reach a stranger", {MEMBER: []}, "deny", ("tlp-green",)),
    ("GREEN doesn't reach the public", PUBLIC, "deny", ("tlp-green", "tlp-not-public")),
    ("GREEN isn't published", {"action": "publish"}, "deny", ("tlp-not-public",)),
    ("GREEN without a community reaches nobody", {"object.audience.community": ABSENT}, "deny", ("tlp-green",)),
    ("a suspended member is no member", {MEMBER: [{**CIRCLE, "status": "suspended"}]}, "deny", ("tlp-green",)),
    ("membership that starts now counts", {MEMBER: [{"id": "integrity-circle", "since": "2026-03-01T09:00:00Z"}]},
     "allow", ()),
    ("membership that starts a microsecond later doesn't",
     {MEMBER: [{"id": "integrity-circle", "since": "2026-03-01T09:00:00.000001Z"}]}, "deny", ("tlp-green",)),
    ("membership that ends now is over", {MEMBER: [{**CIRCLE, "until": "2026-03-01T09:00:00Z"}]}, "deny",
     ("tlp-green",)),
    ("membership that ends a microsecond later holds",
     {MEMBER: [{**CIRCLE, "until": "2026-03-01T09:00:00.000001Z"}]}, "allow", ()),
    ("an ended and a renewed membership hold",
     {MEMBER: [{**CIRCLE, "until": "2026-01-01T00:00:00Z"}, {**CIRCLE, "since": "2026-02-01T00:00:00Z"}]}, "allow",
      ()),
    ("AMBER without an audience reaches nobody", {TLP: ["TLP:AMBER"]}, "deny", ("tlp-amber", "not-in-audience")),
    ("AMBER reaches a named organisation", {TLP: ["TLP:AMBER"], ORGS: ["org-south"]}, "allow", ()),
    ("AMBER reaches a named organisation outside the community",
     {TLP: ["TLP:AMBER"], ORGS: ["org-south"], MEMBER: []}, "allow", ()),
    ("AMBER reaches a member of a listed group", {TLP: ["TLP:AMBER"], GROUPS: ["g7"], **member()}, "allow", ()),
    ("AMBER doesn't reach a former member of it",
     {TLP: ["TLP:AMBER"], GROUPS: ["g7"], **member(until="2026-03-01T09:00:00Z")}, "deny", ("tlp-amber",)),
    ("AMBER doesn't reach another organisation", {TLP: ["TLP:AMBER"], ORGS: ["org-east"]}, "deny",
     ("tlp-amber", "not-in-audience")),
    ("AMBER isn't released to a client of the addressed organisation",
     {TLP: ["TLP:AMBER"], ORGS: ["org-east"], "actor.client_of": ["org-east"]}, "deny", ("tlp-amber",)),
    ("AMBER isn't public even for the addressed", {TLP: ["TLP:AMBER"], ORGS: ["org-south"], **PUBLIC}, "deny",
     ("tlp-amber", "tlp-not-public", "not-in-audience")),
    ("AMBER+STRICT without an audience reaches nobody", {TLP: ["TLP:AMBER+STRICT"]}, "deny", ("tlp-amber-strict",)),
    ("AMBER+STRICT reaches a named organisation", {TLP: ["TLP:AMBER+STRICT"], ORGS: ["org-south"]}, "allow", ()),
    ("AMBER+STRICT reaches a member of a listed group",
     {TLP: ["TLP:AMBER+STRICT"], GROUPS: ["g7"], **member()}, "allow", ()),
    ("AMBER+STRICT doesn't reach the client",
     {TLP: ["TLP:AMBER+STRICT"], ORGS: ["org-east"], "actor.client_of": ["org-east"]}, "deny", ("tlp-amber-strict",)),
    ("RED reaches a named person on a personal credential", {TLP: ["TLP:RED"], PERSONS: ["anne"], **ANNE}, "allow",
     ()),
    ("RED doesn't reach another person",
     {TLP: ["TLP:RED"], PERSONS: ["anne"], "request.principal": {"kind": "person", "person": "ben"}}, "deny",
     ("tlp-red",)),
    ("RED doesn't reach a service", {TLP: ["TLP:RED"], PERSONS: ["anne"]}, "deny", ("tlp-red",)),
    ("RED doesn't reach a service that claims to be the person",
     {TLP: ["TLP:RED"], PERSONS: ["anne"], "request.principal": {"kind": "service", "person": "anne"}}, "deny",
     ("tlp-red",)),
    ("RED doesn't reach a person nobody named", {TLP: ["TLP:RED"], ORGS: ["org-south"], **ANNE}, "deny",
     ("tlp-red",)),
    ("RED of an organisation that isn't addressed stays away",
     {TLP: ["TLP:RED"], PERSONS: ["anne"], ORGS: ["org-east"], **ANNE}, "deny", ("not-in-audience",)),
    ("RED is never public", {TLP: ["TLP:RED"], PERSONS: ["anne"], **ANNE, **PUBLIC}, "deny", ("tlp-red",)),
    ("a nameless person is nobody", {TLP: ["TLP:RED"], PERSONS: [""], "request.principal": {"kind": "person"}},
     "deny",
     ("tlp-red",)),
]
MOST_RESTRICTIVE: list[Row] = [
    ("AMBER beats GREEN", {TLP: ["TLP:GREEN", "TLP:AMBER"]}, "deny", ("tlp-amber",)),
    ("order doesn't matter", {TLP: ["TLP:AMBER", "TLP:GREEN"]}, "deny", ("tlp-amber",)),
    ("TLP 1 tightens TLP 2", {TLP: ["TLP:CLEAR"], TLP1: ["TLP:AMBER"]}, "deny", ("tlp-amber",)),
    ("TLP 1 doesn't widen TLP 2", {TLP: ["TLP:AMBER"], TLP1: ["TLP:WHITE"]}, "deny", ("tlp-amber",)),
    ("WHITE is CLEAR", {TLP: [], TLP1: ["TLP:WHITE"], MEMBER: []}, "allow", ()),
    ("TLP 1 GREEN", {TLP: [], TLP1: ["TLP:GREEN"], MEMBER: []}, "deny", ("tlp-green",)),
    ("TLP 1 RED", {TLP: [], TLP1: ["TLP:RED"]}, "deny", ("tlp-red",)),
    ("an IEP's tlp tightens", {IEP: [{"iep_version": 2.0, "tlp": "RED"}]}, "deny", ("tlp-red",)),
    ("an IEP's tlp with prefix", {IEP: [{"iep_version": 2.0, "tlp": "TLP:AMBER"}]}, "deny", ("tlp-amber",)),
    ("an IEP's tlp doesn't widen", {IEP: [{"iep_version": 2.0, "tlp": "WHITE"}], MEMBER: []}, "deny", ("tlp-green",)),
    ("an IEP's tlp alone is a level", {TLP: [], IEP: [{"iep_version": 2.0, "tlp": "WHITE"}], MEMBER: []}, "allow",
     ()),
    ("the strictest of two IEPs",
     {IEP: [{"iep_version": 2.0, "tlp": "WHITE"}, {"iep_version": 2.0, "tlp": "AMBER"}]}, "deny", ("tlp-amber",)),
    ("small letters are read", {TLP: ["tlp:green"]}, "allow", ()),
    ("AMBER+STRICT beats AMBER", {TLP: ["TLP:AMBER", "TLP:AMBER+STRICT"]}, "deny", ("tlp-amber-strict",)),
]
EFFECTIVE: list[Row] = [
    ("no level at all", {TLP: []}, "deny", ("marking-missing",)),
    ("the collection's default fills", {TLP: [], DEFAULT: "TLP:GREEN"}, "allow", ()),
    ("the default binds", {TLP: [], DEFAULT: "TLP:AMBER"}, "deny", ("tlp-amber",)),
    ("the default doesn't tighten an object's own label", {DEFAULT: "TLP:RED"}, "allow", ()),
    ("the default doesn't widen an object's own label", {TLP: ["TLP:AMBER"], DEFAULT: "TLP:CLEAR"}, "deny",
     ("tlp-amber",)),
    ("the default is in words of TLP 1", {TLP: [], DEFAULT: "TLP:WHITE", MEMBER: []}, "allow", ()),
    ("a default that is no level", {TLP: [], DEFAULT: "TLP:PINK"}, "deny", ("marking-missing", "marking-invalid")),
    ("a marking that can't be resolved", {"object.markings.unresolved": ["marking-definition--1"]}, "deny",
     ("marking-missing",)),
    ("an unresolved marking beside a default", {TLP: [], DEFAULT: "TLP:CLEAR", "object.markings.unresolved": ["m"]},
     "deny", ("marking-missing",)),
    ("an unknown colour", {TLP: ["TLP:PURPLE"]}, "deny", ("marking-invalid", "marking-missing")),
    ("an unknown colour beside a known one", {TLP: ["TLP:CLEAR", "TLP:PURPLE"]}, "deny", ("marking-invalid",)),
    ("a label with a space", {TLP: ["TLP: GREEN"]}, "deny", ("marking-invalid",)),
    ("WHITE is no word of TLP 2", {TLP: ["TLP:WHITE"]}, "deny", ("marking-invalid",)),
    ("CLEAR is no word of TLP 1", {TLP: [], TLP1: ["TLP:CLEAR"]}, "deny", ("marking-invalid",)),
    ("AMBER+STRICT is no word of TLP 1", {TLP: [], TLP1: ["TLP:AMBER+STRICT"]}, "deny", ("marking-invalid",)),
    ("CLEAR is no word of IEP", {IEP: [{"iep_version": 2.0, "tlp": "CLEAR"}]}, "deny", ("marking-invalid",)),
    ("the producer isn't spared", {TLP: [], **OWN}, "deny", ("marking-missing",)),
    ("a push without a level", {TLP: [], "action": "push", **OWN}, "deny", ("marking-missing",)),
    ("a push with a default", {TLP: [], DEFAULT: "TLP:AMBER", "action": "push", **OWN}, "allow", ()),
    ("an update without a level", {TLP: [], "action": "update", **OWN}, "deny", ("marking-missing",)),
]
AUDIENCE: list[Row] = [
    ("groups narrow GREEN", {GROUPS: ["g7"]}, "deny", ("not-in-audience",)),
    ("GREEN narrowed to a group of the reader", {GROUPS: ["g7"], **member()}, "allow", ()),
    ("a group doesn't replace the community", {GROUPS: ["g7"], MEMBER: [{"id": "g7"}]}, "deny", ("tlp-green",)),
    ("groups narrow CLEAR", {TLP: ["TLP:CLEAR"], GROUPS: ["g7"]}, "deny", ("not-in-audience",)),
    ("named organisations narrow CLEAR", {TLP: ["TLP:CLEAR"], ORGS: ["org-east"]}, "deny", ("not-in-audience",)),
    ("one of several groups is enough", {GROUPS: ["g1", "g7"], **member()}, "allow", ()),
    ("named beside a group that isn't the reader's", {GROUPS: ["g1"], ORGS: ["org-south"]}, "allow", ()),
    ("a narrowed CLEAR isn't public", {TLP: ["TLP:CLEAR"], ORGS: ["org-south"], **PUBLIC}, "deny",
     ("not-in-audience",)),
    ("an exclusion wins over membership", {EXCLUDE: ["org-south"]}, "deny", ("audience-excluded",)),
    ("an exclusion wins over being named", {TLP: ["TLP:AMBER"], ORGS: ["org-south"], EXCLUDE: ["org-south"]}, "deny",
     ("audience-excluded",)),
    ("an exclusion wins over a named person", {TLP: ["TLP:RED"], PERSONS: ["anne"], EXCLUDE: ["org-south"], **ANNE},
     "deny", ("audience-excluded",)),
    ("an exclusion counts for CLEAR too", {TLP: ["TLP:CLEAR"], EXCLUDE: ["org-south"]}, "deny",
     ("audience-excluded",)),
    ("another's exclusion doesn't", {EXCLUDE: ["org-east"]}, "allow", ()),
    ("a kind that is denied", {DENIED: ["platform"]}, "deny", ("audience-kind",)),
    ("a kind that is denied wins over being named", {DENIED: ["platform"], ORGS: ["org-south"]}, "deny",
     ("audience-kind",)),
    ("another kind that is denied", {DENIED: ["government"]}, "allow", ()),
    ("a state body of another kind is of the kind government",
     {DENIED: ["government"], "actor.kind": "regulator", "actor.government": True}, "deny", ("audience-kind",)),
    ("a kind that is admitted", {ALLOWED: ["platform", "ai-lab"]}, "allow", ()),
    ("a kind that isn't admitted", {ALLOWED: ["ai-lab"]}, "deny", ("audience-kind",)),
    ("no kind is admitted", {ALLOWED: []}, "deny", ("audience-kind",)),
    ("an unknown kind is none that is admitted", {ALLOWED: ["platform"], "actor.kind": ABSENT}, "deny",
     ("audience-kind",)),
    ("an unknown kind may be the denied one", {DENIED: ["government"], "actor.kind": ABSENT}, "deny",
     ("audience-kind",)),
    ("the producer sees its own AMBER", {TLP: ["TLP:AMBER"], **OWN}, "allow", ()),
    ("the producer sees its own RED on a service credential", {TLP: ["TLP:RED"], **OWN}, "allow", ()),
    ("the producer sees its own above its ceiling", {"actor.clearance": "TLP:CLEAR", **OWN}, "allow", ()),
    ("the producer sees its own of a kind not admitted", {ALLOWED: ["ai-lab"], **OWN}, "allow", ()),
    ("the producer sees its own outside the community", {MEMBER: [], **OWN}, "allow", ()),
    ("the public channel is nobody's own", {TLP: ["TLP:AMBER"], **OWN, **PUBLIC}, "deny", ("tlp-not-public",)),
]
CEILING: list[Row] = [
    ("above the ceiling", {"actor.clearance": "TLP:CLEAR"}, "deny", ("clearance",)),
    ("at the ceiling", {"actor.clearance": "TLP:GREEN"}, "allow", ()),
    ("no ceiling is none", {"actor.clearance": ABSENT}, "deny", ("clearance",)),
    ("AMBER+STRICT is above AMBER", {TLP: ["TLP:AMBER+STRICT"], ORGS: ["org-south"], "actor.clearance": "TLP:AMBER"},
     "deny", ("clearance",)),
    ("the ceiling also binds a named person",
     {TLP: ["TLP:RED"], PERSONS: ["anne"], **ANNE, "actor.clearance": "TLP:AMBER+STRICT"}, "deny", ("clearance",)),
]
RESHARE: list[Row] = [
    ("AMBER to the recipient's own client", {TLP: ["TLP:AMBER"], ORGS: ["org-south"], **client()}, "allow", ()),
    ("AMBER to somebody's client", {TLP: ["TLP:AMBER"], ORGS: ["org-south"], **client(client_of=["org-west"])},
     "deny",
     ("tlp-amber", "not-in-audience")),
    ("AMBER to a client, by one who wasn't addressed", {TLP: ["TLP:AMBER"], ORGS: ["org-east"], **client()}, "deny",
     ("tlp-amber",)),
    ("AMBER+STRICT to the client", {TLP: ["TLP:AMBER+STRICT"], ORGS: ["org-south"], **client()}, "deny",
     ("tlp-amber-strict",)),
    ("AMBER+STRICT to another addressed organisation",
     {TLP: ["TLP:AMBER+STRICT"], ORGS: ["org-south", "org-client"], **client()}, "allow", ()),
    ("GREEN to a client outside the community", client(), "deny", ("tlp-green",)),
    ("GREEN to a member", client(groups=[CIRCLE]), "allow", ()),
    ("GREEN to a former member", client(groups=[{**CIRCLE, "until": "2026-01-01T00:00:00Z"}]), "deny",
     ("tlp-green",)),
    ("CLEAR to anybody", {TLP: ["TLP:CLEAR"], **client(client_of=[])}, "allow", ()),
    ("CLEAR to an excluded organisation", {TLP: ["TLP:CLEAR"], EXCLUDE: ["org-client"], **client()}, "deny",
     ("audience-excluded",)),
    ("AMBER to an excluded client", {TLP: ["TLP:AMBER"], ORGS: ["org-south"], EXCLUDE: ["org-client"], **client()},
     "deny", ("audience-excluded",)),
    ("RED to nobody", {TLP: ["TLP:RED"], PERSONS: ["anne"], **ANNE, **client()}, "deny", ("tlp-red",)),
    ("AMBER more widely, with the source's permission", {TLP: ["TLP:AMBER"], ORGS: ["org-south"],
     **client(client_of=[]), "request.source_permission": "mail-9"}, "allow", ()),
    ("RED with the source's permission", {TLP: ["TLP:RED"], PERSONS: ["anne"], **ANNE, **client(),
     "request.source_permission": "mail-9"}, "allow", ()),
    ("a permission lifts no exclusion", {TLP: ["TLP:AMBER"], ORGS: ["org-south"], EXCLUDE: ["org-client"], **client(),
     "request.source_permission": "mail-9"}, "deny", ("audience-excluded",)),
    ("a permission is for the next one, not for who asks", {TLP: ["TLP:AMBER"], **client(),
     "request.source_permission": "mail-9"}, "deny", ("tlp-amber",)),
    ("a permission helps on no pull", {TLP: ["TLP:AMBER"], "request.source_permission": "mail-9"}, "deny",
     ("tlp-amber",)),
    ("back to its producer", {TLP: ["TLP:AMBER"], ORGS: ["org-south"], **client(org="org-north")}, "allow", ()),
    ("above the next one's stated ceiling", {**client(groups=[CIRCLE], clearance="TLP:CLEAR")}, "deny",
     ("clearance",)),
]
DERIVED = "object.derived_from"
SOURCE = {"source_org": "org-east", "tlp": "TLP:AMBER"}
DOWNGRADES: list[Row] = [
    ("wider than its source", {"action": "push", **OWN, DERIVED: SOURCE}, "deny",
     ("tlp-downgrade-without-permission",)),
    ("wider, with permission", {"action": "push", **OWN, DERIVED: {**SOURCE, "permission_ref": "mail-2"}}, "allow",
     ()),
    ("as strict as its source", {"action": "push", **OWN, DERIVED: {**SOURCE, "tlp": "TLP:GREEN"}}, "allow", ()),
    ("stricter than its source", {"action": "push", **OWN, DERIVED: {**SOURCE, "tlp": "TLP:CLEAR"}}, "allow", ()),
    ("a source without a label", {"action": "push", **OWN, DERIVED: {"source_org": "org-east"}}, "deny",
     ("tlp-downgrade-without-permission",)),
    ("its own source", {"action": "push", **OWN, DERIVED: {**SOURCE, "source_org": "org-north"}}, "allow", ()),
]
GRANULAR_ROWS: list[Row] = [
    ("a stricter part is withheld", {GRANULAR: [{"selector": "description", "tlp": "TLP:AMBER"}]}, "redact",
     ("granular-marking",)),
    ("a stricter required part denies", {GRANULAR: [{"selector": "pattern", "tlp": "TLP:RED"}]}, "deny",
     ("required-field-withheld",)),
    ("a looser part stays as strict as the object",
     {TLP: ["TLP:AMBER"], GRANULAR: [{"selector": "description", "tlp": "TLP:CLEAR"}]}, "deny", ("tlp-amber",)),
    ("a part for the addressed reaches them",
     {GRANULAR: [{"selector": "description", "tlp": "TLP:AMBER"}], ORGS: ["org-south"]}, "allow", ()),
    ("a part above the ceiling is withheld", {GRANULAR: [{"selector": "description", "tlp": "TLP:AMBER"}],
     ORGS: ["org-south"], "actor.clearance": "TLP:GREEN"}, "redact", ("granular-marking",)),
    ("a part for a group of the reader", {GRANULAR: [{"selector": "description", "groups": ["g7"]}], **member()},
     "allow", ()),
    ("a part for another group", {GRANULAR: [{"selector": "description", "groups": ["g1"]}], **member()}, "redact",
     ("granular-marking",)),
    ("a part for no group", {GRANULAR: [{"selector": "description", "groups": []}]}, "redact", ("granular-marking",)),
    ("a language restricts nobody", {GRANULAR: [{"selector": "description", "lang": "fr"}]}, "allow", ()),
    ("the producer sees its own parts", {GRANULAR: [{"selector": "pattern", "tlp": "TLP:RED"}], **OWN}, "allow", ()),
    ("a part with an unknown colour", {GRANULAR: [{"selector": "description", "tlp": "TLP:PINK"}]}, "deny",
     ("marking-invalid",)),
    ("a selector that selects nothing lets nothing out", {GRANULAR: [{"selector": "nickname", "tlp": "TLP:RED"}]},
     "deny", ("granular-selector-invalid",)),
    ("a selector that selects nothing isn't taken",
     {GRANULAR: [{"selector": "nickname", "lang": "fr"}], "action": "push", **OWN}, "deny",
     ("granular-selector-invalid",)),
    ("a selector that is none isn't taken",
     {GRANULAR: [{"selector": "Name..x", "tlp": "TLP:RED"}], "action": "push", **OWN}, "deny",
     ("granular-selector-invalid",)),
    ("an optional part that isn't CLEAR stays out of print",
     {TLP: ["TLP:CLEAR"], GRANULAR: [{"selector": "description", "tlp": "TLP:GREEN"}], "action": "publish"}, "redact",
     ("granular-marking",)),
]
ALL = LEVELS + MOST_RESTRICTIVE + EFFECTIVE + AUDIENCE + CEILING + RESHARE + DOWNGRADES + GRANULAR_ROWS


@pytest.mark.parametrize("row", ALL, ids=[row[0] for row in ALL])
def test_release_follows_the_table(row: Row) -> None:
    _, changes, decision, reasons = row
    given = decide(facts(changes), load())
    assert given.decision == decision, given.reasons
    assert set(reasons) <= set(given.reasons)


def test_what_is_withheld_is_named_by_its_selector() -> None:
    parts = [{"selector": "name", "tlp": "TLP:RED"}, {"selector": "description", "tlp": "TLP:AMBER"}]
    assert decide(facts({GRANULAR: parts}), load()).redact == ("description", "name")


@pytest.mark.parametrize(("mode", "seen"), [("feed", "absent"), ("by-id", "404"), ("one-off", "404")])
def test_a_denied_pull_looks_like_what_does_not_exist(mode: str, seen: str) -> None:
    assert decide(facts({MEMBER: [], "request.mode": mode}), load()).visible_error == seen


@pytest.mark.parametrize("action", ["update", "delete"])
def test_changing_what_one_may_not_read_looks_like_an_unknown_id(action: str) -> None:
    assert decide(facts({"action": action, MEMBER: []}), load()).visible_error == "404"
    assert decide(facts({"action": action}), load()).visible_error is None


def test_an_allowed_pull_has_no_error() -> None:
    assert decide(facts({}), load()).visible_error is None
