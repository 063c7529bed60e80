"""Which values of a bundle become indicators: a table of relationships, each of which says it or doesn't."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.opencti import CONNECTOR
from connectors.opencti.reach import OCTI
from exchange.connect.contract import Batch, Row
from exchange.connect.source import Source
from exchange.stix import extensions
from exchange.stix.validate import check
from tests.e2e.stix_objects import TLP
from tests.fakes.opencti_objects import GREEN, RED, link, observable, technique, thing

CAMPAIGN = thing("campaign", "Lorem")
SET = thing("intrusion-set", "Ipsum")
INFRASTRUCTURE = thing("infrastructure", "Dolor")
OUTLET = thing("identity", "The Lorem Post", identity_class="organization")
GROUP = thing("grouping", "Sites", context="unspecified")
SITE = thing("channel", "lorem-news.example.net")
TELEGRAM = thing("channel", "t.me/lorem_ipsum9")
OTHER = thing("channel", "t.me/dolor_sit9")
DOMAIN = observable("domain-name", "lorem-dolor.net")
ADDRESS = observable("ipv4-addr", "192.0.2.7")
SYSTEM = {"type": "autonomous-system", "spec_version": "2.1", "number": 64500,
          "id": "autonomous-system--0d3a4c0e-7ad0-5b8b-9b1f-8a4d0f8a9c01"}
MAKING = technique("T0007", "Create Inauthentic Social Media Pages and Groups")
COPYING = technique("T0084.001", "Use Copypasta")


def read(folder: Path, *objects: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Row]]:
    path = folder / "bundle.json"
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{SITE['id'][9:]}", "objects": objects}))
    batches: list[Batch] = list(CONNECTOR.fetch(Source(str(path)), None))
    return [dict(item) for batch in batches for item in batch.upserts], [r for batch in batches for r in batch.rows]


def indicators(items: list[dict[str, Any]]) -> list[str]:
    return [item["pattern"] for item in items if item["type"] == "indicator"]


OPERATED: dict[str, tuple[dict[str, Any], ...]] = {
    "a campaign uses it": (SITE, CAMPAIGN, link(CAMPAIGN, "uses", SITE)),
    "it is related to a campaign": (DOMAIN, CAMPAIGN, link(DOMAIN, "related-to", CAMPAIGN)),
    "a campaign is related to it": (DOMAIN, CAMPAIGN, link(CAMPAIGN, "related-to", DOMAIN)),
    "it belongs to an intrusion set": (SITE, SET, link(SITE, "belongs-to", SET)),
    "an infrastructure consists of it": (DOMAIN, INFRASTRUCTURE, link(INFRASTRUCTURE, "consists-of", DOMAIN)),
    "the relationship comes first": (link(CAMPAIGN, "uses", SITE), CAMPAIGN, SITE),
    "it is in a grouping of an infrastructure": (
        SITE, GROUP, INFRASTRUCTURE, link(SITE, "related-to", GROUP), link(GROUP, "related-to", INFRASTRUCTURE)),
    "a grouping of an infrastructure lists it": (
        SITE, {**GROUP, "object_refs": [SITE["id"]]}, INFRASTRUCTURE, link(GROUP, "related-to", INFRASTRUCTURE)),
    "it is hosted in an infrastructure's system": (
        SITE, ADDRESS, SYSTEM, INFRASTRUCTURE, link(SITE, "related-to", ADDRESS), link(ADDRESS, "belongs-to", SYSTEM),
        link(INFRASTRUCTURE, "consists-of", SYSTEM)),
    "it stands by a technique of making accounts": (TELEGRAM, MAKING, link(MAKING, "related-to", TELEGRAM)),
    "it uses a technique": (SITE, COPYING, link(SITE, "uses", COPYING)),
}
NOT_OPERATED: dict[str, tuple[dict[str, Any], ...]] = {
    "nothing is said of it": (SITE, CAMPAIGN),
    "it is copied": (TELEGRAM, COPYING, link(COPYING, "related-to", TELEGRAM)),
    "it is amplified": (SITE, TELEGRAM, link(TELEGRAM, "amplifies", SITE)),
    "it belongs to an outlet": (SITE, OUTLET, link(SITE, "belongs-to", OUTLET)),
    "a campaign impersonates it": (DOMAIN, CAMPAIGN, link(CAMPAIGN, "impersonates", DOMAIN)),
    "a campaign targets it, and is related": (
        DOMAIN, CAMPAIGN, link(CAMPAIGN, "targets", DOMAIN), link(DOMAIN, "related-to", CAMPAIGN)),
    "it is compromised": (DOMAIN, CAMPAIGN, link(CAMPAIGN, "compromises", DOMAIN), link(CAMPAIGN, "uses", DOMAIN)),
    "its label calls it impersonated": (
        {**DOMAIN, "labels": ["Impersonated"]}, CAMPAIGN, link(DOMAIN, "related-to", CAMPAIGN)),
    "the relationship is revoked": (SITE, CAMPAIGN, link(CAMPAIGN, "uses", SITE, revoked=True)),
    "its address is hosted somewhere": (SITE, ADDRESS, SYSTEM, link(SITE, "related-to", ADDRESS)),
    "only sites are hosted": (
        observable("email-addr", "ops@lorem-dolor.net"), ADDRESS, SYSTEM, INFRASTRUCTURE,
        link(observable("email-addr", "ops@lorem-dolor.net"), "related-to", ADDRESS),
        link(ADDRESS, "belongs-to", SYSTEM), link(INFRASTRUCTURE, "consists-of", SYSTEM)),
    "an existing site only gets used": (
        SITE, technique("T0098.002", "Leverage Existing Inauthentic News Sites"),
        link(technique("T0098.002", "Leverage Existing Inauthentic News Sites"), "related-to", SITE)),
    "a platform's own host": (
        observable("domain-name", "facebook.com"), CAMPAIGN,
        link(CAMPAIGN, "uses", observable("domain-name", "facebook.com"))),
    "an outlet that everybody quotes": (
        thing("channel", "lemonde.fr"), CAMPAIGN, link(CAMPAIGN, "uses", thing("channel", "lemonde.fr"))),
    "a name for people": (
        thing("channel", "The Lorem Channel"), CAMPAIGN, link(CAMPAIGN, "uses", thing("channel", "The Lorem Channel"))),
    "a site's name that is a handle on a platform": (
        thing("channel", "lorem.life", channel_types=["Instagram"]), CAMPAIGN,
        link(CAMPAIGN, "uses", thing("channel", "lorem.life"))),
    "a sentence where a URL should be": (
        observable("url", "URLs of articles"), CAMPAIGN, link(observable("url", "URLs of articles"), "related-to", CAMPAIGN)),
    "an account whose platform isn't told": (
        {**observable("user-account", "x"), "account_login": "lorem_ipsum9"}, CAMPAIGN,
        link(observable("user-account", "x"), "related-to", CAMPAIGN)),
}


@pytest.mark.parametrize("objects", OPERATED.values(), ids=OPERATED)
def test_what_is_presented_as_operated_becomes_one_indicator(tmp_path: Path, objects: tuple[dict[str, Any], ...]) -> None:
    items, rows = read(tmp_path, *objects)
    assert len(indicators(items)) == 1
    assert sorted(row.row for row in rows) == list(range(1, len(objects) + 1))
    assert [row.outcome for row in rows].count("indicator") == 1
    assert {one for row in rows for one in row.ids} == {item["id"] for item in items}
    assert all(check(item) is None for item in items)


@pytest.mark.parametrize("objects", NOT_OPERATED.values(), ids=NOT_OPERATED)
def test_what_is_not_presented_as_operated_stays_what_it_is(tmp_path: Path, objects: tuple[dict[str, Any], ...]) -> None:
    items, rows = read(tmp_path, *objects)
    assert indicators(items) == []
    assert {item["id"] for item in items} == {item["id"] for item in objects}
    told = [row for row in rows if row.row == 1]
    assert told[0].reason.startswith("Not an indicator: ")


READ = {
    "@lorem_ipsum9 (Telegram)": "user-account:account_type = 'telegram' AND user-account:account_login = 'lorem_ipsum9'",
    "Telegram: Lorem_Ipsum9": "user-account:account_type = 'telegram' AND user-account:account_login = 'lorem_ipsum9'",
    "vk.com/lorem_ipsum9": "user-account:account_type = 'vk'",
    "twitter.com/LoremIpsum9": "user-account:account_type = 'x' AND user-account:account_login = 'loremipsum9'",
    "Lorem-News.Example.net": "[domain-name:value = 'lorem-news.example.net']",
    "hxxps://lorem[.]net/dolor": "url:value = 'https://lorem.net/dolor'",
}


@pytest.mark.parametrize(("name", "pattern"), READ.items())
@pytest.mark.parametrize("told", [{}, {"channel_types": ["website"]}])
def test_a_channels_name_is_read_as_the_address_it_is(
    tmp_path: Path, name: str, pattern: str, told: dict[str, Any],
) -> None:
    channel = thing("channel", name, **told)
    items, _ = read(tmp_path, channel, CAMPAIGN, link(CAMPAIGN, "uses", channel))
    assert pattern in indicators(items)[0]


@pytest.mark.parametrize("name", ["@lorem_ipsum9 (Telegram)", "Telegram: lorem_ipsum9", "https://t.me/lorem_ipsum9"])
def test_a_platform_that_is_told_twice_is_told_once(tmp_path: Path, name: str) -> None:
    channel = thing("channel", name, channel_types=["Telegram"])
    items, _ = read(tmp_path, channel, CAMPAIGN, link(CAMPAIGN, "uses", channel))
    assert "account_type = 'telegram' AND user-account:account_login = 'lorem_ipsum9'" in indicators(items)[0]


def test_a_handle_is_read_with_the_platform_that_is_told(tmp_path: Path) -> None:
    channel = thing("channel", "@lorem_ipsum9", channel_types=["Telegram"])
    account = {**observable("user-account", "y"), "account_login": "@dolor_sit9", "labels": ["telegram", "lorem"]}
    del account["value"]
    items, _ = read(tmp_path, channel, account, CAMPAIGN, link(CAMPAIGN, "uses", channel),
                    link(account, "related-to", CAMPAIGN))
    assert sorted("lorem_ipsum9" in one or "dolor_sit9" in one for one in indicators(items)) == [True, True]
    assert all("account_type = 'telegram'" in one for one in indicators(items))


def test_what_a_derived_indicator_says(tmp_path: Path) -> None:
    site = {**SITE, "description": "Lorem ipsum.", "labels": ["lorem"], "object_marking_refs": [GREEN]}
    claim = link(CAMPAIGN, "uses", site, object_marking_refs=[RED], created_by_ref=OUTLET["id"],
                 modified="2026-02-03T00:00:00.000Z")
    items, rows = read(tmp_path, site, CAMPAIGN, OUTLET, claim)
    made = {item["type"] + " " + item.get("relationship_type", ""): item for item in items if item["id"] in rows[0].ids}
    one = made["indicator "]
    assert one["object_marking_refs"] == [GREEN, RED]
    assert (one["created"], one["modified"]) == (claim["created"], claim["modified"])
    assert (one["valid_from"], one["confidence"], one["created_by_ref"]) == (claim["start_time"], 75, OUTLET["id"])
    assert (one["labels"], one["indicator_types"]) == (["lorem"], ["attribution"])
    assert one["description"] == "Lorem ipsum.\n\nDerived from a channel: a campaign uses it."
    indicates = made["relationship indicates"]
    assert (indicates["source_ref"], indicates["target_ref"]) == (one["id"], CAMPAIGN["id"])
    assert indicates["extensions"][extensions.RELATIONSHIP]["relation"] == "operated"
    assert made["relationship based-on"]["target_ref"] == made["domain-name "]["id"]
    assert made["domain-name "]["value"] == SITE["name"]


def test_a_label_marks_all_that_is_made_of_its_object(tmp_path: Path) -> None:
    site = {**SITE, "labels": ["TLP-RED"]}
    items, rows = read(tmp_path, site, CAMPAIGN, link(CAMPAIGN, "uses", site, labels=["tlp:amber"]))
    made = [item for item in items if item["id"] in rows[0].ids[1:]]
    assert len(made) == 4
    assert all(item["object_marking_refs"] == [TLP["RED"], TLP["AMBER"]] for item in made)


def test_what_is_restricted_to_organisations_does_not_go_in(tmp_path: Path) -> None:
    says = {"extension_type": "property-extension", "granted_refs": ["identity--1", "identity--2"]}
    site = {**SITE, "extensions": {OCTI: says}}
    old = {**OTHER, "x_opencti_granted_refs": ["identity--1"]}
    items, rows = read(tmp_path, site, old, CAMPAIGN, link(CAMPAIGN, "uses", site))
    assert SITE["id"] not in {item["id"] for item in items}
    assert [row.outcome for row in rows[:2]] == ["quarantined", "quarantined"]
    assert "2 organisations" in rows[0].reason
    assert indicators(items) == []


@pytest.mark.parametrize(("marks", "kept"), [([], True), (["5e57c739-internal"], False)])
def test_a_relationship_does_not_tell_the_name_of_a_stricter_end(tmp_path: Path, marks: list[str], kept: bool) -> None:
    says = {"extension_type": "property-extension", "target_value": "secret.example.net",
            "target_ref_object_marking_refs": marks}
    items, rows = read(tmp_path, link(CAMPAIGN, "uses", SITE, extensions={OCTI: says}))
    assert ("secret.example.net" in json.dumps(items)) is kept
    assert kept or "target_value left out" in rows[0].reason


def test_defaults_are_no_beliefs(tmp_path: Path) -> None:
    claim = link(CAMPAIGN, "uses", SITE, confidence=0, start_time="1970-01-01T00:00:00.000Z",
                 stop_time="5138-11-16T09:46:40.000Z")
    items, _ = read(tmp_path, SITE, CAMPAIGN, claim)
    one = next(item for item in items if item["type"] == "indicator")
    assert "confidence" not in one
    assert one["valid_from"] == claim["created"]


def test_two_actors_make_two_indicators_and_a_second_telling_none(tmp_path: Path) -> None:
    items, _ = read(tmp_path, SITE, CAMPAIGN, SET, link(CAMPAIGN, "uses", SITE), link(SET, "uses", SITE),
                    link(SITE, "related-to", SET))
    assert len(indicators(items)) == 2


def test_what_its_source_calls_legitimate_suppresses_matches(tmp_path: Path) -> None:
    site = {**SITE, "labels": ["Legitimate"]}
    items, _ = read(tmp_path, site, CAMPAIGN, link(CAMPAIGN, "uses", site))
    found = [item for item in items if item["type"] == "indicator"]
    assert [item["indicator_types"] for item in found] == [["benign"]]
    assert not any(item.get("relationship_type") == "indicates" for item in items)


def test_a_value_with_an_indicator_of_its_own_gets_no_second_one(tmp_path: Path) -> None:
    own = thing("indicator", "own", pattern="[domain-name:value = 'lorem-dolor.net']", pattern_type="stix",
                valid_from="2026-01-01T00:00:00Z")
    items, _ = read(tmp_path, DOMAIN, CAMPAIGN, own, link(DOMAIN, "related-to", CAMPAIGN), link(own, "based-on", DOMAIN))
    assert [item["id"] for item in items if item["type"] == "indicator"] == [own["id"]]
    items, _ = read(tmp_path, DOMAIN, CAMPAIGN, link(DOMAIN, "related-to", CAMPAIGN), link(own, "based-on", DOMAIN))
    assert len(indicators(items)) == 1  # its own is only mentioned


def test_custom_objects_are_kept_and_attachments_left_out_with_a_note(tmp_path: Path) -> None:
    kept = [thing("narrative", "a"), thing("event", "b"), thing("persona", "c"), SITE,
            {"type": "media-content", "spec_version": "2.1", "id": "media-content--0d3a4c0e-7ad0-5b8b-9b1f-8a4d0f8a9c02",
             "title": "d", "url": "no address"}]
    report = thing("report", "e", published="2026-01-01T00:00:00Z", object_refs=[SITE["id"]],
                   x_opencti_files=[{"name": "lorem.xlsx", "data": "UEsD" * 2_000}])
    items, rows = read(tmp_path, *kept, report)
    assert items[:5] == kept
    assert [row.outcome for row in rows] == ["note"] * 5 + ["repaired"]
    assert "lorem.xlsx" in rows[5].reason
    assert "UEsD" not in json.dumps(items)


def test_files_are_read_again_by_the_next_run(tmp_path: Path) -> None:
    for name, site in (("a", SITE), ("b", OTHER)):
        (tmp_path / f"{name}.json").write_text(json.dumps([site, CAMPAIGN, link(CAMPAIGN, "uses", site)]))
    first = list(CONNECTOR.fetch(Source(str(tmp_path)), None))
    again = list(CONNECTOR.fetch(Source(str(tmp_path)), first[-1].checkpoint))
    assert [batch.upserts for batch in first] == [batch.upserts for batch in again]
