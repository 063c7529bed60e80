"""Social objects become accounts, whoever their attributes name; others are kept by their attributes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.misp.context import Settings
from exchange.model.misp.templates import template
from exchange.stix import extensions
from tests.fakes.misp_events import attribute, event, part, reference, tag, thing
from tests.fakes.misp_run import Outcome, convert

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "misp" / "objects"


def said(found: Outcome) -> dict[str, tuple[str, str]]:
    """Platform and key of each account to the relation by which the event tells of it, and its kind."""
    links = {one["target_ref"]: extensions.of(one, extensions.RELATIONSHIP).get("relation")
             for one in found.of("relationship") if one["relationship_type"] == "related-to"}  # fmt: skip
    return {f"{one['account_type']}:{one.get('account_login') or one['user_id']}":
            (links[one["id"]], extensions.of(one, extensions.ACCOUNT)["account_kind"])
            for one in found.of("user-account")}  # fmt: skip


@pytest.mark.parametrize(("name", "parts", "account", "kind"), [
    ("twitter-account", {"name": "Lorem_1", "id": "1234567890"}, "x:lorem_1", "profile"),
    ("twitter-account", {"id": "1234567890"}, "x:i/user/1234567890", "profile"),
    ("twitter-account", {"link": "https://twitter.com/Lorem_1"}, "x:lorem_1", "profile"),
    ("facebook-account", {"account-name": "Lorem Ipsum", "account-id": "100012345678"}, "facebook:100012345678", "profile"),
    ("facebook-account", {"url": "https://www.facebook.com/lorem.ipsum.7"}, "facebook:loremipsum7", "profile"),
    ("facebook-page", {"page-name": "Lorem News", "link": "https://www.facebook.com/LoremNews"}, "facebook:loremnews", "page"),
    ("facebook-group", {"group-name": "Lorem", "link": "https://www.facebook.com/groups/123456789"}, "facebook:groups/123456789", "group"),
    ("instagram-account", {"account-name": "lorem.ipsum"}, "instagram:lorem.ipsum", "profile"),
    ("telegram-account", {"username": "lorem_ipsum"}, "telegram:lorem_ipsum", "profile"),
    ("telegram-channel", {"username": "lorem_news"}, "telegram:lorem_news", "channel"),
    ("youtube-channel", {"channel-name": "Lorem", "link": "https://www.youtube.com/@lorem"}, "youtube:lorem", "channel"),
    ("reddit-account", {"account-name": "Lorem_I"}, "reddit:lorem_i", "profile"),
    ("reddit-subreddit", {"subreddit-name": "lorem"}, "reddit:r/lorem", "subreddit"),
    ("parler-account", {"account-name": "lorem"}, "parler:lorem", "profile"),
    ("tiktok-account", {"username": "lorem.ipsum"}, "tiktok:lorem.ipsum", "profile"),
    ("vk-account", {"url": "https://vk.com/lorem_i"}, "vk:lorem_i", "profile"),
    ("user-account", {"account-type": "twitter", "username": "lorem_1"}, "x:lorem_1", "profile"),
    ("social-media-group", {"platform": "Telegram", "url": "https://t.me/lorem_group"}, "telegram:lorem_group", "group"),
])  # fmt: skip
@pytest.mark.parametrize("flagged", [True, False], ids=["flagged", "not flagged"])
def test_a_social_object_is_the_account_that_it_names(
    name: str, parts: dict, account: str, kind: str, flagged: bool
) -> None:
    items = [part(relation, value, to_ids=flagged) for relation, value in parts.items()]
    found = convert(event(objects=(thing(name, *items),)))
    assert said(found) == {account: ("operated" if flagged else "unknown", kind)}
    assert len(found.patterns()) == flagged
    assert next(row for row in found.rows if row.row == 2).outcome == ("indicator" if flagged else "note")


def test_an_accounts_id_that_looks_like_a_card_is_an_id() -> None:
    found = convert(event(objects=(thing("facebook-account", part("account-id", "4111111111111111", to_ids=True)),)))
    assert said(found) == {"facebook:4111111111111111": ("operated", "profile")}
    assert [one["content"] for one in found.of("note")] == ["4111111111111111"]


@pytest.mark.parametrize("platform", ["", "1.5", "[", "@", "a|b", "x" * 3_000])
def test_a_platform_that_is_none_names_no_account(platform: str) -> None:
    item = thing("user-account", part("account-type", platform), part("username", "lorem_1", to_ids=True))
    assert convert(event(objects=(item, {}))).of("indicator", "user-account") == []


def test_an_account_known_in_several_ways_has_one_indicator() -> None:
    item = thing("twitter-account", part("name", "lorem_1", to_ids=True), part("id", "1234567890"),
                 part("url", "https://twitter.com/lorem_1", "url", to_ids=True), part("bio", "dolor"))
    found = convert(event(objects=(item,)))
    pattern, = found.patterns()
    assert "account_login = 'lorem_1'" in pattern
    assert "user_id = 'i/user/1234567890'" in pattern
    assert "https://twitter.com/lorem_1" in pattern
    assert len(found.of("user-account")) == 1


def test_the_option_accounts_makes_indicators_of_what_mis_default_doesnt_flag() -> None:
    item = thing("telegram-account", part("username", "lorem_ipsum"), part("phone", "+442079460958"))
    found = convert(event(objects=(item,)), Settings(accounts=True))
    assert found.patterns() == ["[user-account:account_type = 'telegram' AND user-account:account_login = 'lorem_ipsum']"
                                " OR [url:value = 'https://t.me/lorem_ipsum']"]
    assert [one["value"] for one in found.of("phone-number")] == ["+442079460958"]


@pytest.mark.parametrize("accounts", [True, False])
def test_the_impersonated_never_becomes_an_indicator(accounts: bool) -> None:
    item = thing("impersonation", part("type-of-account", "Twitter"), part("account-name", "lorem_fake", to_ids=True),
                 part("impersonated-account-name", "lorem_true", to_ids=True), part("real-name", "Zyxwvu Ipsum"),
                 part("impersonated-account-url", "https://x.com/lorem_true", "link", to_ids=True))
    found = convert(event(objects=(item,)), Settings(accounts=accounts))
    pattern, = found.patterns()
    assert "lorem_fake" in pattern
    assert said(found)["x:lorem_true"] == ("impersonated", "profile")
    assert "Zyxwvu" not in json.dumps(found.objects)
    victim = next(one for one in found.of("user-account") if one["account_login"] == "lorem_true")
    markings = [extensions.of(found.by_id()[ref], extensions.HANDLING) for ref in victim["object_marking_refs"]]
    assert [one["data"]["subject_kind"] for one in markings] == ["impersonated-victim"]


@pytest.mark.parametrize(("name", "relation", "type_name", "value"), [
    ("twitter-account", "embedded-safe-link", "link", "https://lorem.example/a"),
    ("twitter-account", "archive", "link", "https://lorem.example/b"),
    ("email", "to", "email-dst", "victim@lorem.example"),
    ("victim", "email", "email-src", "victim@lorem.example"),
    ("narrative", "external-references", "link", "https://lorem.example/c"),
    ("microblog", "username-quoted", "text", "lorem_quoted"),
])  # fmt: skip
def test_whom_an_object_only_mentions_or_harmed_is_no_indicator(
    name: str, relation: str, type_name: str, value: str
) -> None:
    found = convert(event(objects=(thing(name, part(relation, value, type_name, to_ids=True)),)), Settings(accounts=True))
    assert found.of("indicator") == []


@pytest.mark.parametrize(("name", "relation", "type_name", "value"), [
    ("user-account", "password", "text", "hunter2xyz"), ("person", "occupation", "text", "zyxwvu"),
    ("credit-card", "card-security-code", "text", "zyxwvu"), ("bank-account", "text", "text", "zyxwvu"),
    ("passport", "text", "text", "zyxwvu"), ("credential", "password", "text", "zyxwvu"),
    ("social-media-group", "person-name", "text", "zyxwvu"), ("phone-number", "subscriber-number", "text", "zyxwvu"),
])  # fmt: skip
def test_particulars_of_people_are_refused_one_by_one(name: str, relation: str, type_name: str, value: str) -> None:
    found = convert(event(objects=(thing(name, part(relation, value, type_name), part("lorem", "a@b.example", "email")),)))
    assert [row.outcome for row in found.rows if row.row in (3, 4)] == ["quarantined", "note"]
    assert value not in json.dumps(found.objects)
    assert value not in str(found.rows)


def test_an_unknown_object_is_kept_by_its_attributes() -> None:
    item = thing("lorem-object", part("a", "lorem.example", "domain", to_ids=True), part("b", "dolor"), comment="sit")
    found = convert(event(objects=(item,)))
    grouping, = found.of("grouping")
    assert (grouping["name"], grouping["description"]) == ("lorem-object", "sit")
    assert found.patterns() == ["[domain-name:value = 'lorem.example']"]
    assert {found.of("indicator")[0]["id"], found.of("note")[0]["id"]} <= set(grouping["object_refs"])


def test_references_are_relationships_between_what_the_ends_became() -> None:
    site = attribute("domain", "lorem.example")
    account = thing("twitter-account", part("name", "lorem_1", to_ids=True))
    other = thing("lorem-object", part("a", "dolor"))
    account["ObjectReference"] = [
        reference(account, site, "owner-of", comment="sit"), reference(account, other, "Connected To"),
        reference(account, {"uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c3d"}), reference(account, site, "x", deleted=True)]
    found = convert(event(site, objects=(account, other)))
    made = {one["relationship_type"]: one for one in found.of("relationship")}
    assert made["owner-of"]["source_ref"] == found.of("user-account")[0]["id"]
    assert made["owner-of"]["target_ref"] == next(one["id"] for one in found.of("indicator") if "domain" in one["pattern"])
    assert made["connected-to"]["target_ref"] == next(one["id"] for one in found.of("grouping") if "lorem" in one["name"])
    assert "x" not in made
    assert [row.reason for row in found.rows if "isn't in the event" in row.reason]


def test_a_narrower_attribute_names_nobody_in_its_objects_name() -> None:
    item = thing("twitter-account", part("name", "lorem_1", to_ids=True, distribution="0"), part("bio", "dolor"))
    found = convert(event(objects=(item,)))
    assert found.of("user-account", "indicator") == []
    tagged = thing("twitter-account", part("name", "lorem_1", to_ids=True, Tag=[tag("tlp:red")]), part("bio", "dolor"))
    assert convert(event(objects=(tagged,))).of("user-account", "indicator") == []


def test_narratives_are_themes_of_the_campaign() -> None:
    item = thing("narrative", part("narrative-summary", "Lorem ipsum dolor"), part("objective", "sit"))
    campaign, = convert(event(objects=(item,))).of("campaign")
    assert extensions.of(campaign, extensions.CAMPAIGN)["themes"] == ["Lorem ipsum dolor"]
    kept = convert(event(objects=(item | {"distribution": "0"},))).of("campaign")[0]
    assert "themes" not in extensions.of(kept, extensions.CAMPAIGN)


@pytest.mark.parametrize("path", sorted(REAL.glob("*.json")) or [None], ids=lambda path: path.stem if path else "absent")
def test_the_table_speaks_of_real_templates(path: Path | None) -> None:
    if path is None:
        pytest.skip("shared/data/misp/objects is not here")
    real, ours = json.loads(path.read_bytes()), template(path.stem)
    relations = {*ours.roles, *ours.refused, *ours.phones, *ours.themes, *ours.out.values(),
                 *(relation for one in ours.accounts for relation in one.relations), ours.platform_from}  # fmt: skip
    assert relations - {""} <= set(real["attributes"])
    if ours.out:
        assert (ours.uuid, ours.version) == (real["uuid"], str(real["version"]))
