"""What an attribute of MISP becomes: one table per rule."""

from __future__ import annotations

import json

import pytest

from connectors.misp.context import Settings
from exchange.model.identifiers.keyed import Key
from exchange.stix import extensions
from tests.fakes.misp_events import attribute, event, tag
from tests.fakes.misp_run import Outcome, convert

IBAN, CARD = "GB82 WEST 1234 5698 7654 32", "4111 1111 1111 1111"
KEY = Key("grp-test", bytes(range(32)))


def only(type_name: str, value: str, settings: Settings | None = None, **more: object) -> tuple[Outcome, str, str]:
    """The outcome of an event with one attribute: everything, its row's outcome and reason."""
    found = convert(event(attribute(type_name, value, **more)), settings)
    row = next(row for row in found.rows if row.row == 2)
    return found, row.outcome, row.reason


@pytest.mark.parametrize(("type_name", "value", "pattern"), [
    ("domain", "Lorem-Ipsum[.]example", "[domain-name:value = 'lorem-ipsum.example']"),
    ("hostname", "www.lorem-ipsum.example", "[domain-name:value = 'www.lorem-ipsum.example']"),
    ("hostname|port", "lorem-ipsum.example|443", "[domain-name:value = 'lorem-ipsum.example']"),
    ("domain|ip", "lorem.example|203.0.113.9", "[domain-name:value = 'lorem.example']"),
    ("domain|ip", "lorem.example|9.9.8.9", "[domain-name:value = 'lorem.example'] OR [ipv4-addr:value = '9.9.8.9']"),
    ("url", "hxxps://lorem.example/a", "[url:value = 'https://lorem.example/a']"),
    ("uri", "https://lorem.example/b?c=1", "[url:value = 'https://lorem.example/b?c=1']"),
    ("link", "https://lorem.example/c", "[url:value = 'https://lorem.example/c']"),
    ("url", "https://twitter.com/lorem_i", "[user-account:account_type = 'x' AND user-account:account_login = 'lorem_i']"
     " OR [url:value = 'https://x.com/lorem_i' OR url:value = 'https://twitter.com/lorem_i']"),
    ("email", "lorem@ipsum.example", "[email-addr:value = 'lorem@ipsum.example']"),
    ("email-src", "lorem@ipsum.example", "[email-addr:value = 'lorem@ipsum.example']"),
    ("email-dst", "lorem@ipsum.example", "[email-addr:value = 'lorem@ipsum.example']"),
    ("whois-registrant-email", "lorem@ipsum.example", "[email-addr:value = 'lorem@ipsum.example']"),
    ("phone-number", "+44 20 7946 0958", "[phone-number:value = '+442079460958']"),
    ("whois-registrant-phone", "+442079460958", "[phone-number:value = '+442079460958']"),
    ("ip-src", "9.9.8.7", "[ipv4-addr:value = '9.9.8.7']"),
    ("ip-dst|port", "9.9.8.7|8080", "[ipv4-addr:value = '9.9.8.7']"),
    ("ip-src|port", "9.9.8.7:8080", "[ipv4-addr:value = '9.9.8.7']"),
    ("ip-dst", "9.9.8.0/24", "[ipv4-addr:value ISSUBSET '9.9.8.0/24']"),
    ("ip-dst", "2a00:1450::7", "[ipv6-addr:value = '2a00:1450::7']"),
    ("btc", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
     "[cryptocurrency-wallet:value = '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa']"),
    ("xmr", "4" + "Lorem1psumDo2orSitAmet3" * 4 + "xy",
     f"[cryptocurrency-wallet:value = '4{'Lorem1psumDo2orSitAmet3' * 4}xy']"),
    ("twitter-id", "@Lorem_I", "[user-account:account_type = 'x' AND user-account:account_login = 'lorem_i']"
     " OR [url:value = 'https://x.com/lorem_i']"),
    ("github-username", "lorem-ipsum", "[user-account:account_type = 'github' AND user-account:account_login"
     " = 'lorem-ipsum'] OR [url:value = 'https://github.com/lorem-ipsum']"),
    ("jabber-id", "lorem@jabber.example", "[user-account:account_type = 'jabber' AND user-account:account_login"
     " = 'lorem@jabber.example']"),
    ("md5", "0123456789abcdef0123456789abcdef", "[file:hashes.'MD5' = '0123456789abcdef0123456789abcdef']"),
    ("filename|sha256", "a.exe|" + "0123456789abcdef" * 4, f"[file:hashes.'SHA-256' = '{'0123456789abcdef' * 4}']"),
    ("ssdeep", "96:lOreMipSuMdOlOr:sItaMetCoNse", "[file:hashes.SSDEEP = '96:lOreMipSuMdOlOr:sItaMetCoNse']"),
    ("stix2-pattern", "[domain-name:value = 'lorem.example']", "[domain-name:value = 'lorem.example']"),
    ("yara", "rule lorem { condition: true }", "rule lorem { condition: true }"),
])  # fmt: skip
def test_a_flagged_identifier_is_an_indicator(type_name: str, value: str, pattern: str) -> None:
    found, outcome, _ = only(type_name, value)
    assert outcome == "indicator"
    assert found.patterns() == [pattern]


