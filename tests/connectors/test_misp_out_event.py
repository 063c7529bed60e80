"""STIX as a MISP event: what came from MISP comes back as it was, and nothing goes further than it may."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.misp.context import Settings
from connectors.misp.terms import read_audiences
from connectors.out.misp import to_event
from connectors.out.misp.event import written
from exchange.connect.asset import head, indicator, read_asset, relationship
from exchange.model.misp.words import BENIGN_TAG
from exchange.stix import extensions
from exchange.stix.tlp import TLP2_IDS
from tests.fakes.misp_events import attribute, event, part, reference, tag, thing
from tests.fakes.misp_run import convert

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "misp"
TLP = {level.removeprefix("TLP:"): identifier for identifier, level in TLP2_IDS.items()}
NOW = "2024-01-01T00:00:00.000Z"
Record = dict[str, Any]


def back(item: Record, *, home: bool = True, settings: Settings | None = None) -> Record:
    found: Record = to_event(convert(item, settings).objects, home=home)["Event"]
    return found


def told(item: Record) -> dict[tuple[str, str, str], tuple]:
    """What has to come back of each attribute, by UUID, type and value."""
    parts = [(None, one) for one in item.get("Attribute", [])]
    parts += [(thing_, one) for thing_ in item.get("Object", []) for one in thing_["Attribute"]]
    return {
        (one.get("uuid", ""), one["type"], one["value"]): (
            holder["uuid"] if holder else None, one.get("object_relation"), one["category"], bool(one["to_ids"]),
            one.get("distribution", "5"), sorted(each["name"] for each in one.get("Tag", [])), one.get("comment", ""),
            bool(one.get("disable_correlation")))
        for holder, one in parts if not one.get("deleted")
    }  # fmt: skip


def heads(item: Record) -> dict[str, tuple]:
    """What has to come back of each object and reference."""
    found = {one["uuid"]: tuple(str(one.get(name, "")) for name in (
        "name", "meta-category", "template_uuid", "template_version", "distribution", "comment", "description"))
        for one in item.get("Object", [])}  # fmt: skip
    return found | {one["uuid"]: tuple(str(one.get(name, "")) for name in (
        "object_uuid", "referenced_uuid", "relationship_type", "comment", "timestamp"))
        for holder in item.get("Object", []) for one in holder.get("ObjectReference", []) if "uuid" in one}  # fmt: skip


FIELDS = ("uuid", "info", "date", "timestamp", "analysis", "threat_level_id", "distribution", "published")


def completed(item: Record) -> Record:
    """A PyMISP test event with the UUIDs and times that a server gives every record."""
    text = json.dumps(item)
    for short in ("a", "b"):
        text = text.replace(f'uuid": "{short}"', f'uuid": "{uuid.uuid5(uuid.NAMESPACE_OID, short)}"')
    found: Record = {"info": "lorem", "date": "2017-12-31", "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, text)),
                     "timestamp": "1514764800", "analysis": "1", "threat_level_id": "1", "distribution": "3",
                     "published": True, **json.loads(text)}  # fmt: skip
    parts = [*found.get("Attribute", []), *(one for each in found.get("Object", []) for one in each["Attribute"])]
    for number, one in enumerate(parts):
        one.setdefault("uuid", str(uuid.uuid5(uuid.NAMESPACE_OID, f"{text} {number}")))
        one.setdefault("timestamp", "1514764801")
    for each in (one for holder in found.get("Object", []) for one in holder.get("ObjectReference", [])):
        each.setdefault("uuid", str(uuid.uuid5(uuid.NAMESPACE_OID, "reference")))
        each.setdefault("timestamp", "1514764802")
    return found


REAL = ("existing_event", "shadow", "def_param", "event_obj_attr_tag", "misp_custom_obj", "proposals")


@pytest.mark.parametrize("name", REAL)
def test_a_real_event_comes_back_as_it_was(name: str) -> None:
    path = DATA / "events" / f"{name}.json"
    if not path.is_file():
        pytest.skip("shared/data/misp/events is not here")
    raw = json.loads(path.read_bytes())
    item = completed(raw.get("Event", raw))
    found = back(item, settings=Settings(unpublished=True))
    assert told(item) == told(found)
    assert heads(item) == heads(found)
    assert {one["name"] for one in item.get("Tag", [])} == {one["name"] for one in found["Tag"]}
    assert [str(item[field]) for field in FIELDS] == [str(found[field]) for field in FIELDS]
    assert item.get("Orgc", {}).get("uuid") == found.get("Orgc", {}).get("uuid")


@pytest.mark.parametrize("path", sorted((DATA / "objects").glob("*.json")) or [None], ids=lambda one: one.stem if one else "absent")
def test_an_object_of_every_template_comes_back_as_it_was(path: Path | None) -> None:
    if path is None:
        pytest.skip("shared/data/misp/objects is not here")
    template = json.loads(path.read_bytes())
    samples = {"url": "https://lorem.example/{}", "link": "https://lorem.example/{}", "text": "lorem_{}",
               "datetime": "2024-01-01T00:00:00+00:00", "boolean": "1", "phone-number": "+442079460958",
               "email": "lorem{}@ipsum.example", "twitter-id": "lorem_{}"}  # fmt: skip
    parts = [part(relation, "Twitter" if relation in ("platform", "type", "type-of-account", "account-type") else
                  samples[entry["misp-attribute"]].format(number), entry["misp-attribute"])
             for number, (relation, entry) in enumerate(template["attributes"].items())
             if entry["misp-attribute"] != "attachment"
             and relation not in ("password", "person-name", "real-name", "subscriber-number", "phone")]  # fmt: skip
    item = thing(template["name"], *parts, description=template["description"], template_uuid=template["uuid"],
                 template_version=str(template["version"]), comment="dolor")
    whole = event(objects=(item,))
    assert told(whole) == told(back(whole))
    assert heads(whole) == heads(back(whole))


def test_everything_else_that_an_event_says_comes_back() -> None:
    site = attribute("domain", "lorem.example", first_seen="2023-10-01T10:00:00.000+00:00", Tag=[tag("lorem:ipsum")],
                     last_seen="2023-10-02T10:00:00.000+00:00", comment="sit", disable_correlation=True)
    account = thing("twitter-account", part("name", "lorem_1", to_ids=True), part("bio", "dolor"))
    account["ObjectReference"] = [reference(account, site, "Owner Of")]
    item = event(site, attribute("domain|ip", "lorem.example|9.9.8.7"), attribute("url", "https://twitter.com/Lorem_1"),
                 attribute("yara", "rule lorem {}"), attribute("link", "https://x.com/lorem_2", to_ids=False),
                 attribute("ip-dst|port", "9.9.8.7|80"), attribute("twitter-id", "lorem_3"),
                 attribute("lorem-type", "dolor", to_ids=True), objects=(account,), tags=("tlp:green", "a:b=\"c\""))
    found = back(item)
    assert told(item) == told(found)
    assert heads(item) == heads(found)
    assert sorted(one["name"] for one in found["Tag"]) == ['a:b="c"', "tlp:green"]
    first = next(one for one in found["Attribute"] if one["uuid"] == site["uuid"])
    assert (first["first_seen"], first["last_seen"]) == (site["first_seen"], site["last_seen"])


def test_the_same_objects_give_the_same_event() -> None:
    objects = convert(event(attribute("domain", "lorem.example"))).objects
    assert to_event(objects) == to_event(objects)
    assert to_event(reversed(objects))["Event"]["Attribute"] == to_event(objects)["Event"]["Attribute"]


@pytest.mark.parametrize(("more", "why"), [
    ({"Tag": [tag(BENIGN_TAG)]}, "benign"), ({"warnings": [{"warninglist_name": "x"}]}, "on a warning list"),
    ({"category": "Targeting data"}, "a target's"),
])  # fmt: skip
def test_what_is_no_indicator_goes_out_without_to_ids(more: Record, why: str) -> None:
    found, = back(event(attribute("domain", "lorem.example", **more)))["Attribute"]
    assert (found["value"], found["to_ids"]) == ("lorem.example", False), why


# -- from others than MISP


def foreign(*assets: tuple[str, str], level: str = "AMBER", benign: bool = False, **more: Any) -> list[Record]:
    """A campaign and its report as another connector makes them."""
    campaign = head("campaign", f"campaign--{uuid.uuid5(uuid.NAMESPACE_OID, 'c')}", NOW, markings=[TLP[level]]) | {
        "name": "Lorem network", "extensions": {extensions.CAMPAIGN: {
            "extension_type": "property-extension", "ai_use": [{"status": "confirmed"}]}}}
    found = [campaign]
    for number, (text, kind) in enumerate(assets):
        asset = read_asset(text, kind)
        key = uuid.uuid5(uuid.NAMESPACE_OID, str(number))
        found += [asset.observable, indicator(
            asset, head("indicator", f"indicator--{key}", NOW, markings=[TLP[level]]),
            types=("benign",) if benign else ("attribution",), **more)]
    report = head("report", f"report--{uuid.uuid5(uuid.NAMESPACE_OID, 'r')}", NOW, markings=[TLP[level]]) | {
        "name": "Lorem report", "published": NOW, "object_refs": [one["id"] for one in found]}
    return [*found, report]


@pytest.mark.parametrize(("text", "kind", "type_name", "value"), [
    ("lorem.example", "domain", "domain", "lorem.example"), ("https://lorem.example/a", "url", "url", "https://lorem.example/a"),
    ("a@lorem.example", "email", "email", "a@lorem.example"), ("9.9.8.7", "ipv4", "ip-dst", "9.9.8.7"),
    ("9.9.8.0/24", "ipv4-range", "ip-dst", "9.9.8.0/24"), ("+442079460958", "phone", "phone-number", "+442079460958"),
    ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "wallet", "btc", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("0123456789abcdef" * 4, "sha256", "sha256", "0123456789abcdef" * 4), ("AS1234", "autonomous-system", "AS", "1234"),
])  # fmt: skip
def test_a_foreign_indicator_is_an_attribute_of_its_kind(text: str, kind: str, type_name: str, value: str) -> None:
    attributes = to_event(foreign((text, kind)))["Event"]["Attribute"]
    assert [(one["type"], one["value"], one["to_ids"]) for one in attributes] == [(type_name, value, True)]
    again = convert({"Orgc": {"name": "x"}, **to_event(foreign((text, kind)))["Event"], "published": True})
    expected = indicator(read_asset(text, kind), head("indicator", "x", NOW))["pattern"]
    assert again.patterns() == ([expected] if kind != "autonomous-system" else [])


@pytest.mark.parametrize(("text", "name", "relation", "value"), [
    ("https://x.com/lorem_1", "twitter-account", "name", "lorem_1"),
    ("https://www.facebook.com/lorem.ipsum.7", "facebook-account", "account-name", "loremipsum7"),
    ("https://www.facebook.com/groups/1234567", "facebook-group", "id", "1234567"),
    ("https://www.instagram.com/lorem.i", "instagram-account", "account-name", "lorem.i"),
    ("https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv", "youtube-channel", "channel-id", "UCabcdefghijklmnopqrstuv"),
    ("https://www.youtube.com/@lorem", "youtube-channel", "link", "https://www.youtube.com/@lorem"),
    ("https://vk.com/lorem_i", "user-account", "username", "lorem_i"),
    ("https://twitter.com/i/user/123456", "twitter-account", "id", "123456"),
])  # fmt: skip
def test_a_foreign_account_is_a_social_object_and_the_same_account_again(
    text: str, name: str, relation: str, value: str
) -> None:
    found = to_event(foreign((text, "account")))["Event"]
    item, = found["Object"]
    assert item["name"] == name
    assert (relation, value, True) in {(one["object_relation"], one["value"], one["to_ids"]) for one in item["Attribute"]}
    again = convert(found | {"published": True})
    asset = read_asset(text, "account")
    assert {(one["account_type"], one.get(asset.account.stix_property)) for one in again.of("user-account")} == {
        asset.account.same}
    assert any(asset.kind.pattern(asset.value) in pattern for pattern in again.patterns())


def test_what_no_type_of_misp_says_is_a_stix_pattern() -> None:
    objects = foreign(("lorem.example", "domain"))
    pattern = "[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'https://b.example/']"
    objects[2] = objects[2] | {"pattern": pattern}
    assert (pattern, "stix2-pattern") in {(one["value"], one["type"]) for one in to_event(objects)["Event"]["Attribute"]}


def test_benign_is_a_value_with_a_tag_and_revoked_is_deleted() -> None:
    benign, = to_event(foreign(("lorem.example", "domain"), benign=True))["Event"]["Attribute"]
    assert (benign["to_ids"], [one["name"] for one in benign["Tag"]]) == (False, [BENIGN_TAG])
    revoked = to_event(foreign(("lorem.example", "domain"), revoked=True))["Event"]["Attribute"][0]
    assert (revoked["to_ids"], revoked["deleted"]) == (False, True)


def test_behaviours_claims_and_ai_use_are_tags() -> None:
    objects = foreign(("lorem.example", "domain"))
    technique = head("attack-pattern", f"attack-pattern--{uuid.uuid5(uuid.NAMESPACE_OID, 'a')}", NOW) | {
        "name": "Lorem technique", "external_references": [{"source_name": "DISARM", "external_id": "T0001"}]}
    place = head("location", f"location--{uuid.uuid5(uuid.NAMESPACE_OID, 'l')}", NOW) | {"country": "FR", "name": "France"}
    link = relationship(head("relationship", f"relationship--{uuid.uuid5(uuid.NAMESPACE_OID, 't')}", NOW), "targets",
                        objects[0]["id"], place["id"])
    names = {one["name"] for one in to_event([*objects, technique, place, link])["Event"]["Tag"]}
    assert names == {"tlp:amber", 'misp-galaxy:disarm-techniques="Lorem technique"', "information-origin:AI-generated",
                     'DFRLab-dichotomies-of-disinformation:primary-target="FR"'}


def test_what_is_hashed_is_left_out_and_said() -> None:
    objects = foreign()
    content = {"type": "user-account", "spec_version": "2.1", "id": f"user-account--{uuid.uuid5(uuid.NAMESPACE_OID, 'h')}",
               "account_type": "x", "user_id": "hmac-sha256:grp:" + "0" * 64}
    made, fates = written([*objects, content], home=True)
    assert "hmac" not in json.dumps(made)
    assert fates[content["id"]] == "MISP has no place for it."


# -- how far


@pytest.mark.parametrize(("level", "asset", "home", "distribution"), [
    ("CLEAR", ("lorem.example", "domain"), True, "3"), ("CLEAR", ("lorem.example", "domain"), False, "3"),
    ("GREEN", ("lorem.example", "domain"), True, "1"), ("GREEN", ("lorem.example", "domain"), False, "0"),
    ("AMBER", ("lorem.example", "domain"), True, "0"), ("AMBER+STRICT", ("lorem.example", "domain"), True, "0"),
    ("RED", ("lorem.example", "domain"), False, "0"),
])  # fmt: skip
def test_a_tlp_goes_as_far_as_its_words(level: str, asset: tuple[str, str], home: bool, distribution: str) -> None:
    campaign = foreign(asset, level=level)[0]
    found = to_event([one for one in foreign(asset, level=level) if one["type"] != "report"], home=home)["Event"]
    assert (found["distribution"], found["Tag"][0]["name"]) == (distribution, f"tlp:{level.lower()}"), campaign


def test_personal_data_is_never_everybodys() -> None:
    found = to_event([one for one in foreign(("a@lorem.example", "email"), level="CLEAR") if one["type"] != "report"])
    assert found["Event"]["distribution"] == "3"
    assert [one["distribution"] for one in found["Event"]["Attribute"]] == ["1"]


GROUP = {"uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c3d", "name": "Lorem group"}
WIDTH = {"0": 0, "4": 1, "1": 2, "2": 3, "3": 4, "5": 5}
LEVEL = st.sampled_from(["0", "1", "2", "3", "4"])


@given(outer=LEVEL, inner=st.sampled_from(["0", "1", "2", "3", "4", "5"]), home=st.booleans(),
       tlp=st.sampled_from(["", "tlp:clear", "tlp:green", "tlp:amber", "tlp:red"]))
def test_nothing_comes_back_wider_than_it_was(outer: str, inner: str, home: bool, tlp: str) -> None:
    item = event(attribute("domain", "lorem.example", distribution=inner, SharingGroup=GROUP),
                 distribution=outer, SharingGroup=GROUP, tags=(tlp,) if tlp else ())
    settings = Settings(audiences=read_audiences("community=group:grp-a"))
    found = back(item, home=home, settings=settings)
    one, = found["Attribute"]
    assert WIDTH[found["distribution"]] <= WIDTH[outer]
    effective = min(WIDTH[found["distribution"]], WIDTH[one["distribution"]])
    assert effective <= min(WIDTH[outer], WIDTH[inner])
    assert home or found["distribution"] in ("0", "4" if outer == "4" else "3" if tlp == "tlp:clear" and outer == "3" else "0")
    assert not tlp or tlp in {each["name"] for each in found["Tag"]}
    assert found.get("SharingGroup", {}).get("uuid") == (GROUP["uuid"] if found["distribution"] == "4" else None)


def test_an_audience_of_others_keeps_its_tlp_and_goes_nowhere() -> None:
    marking = {"type": "marking-definition", "spec_version": "2.1", "created": NOW, "id": f"marking-definition--{uuid.uuid4()}",
               "extensions": {extensions.HANDLING: {"extension_type": "property-extension",
                                                    "audience": {"sharing_groups": ["grp-a"]}}}}
    objects = [one | ({"object_marking_refs": [*one["object_marking_refs"], marking["id"]]} if "created" in one else {})
               for one in foreign(("lorem.example", "domain"), level="GREEN")]
    found = to_event([marking, *objects])["Event"]
    assert (found["distribution"], found["Tag"][0]["name"]) == ("0", "tlp:green")


def test_a_marking_that_isnt_there_counts_as_the_strictest() -> None:
    objects = [one | ({"object_marking_refs": [f"marking-definition--{uuid.uuid4()}"]} if "created" in one else {})
               for one in foreign(("lorem.example", "domain"))]
    found = to_event(objects)["Event"]
    assert (found["distribution"], [one["name"] for one in found["Tag"]][:1]) == ("0", ["tlp:red"])
