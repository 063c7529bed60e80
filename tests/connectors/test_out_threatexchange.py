"""Descriptors to ThreatExchange: what is posted, to whom at most, what is taken back; the server is a local one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.out.threatexchange import ThreatExchangeOut
from connectors.threatexchange import CONNECTOR
from exchange.connect.asset import head, indicator, read_asset
from exchange.connect.outward import Sent, Target
from exchange.connect.source import Source
from exchange.errors import UnauthorizedError, UnavailableError
from exchange.outbound.patience import Patience
from exchange.outbound.web import Web
from exchange.stix import extensions
from exchange.stix.ids import derived_id
from exchange.stix.tlp import TLP2_IDS
from tests.fakes.graph_peer import TOKEN, GraphPeer, descriptor, thing

STAMP = "2026-01-01T00:00:00.000Z"
LEVELS = {level: ref for ref, level in TLP2_IDS.items()}
APP = TOKEN.partition("|")[0]


def marking(**audience: Any) -> dict[str, Any]:
    return {"type": "marking-definition", "spec_version": "2.1", "id": derived_id("marking-definition", repr(audience)),
            "created": STAMP, "extensions": {extensions.HANDLING: {"extension_type": "property-extension", "audience": audience}}}  # fmt: skip


def told(value: str = "lorem-op.example", *refs: str, level: str = "TLP:CLEAR", kind: str | None = None, **more: Any) -> dict[str, Any]:
    marks = [*([LEVELS[level]] if level else []), *refs]
    opened = head("indicator", derived_id("indicator", "test", value), STAMP, markings=marks)
    return indicator(read_asset(value, kind), opened, **more)


@pytest.fixture
def peer() -> Iterator[GraphPeer]:
    with GraphPeer() as peer:
        yield peer


def publish(peer: GraphPeer, objects: list[Mapping[str, Any]], token: str = TOKEN, **options: str) -> list[Sent]:
    with Web(allow=("127.0.0.0/8",), plain_http=True, patience=Patience(tries=1)) as web:
        return list(ThreatExchangeOut().publish(objects, Target(peer.url("/v25.0"), options, {"token": token}, web)))


def only(peer: GraphPeer) -> dict[str, str]:
    (one,) = peer.posted.values()
    return one


def test_a_descriptor_says_what_the_indicator_says(peer: GraphPeer) -> None:
    item = told(description="Lorem.", confidence=60, valid_until="2026-09-01T00:00:00Z", labels=["lorem", "severity:severe", "tlp:clear"])
    assert [one.state for one in publish(peer, [item])] == ["sent"]
    assert only(peer) == {
        "indicator": "lorem-op.example", "type": "DOMAIN", "status": "MALICIOUS", "description": f"Lorem. [{item['id']}]",
        "share_level": "WHITE", "privacy_type": "VISIBLE", "confidence": "60", "severity": "SEVERE",
        "expired_on": str(int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())), "tags": "lorem",
    }  # fmt: skip


VALUES = [
    ("https://lorem-op.example/a", None, "URI", "https://lorem-op.example/a"), ("9.10.11.12", None, "IP_ADDRESS", "9.10.11.12"),
    ("9.10.11.0/24", None, "IP_SUBNET", "9.10.11.0/24"), ("lorem@op-lorem.org", None, "EMAIL_ADDRESS", "lorem@op-lorem.org"),
    ("ab" * 16, "md5", "HASH_MD5", "ab" * 16), ("https://x.com/Made_Up", None, "URI", "https://x.com/made_up"),
    ("exlab:Made_Up", None, "DEBUG_STRING", "exlab:Made_Up"), ("+44 20 7946 0958", "phone", "PHONE_NUMBER", "+442079460958"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "word", "posted"), VALUES)
def test_each_kind_has_its_type(peer: GraphPeer, value: str, kind: str | None, word: str, posted: str) -> None:
    publish(peer, [told(value, kind=kind)])
    assert (only(peer)["type"], only(peer)["indicator"]) == (word, posted)


@pytest.mark.parametrize(("types", "status"), [
    (("attribution",), "MALICIOUS"), (("benign",), "NON_MALICIOUS"), (("anomalous-activity",), "SUSPICIOUS"), (("unknown",), "UNKNOWN"),
])
def test_the_kind_of_indicator_is_the_status(peer: GraphPeer, types: tuple[str, ...], status: str) -> None:
    publish(peer, [told(types=types)])
    assert only(peer)["status"] == status


OWN = {"privacy_type": "HAS_WHITELIST", "privacy_members": APP}
GROUP = {"privacy_type": "HAS_PRIVACY_GROUP", "privacy_members": "77"}
CIRCLE = {"privacy_type": "HAS_PRIVACY_GROUP", "privacy_members": "11"}
TERMS: list[tuple[str, list[dict[str, Any]], dict[str, str], str, dict[str, str]]] = [
    ("TLP:CLEAR", [], {}, "WHITE", {"privacy_type": "VISIBLE"}),
    ("TLP:CLEAR", [], {"group": "77"}, "WHITE", GROUP),
    ("TLP:GREEN", [], {}, "GREEN", OWN),
    ("TLP:GREEN", [], {"group": "77"}, "GREEN", GROUP),
    ("TLP:AMBER", [], {"group": "77"}, "AMBER", OWN),
    ("TLP:AMBER+STRICT", [], {"group": "77"}, "RED", OWN),
    ("TLP:RED", [], {"group": "77"}, "RED", OWN),
    ("TLP:AMBER", [{"sharing_groups": ["circle"]}], {"groups": "11=circle"}, "AMBER", CIRCLE),
    ("TLP:AMBER", [{"sharing_groups": ["circle", "other"]}], {"groups": "11=circle"}, "AMBER", CIRCLE),
    ("TLP:RED", [{"sharing_groups": ["circle"]}], {"groups": "11=circle"}, "RED", OWN),
    ("TLP:CLEAR", [{"sharing_groups": ["circle"]}], {"group": "77"}, "WHITE", OWN),
    ("TLP:AMBER", [{"named_orgs": ["org-a"]}], {"members": "21=org-a"}, "AMBER", {"privacy_type": "HAS_WHITELIST", "privacy_members": "21"}),
    ("TLP:AMBER", [{"named_orgs": []}], {"members": "21=org-a"}, "AMBER", OWN),
    ("TLP:AMBER", [{"sharing_groups": ["circle"]}, {"sharing_groups": ["x"]}], {"groups": "11=circle"}, "AMBER", OWN),
    ("TLP:AMBER", [{"sharing_groups": ["circle"], "exclude_orgs": ["org-b"]}], {"groups": "11=circle"}, "AMBER", OWN),
]  # fmt: skip


@pytest.mark.parametrize(("level", "audiences", "options", "share", "privacy"), TERMS)
def test_it_goes_no_further_than_its_markings_say(
    peer: GraphPeer, level: str, audiences: list[dict[str, Any]], options: dict[str, str], share: str, privacy: dict[str, str]
) -> None:
    marks = [marking(**one) for one in audiences]
    publish(peer, [*marks, told("lorem-op.example", *(one["id"] for one in marks), level=level)], **options)
    found = only(peer)
    assert found["share_level"] == share
    assert {name: value for name, value in found.items() if name.startswith("privacy")} == privacy


def test_a_marking_that_cannot_be_resolved_keeps_it_to_the_own_app(peer: GraphPeer) -> None:
    publish(peer, [told("lorem-op.example", marking(sharing_groups=["circle"])["id"])], group="77")
    assert {name: only(peer)[name] for name in OWN} == OWN


def test_personal_data_is_not_for_publishing(peer: GraphPeer) -> None:
    publish(peer, [told("https://x.com/Made_Up")], group="77")
    assert only(peer)["share_level"] == "GREEN"


def test_what_has_no_descriptor_is_left_out(peer: GraphPeer) -> None:
    compound = told() | {"pattern": "[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']"}
    wallet = told("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", kind="wallet")
    sents = publish(peer, [marking(named_orgs=["x"]), compound, told(level=""), wallet])
    assert [one.state for one in sents] == ["left-out"] * 4
    assert all(one.reason for one in sents)
    assert peer.posted == {}


def test_a_changed_object_changes_its_descriptor_and_a_revoked_one_takes_it_back(peer: GraphPeer) -> None:
    item, other = told(), told("other-op.example")
    publish(peer, [item, other])
    publish(peer, [item | {"confidence": 10}])
    assert sorted(one.get("confidence", "") for one in peer.posted.values()) == ["", "10"]
    assert [one.state for one in publish(peer, [item | {"revoked": True}])] == ["sent"]
    assert only(peer)["indicator"] == "other-op.example"
    assert [one.state for one in publish(peer, [item | {"revoked": True}])] == ["unchanged"]


def test_refusals_are_told_and_later_ones_tried_again(peer: GraphPeer) -> None:
    peer.refuse = {
        "a-op.example": (400, {"error": {"code": 100, "message": f"lorem {TOKEN}"}}),
        "b-op.example": (400, {"error": {"code": 4, "message": "too many calls"}}),
    }
    sents = publish(peer, [told("a-op.example"), told("b-op.example"), told("c-op.example")])
    assert [one.state for one in sents] == ["refused", "failed", "sent"]
    assert TOKEN not in repr(sents)


def test_a_server_that_fails_again_and_again_ends_the_run(peer: GraphPeer) -> None:
    values = [f"{letter}-op.example" for letter in "abcd"]
    peer.refuse = {value: (400, {"error": {"code": 2, "message": "down"}}) for value in values}
    with pytest.raises(UnavailableError):
        publish(peer, [told(value) for value in values])


def test_a_wrong_token_is_told_without_it(peer: GraphPeer) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        publish(peer, [told()], token="1|a_wrong_secret")
    assert "a_wrong_secret" not in str(caught.value)
    assert all("access_token" not in one.query for one in peer.asked)


def test_what_came_from_there_goes_back_as_it_was(peer: GraphPeer) -> None:
    said = descriptor(1, privacy_members=["11"], confidence=40, severity="SEVERE", expired_on="2026-09-01T00:00:00+0000")
    peer.say(thing(1, "DOMAIN", "lorem-op.example", said), 1_772_440_000)
    with Web(allow=("127.0.0.0/8",), plain_http=True) as web:
        source = Source(peer.group_url, {"groups": "11=circle"}, {"token": TOKEN}, web)
        objects = [one for batch in CONNECTOR.fetch(source, None) for one in batch.upserts]
    publish(peer, objects, groups="11=circle")
    found = only(peer)
    assert {name: found[name] for name in ("indicator", "type", "status", "share_level", "privacy_type", "privacy_members", "confidence", "severity", "tags")} == {
        "indicator": "lorem-op.example", "type": "DOMAIN", "status": "MALICIOUS", "share_level": "AMBER",
        "privacy_type": "HAS_PRIVACY_GROUP", "privacy_members": "11", "confidence": "40", "severity": "SEVERE", "tags": "made_up_op"}  # fmt: skip