def test_an_indicator_says_when_by_whom_and_of_what_campaign() -> None:
    found, _, _ = only("domain", "lorem.example", first_seen="2023-10-01T12:00:00+02:00",
                       last_seen="2023-10-05T00:00:00Z", comment="dolor", timestamp="1700000123")
    indicator, = found.of("indicator")
    campaign, = found.of("campaign")
    org, = found.of("identity")
    assert (indicator["created_by_ref"], indicator["description"]) == (org["id"], "dolor")
    assert (indicator["created"], indicator["modified"]) == ("2023-11-01T00:00:00.000Z", "2023-11-14T22:15:23.000Z")
    assert indicator["valid_from"] == "2023-10-01T10:00:00.000Z"
    link, = (one for one in found.of("relationship") if one["relationship_type"] == "indicates")
    assert (link["source_ref"], link["target_ref"]) == (indicator["id"], campaign["id"])
    assert (link["start_time"], link["stop_time"]) == ("2023-10-01T10:00:00.000Z", "2023-10-05T00:00:00.000Z")
    assert extensions.of(link, extensions.RELATIONSHIP)["relation"] == "operated"
    assert set(found.of("report")[0]["object_refs"]) >= {indicator["id"], link["id"], campaign["id"]}


@pytest.mark.parametrize(("type_name", "value", "more", "reason"), [
    ("domain", "lorem.example", {"to_ids": False}, "Not flagged"),
    ("domain", "facebook.com", {}, "platform"),
    ("domain", "bit.ly", {}, "shortens"),
    ("ip-dst", "192.168.1.7", {}, ""),
    ("AS", "199999", {}, "many customers"),
    ("target-email", "lorem@ipsum.example", {}, "targeted"),
    ("email-src", "lorem@ipsum.example", {"category": "Targeting data"}, "targeted"),
    ("domain", "lorem.example", {"Tag": [tag('false-positive:risk="high"')]}, "false positive is likely"),
    ("domain", "lorem.example", {"warnings": [{"warninglist_name": "Lorem list"}]}, "'Lorem list'"),
    ("comment", "lorem.example", {}, "A text."),
    ("text", "lorem ipsum", {}, "A text."),
    ("hashtag", "#lorem", {}, "alone says nothing"),
    ("filename", "lorem.exe", {}, "A text."),
    ("domain", "no domain at all", {}, "no domain"),
    ("lorem-type", "lorem", {}, "isn't known"),
    ("stix2-pattern", "[domain-name:value =", {}, "pattern is wrong"),
    ("yara", "rule x {}", {"to_ids": False}, "Not flagged"),
])  # fmt: skip
def test_what_is_no_indicator_says_why(type_name: str, value: str, more: dict, reason: str) -> None:
    found, outcome, said = only(type_name, value, **more)
    assert outcome == "note"
    assert reason in said
    assert found.of("indicator") == []
    assert json.dumps(value)[1:-1] in json.dumps(found.objects)


