"""ThreatExchange against a server that speaks the Graph API: policy fields, deletions, checkpoints, odd answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.threatexchange import CONNECTOR
from connectors.threatexchange.opinion import reacted
from exchange.connect.contract import Batch, Row
from exchange.connect.source import Source
from exchange.connect.threatexchange import seconds, stamp
from exchange.errors import ForbiddenError, InputError, UnauthorizedError, UnavailableError
from exchange.outbound.patience import Patience
from exchange.outbound.web import Clocks, Web
from exchange.stix import extensions
from exchange.stix.tlp import TLP2_IDS
from exchange.stix.validate import check
from tests.fakes.graph_peer import GROUP, TOKEN, GraphPeer, descriptor, thing

AT = 1_772_440_000
NOW = datetime(2026, 3, 10, tzinfo=UTC)


@pytest.fixture
def peer() -> Iterator[GraphPeer]:
    with GraphPeer() as peer:
        yield peer


def source(peer: GraphPeer, place: str = "", now: datetime = NOW, token: str = TOKEN, **options: str) -> Source:
    web = Web(allow=("127.0.0.0/8",), plain_http=True, hide=(TOKEN,), clocks=Clocks(sleep=lambda _: None),
              patience=Patience())
    return Source(place or peer.group_url, options, {"token": token}, web, lambda: now)


def fetch(peer: GraphPeer, checkpoint: Mapping[str, Any] | None = None, **more: Any) -> list[Batch]:
    return list(CONNECTOR.fetch(source(peer, **more), checkpoint))


def told(batches: list[Batch]) -> tuple[dict[str, Any], list[Row], set[str]]:
    objects = {one["id"]: one for batch in batches for one in batch.upserts}
    return objects, [row for batch in batches for row in batch.rows], {one for batch in batches for one in batch.withdrawn}


def one(peer: GraphPeer, kind: str = "DOMAIN", value: str = "lorem-op.example", **more: Any) -> tuple[Any, Row, Any]:
    """The indicator (or None), the row and all objects of a single descriptor."""
    peer.say(thing(1, kind, value, descriptor(1, **more)), AT)
    objects, rows, _ = told(fetch(peer))
    (row,) = rows
    assert all(check(made) is None for made in objects.values())
    return next((made for made in objects.values() if made["type"] == "indicator"), None), row, objects


LEVELS = [("WHITE", "TLP:CLEAR"), ("GREEN", "TLP:GREEN"), ("AMBER", "TLP:AMBER"), ("RED", "TLP:RED")]


@pytest.mark.parametrize(("word", "level"), LEVELS)
def test_share_level_is_the_tlp(peer: GraphPeer, word: str, level: str) -> None:
    found, _, _ = one(peer, share_level=word)
    assert [TLP2_IDS[ref] for ref in found["object_marking_refs"] if ref in TLP2_IDS] == [level]


AUDIENCES = [
    ("VISIBLE", None, {}),
    ("HAS_PRIVACY_GROUP", None, {"sharing_groups": [f"threatexchange-{GROUP}"]}),
    (None, None, {"sharing_groups": [f"threatexchange-{GROUP}"]}),
    ("HAS_PRIVACY_GROUP", ["11", "12"], {"sharing_groups": ["threatexchange-12", "trust-circle"]}),
    ("HAS_PRIVACY_GROUP", "11,12", {"sharing_groups": ["threatexchange-12", "trust-circle"]}),
    ("HAS_WHITELIST", {"data": [{"id": "21"}, {"id": "22"}]}, {"named_orgs": ["org-alpha", "threatexchange-app-22"]}),
    ("HAS_PRIVACY_GROUP_AND_WHITELIST", ["11", "21"], {"sharing_groups": ["trust-circle"], "named_orgs": ["org-alpha"]}),
]


@pytest.mark.parametrize(("kind", "members", "audience"), AUDIENCES)
def test_privacy_is_the_audience(peer: GraphPeer, kind: str, members: Any, audience: Any) -> None:
    peer.say(thing(1, "DOMAIN", "lorem-op.example", descriptor(1, privacy_type=kind, privacy_members=members)), AT)
    objects, rows, _ = told(fetch(peer, groups="11=trust-circle", members="21=org-alpha"))
    found = next(made for made in objects.values() if made["type"] == "indicator")
    stated = [objects[ref]["extensions"][extensions.HANDLING]["audience"] for ref in found["object_marking_refs"]
              if ref not in TLP2_IDS]  # fmt: skip
    assert stated == ([audience] if audience else [])
    assert rows[0].outcome == "indicator"


UNSAYABLE = [
    {"share_level": None}, {"share_level": "PURPLE"}, {"privacy_type": "FRIENDS_OF_FRIENDS"},
    {"privacy_type": "HAS_WHITELIST"}, {"privacy_type": "HAS_WHITELIST", "privacy_members": []},
]  # fmt: skip


@pytest.mark.parametrize("more", UNSAYABLE)
def test_a_wish_that_cannot_be_said_keeps_it_out(peer: GraphPeer, more: dict[str, Any]) -> None:
    found, row, objects = one(peer, **{**more} if None not in more.values() else {"share_level": None})
    assert found is None
    assert objects == {}
    assert row.outcome == "quarantined"
    assert "nobody knows who may have it" in row.reason


STATUSES = [
    ("MALICIOUS", ["malicious-activity"]), ("SUSPICIOUS", ["anomalous-activity"]), ("NON_MALICIOUS", ["benign"]),
    ("UNKNOWN", None), (None, None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "types"), STATUSES)
def test_status_decides_what_it_is(peer: GraphPeer, status: str, types: list[str] | None) -> None:
    found, row, _ = one(peer, status=status)
    assert (found and found["indicator_types"]) == types
    assert row.outcome == ("indicator" if types else "note")


def test_the_rest_of_a_descriptor_is_kept(peer: GraphPeer) -> None:
    found, row, objects = one(peer, expired_on="2026-09-01T00:00:00+0000", confidence=0, severity="SEVERE")
    assert found["valid_until"] == "2026-09-01T00:00:00.000Z"
    assert found["confidence"] == 0
    assert found["labels"] == ["made_up_op", "severity:severe"]
    assert found["description"] == "lorem 1"
    assert (found["created"], found["modified"]) == ("2026-03-01T08:00:00.000Z", "2026-03-02T08:00:00.000Z")
    assert found["external_references"] == [{"source_name": "Meta ThreatExchange", "external_id": "90001"}]
    assert objects[found["created_by_ref"]]["name"] == "Lorem Platforms"
    assert "te@lorem.example" not in json.dumps(objects)
    assert row.ids == (found["id"],)


VALUES = [
    ("URI", "https://x.com/Made_Up_1?s=20", "user-account:account_login = 'made_up_1'"),
    ("URI", "https://lorem-op.example/A?b=1", "[url:value = 'https://lorem-op.example/A?b=1']"),
    ("URI", "[h]ttps://lorem-op.example/a", "[url:value = 'https://lorem-op.example/a']"),
    ("URI", "hxxps://lorem-op[.]example/", "[domain-name:value = 'lorem-op.example']"),
    ("URI", "https://9.10.11.12/", "[url:value = 'https://9.10.11.12/']"),
    ("PHONE_NUMBER", "+44 20 7946 0958", "[phone-number:value = '+442079460958']"),
    ("DOMAIN", "Lorem-Op.EXAMPLE", "[domain-name:value = 'lorem-op.example']"),
    ("EMAIL_ADDRESS", "Lorem@op-made-up.org", "[email-addr:value = 'Lorem@op-made-up.org']"),
    ("IP_ADDRESS", "9.10.11.12", "[ipv4-addr:value = '9.10.11.12']"),
    ("IP_SUBNET", "9.10.11.0/24", "[ipv4-addr:value ISSUBSET '9.10.11.0/24']"),
    ("HASH_MD5", "facefacefacefacefaceface0badf00d", "[file:hashes.'MD5' = 'facefacefacefacefaceface0badf00d']"),
    ("HASH_PDQ", "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22", "file:hashes.PDQ"),
    ("DEBUG_STRING", "telegram:Made_Up_1", "user-account:account_login = 'made_up_1'"),
]


@pytest.mark.parametrize(("kind", "value", "pattern"), VALUES)
def test_each_type_has_its_pattern(peer: GraphPeer, kind: str, value: str, pattern: str) -> None:
    found, row, _ = one(peer, kind, value, tags={"data": [{"text": "account"}]})
    assert found, row
    assert pattern in found["pattern"]


def test_a_string_is_an_account_where_a_tag_names_the_platform(peer: GraphPeer) -> None:
    found, _, _ = one(peer, "DEBUG_STRING", "@Made_Up_1", tags={"data": [{"text": "platform:twitter"}]})
    assert "account_type = 'x' AND user-account:account_login = 'made_up_1'" in found["pattern"]
    found, row, _ = one(peer, "DEBUG_STRING", "@Made_Up_1", tags=["debug"])
    assert found is None
    assert row.outcome == "note"


NO_INDICATOR = [
    ("TEXT_STRING", "lorem ipsum dolor", "note"), ("TREND_QUERY", '{"and": []}', "note"),
    ("HASH_TMK", "AAAA", "note"), ("SOME_NEW_TYPE", "x", "note"),
    ("DOMAIN", "facebook.com", "note"), ("DOMAIN", "not a domain", "quarantined"), ("DOMAIN", "", "quarantined"),
    ("URI", "javascript:alert(1)", "quarantined"), ("HASH_MD5", "beef", "quarantined"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "outcome"), NO_INDICATOR)
def test_what_names_nobody_or_is_broken_makes_no_indicator(peer: GraphPeer, kind: str, value: str, outcome: str) -> None:
    found, row, _ = one(peer, kind, value)
    assert found is None
    assert row.outcome == outcome
    assert row.reason


def test_a_broken_phone_number_is_not_repeated(peer: GraphPeer) -> None:
    found, row, objects = one(peer, "PHONE_NUMBER", "garbage-0123")
    assert found is None
    assert row.outcome == "quarantined"
    assert "0123" not in row.reason + json.dumps(objects)


def test_a_shared_host_may_stand_on_the_allow_list(peer: GraphPeer) -> None:
    found, _, _ = one(peer, "DOMAIN", "facebook.com", status="NON_MALICIOUS")
    assert found["indicator_types"] == ["benign"]


def test_tags_that_call_it_cib_without_a_behaviour_go_into_the_text(peer: GraphPeer) -> None:
    found, _, _ = one(peer, tags={"data": [{"text": "CIB"}, {"text": "lorem"}]})
    assert found["labels"] == ["lorem", "severity:warning"]
    assert "(Tagged: CIB)" in found["description"]
    found, _, _ = one(peer, tags={"data": [{"text": "CIB"}, {"text": "DISARM:T0146"}]})
    assert "CIB" in found["labels"]
    assert {"source_name": "DISARM", "external_id": "T0146"} in found["external_references"]


def test_reactions_are_opinions_and_sightings(peer: GraphPeer) -> None:
    said = [{"HELPFUL": ["1", "2"]}, {"key": "SAW_THIS_TOO", "value": "3, 4"}, {"DISAGREE_WITH_TAGS": "5"},
            {"OUTDATED": ["6"]}, {"INGESTED": ["1", "2"]}, {"WANT_MORE_INFO": ["1"]}]  # fmt: skip
    found, row, objects = one(peer, reactions=said, my_reactions=["NOT_HELPFUL"])
    opinions = {made["opinion"]: made for made in objects.values() if made["type"] == "opinion"}
    assert opinions.keys() == {"agree", "disagree", "neutral"}
    assert opinions["agree"]["authors"] == ["ThreatExchange app 1", "ThreatExchange app 2"]
    assert opinions["disagree"]["authors"] == ["ThreatExchange app 5", "this app"]
    (sighting,) = [made for made in objects.values() if made["type"] == "sighting"]
    assert sighting["sighting_of_ref"] == found["id"]
    assert all(made["object_marking_refs"] == found["object_marking_refs"] for made in (*opinions.values(), sighting))
    assert len(row.ids) == 5


def test_two_owners_are_two_sources_and_one_owner_is_one(peer: GraphPeer) -> None:
    other = {"id": "202", "name": "Ipsum Network"}
    peer.say(thing(1, "DOMAIN", "lorem-op.example", descriptor(1), descriptor(2, owner=other, status="NON_MALICIOUS"),
                   descriptor(3, share_level="RED", last_updated="2026-03-03T08:00:00+0000")), AT)  # fmt: skip
    objects, _, _ = told(fetch(peer))
    found = {objects[made["created_by_ref"]]["name"]: made for made in objects.values() if made["type"] == "indicator"}
    assert {name: made["indicator_types"] for name, made in found.items()} == {
        "Lorem Platforms": ["malicious-activity"], "Ipsum Network": ["benign"]}
    levels = {TLP2_IDS.get(ref) for ref in found["Lorem Platforms"]["object_marking_refs"]}
    assert {"TLP:AMBER", "TLP:RED"} <= levels, "of two descriptors of one owner both wishes count"


def test_missing_descriptors_and_owners_are_tolerated(peer: GraphPeer) -> None:
    peer.say({"id": "1", "indicator": "a.example", "type": "DOMAIN"}, AT)
    peer.say({"id": "2", "indicator": "b.example", "type": "DOMAIN", "descriptors": {"data": []}}, AT)
    peer.say(thing(3, "DOMAIN", "lorem-op.example", descriptor(3, owner=None, added_on=None, last_updated=None)), AT)
    objects, rows, gone = told(fetch(peer))
    assert [row.outcome for row in rows] == ["note", "note", "indicator"]
    (found,) = [made for made in objects.values() if made["type"] == "indicator"]
    assert "created_by_ref" not in found
    assert gone == set()


def test_deleted_and_cleared_things_are_withdrawn(peer: GraphPeer) -> None:
    for number in (1, 2, 3, 4):
        peer.say(thing(number, "DOMAIN", f"op-{number}.example", descriptor(number, reactions=[{"SAW_THIS_TOO": "9"}])),
                 AT + number)
    objects, _, gone = told(first := fetch(peer))
    assert gone == set()
    indicators = {made["name"].split()[-1]: made["id"] for made in objects.values() if made["type"] == "indicator"}
    sightings = {made["sighting_of_ref"]: made["id"] for made in objects.values() if made["type"] == "sighting"}
    peer.delete(1, AT + 10)
    peer.say(thing(2, "DOMAIN", "op-2.example", descriptor(2, status="UNKNOWN")), AT + 11)
    peer.say(thing(3, "DOMAIN", "op-3.example", descriptor(3)), AT + 12)
    second = fetch(peer, first[-1].checkpoint)
    again, rows, gone = told(second)
    one_, two, three, four = (indicators[f"op-{number}.example"] for number in (1, 2, 3, 4))
    assert {one_, two, sightings[one_], sightings[two], sightings[three]} <= gone
    assert not {three, four, sightings[four]} & gone
    assert three in again
    assert [row.outcome for row in rows][-3:] == ["note", "note", "indicator"]
    assert second[-1].checkpoint["latest"] == AT + 12


def test_a_run_goes_on_from_the_last_update(peer: GraphPeer) -> None:
    for number in range(7):
        peer.say(thing(number, "DOMAIN", f"op-{number}.example"), AT + number)
    done = fetch(peer)[-1].checkpoint
    assert "cursor" not in done
    peer.asked.clear()
    peer.say(thing(9, "DOMAIN", "op-9.example"), AT + 20)
    _, rows, _ = told(fetch(peer, done))
    assert peer.asked[0].query["start_time"] == [str(AT + 5)]
    assert len(rows) == 3, "the last second is told again"


def test_each_page_leaves_a_checkpoint_to_go_on_from(peer: GraphPeer) -> None:
    for number in range(8):
        peer.say(thing(number, "DOMAIN", f"op-{number}.example"), AT + number)
    whole = fetch(peer)
    assert len(whole) == 3
    objects, rows, _ = told(whole)
    for step in (0, 1):
        rest, more, _ = told(whole[: step + 1] + fetch(peer, whole[step].checkpoint))
        assert rest == objects
        assert more == rows


@pytest.mark.parametrize(("days", "since"), [(84, [str(AT - 1)]), (86, None)])
def test_a_checkpoint_of_more_than_85_days_counts_as_lost(peer: GraphPeer, days: int, since: list[str] | None) -> None:
    peer.say(thing(1, "DOMAIN", "lorem-op.example"), AT)
    done = fetch(peer)[-1].checkpoint
    peer.asked.clear()
    batches = fetch(peer, done, now=NOW + timedelta(days=days))
    assert peer.asked[0].query.get("start_time") == since
    notes = [row.reason for batch in batches for row in batch.rows if "fetched again" in row.reason]
    assert bool(notes) == (since is None)


def test_the_token_stands_nowhere(peer: GraphPeer) -> None:
    for number in range(5):
        peer.say(thing(number, "DOMAIN", f"op-{number}.example"), AT)
    text = repr(fetch(peer)) + repr(source(peer))
    assert TOKEN not in text
    assert "made-up_secret" not in text
    with pytest.raises(UnauthorizedError) as caught:
        fetch(peer, token="999|other_secret_text")
    assert "other_secret_text" not in str(caught.value)


def test_only_the_first_server_is_asked(peer: GraphPeer) -> None:
    for number in range(5):
        peer.say(thing(number, "DOMAIN", f"op-{number}.example"), AT)
    with GraphPeer() as other:
        def elsewhere(body: dict[str, Any]) -> dict[str, Any]:
            if "paging" in body:
                body["paging"]["next"] = body["paging"]["next"].replace(peer.url(""), other.url(""))
            return body

        peer.spoil = elsewhere
        with pytest.raises(InputError, match="another server"):
            fetch(peer)
        assert other.asked == []


def test_a_list_that_leads_in_a_circle_ends(peer: GraphPeer) -> None:
    for number in range(5):
        peer.say(thing(number, "DOMAIN", f"op-{number}.example"), AT)
    peer.spoil = lambda body: {**body, "paging": {"next": peer.group_url + f"/threat_updates?after={'MA==' if len(peer.asked) % 3 else 'Mw=='}"}}
    with pytest.raises(InputError, match="circle"):
        fetch(peer)
    assert len(peer.asked) < 20


def test_a_list_without_end_and_records_ends(peer: GraphPeer) -> None:
    peer.spoil = lambda body: {"data": [], "paging": {"next": f"{peer.group_url}/threat_updates?after=MA==&n={len(peer.asked)}"}}
    with pytest.raises(InputError, match="without a record"):
        fetch(peer)


ERRORS = [
    (400, {"code": 190}, UnauthorizedError), (400, {"code": 4}, UnavailableError), (400, {"code": 10}, ForbiddenError),
    (400, {"code": 100}, InputError), (500, {"code": 1}, UnavailableError), (500, {"code": 2}, UnavailableError),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error", "kind"), ERRORS)
def test_errors_of_the_graph_are_told_in_words(
    peer: GraphPeer, status: int, error: dict[str, Any], kind: type[Exception]
) -> None:
    from tests.fakes.web_peer import Answer

    said = {"error": {**error, "message": f"lorem {TOKEN} ipsum", "type": "OAuthException"}}
    peer.fallback = lambda asked: Answer(status, json.dumps(said).encode())
    with pytest.raises(kind) as caught:
        fetch(peer)
    assert TOKEN not in str(caught.value)


ODD = [b"", b"[]", b"7", b"{}", b'{"data": 7}', b"<html>", b'{"data": [], "paging": {"next": 7}}',
       b'{"data": [], "paging": {"next": "http://["}}', b'{"data": [], "paging": {"next": "x"}}']


@pytest.mark.parametrize("body", ODD)
def test_an_answer_that_is_no_list_is_told(peer: GraphPeer, body: bytes) -> None:
    from tests.fakes.web_peer import Answer

    peer.fallback = lambda asked: Answer(200, body)
    with pytest.raises(InputError):
        fetch(peer)


def test_odd_records_spoil_none_of_their_neighbours(peer: GraphPeer) -> None:
    peer.say(thing(1, "DOMAIN", "lorem-op.example"), AT)
    odd = [None, 7, [], {}, {"id": None}, {"id": "5", "descriptors": 7}, {"id": "6", "descriptors": {"data": [7, None]}},
           thing(8, "DOMAIN", "ipsum-op.example", descriptor(8, tags=7, reactions=7, my_reactions=7, confidence="x",
                                                             owner=7, expired_on=[], added_on={}, description=None))]  # fmt: skip
    peer.spoil = lambda body: {**body, "data": [*body["data"], *odd]}
    objects, rows, _ = told(fetch(peer))
    assert len(rows) == 9
    assert sum(made["type"] == "indicator" for made in objects.values()) == 2
    assert all(check(made) is None for made in objects.values())


def test_descriptors_beyond_the_first_are_asked_for(peer: GraphPeer) -> None:
    from tests.fakes.web_peer import Answer

    more = descriptor(2, owner={"id": "202", "name": "Ipsum"})
    record = thing(1, "DOMAIN", "lorem-op.example")
    record["descriptors"]["paging"] = {"next": peer.url("/v25.0/1/descriptors?after=Mg==")}
    peer.say(record, AT)
    peer.routes["/v25.0/1/descriptors"] = lambda asked: Answer(200, json.dumps({"data": [more]}).encode())
    objects, _, _ = told(fetch(peer))
    assert sum(made["type"] == "indicator" for made in objects.values()) == 2


def test_the_search_of_descriptors_serves_where_there_are_no_updates(peer: GraphPeer) -> None:
    peer.say(thing(1, "DOMAIN", "lorem-op.example", descriptor(1, privacy_type="VISIBLE"),
                   descriptor(2, owner={"id": "202"}, privacy_members=["11"]), descriptor(3, owner={"id": "203"})), AT)
    place = peer.url("/v25.0")
    objects, rows, _ = told(fetch(peer, place=place, feed="threat_descriptors", groups="11=trust-circle"))
    assert [row.outcome for row in rows] == ["indicator", "indicator", "quarantined"]
    assert sum(made["type"] == "indicator" for made in objects.values()) == 2


@pytest.mark.parametrize(("place", "options"), [
    ("/v25.0", {}), ("/v25", {}), (f"/v25.0/{GROUP}", {"feed": "x"}), (f"/v25.0/{GROUP}", {"groups": "lorem"}),
])
def test_wrong_settings_are_told(peer: GraphPeer, place: str, options: dict[str, str]) -> None:
    with pytest.raises(InputError):
        fetch(peer, place=peer.url(place), **options)
    assert peer.asked == []


TIMES = [
    ("2020-07-01T18:31:15+0000", 1_593_628_275), ("2020-07-01T20:31:15+0200", 1_593_628_275), (1_593_628_275,) * 2,
    ("1593628275", 1_593_628_275), (0, None), ("0", None), (None, None), (True, None), ("yesterday", None),
    (10**15, None), ("2020-13-01T18:31:15+0000", None), (-5, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "number"), TIMES)
def test_times_are_read_in_each_form(text: Any, number: int | None) -> None:
    assert seconds(text) == number


@given(st.integers(1, 253_402_300_799))
def test_a_time_survives_its_stamp(number: int) -> None:
    assert seconds(stamp(number).replace(".000Z", "Z")) == number


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["key", "value", "data", "id", "HELPFUL", "x"]), inner, max_size=3), max_leaves=8)


@given(st.dictionaries(st.sampled_from(["reactions", "my_reactions"]), JSON))
def test_reactions_of_any_shape_are_read(stated: dict[str, Any]) -> None:
    assert all(apps for apps in reacted(stated).values())
