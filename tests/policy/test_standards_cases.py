"""What TLP 2.0, IEP 2.0, PAP and the rules of sharing say of audiences and purposes, as decisions on facts.

The tables were written from the texts before the rules were read, on base facts of their own, so that they judge
the rules and don't repeat them. A row: name, what is changed, "decision reason ...", what is withheld.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from standards_facts import (
    AM,
    BYID,
    COMM,
    OUT,
    OWN,
    PD,
    PUBLISH,
    PUSH,
    RD,
    READERS,
    RES,
    RS,
    ST,
    UPDATE,
    Row,
    act,
    agreement,
    agreements,
    derived,
    groups,
    iep,
    ieps,
    judge,
    member,
    membership,
    named,
    onward,
    pap,
    person,
    tlp,
    tlp1,
    transfer,
)

TLP: list[Row] = [
    ("P1: base pull", {}, "allow"),
    ("P1: clear to outsider", tlp("CLEAR") | OUT, "allow"),
    ("P1: green to community", tlp("GREEN"), "allow"),
    ("P1: green to outsider feed", OUT, "deny tlp-green absent"),
    ("P16: green to outsider by id", OUT | BYID, "deny tlp-green 404"),
    ("P4: amber no audience", tlp("AMBER"), "deny tlp-amber absent"),
    ("P4: amber no audience by id", tlp("AMBER") | BYID, "deny tlp-amber 404"),
    ("P4: amber named", tlp("AMBER") | named("org-beta"), "allow"),
    ("P4: amber group", tlp("AMBER") | groups("cib-community"), "allow"),
    ("P4: amber other group", tlp("AMBER") | groups("g-elections"), "deny tlp-amber not-in-audience"),
    ("P4: amber other named", tlp("AMBER") | named("org-gamma"), "deny tlp-amber not-in-audience"),
    ("P4: amber client of named", tlp("AMBER") | named("org-gamma") | {"actor.client_of": ["org-gamma"]}, "deny tlp-amber"),
    ("P4: amber own", tlp("AMBER") | OWN, "allow"),
    ("P4: strict no audience", tlp("AMBER+STRICT"), "deny tlp-amber-strict"),
    ("P4: strict named", tlp("AMBER+STRICT") | named("org-beta"), "allow"),
    ("P4: strict group", tlp("AMBER+STRICT") | groups("cib-community"), "allow"),
    ("P4: strict client", tlp("AMBER+STRICT") | named("org-gamma") | {"actor.client_of": ["org-gamma"]}, "deny tlp-amber-strict"),
    ("P4: strict own", tlp("AMBER+STRICT") | OWN, "allow"),
    ("P4: strict other named", tlp("AMBER+STRICT") | named("org-gamma", "org-delta"), "deny tlp-amber-strict"),
    ("P3: red service", tlp("RED"), "deny tlp-red"),
    ("P3: red service though org named", tlp("RED") | named("org-beta"), "deny tlp-red"),
    ("P3: red service, with person named in list", tlp("RED") | {"object.audience.named_persons": ["alice"]}, "deny tlp-red"),
    ("P3: red named person", tlp("RED") | person() | {"object.audience.named_persons": ["alice"]}, "allow"),
    ("P3: red named person and org", tlp("RED") | person() | named("org-beta")
     | {"object.audience.named_persons": ["alice", "bob"]}, "allow"),
    ("P3: red unnamed person", tlp("RED") | person("mallory") | {"object.audience.named_persons": ["alice"]}, "deny tlp-red"),
    ("P3: red person in group not named", tlp("RED") | person() | groups("cib-community"), "deny tlp-red"),
    ("P3: red no persons", tlp("RED") | person(), "deny tlp-red"),
    ("P3: red person null", tlp("RED") | person(None) | {"object.audience.named_persons": ["alice"]}, "deny tlp-red"),
    ("P3: red service cred bearing a person's name", tlp("RED")
     | {"request.principal": {"kind": "service", "person": "alice"}, "object.audience.named_persons": ["alice"]}, "deny tlp-red"),
    ("P3: red by id 404", tlp("RED") | BYID, "deny tlp-red 404"),
    ("P3: red ceiling amber named person", tlp("RED") | person()
     | {"object.audience.named_persons": ["alice"], "actor.clearance": "TLP:AMBER+STRICT"}, "deny clearance"),
    ("P1: green+amber→amber", tlp("GREEN", "AMBER"), "deny tlp-amber"),
    ("P1: clear+green outsider", tlp("CLEAR", "GREEN") | OUT, "deny tlp-green"),
    ("P1: amber+strict", tlp("AMBER", "AMBER+STRICT"), "deny tlp-amber-strict"),
    ("P1: tlp1 white alone", tlp() | tlp1("WHITE") | OUT, "allow"),
    ("P1: tlp1 white with green", tlp1("WHITE"), "allow"),
    ("P1: tlp1 red with green", tlp1("RED"), "deny tlp-red"),
    ("P1: tlp1 amber with green", tlp1("AMBER"), "deny tlp-amber"),
    ("P1: tlp1 amber named", tlp() | tlp1("AMBER") | named("org-beta"), "allow"),
    ("P1: tlp1 green alone", tlp() | tlp1("GREEN"), "allow"),
    ("P1: iep amber with green", iep(tlp="AMBER"), "deny tlp-amber"),
    ("P1: iep red with green", iep(tlp="RED"), "deny tlp-red"),
    ("P1: iep lower-case amber", iep(tlp="amber"), "deny tlp-amber"),
    ("P1: iep TLP:AMBER", iep(tlp="TLP:AMBER"), "deny tlp-amber"),
    ("P1: iep white with green", iep(tlp="WHITE"), "allow"),
    ("P1: iep white with green, outsider", iep(tlp="WHITE") | OUT, "deny tlp-green"),
    ("P1: iep green only", tlp() | iep(tlp="GREEN"), "allow"),
    ("P1: iep white only outsider", tlp() | iep(tlp="WHITE") | OUT, "allow"),
    ("P1: two ieps: green + red", ieps({"tlp": "GREEN"}, {"tlp": "RED"}), "deny tlp-red"),
    ("P2: no tlp", tlp(), "deny marking-missing"),
    ("P2: no tlp by id", tlp() | BYID, "deny marking-missing 404"),
    ("P2: collection default green", tlp() | {"object.markings.collection_default": "TLP:GREEN"}, "allow"),
    ("P2: collection default amber", tlp() | {"object.markings.collection_default": "TLP:AMBER"}, "deny tlp-amber"),
    ("P2: collection default amber, named", tlp() | named("org-beta") | {"object.markings.collection_default": "TLP:AMBER"}, "allow"),
    ("P2: own green beats default amber", {"object.markings.collection_default": "TLP:AMBER"}, "allow"),
    ("P2: default red only", tlp() | {"object.markings.collection_default": "TLP:RED"}, "deny tlp-red"),
    ("P2: default clear outsider", tlp() | OUT | {"object.markings.collection_default": "TLP:CLEAR"}, "allow"),
    ("P2: invalid tlp", tlp("YELLOW"), "deny marking-invalid"),
    ("P2: invalid tlp push", PUSH | tlp("YELLOW"), "deny marking-invalid"),
    ("P2: tlp 2 knows no WHITE", PUSH | tlp("WHITE"), "deny marking-invalid"),
    ("P2: tlp1 knows no STRICT", PUSH | tlp() | tlp1("AMBER+STRICT"), "deny marking-invalid"),
    ("P2: invalid next to valid", PUSH | tlp("GREEN", "PURPLE"), "deny marking-invalid"),
    ("P2: invalid pap", PUSH | pap("PURPLE"), "deny marking-invalid"),
    ("P2: push no tlp", PUSH | tlp(), "deny marking-missing"),
    ("P2: push no tlp with default", PUSH | tlp() | {"object.markings.collection_default": "TLP:AMBER"}, "allow"),
    ("P2: update no tlp", UPDATE | tlp(), "deny marking-missing"),
    ("P5: ceiling clear refuses green by id", BYID | {"actor.clearance": "TLP:CLEAR"}, "deny clearance 404"),
]
LEVELS = ("CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED")
CEILINGS: list[Row] = [
    (f"P5: {level} under a ceiling of {ceiling}",
     tlp(level) | named("org-beta") | person() | READERS | {"actor.clearance": f"TLP:{ceiling}"},
     "allow" if place <= most else "deny clearance")
    for most, ceiling in enumerate(LEVELS) for place, level in enumerate(LEVELS)
]
AUDIENCE: list[Row] = [
    ("P4: exclude org", {"object.audience.exclude_orgs": ["org-beta"]}, "deny audience-excluded"),
    ("P4: exclude beats named", tlp("AMBER") | named("org-beta")
     | {"object.audience.exclude_orgs": ["org-beta"]}, "deny audience-excluded"),
    ("P4: exclude beats group", groups("cib-community") | {"object.audience.exclude_orgs": ["org-beta"]}, "deny audience-excluded"),
    ("P4: exclude other", {"object.audience.exclude_orgs": ["org-gamma"]}, "allow"),
    ("P4: exclude on clear", tlp("CLEAR") | {"object.audience.exclude_orgs": ["org-beta"]}, "deny audience-excluded"),
    ("P4: kinds allowed in", {"object.audience.kinds_allowed": ["platform", "researcher"]}, "allow"),
    ("P4: kinds allowed out", {"object.audience.kinds_allowed": ["researcher"]}, "deny audience-kind"),
    ("P4: kinds allowed empty is nobody", {"object.audience.kinds_allowed": []}, "deny audience-kind"),
    ("P4: kinds denied", {"object.audience.kinds_denied": ["platform"]}, "deny audience-kind"),
    ("P4: kinds denied beats allowed", {"object.audience.kinds_denied": ["platform"], "object.audience.kinds_allowed": ["platform"]}, "deny audience-kind"),
    ("P4: kinds denied beats named", named("org-beta") | {"object.audience.kinds_denied": ["platform"]}, "deny audience-kind"),
    ("P4: kinds denied other", {"object.audience.kinds_denied": ["government"]}, "allow"),
    ("P4: clear named other", tlp("CLEAR") | named("org-gamma"), "deny not-in-audience"),
    ("P4: green named other", named("org-gamma"), "deny not-in-audience"),
    ("P4: green group other", groups("g-elections"), "deny not-in-audience"),
    ("P4: green group or name", groups("g-elections") | named("org-beta"), "allow"),
    ("P4: green in one of groups", groups("g-elections", "cib-community"), "allow"),
    ("P4: green other group, member of it", groups("g-elections") | {"actor.groups": [member(), member("g-elections")]}, "allow"),
    ("P4: amber group not community", tlp("AMBER") | groups("g-elections") | {"actor.groups": [member("g-elections")]}, "allow"),
    ("P4: own though excluded kinds", OWN | {"object.audience.kinds_allowed": ["researcher"]}, "allow"),
    ("P4: own though named others", OWN | tlp("AMBER+STRICT") | named("org-beta"), "allow"),
    ("P9: member since exactly now", membership(since="2026-06-15T12:00:00Z"), "allow"),
    ("P9: member since a second later", membership(since="2026-06-15T12:00:01Z"), "deny tlp-green"),
    ("P9: member until exactly now", membership(until="2026-06-15T12:00:00Z"), "deny tlp-green"),
    ("P9: member until a second later", membership(until="2026-06-15T12:00:01Z"), "allow"),
    ("P9: member until passed", membership(until="2026-06-01T00:00:00Z"), "deny tlp-green"),
    ("P9: member with fractional until", membership(until="2026-06-15T12:00:00.001Z"), "allow"),
    ("P9: member with fractional until same", membership(until="2026-06-15T12:00:00.000Z"), "deny tlp-green"),
    ("P4: membership suspended", membership(status="suspended"), "deny tlp-green"),
    ("P4: membership pending", membership(status="pending"), "deny tlp-green"),
    ("P4: membership revoked for amber group", tlp("AMBER") | groups("cib-community") | membership(status="revoked"), "deny tlp-amber"),
    ("P4: group ended for green list", groups("g-x")
     | {"actor.groups": [member(), member("g-x", until="2026-06-15T12:00:00Z")]}, "deny not-in-audience"),
    ("P4: two stints, one active", {"actor.groups": [member(until="2025-06-01T00:00:00Z"), member(since="2026-01-01T00:00:00Z")]}, "allow"),
    ("P4: community of another name", {"object.audience.community": "other-community"}, "deny tlp-green"),
    ("P8: no agreement", agreements(), "deny agreement-missing"),
    ("P8: no agreement by id", agreements() | BYID, "deny agreement-missing 404"),
    ("P8: suspended", agreements(agreement(status="suspended")), "deny agreement-missing"),
    ("P8: terminated", agreements(agreement(status="terminated")), "deny agreement-missing"),
    ("P8: until now", agreements(agreement(until="2026-06-15T12:00:00Z")), "deny agreement-missing"),
    ("P8: until a second later", agreements(agreement(until="2026-06-15T12:00:01Z")), "allow"),
    ("P8: equal version", agreements(agreement(version=1)), "allow"),
    ("P8: lower version", {"object.requires_agreements": [{"id": "base", "min_version": 3}]}, "deny agreement-missing"),
    ("P8: version met", {"object.requires_agreements": [{"id": "base", "min_version": 2}]}, "allow"),
    ("P8: second demanded missing", {"object.requires_agreements": [{"id": "base", "min_version": 1}, {"id": "elections", "min_version": 1}]}, "deny agreement-missing"),
    ("P8: both met", agreements(agreement(), agreement("elections", 1))
     | {"object.requires_agreements": [{"id": "base", "min_version": 1}, {"id": "elections", "min_version": 1}]}, "allow"),
    ("P8: none demanded", agreements() | {"object.requires_agreements": []}, "allow"),
    ("P8: old version next to good", agreements(agreement(version=1, status="terminated"), agreement(version=2)), "allow"),
    ("P8: push no agreement", PUSH | agreements(), "deny agreement-missing"),
    ("P8: push suspended", PUSH | agreements(agreement(status="suspended")), "deny agreement-missing"),
    ("P8: act no agreement", act("passive-log-search") | agreements(), "deny agreement-missing"),
    ("P8: clear still needs agreement", tlp("CLEAR") | agreements(), "deny agreement-missing"),
]
PURPOSE: list[Row] = [
    ("P13: no purpose", {"request.purpose": None}, "deny purpose-missing"),
    ("P13: incompatible & not agreed", {"request.purpose": "advertising"}, "deny purpose-incompatible purpose-not-agreed"),
    ("P13: incompatible but agreed", {"request.purpose": "election-integrity", "actor.purposes": ["election-integrity"]}, "deny purpose-incompatible"),
    ("P13: compatible but not agreed", {"actor.purposes": ["account-integrity"]}, "deny purpose-not-agreed"),
    ("P13: second purpose", {"request.purpose": "account-integrity"}, "allow"),
    ("P13: no purposes agreed", {"actor.purposes": []}, "deny purpose-not-agreed"),
    ("P13: advertising agreed but not listed", {"request.purpose": "advertising", "actor.purposes": ["advertising"]}, "deny purpose-incompatible"),
    ("P13: model training agreed", {"request.purpose": "model-training", "actor.purposes": ["model-training"]}, "deny purpose-incompatible"),
    ("P13: model training listed by producer", {"request.purpose": "model-training", "actor.purposes": ["model-training"], "object.basis.purposes": ["model-training"]}, "allow"),
    ("P13: commercial resale", {"request.purpose": "commercial-resale", "actor.purposes": ["commercial-resale"]}, "deny purpose-incompatible"),
    ("P13: political profiling", {"request.purpose": "political-profiling", "actor.purposes": ["political-profiling"]}, "deny purpose-incompatible"),
    ("P13: research not declared compatible", RES | {"actor.research_safeguards": "dmp-1"}, "deny purpose-incompatible"),
    ("P13: research compatible, no safeguards", RES | {"object.basis.research_compatible": True}, "deny research-safeguards-missing"),
    ("P13: research compatible with safeguards, no personal data", RES
     | {"object.basis.research_compatible": True, "actor.research_safeguards": "dmp-1"}, "allow"),
    ("P13: research compatible, safeguards, not agreed", RES
     | {"object.basis.research_compatible": True, "actor.research_safeguards": "dmp-1", "actor.purposes": ["cib-detection"]}, "deny purpose-not-agreed"),
    ("P13: research pd with identifiers", PD | RES
     | {"object.basis.research_compatible": True, "actor.research_safeguards": "dmp-1"}, "redact minimised"),
    ("P13: research pd with ip only", PD | RES
     | {"object.data.categories": ["IPAddress"], "object.basis.research_compatible": True, "actor.research_safeguards": "dmp-1"}, "allow"),
    ("P13: research pd no safeguards", PD | RES | {"object.basis.research_compatible": True}, "deny research-safeguards-missing"),
    ("P13: research listed as a purpose, safeguards missing", PD | RES
     | {"object.basis.purposes": ["research"]}, "deny research-safeguards-missing"),
    ("P13: push without purposes", PUSH | PD | {"object.basis.purposes": []}, "deny purpose-missing"),
    ("P13: push without purposes, no pd", PUSH | {"object.basis.purposes": []}, "deny purpose-missing"),
    ("P13: push needs no request purpose", PUSH | {"request.purpose": None}, "allow"),
    ("P13: purpose missing by id", BYID | {"request.purpose": None}, "deny purpose-missing"),
]
IEP_PAP: list[Row] = [
    ("P7: iep none dates", iep(), "allow"),
    ("P7: iep starts now", iep(start_date="2026-06-15T12:00:00Z"), "allow"),
    ("P7: iep starts later", iep(start_date="2026-06-15T12:00:01Z"), "deny iep-not-in-force"),
    ("P7: iep ends now", iep(start_date="2026-01-01T00:00:00Z", end_date="2026-06-15T12:00:00Z"), "deny iep-not-in-force"),
    ("P7: iep ends later", iep(start_date="2026-01-01T00:00:00Z", end_date="2026-06-15T12:00:01Z"), "allow"),
    ("P7: iep no end", iep(start_date="2026-01-01T00:00:00Z", end_date=None), "allow"),
    ("P7: lapse never widens", iep(tlp="RED", start_date="2026-01-01T00:00:00Z", end_date="2026-02-01T00:00:00Z"), "deny iep-not-in-force"),
    ("P7: one of two lapsed", ieps({"end_date": "2027-01-01T00:00:00Z"}, {"end_date": "2026-01-01T00:00:00Z"}), "deny iep-not-in-force"),
    ("P7: iep not in force by id", BYID | iep(start_date="2026-07-01T00:00:00Z"), "deny iep-not-in-force 404"),
    ("P7: act after lapse", act("passive-log-search") | iep(end_date="2026-06-01T00:00:00Z"), "deny iep-not-in-force"),
    ("IEP: version 1 push", PUSH | {"object.markings.iep": [{"iep_version": 1.0, "tlp": "GREEN"}]}, "deny iep-version-unsupported"),
    ("IEP: version 1 pull", {"object.markings.iep": [{"iep_version": 1}]}, "deny iep-version-unsupported"),
    ("IEP: version 2 integer", {"object.markings.iep": [{"iep_version": 2}]}, "allow"),
    ("IEP: push with iep 2", PUSH | iep(tlp="GREEN", encrypt_in_transit="may"), "allow"),
    ("IEP: encrypt must, clear channel", iep(encrypt_in_transit="must") | {"request.channel.encrypted": False}, "deny encryption-required"),
    ("IEP: encrypt must, encrypted", iep(encrypt_in_transit="must"), "allow"),
    ("IEP: encrypt may, clear channel", iep(encrypt_in_transit="may") | {"request.channel.encrypted": False}, "allow"),
    ("IEP: encrypt may+must", ieps({"encrypt_in_transit": "may"}, {"encrypt_in_transit": "must"})
     | {"request.channel.encrypted": False}, "deny encryption-required"),
    ("IEP: clear channel without iep", {"request.channel.encrypted": False}, "allow"),
    ("IEP: contact first, instruction given", act("passive-log-search", provider_instruction_ref="mail-1")
     | iep(permitted_actions="contact-for-instruction"), "allow"),
    ("IEP: contact first, instruction given, suspend", act("suspend-account", provider_instruction_ref="mail-1")
     | iep(permitted_actions="contact-for-instruction"), "allow"),
    ("IEP: none even with instruction", act("passive-log-search", provider_instruction_ref="mail-1")
     | iep(permitted_actions="none"), "deny action-not-permitted"),
    ("IEP: permitted_actions none still readable", iep(permitted_actions="none"), "allow"),
    ("IEP: contact first still readable", iep(permitted_actions="contact-for-instruction"), "allow"),
    ("IEP: two ieps direct and internal", act("block-domain")
     | ieps({"permitted_actions": "externally-visible-direct-actions"}, {"permitted_actions": "internally-visible-actions"}), "deny action-not-permitted"),
    ("IEP: two ieps direct and contact", act("block-domain")
     | ieps({"permitted_actions": "externally-visible-direct-actions"}, {"permitted_actions": "contact-for-instruction"}), "deny contact-provider-first"),
    ("PAP: pap white", act("suspend-account") | pap("WHITE"), "allow"),
    ("PAP: pap red+green", act("block-domain") | pap("GREEN", "RED"), "deny action-not-permitted"),
    ("PAP: pap red readable", pap("RED"), "allow"),
    ("PAP: pap green iep internal", act("block-domain") | pap("GREEN")
     | iep(permitted_actions="internally-visible-actions"), "deny action-not-permitted"),
    ("PAP: pap red iep direct", act("block-domain") | pap("RED")
     | iep(permitted_actions="externally-visible-direct-actions"), "deny action-not-permitted"),
    ("IEP: notify must-not", {"action": "notify-affected"}
     | iep(affected_party_notifications="must-not"), "deny affected-party-notification-prohibited"),
    ("IEP: notify may", {"action": "notify-affected"} | iep(affected_party_notifications="may"), "allow"),
    ("IEP: notify no iep", {"action": "notify-affected"}, "allow"),
    ("IEP: notify may+must-not", {"action": "notify-affected"}
     | ieps({"affected_party_notifications": "may"}, {"affected_party_notifications": "must-not"}), "deny affected-party-notification-prohibited"),
    ("IEP: notify must-not is still readable", iep(affected_party_notifications="must-not"), "allow"),
    ("IEP: notify must-not still acts", act("block-domain") | iep(affected_party_notifications="must-not"), "allow"),
    ("P25: attribution must-not on pull: provider withheld", iep(attribution="must-not"), "redact attribution-withheld", ["provider"]),
    ("P25: attribution may on pull", iep(attribution="may"), "allow"),
    ("P25: attribution must on pull", iep(attribution="must"), "allow"),
    ("P25: attribution may+must-not on pull", ieps({"attribution": "may"}, {"attribution": "must-not"}), "redact attribution-withheld", ["provider"]),
    ("P25: attribution must-not own pull", OWN | iep(attribution="must-not"), "allow"),
    ("IEP: reshare not attributing, must", RS | iep(attribution="must")
     | {"request.attributes_provider": False}, "deny attribution-required"),
    ("IEP: reshare attributing, must", RS | iep(attribution="must") | {"request.attributes_provider": True}, "allow"),
    ("IEP: reshare attributing, may", RS | iep(attribution="may") | {"request.attributes_provider": True}, "allow"),
    ("IEP: reshare not attributing, may", RS | iep(attribution="may") | {"request.attributes_provider": False}, "allow"),
    ("IEP: publish not attributing, must", PUBLISH | iep(attribution="must")
     | {"request.attributes_provider": False}, "deny attribution-required"),
    ("IEP: resale must-not", RS | iep(unmodified_resale="must-not") | {"request.resale_unmodified": True}, "deny resale-prohibited"),
    ("IEP: resale may", RS | iep(unmodified_resale="may") | {"request.resale_unmodified": True}, "allow"),
    ("IEP: resale must-not, no resale", RS | iep(unmodified_resale="must-not") | {"request.resale_unmodified": False}, "allow"),
    ("IEP: resale may+must-not", RS | ieps({"unmodified_resale": "may"}, {"unmodified_resale": "must-not"})
     | {"request.resale_unmodified": True}, "deny resale-prohibited"),
]
LADDER = ("internally-visible-actions", "externally-visible-indirect-actions", "externally-visible-direct-actions")
COLOURS = ("AMBER", "GREEN", "CLEAR", "WHITE")
REACH = {"passive-log-search": 0, "internal-watchlist": 0, "third-party-lookup": 1, "block-domain": 2, "suspend-account": 2}
ACTS: list[Row] = [
    *((f"IEP: {kind} under {level}", act(kind) | iep(permitted_actions=level),
       "allow" if reach <= place else "deny action-not-permitted")
      for kind, reach in REACH.items() for place, level in enumerate(LADDER)),
    *((f"PAP: {kind} under PAP:{colour}", act(kind) | pap(colour),
       "allow" if reach <= place + 1 else "deny action-not-permitted")
      for kind, reach in REACH.items() for place, colour in enumerate(COLOURS)),
    *((f"IEP: {kind} under none", act(kind) | iep(permitted_actions="none"), "deny action-not-permitted") for kind in REACH),
    *((f"IEP: {kind} before the provider is asked", act(kind) | iep(permitted_actions="contact-for-instruction"),
       "deny contact-provider-first") for kind in REACH),
    *((f"{kind} where nothing is stated", act(kind), "allow") for kind in REACH),
    ("PAP: logs under PAP:RED", act("passive-log-search") | pap("RED"), "allow"),
    ("PAP: a watchlist under PAP:RED", act("internal-watchlist") | pap("RED"), "deny action-not-permitted"),
    ("PAP: a lookup under PAP:RED", act("third-party-lookup") | pap("RED"), "deny action-not-permitted"),
    ("PAP: a block under PAP:RED", act("block-domain") | pap("RED"), "deny action-not-permitted"),
]
RESHARE: list[Row] = [
    ("TLP: reshare green in community", RS, "allow"),
    ("TLP: reshare green outside", onward(), "deny tlp-green"),
    ("TLP: reshare green outside with permission", onward() | {"request.source_permission": "mail-9"}, "allow"),
    ("TLP: reshare clear anyone", onward() | tlp("CLEAR"), "allow"),
    ("TLP: reshare amber to client", onward(client_of=["org-beta"]) | AM, "allow"),
    ("TLP: reshare amber to stranger", onward() | AM, "deny tlp-amber"),
    ("TLP: reshare amber to other's client", onward(client_of=["org-delta"]) | AM, "deny tlp-amber"),
    ("TLP: reshare amber to community member", RS | AM, "deny tlp-amber"),
    ("TLP: reshare amber to other addressed", onward() | tlp("AMBER") | named("org-beta", "org-gamma"), "allow"),
    ("TLP: reshare amber to stranger with permission", onward() | AM | {"request.source_permission": "mail-9"}, "allow"),
    ("TLP: reshare strict to client", onward(client_of=["org-beta"]) | ST, "deny tlp-amber-strict"),
    ("TLP: reshare strict to client with permission", onward(client_of=["org-beta"]) | ST
     | {"request.source_permission": "mail-9"}, "allow"),
    ("TLP: reshare strict to addressed", onward() | tlp("AMBER+STRICT") | named("org-beta", "org-gamma"), "allow"),
    ("TLP: reshare red", RS | RD, "deny tlp-red"),
    ("TLP: reshare red to client", onward(client_of=["org-beta"]) | RD, "deny tlp-red"),
    ("TLP: reshare to excluded", RS | {"object.audience.exclude_orgs": ["org-gamma"]}, "deny audience-excluded"),
    ("TLP: reshare to excluded even with permission", RS
     | {"object.audience.exclude_orgs": ["org-gamma"], "request.source_permission": "m"}, "deny audience-excluded"),
    ("P9: reshare to member whose time ended", onward(groups=[member(until="2026-06-15T12:00:00Z")]), "deny tlp-green"),
    ("P9: reshare to suspended member", onward(groups=[member(status="suspended")]), "deny tlp-green"),
    ("P6: reshare pd to third", onward(groups=[COMM], jurisdiction_class="third") | PD, "deny transfer-mechanism-missing"),
    ("P6: reshare pd to third with scc", onward(groups=[COMM], jurisdiction_class="third", transfer=[{"id": "A46-2-c", "tia": "tia-1"}]) | PD, "allow"),
    ("P6: reshare pd to eea", RS | PD, "allow"),
    ("P6: reshare no pd to third", onward(groups=[COMM], jurisdiction_class="third"), "allow"),
    ("P6: resharer's own mechanism doesn't help", onward(groups=[COMM], jurisdiction_class="third") | PD
     | transfer("A46-2-c", tia="t"), "deny transfer-mechanism-missing"),
    ("TLP: own reshare is producer's choice amber", onward() | tlp("AMBER") | OWN, "deny tlp-amber"),
    ("TLP: downgrade amber→green", PUSH | derived("AMBER"), "deny tlp-downgrade-without-permission"),
    ("TLP: downgrade amber→green null permission", PUSH | derived("AMBER", permission_ref=None), "deny tlp-downgrade-without-permission"),
    ("TLP: downgrade with permission", PUSH | derived("AMBER", permission_ref="mail-3"), "allow"),
    ("TLP: same label", PUSH | derived("GREEN"), "allow"),
    ("TLP: stricter label", PUSH | derived("CLEAR"), "allow"),
    ("TLP: strict→amber", PUSH | tlp("AMBER") | named("org-beta") | derived("AMBER+STRICT"), "deny tlp-downgrade-without-permission"),
    ("TLP: red→strict", PUSH | tlp("AMBER+STRICT") | named("org-beta") | derived("RED"), "deny tlp-downgrade-without-permission"),
    ("TLP: update downgrade", UPDATE | derived("RED"), "deny tlp-downgrade-without-permission"),
    ("TLP: own source relabelled", PUSH
     | {"object.derived_from": {"source_org": "org-alpha", "tlp": "TLP:AMBER", "permission_ref": None}}, "allow"),
]
PUBLIC: list[Row] = [
    ("P6: publish clear", PUBLISH, "allow"),
    ("P6: publish clear by owner", PUBLISH | OWN, "allow"),
    ("P6: publish pd", PUBLISH | PD, "deny personal-data-not-public"),
    ("P6: publish unknown", PUBLISH | {"object.data.personal": "unknown"}, "deny personal-data-not-public"),
    ("P6: pull pd over public channel", tlp("CLEAR") | PD | {"request.channel.public": True}, "deny personal-data-not-public"),
    ("P6: pull green over public channel", {"request.channel.public": True}, "deny tlp-green"),
    ("P6: pull clear over public channel", tlp("CLEAR") | {"request.channel.public": True}, "allow"),
    ("P6: pull amber over public channel", tlp("AMBER") | named("org-beta") | {"request.channel.public": True}, "deny"),
    ("P22: counts at 10", PUBLISH | {"object.counts": {"accounts_removed": 10, "followers": 10}}, "allow"),
    ("P22: counts at 9", PUBLISH
     | {"object.counts": {"accounts_removed": 9, "followers": 1000}}, "redact small-count", ["counts.accounts_removed"]),
    ("P22: counts zero", PUBLISH | {"object.counts": {"accounts_removed": 1200, "accounts_removed_LU": 0}}, "redact small-count"),
    ("P22: counts parameter", PUBLISH | {"object.counts": {"accounts_removed": 12}, "programme.min_count": 20}, "redact small-count"),
    ("P22: counts parameter 5", PUBLISH | {"object.counts": {"accounts_removed": 7}, "programme.min_count": 5}, "allow"),
    ("P22: two small", PUBLISH
     | {"object.aggregate": True, "object.counts": {"accounts_removed": 3, "followers": 4, "accounts_removed_LU": 50}}, "redact small-count", ["counts.accounts_removed", "counts.followers"]),
    ("P22: small counts not in pull", {"object.counts": {"accounts_removed": 3}}, "allow"),
    ("P23: methods", PUBLISH | {"object.internal_methods": ["description"]}, "redact methods-withheld", ["description"]),
    ("P23: no methods", PUBLISH | {"object.internal_methods": []}, "allow"),
    ("P23: methods shared in pull", {"object.internal_methods": ["description"]}, "allow"),
    ("P22: aggregate publish", PUBLISH | {"object.aggregate": True, "object.counts": {"accounts_removed": 500}}, "allow"),
    ("P22: aggregate with pd source publishes", PUBLISH | PD
     | {"object.aggregate": True, "object.type": "report", "object.counts": {"accounts_removed": 500}}, "redact identifiers-withheld"),
    ("P23: method and small count", PUBLISH
     | {"object.internal_methods": ["description"], "object.counts": {"accounts_removed": 2}}, "redact methods-withheld small-count", ["description", "counts.accounts_removed"]),
    ("P22: publish embargo", PUBLISH | {"object.life.not_before": "2026-07-01T00:00:00Z"}, "deny embargo"),
]
NOT_CLEAR: list[Row] = [
    (f"TLP: {level} isn't published{' by its producer' if who else ''}", PUBLISH | tlp(level) | named("org-beta") | who,
     "deny tlp-not-public") for level in LEVELS[1:] for who in ({}, OWN)
]
TABLES = (TLP, CEILINGS, AUDIENCE, PURPOSE, IEP_PAP, ACTS, RESHARE, PUBLIC, NOT_CLEAR)
CASES = [row for table in TABLES for row in table]


@pytest.mark.parametrize("row", CASES, ids=[row[0] for row in CASES])
def test_a_decision_is_what_the_standards_say(row: Row) -> None:
    judge(row)


def test_the_tables_say_each_thing_once_and_let_many_pass() -> None:
    assert len({row[0] for row in CASES}) == len(CASES)
    assert sum(row[2] == "allow" for row in CASES) > len(CASES) / 3
