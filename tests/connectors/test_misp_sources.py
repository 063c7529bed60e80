"""Where events come from: files, feeds, servers; what is unchanged is passed over, and nothing is asked for in vain."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.misp import CONNECTOR, documents, server
from exchange.connect.contract import Row
from exchange.connect.source import Source
from exchange.errors import ForbiddenError, InputError, UnauthorizedError
from tests.fakes.misp_events import STAMP, attribute, event, made, part, thing, write_feed
from tests.fakes.misp_peer import KEY, MispPeer
from tests.fakes.quick_web import quick_web
from tests.fakes.web_peer import Answer, WebPeer


def bring(source: Source, checkpoint: Mapping[str, Any] | None = None) -> tuple[list[str], list[Row], dict, list[str]]:
    """Patterns, rows, the last checkpoint (as JSON) and what was withdrawn."""
    patterns, rows, withdrawn, last = [], [], [], checkpoint
    for batch in CONNECTOR.fetch(source, checkpoint):
        patterns += [one["pattern"] for one in batch.upserts if one["type"] == "indicator"]
        rows += batch.rows
        withdrawn += batch.withdrawn
        last = batch.checkpoint
    return patterns, rows, json.loads(json.dumps(last)), withdrawn


def numbered(count: int) -> list[dict[str, Any]]:
    return [event(attribute("domain", f"lorem-{number}.example"), info=f"Lorem {number}", timestamp=str(STAMP + number))
            for number in range(count)]  # fmt: skip


# -- files


@pytest.mark.parametrize("wrap", [
    lambda one: one, lambda one: {"Event": one}, lambda one: [{"Event": one}], lambda one: {"response": [{"Event": one}]},
    lambda one: {"response": {"Event": one}},
])  # fmt: skip
def test_an_event_is_read_however_it_is_wrapped(tmp_path: Path, wrap: Any) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(wrap(event(attribute("domain", "lorem.example")))))
    patterns, rows, _, _ = bring(Source(str(path)))
    assert patterns == ["[domain-name:value = 'lorem.example']"]
    assert {row.file for row in rows} == {"one.json"}


def test_a_document_of_several_events_names_each(tmp_path: Path) -> None:
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"response": [{"Event": one} for one in numbered(2)]}))
    patterns, rows, _, _ = bring(Source(str(path)))
    assert len(patterns) == 2
    assert {row.file for row in rows} == {"two.json#1", "two.json#2"}


@pytest.mark.parametrize("content", ['{"type": "bundle"}', "[1]", '{"GalaxyCluster": []}', "lorem", '{"value": "x"}'])
def test_what_is_no_event_is_told_and_spares_its_neighbours(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    (tmp_path / "b.json").write_text(json.dumps(numbered(1)[0]))
    patterns, rows, _, _ = bring(Source(str(tmp_path)))
    assert len(patterns) == 1
    assert [row.outcome for row in rows if row.file == "a.json"] == ["quarantined"]
    with pytest.raises(InputError, match=r"a\.json"):
        bring(Source(str(tmp_path / "a.json")))


def test_an_unchanged_file_is_passed_over_until_an_option_changes(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(numbered(1)[0]))
    first, _, checkpoint, _ = bring(Source(str(path)))
    assert len(first) == 1
    assert bring(Source(str(path)), checkpoint)[0] == []
    assert len(bring(Source(str(path), {"accounts": "yes"}), checkpoint)[0]) == 1


def test_a_file_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 100)
    path = tmp_path / "one.json"
    path.write_text(json.dumps(numbered(1)[0]))
    with pytest.raises(InputError, match="at most 100"):
        bring(Source(str(path)))


@pytest.mark.parametrize(("options", "said"), [
    ({"missing": "lorem"}, "missing"), ({"unpublished": "perhaps"}, "unpublished"), ({"audience": "x"}, "audience"),
    ({"warninglists": "/nowhere.json"}, "warning list"), ({"galaxies": "/nowhere.json"}, "galaxy"),
])  # fmt: skip
def test_an_option_that_cant_be_used_is_told(tmp_path: Path, options: dict, said: str) -> None:
    (tmp_path / "one.json").write_text(json.dumps(numbered(1)[0]))
    with pytest.raises(InputError, match=said):
        bring(Source(str(tmp_path), options))


@pytest.mark.parametrize(("chosen", "in_file", "in_feed"), [("", 1, 0), ("no", 0, 0), ("yes", 1, 1)])
def test_a_file_that_somebody_names_is_taken_unpublished_and_a_feed_waits(
    tmp_path: Path, chosen: str, in_file: int, in_feed: int,
) -> None:
    item = numbered(1)[0] | {"published": False}
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "one.json").write_text(json.dumps(item))
    options = {"unpublished": chosen}
    assert len(bring(Source(str(folder / "one.json"), options))[0]) == in_file
    assert len(bring(Source(str(folder), options))[0]) == in_file
    assert len(bring(Source(str(write_feed(tmp_path / "feed", [item])), options))[0]) == in_feed


def test_a_ring_of_keys_hides_what_is_peoples_and_never_shows_itself(tmp_path: Path) -> None:
    secret = "5a" * 32
    ring = f'[[key]]\nid = "grp-1"\nsecret = "{secret}"\nsince = 2020-01-01\nuntil = 2090-01-01\n'
    (tmp_path / "one.json").write_text(json.dumps(event(attribute("email", "a@lorem.example"))))
    batches = list(CONNECTOR.fetch(Source(str(tmp_path), {}, {"keyring": ring}), None))
    assert "a@lorem.example" not in str(batches)
    assert "grp-1" in str(batches)
    assert secret not in str(batches)


# -- feeds


def test_a_feed_brings_only_what_changed(tmp_path: Path) -> None:
    events = numbered(4)
    feed = write_feed(tmp_path / "feed", events)
    patterns, rows, checkpoint, _ = bring(Source(str(feed)))
    assert len(patterns) == 4
    assert {row.file for row in rows} == {f"{one['uuid']}.json" for one in events}
    assert bring(Source(str(feed)), checkpoint)[:2] == ([], [])
    events[1] |= {"timestamp": str(STAMP + 1_000), "Attribute": [attribute("domain", "other.example")]}
    write_feed(feed, events)
    patterns, rows, _, withdrawn = bring(Source(str(feed)), checkpoint)
    assert patterns == ["[domain-name:value = 'other.example']"]
    assert {row.file for row in rows} == {f"{events[1]['uuid']}.json"}
    assert withdrawn


@pytest.mark.parametrize(("missing", "count"), [("keep", False), ("withdraw", True)])
def test_an_event_that_the_feed_drops_is_withdrawn_only_where_that_is_wanted(
    tmp_path: Path, missing: str, count: bool
) -> None:
    events = numbered(12)
    checkpoint = bring(Source(str(write_feed(tmp_path / "a", events))))[2]
    shorter = Source(str(write_feed(tmp_path / "b", events[1:])), {"missing": missing})
    withdrawn = bring(shorter, checkpoint)[3]
    assert bool(withdrawn) is count
    assert not count or {one.partition("--")[0] for one in withdrawn} >= {"report", "campaign", "indicator"}


def test_many_events_that_vanish_at_once_are_a_fault_of_the_list(tmp_path: Path) -> None:
    events = numbered(12)
    checkpoint = bring(Source(str(write_feed(tmp_path / "a", events)), {"missing": "withdraw"}))[2]
    with pytest.raises(InputError, match="8 of 12 known events"):
        bring(Source(str(write_feed(tmp_path / "b", events[8:])), {"missing": "withdraw"}), checkpoint)


@pytest.mark.parametrize("key", ["../../secret", "lorem", "", "/etc/passwd"])
def test_a_manifest_names_no_file_but_events(tmp_path: Path, key: str) -> None:
    feed = write_feed(tmp_path / "feed", numbered(1))
    (tmp_path / "secret.json").write_text(json.dumps(numbered(1)[0]))
    manifest = json.loads((feed / "manifest.json").read_text()) | {key: {"timestamp": "1"}}
    (feed / "manifest.json").write_text(json.dumps(manifest))
    patterns, rows, _, _ = bring(Source(str(feed)))
    assert len(patterns) == 1
    assert [row.outcome for row in rows if row.file.startswith("manifest.json#")] == ["quarantined"]


def test_a_file_that_the_manifest_promises_and_isnt_there_is_told(tmp_path: Path) -> None:
    events = numbered(2)
    feed = write_feed(tmp_path / "feed", events)
    (feed / f"{events[0]['uuid']}.json").unlink()
    patterns, rows, checkpoint, _ = bring(Source(str(feed)))
    assert len(patterns) == 1
    assert [row.outcome for row in rows if row.file == f"{events[0]['uuid']}.json"] == ["quarantined"]
    write_feed(feed, events)
    assert len(bring(Source(str(feed)), checkpoint)[0]) == 1


@pytest.mark.parametrize("content", ["[]", '{"a": 7}', "lorem"])
def test_a_manifest_of_nonsense_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputError, match=r"manifest\.json"):
        bring(Source(str(tmp_path)))


@pytest.mark.parametrize("ending", ["", "/", "/manifest.json"])
def test_a_feed_at_an_address_is_as_good_as_a_folder(tmp_path: Path, ending: str) -> None:
    feed = write_feed(tmp_path / "feed", numbered(2))
    with WebPeer() as peer:
        for path in feed.iterdir():
            peer.routes[f"/feed/{path.name}"] = lambda asked, path=path: Answer(200, path.read_bytes())
        source = Source(peer.url(f"/feed{ending}"), {}, {}, quick_web())
        patterns, _, checkpoint, _ = bring(source)
        assert len(patterns) == 2
        assert bring(source, checkpoint)[0] == []
        assert [one.path for one in peer.asked].count("/feed/manifest.json") == 2
        with pytest.raises(InputError, match="404"):
            bring(Source(peer.url("/nothing"), {}, {}, quick_web()))


def test_memory_doesnt_grow_with_the_feed(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        many = [event(*(attribute("domain", f"lorem-{number}-{each}.example") for each in range(15)),
                      info=f"Lorem {number}") for number in range(count)]
        feed = write_feed(tmp_path / str(count), many)
        del many
        tracemalloc.start()
        try:
            for _batch in CONNECTOR.fetch(Source(str(feed)), None):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)
    few, many = peak(4), peak(16)
    assert many < 1.5 * few + 200_000


# -- servers


@pytest.mark.parametrize("ignores_page", [False, True])
def test_a_server_is_asked_page_by_page_until_nothing_new_comes(ignores_page: bool) -> None:
    with MispPeer(numbered(7), ignores_page=ignores_page) as peer:
        patterns, rows, checkpoint, _ = bring(peer.source())
        assert len(patterns) == (3 if ignores_page else 7)
        pages = [body["page"] for path, body in peer.asked if path == "/events/index"]
        assert pages == ([1, 2] if ignores_page else [1, 2, 3, 4])
        peer.asked.clear()
        assert bring(peer.source(), checkpoint)[:2] == ([], [])
        assert {path for path, _ in peer.asked} == {"/events/index"}
        assert all(row.file.endswith(".json") for row in rows)


def test_an_event_that_waits_comes_when_it_is_published_though_its_stamp_stays() -> None:
    one = numbered(1)[0]
    with MispPeer([one | {"published": False}]) as peer:
        patterns, rows, checkpoint, _ = bring(peer.source())
        assert (patterns, {row.outcome for row in rows}) == ([], {"note"})
        peer.events = [one]
        assert len(bring(peer.source(), checkpoint)[0]) == 1


def test_an_event_that_is_edited_and_waits_again_keeps_what_it_told() -> None:
    one = numbered(1)[0]
    with MispPeer([one]) as peer:
        checkpoint = bring(peer.source())[2]
        peer.events = [one | {"published": False, "timestamp": str(STAMP + 9)}]
        _, _, checkpoint, withdrawn = bring(peer.source(), checkpoint)
        assert withdrawn == []
        peer.events = [one | {"Attribute": [], "timestamp": str(STAMP + 9)}]
        assert any(each.startswith("indicator--") for each in bring(peer.source(), checkpoint)[3])


def test_a_sighting_alone_is_a_change() -> None:
    one = numbered(1)[0]
    with MispPeer([one]) as peer:
        checkpoint = bring(peer.source())[2]
        peer.sighted[one["uuid"]] = str(STAMP + 5)
        one["Attribute"][0]["Sighting"] = [{"uuid": made("s"), "type": "0", "date_sighting": str(STAMP + 5)}]
        batches = list(CONNECTOR.fetch(peer.source(), checkpoint))
    assert "sighting" in {each["type"] for batch in batches for each in batch.upserts}


def test_deleted_attributes_are_asked_for_and_withdrawn() -> None:
    one = event(attribute("domain", "a.example"), attribute("domain", "b.example"))
    with MispPeer([one]) as peer:
        _, _, checkpoint, _ = bring(peer.source())
        peer.events = [one | {"timestamp": str(STAMP + 9), "Attribute": [
            attribute("domain", "a.example"), attribute("domain", "b.example", deleted=True)]}]
        patterns, rows, _, withdrawn = bring(peer.source(), checkpoint)
    assert patterns == ["[domain-name:value = 'a.example']"]
    assert "Deleted by the source." in {row.reason for row in rows}
    assert any(one.startswith("indicator--") for one in withdrawn)


def test_a_too_large_event_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [attribute("domain", f"lorem-{number}.example") for number in range(8)]
    things = tuple(thing("twitter-account", part("name", f"lorem_{number}", to_ids=True)) for number in range(5))
    one = event(*items, attribute("domain", "gone.example", deleted=True), objects=things, tags=("tlp:amber",))
    monkeypatch.setattr(server, "PAGE", 4)
    with MispPeer([one], largest_page=100) as peer:
        whole, rows, _, _ = bring(peer.source())
        peer.too_large = {one["uuid"]}
        assert bring(peer.source())[:2] == (whole, rows)
        assert {path for path, _ in peer.asked} >= {"/objects/restSearch", "/attributes/restSearch"}
    assert len(whole) == 13


def test_one_event_that_is_refused_or_broken_spares_the_others() -> None:
    events = numbered(3)
    with MispPeer(events, forbidden={events[1]["uuid"]}) as peer:
        patterns, rows, checkpoint, _ = bring(peer.source())
        refused = [row for row in rows if row.outcome == "quarantined"]
        assert len(patterns) == 2
        assert [(row.file, row.row) for row in refused] == [(f"{events[1]['uuid']}.json", 1)]
        assert "403" in refused[0].reason
        peer.forbidden = set()
        assert len(bring(peer.source(), checkpoint)[0]) == 1


def test_another_event_than_the_one_asked_for_is_not_taken() -> None:
    with MispPeer(numbered(2), swapped=True) as peer:
        patterns, rows, _, _ = bring(peer.source())
    assert patterns == []
    assert all("another event" in row.reason for row in rows)


@pytest.mark.parametrize(("key", "error"), [("wrong", ForbiddenError)])
def test_a_wrong_key_is_told_and_never_shown(key: str, error: type[Exception]) -> None:
    with MispPeer(numbered(1)) as peer, pytest.raises(error) as told:
        bring(Source(peer.url, {}, {"key": key}, quick_web()))
    assert key not in str(told.value)


def test_the_key_stands_in_no_row_and_no_checkpoint() -> None:
    events = numbered(2)
    with MispPeer(events, forbidden={events[0]["uuid"]}) as peer:
        assert KEY not in str(bring(peer.source()))


def test_without_a_key_a_server_is_asked_for_a_feed() -> None:
    with MispPeer(numbered(1)) as peer, pytest.raises((InputError, UnauthorizedError)):
        bring(Source(peer.url, {}, {}, quick_web()))


@pytest.mark.parametrize("answer", [b"<html>", b"7", b'{"a": 1}', b'[{"uuid": "lorem"}]', b"[7]"])
def test_a_list_of_nonsense_is_told(answer: bytes) -> None:
    with WebPeer() as peer:
        peer.routes["/events/index"] = lambda asked: Answer(200, answer)
        with pytest.raises(InputError):
            bring(Source(peer.url(""), {}, {"key": KEY}, quick_web()))


def test_a_list_without_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_PAGES", 5)
    with WebPeer() as peer:
        peer.routes["/events/index"] = lambda asked: Answer(
            200, json.dumps([{"uuid": made(len(peer.asked)), "timestamp": "1"}]).encode())
        with pytest.raises(InputError, match="more than 5 pages"):
            bring(Source(peer.url(""), {}, {"key": KEY}, quick_web()))