@pytest.mark.parametrize("relation", ["target-email", "email-dst"])
def test_whom_an_operation_harmed_is_told_as_such(relation: str) -> None:
    found, _, _ = only(relation, "lorem@ipsum.example", category="Targeting data")
    link = next(one for one in found.of("relationship") if "email-addr" in one["target_ref"])
    markings = [extensions.of(found.by_id()[ref], extensions.HANDLING) for ref in link["object_marking_refs"]]
    assert extensions.of(link, extensions.RELATIONSHIP)["relation"] == "targeted"
    assert [one["data"]["subject_kind"] for one in markings] == ["impersonated-victim"]


@pytest.mark.parametrize("standing", ["attribute", "event"])
def test_a_false_positive_is_benign_and_no_accusation(standing: str) -> None:
    name = 'false-positive:confirmed="true"'
    item = attribute("domain", "lorem.example", Tag=[tag(name)] if standing == "attribute" else [])
    found = convert(event(item, tags=(name,) if standing == "event" else ()))
    assert found.patterns() == []
    assert found.patterns("benign") == ["[domain-name:value = 'lorem.example']"]
    assert {extensions.of(one, extensions.RELATIONSHIP)["relation"] for one in found.of("relationship")} == {
        "legitimate-mention"}


@pytest.mark.parametrize(("type_name", "value"), [
    ("iban", IBAN), ("cc-number", CARD), ("bank-account-nr", IBAN), ("bank-account-nr", "12345678"),
    ("cookie", "session=a1b2c3d4e5f6"), ("mac-address", "00:11:22:33:44:55"), ("text", CARD),
    ("passport-number", "X1234567"), ("first-name", "Zyxwvu"), ("target-user", "lorem"), ("email-body", "lorem ipsum"),
    ("attachment", "lorem.pdf"), ("whois-registrant-name", "Zyxwvu Lorem"), ("pgp-private-key", "lorem"),
])  # fmt: skip
def test_what_mustnt_stand_in_the_clear_is_quarantined_and_nowhere(type_name: str, value: str) -> None:
    found, outcome, reason = only(type_name, value, data="bG9yZW0=")
    assert outcome == "quarantined"
    assert value not in json.dumps([*found.objects, [row.reason for row in found.rows]])
    assert value not in reason


@pytest.mark.parametrize("value", [CARD, IBAN, "DE89370400440532013000", "5555555555554444"])
@pytest.mark.parametrize("where", ["text", "comment", "info", "EventReport", "object comment"])
def test_payment_numbers_hidden_in_texts_are_left_out(where: str, value: str) -> None:
    hidden = f"lorem {value}, ipsum"
    item = attribute("text" if where == "text" else "domain", hidden if where == "text" else "lorem.example",
                     comment=hidden if where == "comment" else "")
    thing = {"name": "lorem", "uuid": item["uuid"][:-1] + "0", "comment": hidden if where == "object comment" else "",
             "Attribute": []}
    found = convert(event(item, objects=(thing,), info=hidden if where == "info" else "lorem",
                          EventReport=[{"name": "a", "content": hidden}] if where == "EventReport" else []))
    assert value not in json.dumps(found.objects)
    assert "left out" in json.dumps(found.objects)
    assert [row.outcome for row in found.rows].count("repaired") == 1


