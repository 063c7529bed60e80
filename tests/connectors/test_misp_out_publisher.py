"""The way out to MISP: a feed that the connector reads again, a file, and a server that adds or edits."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.misp import CONNECTOR
from connectors.out.misp import PUBLISHER
from exchange.connect.outward import Sent, Target
from exchange.connect.source import Source
from exchange.errors import ForbiddenError, InputError
from tests.fakes.misp_events import STAMP, attribute, event, part, thing
from tests.fakes.misp_peer import KEY, MispPeer
from tests.fakes.misp_run import convert
from tests.fakes.quick_web import quick_web

Record = dict[str, Any]


def released(*events: Record) -> list[Record]:
    return [one for each in events for one in convert(each).objects]


def publish(objects: list[Record], place: Path | str, web: bool = False, **options: str) -> dict[str, Sent]:
    target = Target(str(place), {"community": "same"} | options, {"key": KEY}, quick_web() if web else None)
    sents = list(PUBLISHER.publish(objects, target))
    assert len({one.id for one in sents}) == len(sents)
    return {one.id: one for one in sents}


def two() -> list[Record]:
    account = thing("twitter-account", part("name", "lorem_1", to_ids=True))
    return [event(attribute("domain", "a.example"), attribute("domain|ip", "b.example|9.9.8.7"), tags=("tlp:amber",)),
            event(info="Ipsum", objects=(account,), distribution="1")]


def read_again(folder: Path) -> tuple[set[str], set[str]]:
    """Patterns and rows' files of a feed as the connector reads it."""
    batches = list(CONNECTOR.fetch(Source(str(folder)), None))
    return ({one["pattern"] for batch in batches for one in batch.upserts if one["type"] == "indicator"},
            {row.file for batch in batches for row in batch.rows})


def test_a_feed_has_a_manifest_hashes_and_a_file_for_each_event(tmp_path: Path) -> None:
    events = two()
    sents = publish(released(*events), tmp_path / "feed")
    manifest = json.loads((tmp_path / "feed" / "manifest.json").read_text())
    assert set(manifest) == {one["uuid"] for one in events}
    assert {one["timestamp"] for one in manifest.values()} == {str(STAMP)}
    hashes = (tmp_path / "feed" / "hashes.csv").read_text().splitlines()
    for value, one in (("a.example", 0), ("b.example", 0), ("9.9.8.7", 0), ("lorem_1", 1)):
        digest = hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()
        assert f"{digest},{events[one]['uuid']}" in hashes
    assert {one.state for one in sents.values()} == {"sent"}


def test_the_connector_reads_its_own_feed_as_the_same_objects(tmp_path: Path) -> None:
    objects = released(*two())
    publish(objects, tmp_path / "feed")
    patterns, files = read_again(tmp_path / "feed")
    assert patterns == {one["pattern"] for one in objects if one["type"] == "indicator"}
    assert len(files) == 2
    batches = CONNECTOR.fetch(Source(str(tmp_path / "feed")), None)
    again = {one["id"]: one for batch in batches for one in batch.upserts}
    assert {one["id"] for one in objects} == set(again)
    assert [one for one in objects if one["type"] in ("indicator", "note") and again[one["id"]] != one] == []


def test_events_that_are_no_more_leave_the_feed_and_others_files_stay(tmp_path: Path) -> None:
    events = two()
    publish(released(*events), tmp_path)
    (tmp_path / "lorem.json").write_text("{}")
    publish(released(events[0]), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{events[0]['uuid']}.json", "manifest.json", "hashes.csv", "lorem.json"}


def test_the_same_release_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        publish(released(*two()), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)


def test_what_was_revoked_stands_in_no_feed(tmp_path: Path) -> None:
    objects = [one | ({"revoked": True} if one["type"] == "indicator" else {}) for one in released(two()[0])]
    publish(objects, tmp_path)
    assert "a.example" not in "".join(path.read_text() for path in tmp_path.iterdir())


def test_one_file_takes_one_event(tmp_path: Path) -> None:
    publish(released(two()[0]), tmp_path / "one.json")
    assert json.loads((tmp_path / "one.json").read_text())["Event"]["info"] == "Lorem ipsum network"
    with pytest.raises(InputError, match="several events"):
        publish(released(*two()), tmp_path / "two.json")


def test_a_folder_that_cant_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        publish(released(*two()), tmp_path / "file")


@pytest.mark.parametrize(("community", "distribution"), [("same", "1"), ("other", "0"), ("", "0")])
def test_a_community_level_means_other_people_elsewhere(tmp_path: Path, community: str, distribution: str) -> None:
    publish(released(two()[1]), tmp_path / "one.json", community=community)
    assert json.loads((tmp_path / "one.json").read_text())["Event"]["distribution"] == distribution
    with pytest.raises(InputError, match="community"):
        publish([], tmp_path / "one.json", community="lorem")


def test_a_server_gets_new_events_edits_and_nothing_twice() -> None:
    events = two()
    with MispPeer([]) as peer:
        assert {one.state for one in publish(released(*events), peer.url, web=True).values()} == {"sent"}
        assert {path for path, _ in peer.written} == {"/events/add"}
        assert {one.state for one in publish(released(*events), peer.url, web=True).values()} == {"unchanged"}
        later = events[0] | {"timestamp": str(STAMP + 7), "info": "Lorem again"}
        states = publish(released(later, events[1]), peer.url, web=True)
        assert {one.state for one in states.values()} == {"sent", "unchanged"}
        assert [path for path, _ in peer.written[2:]] == [f"/events/edit/{events[0]['uuid']}"]


def test_what_was_revoked_is_deleted_on_the_server() -> None:
    objects = released(two()[0])
    gone = [one | ({"revoked": True} if "a.example" in one.get("pattern", "") else {}) for one in objects]
    with MispPeer([]) as peer:
        publish(gone, peer.url, web=True)
    deleted = {one["value"]: one["deleted"] for one in peer.written[0][1]["Attribute"]}
    assert deleted == {"a.example": True, "b.example|9.9.8.7": False}


@pytest.mark.parametrize(("status", "state"), [(500, "failed"), (400, "refused"), (503, "failed")])
def test_a_server_that_doesnt_take_an_event_is_told_object_by_object(status: int, state: str) -> None:
    with MispPeer([], broken=status) as peer:
        sents = publish(released(two()[0]), peer.url, web=True)
    assert {one.state for one in sents.values()} == {state}
    assert all(str(status) in one.reason for one in sents.values())


def test_a_server_that_may_not_be_written_refuses_and_a_wrong_key_stops() -> None:
    with MispPeer([], frozen=True) as peer:
        assert {one.state for one in publish(released(two()[0]), peer.url, web=True).values()} == {"refused"}
        with pytest.raises(ForbiddenError) as told:
            list(PUBLISHER.publish(released(two()[0]), Target(peer.url, {}, {"key": "wrong-key"}, quick_web())))
    assert "wrong-key" not in str(told.value)


def test_what_no_report_names_is_one_event_of_its_producer(tmp_path: Path) -> None:
    objects = [one for one in released(two()[0]) if one["type"] in ("indicator", "identity")]
    sents = publish(objects, tmp_path)
    event_file = next(path for path in tmp_path.iterdir() if path.name not in ("manifest.json", "hashes.csv"))
    found = json.loads(event_file.read_text())["Event"]
    assert (len(found["Attribute"]), found["Orgc"]["name"]) == (2, "Lorem CERT")
    assert {one.state for one in sents.values()} == {"sent"}


def test_nothing_released_writes_an_empty_feed(tmp_path: Path) -> None:
    assert publish([], tmp_path) == {}
    assert (tmp_path / "manifest.json").read_text() == "{}"