@pytest.mark.parametrize("value", [
    "lorem NDExMTExMTExMTExMTExMQ== ipsum", "lorem 4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1", "lorem ４１１１ １１１１ １１１１ １１１１",
])  # fmt: skip
@pytest.mark.parametrize("where", ["text", "comment"])
def test_a_text_that_disguises_a_payment_number_is_left_out_whole(where: str, value: str) -> None:
    item = attribute("text", value) if where == "text" else attribute("domain", "lorem.example", comment=value)
    found = convert(event(item))
    assert value not in json.dumps(found.objects, ensure_ascii=False)
    assert [row.outcome for row in found.rows if row.row == 2] == ["quarantined" if where == "text" else "repaired"]


def test_a_wallet_or_an_id_in_a_text_stays() -> None:
    value = "lorem 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa, id 100012345678901"
    assert convert(event(attribute("text", value))).of("note")[0]["content"] == value


@pytest.mark.parametrize(("type_name", "value", "of"), [
    ("iban", IBAN, "payment-instrument"), ("cc-number", CARD, "payment-instrument"), ("email", "a@lorem.example", "email"),
    ("phone-number", "+442079460958", "phone"), ("cookie", "session=a1b2c3d4e5f6", "cookie"),
    ("mac-address", "00:11:22:33:44:55", "device"),
])  # fmt: skip
def test_with_a_key_people_travel_as_keyed_hashes(type_name: str, value: str, of: str) -> None:
    found, outcome, _ = only(type_name, value, Settings(key=KEY))
    account, = found.of("user-account")
    says = extensions.of(account, extensions.ACCOUNT)
    assert outcome == "note"
    assert [(one["of"], one["key_id"]) for one in says["hashed_identifiers"]] == [(of, "grp-test")]
    assert value not in json.dumps(found.objects)


def test_two_hashed_strangers_are_two() -> None:
    found = convert(event(attribute("phone-number", "+442079460958"), attribute("phone-number", "+442079460959")),
                    Settings(key=KEY))
    assert len({one["id"] for one in found.of("user-account")}) == 2


def test_sightings_support_contradict_and_end_an_indicator() -> None:
    org = {"name": "Dolor", "uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c3d"}
    item = attribute("domain", "lorem.example", Sighting=[
        {"uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c01", "type": "0", "date_sighting": "1700000500", "Organisation": org},
        {"uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c02", "type": "1", "date_sighting": "1700000600", "Organisation": org},
        {"uuid": "5f0f7c1e-7a64-4d3c-9c1e-2f8d6a1b2c03", "type": "2", "date_sighting": "1700000700"}])
    found = convert(event(item))
    indicator, = found.of("indicator")
    sighting, = found.of("sighting")
    opinion, = found.of("opinion")
    assert sighting["sighting_of_ref"] == indicator["id"]
    assert found.by_id()[sighting["where_sighted_refs"][0]]["name"] == "Dolor"
    assert (opinion["opinion"], opinion["object_refs"]) == ("disagree", [indicator["id"]])
    assert indicator["valid_until"] == "2023-11-14T22:25:00.000Z"


@pytest.mark.parametrize("where", ["event", "attribute"])
def test_proposals_never_become_anything(where: str) -> None:
    proposed = [attribute("domain", "proposed.example")]
    item = attribute("domain", "lorem.example", **({"ShadowAttribute": proposed} if where == "attribute" else {}))
    found = convert(event(item, **({"ShadowAttribute": proposed} if where == "event" else {})))
    assert "proposed.example" not in json.dumps(found.objects)
    assert [row.reason for row in found.rows if "proposal" in row.reason]


def test_an_attributes_own_behaviour_belongs_to_its_indicator() -> None:
    found = convert(event(attribute("domain", "lorem.example", Tag=[tag('misp-galaxy:disarm-techniques="Lorem"')])))
    indicator, = found.of("indicator")
    behaviour, = found.of("attack-pattern")
    assert [one["relationship_type"] for one in found.of("relationship")
            if (one["source_ref"], one["target_ref"]) == (indicator["id"], behaviour["id"])] == ["indicates"]
    assert behaviour["name"] == "Lorem"
