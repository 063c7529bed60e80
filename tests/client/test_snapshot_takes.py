"""A snapshot is all that the server tells, goes on where it was cut off, and says when it could not be proved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.client import Client
from exchange.client.completeness import tallied
from exchange.client.follow_place import PlaceFile
from exchange.client.snapshot import begin_follower, check_snapshot, read_snapshot, take_snapshot, target
from exchange.client.snapshot_files import digest_of, row_of, value_kinds
from exchange.client.snapshot_stage import Head, Stage
from exchange.errors import InputError, UnavailableError
from tests.fakes.taxii_peer import MEDIA, stamp
from tests.fakes.web_peer import Answer, Asked, WebPeer

PLACE = "/root/collections/c1/"


def thing(number: int, version: int = 0, **more: Any) -> dict[str, Any]:
    return {"type": "indicator", "id": f"indicator--{number:08}-0000-4000-8000-000000000000",
            "modified": f"2026-01-01T00:00:00.{version:03}Z", "name": f"lorem {number}", **more}


def version_of(one: dict[str, Any], else_: str) -> str:
    """As the exchange's manifest tells it, and its tally counts it: a marking has a version in the first alone."""
    if one["type"] == "marking-definition":
        return str(one["created"]) if else_ else ""
    return str(one.get("modified", else_))


class Shelf:
    """A collection of an exchange: two objects a page, a manifest, a tally; ``held`` are (seconds, object)."""

    def __init__(self, peer: WebPeer, *held: tuple[int, dict[str, Any]]) -> None:
        self.held = list(held)
        self.asked: list[dict[str, str]] = []
        """Queries for objects."""
        self.untils: list[str] = []
        self.before_manifest: Callable[[Shelf], None] = lambda shelf: None
        self.fails_at, self.dates = -1, True
        peer.routes[PLACE + "objects/"] = self._objects
        peer.routes[PLACE + "manifest/"] = self._manifest
        peer.routes["/api/v1/collections/c1/tally"] = self._tally
        self.url = peer.url(PLACE)
        self.client = Client(self.url, token="t")

    def _page(self, found: list[tuple[int, Any]], query: dict[str, str], dated: bool = True) -> Answer:
        start = int(query.get("next", "0"))
        page, more = found[start : start + 2], start + 2 < len(found)
        said: dict[str, Any] = {"objects": [one for _, one in page]} if page else {}
        said |= {"more": True, "next": str(start + 2)} if more else {}
        headers = {"X-TAXII-Date-Added-Last": stamp(page[-1][0])} if page and dated else {}
        return Answer(200, json.dumps(said).encode(), {"Content-Type": MEDIA, **headers})

    def _objects(self, asked: Asked) -> Answer:
        query = {name: values[0] for name, values in asked.query.items()}
        self.asked.append(query)
        if len(self.asked) == self.fails_at:
            return Answer(503, b"{}", {"Content-Type": MEDIA})
        wanted = query.get("match[id]", "").split(",")
        after = query.get("added_after", "")
        found = [(at, one) for at, one in self.held
                 if (one["id"] in wanted if "match[id]" in query else stamp(at) > after)]
        return self._page(found, query, self.dates)

    def _manifest(self, asked: Asked) -> Answer:
        query = {name: values[0] for name, values in asked.query.items()}
        if "next" not in query:
            self.before_manifest(self)
        return self._page([(at, {"id": one["id"], "date_added": stamp(at), "version": version_of(one, stamp(at))})
                           for at, one in self.held], query)

    def _tally(self, asked: Asked) -> Answer:
        (until,) = asked.query["until"]
        self.untils.append(until)
        counted = [(one["id"], version_of(one, "")) for at, one in self.held if stamp(at) <= until]
        return Answer(200, json.dumps({"count": len(counted), "root": tallied(counted).root}).encode())


@pytest.fixture(scope="module")
def peer() -> Iterator[WebPeer]:
    with WebPeer() as running:
        yield running


def bundled(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "bundle.json").read_bytes()).get("objects", [])
    return found


MORE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("domain-name", {}), ("marking-definition", {}), ("marking-definition", {"id": "marking-definition--2", "modified": "2026-01-01T00:00:00Z"}))
FIVE = tuple((number, thing(number)) for number in range(5))


def test_a_bundle_has_every_object_in_the_order_of_adding_and_its_description_proves_it(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *FIVE, *((9, {"id": f"{kind}--1", "type": kind, "created": "2026-01-01T00:00:00Z", **more}) for kind, more in MORE))
    made = shelf.client.snapshot(tmp_path / "out", form="bundle")
    assert bundled(tmp_path / "out") == [one for _, one in shelf.held]
    assert (made.count, made.proved, made.cursor, made.collection) == (8, True, stamp(9), shelf.url)
    assert made.root == tallied((one["id"], version_of(one, "")) for _, one in shelf.held).root
    assert made.files == {"bundle.json": digest_of(tmp_path / "out" / "bundle.json")}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bundle.json", "snapshot.json"]
    assert read_snapshot(tmp_path / "out") == read_snapshot(tmp_path / "out" / "snapshot.json") == made
    assert check_snapshot(shelf.client, None, tmp_path / "out") == []


def test_what_was_cut_off_goes_on_behind_the_last_page(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *FIVE)
    shelf.fails_at = 3
    with pytest.raises(UnavailableError):
        take_snapshot(shelf.client, None, tmp_path / "out", "bundle")
    assert not (tmp_path / "out" / "snapshot.json").exists()
    shelf.asked.clear()
    take_snapshot(shelf.client, None, tmp_path / "out", "bundle")
    assert shelf.asked == [{"added_after": stamp(3)}]
    assert bundled(tmp_path / "out") == [one for _, one in FIVE]


def test_objects_of_one_date_are_all_taken(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *((1, thing(number)) for number in range(5)))
    assert take_snapshot(shelf.client, None, tmp_path, "bundle").count == 5
    with pytest.raises(InputError, match=r"snapshot\.json exists"):
        take_snapshot(shelf.client, None, tmp_path, "bundle")


def test_parquet_has_a_row_for_each_object_with_its_date_and_says_what_columns_mean(peer: WebPeer, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="an optional part")
    out = tmp_path / "it's here" / "x.parquet"
    shelf = Shelf(peer, (0, thing(0, labels=["a"], description="x" * 3_000_000)), (1, thing(1, revoked=True)))
    made = take_snapshot(shelf.client, None, out)
    quoted = "'" + str(out).replace("'", "''") + "'"
    rows = duckdb.sql(f"SELECT id, date_added, revoked, labels, object FROM {quoted} ORDER BY id").fetchall()
    assert [row[:4] for row in rows] == [(thing(0)["id"], stamp(0), False, ["a"]), (thing(1)["id"], stamp(1), True, [])]
    assert [json.loads(row[4]) for row in rows] == [one for _, one in shelf.held]
    said = dict(duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata({quoted})").fetchall())
    assert said["schema"] == made.parquet_schema
    assert said["column.revoked"] == "taken back: stop using it"
    assert sorted(path.name for path in out.parent.iterdir()) == ["x.parquet", "x.snapshot.json"]


def revise(shelf: Shelf) -> None:
    shelf.held[1] = (1, thing(1, 7))


def withdraw(shelf: Shelf) -> None:
    del shelf.held[1]


def show_late(shelf: Shelf) -> None:
    shelf.held.insert(1, (0, thing(8)))


def add_later(shelf: Shelf) -> None:
    shelf.held.append((8, thing(8)))


@pytest.mark.parametrize(("change", "expected"), [
    (revise, [thing(0), thing(1, 7), *(thing(n) for n in (2, 3, 4))]),
    (withdraw, [thing(n) for n in (0, 2, 3, 4)]),
    (show_late, [thing(n) for n in (0, 8, 1, 2, 3, 4)]),  # the date that the manifest tells is its place
    (add_later, [thing(n) for n in range(5)]),
], ids=lambda value: getattr(value, "__name__", ""))
def test_what_changed_meanwhile_is_as_the_manifest_has_it(
    peer: WebPeer, tmp_path: Path, change: Callable[[Shelf], None], expected: list[Any]
) -> None:
    shelf = Shelf(peer, *FIVE)

    def once(changing: Shelf) -> None:
        change(changing)
        shelf.before_manifest = lambda _: None

    shelf.before_manifest = once
    made = take_snapshot(shelf.client, None, tmp_path, "bundle")
    assert (made.proved, made.cursor) == (True, stamp(4))
    assert bundled(tmp_path) == expected
    assert set(shelf.untils) == {stamp(4)}


def test_a_collection_that_changes_at_each_try_is_told_and_not_called_proved(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *FIVE)
    told: list[str] = []
    peer.routes["/api/v1/collections/c1/tally"] = lambda asked: Answer(200, json.dumps(
        {"count": 5, "root": tallied([("x--1", "")]).root}).encode())
    made = take_snapshot(shelf.client, None, tmp_path, "bundle", tell=told.append)
    assert (made.proved, made.count) == (False, 5)
    assert told == ["The collection changed at each try: the snapshot is as it was between them."]
    assert len(shelf.asked) == 3 + 4  # three pages, then a look behind the cursor at each further try


def test_how_far_it_is_is_told_every_ten_pages(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *((number, thing(number)) for number in range(41)))
    told: list[str] = []
    take_snapshot(shelf.client, None, tmp_path, "bundle", tell=told.append)
    assert told == [f"20 objects pulled, up to {stamp(19)}.", f"40 objects pulled, up to {stamp(39)}."]


def test_of_an_empty_collection_there_is_an_empty_snapshot_that_begins_no_follower(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer)
    made = take_snapshot(shelf.client, None, tmp_path, "bundle")
    assert (made.count, made.cursor, made.proved) == (0, "", True)
    assert "objects" not in json.loads((tmp_path / "bundle.json").read_bytes())
    assert shelf.untils == ["1970-01-01T00:00:00Z"]
    begin_follower(tmp_path, shelf.url, tmp_path / "place.json")
    assert not (tmp_path / "place.json").exists()


def test_a_server_that_tells_no_dates_is_refused(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *FIVE)
    shelf.dates = False
    with pytest.raises(UnavailableError, match="X-TAXII-Date-Added-Last"):
        take_snapshot(shelf.client, None, tmp_path, "bundle")


def test_missing_objects_are_asked_for_a_hundred_at_a_time(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, (9, thing(9)))

    def once(changing: Shelf) -> None:
        shelf.held[:0] = [(1, thing(number)) for number in range(100, 250)]
        shelf.before_manifest = lambda _: None

    shelf.before_manifest = once
    peer.routes[PLACE + "objects/"] = lambda asked: Answer(200, json.dumps({"objects": [
        one for at, one in shelf.held if one["id"] in wanted(asked) or (not wanted(asked) and at > 1 and "added_after" not in asked.query)]}).encode(),
        {"Content-Type": MEDIA, "X-TAXII-Date-Added-Last": stamp(9)})
    peer.asked.clear()
    made = take_snapshot(shelf.client, None, tmp_path, "bundle")
    assert (made.count, made.proved) == (151, True)
    assert [len(wanted(asked)) for asked in peer.asked if wanted(asked)] == [100, 50]


def wanted(asked: Asked) -> list[str]:
    return [one for value in asked.query.get("match[id]", ()) for one in value.split(",")]


@pytest.mark.parametrize(("out", "form", "parquet", "bundle", "description"), [
    ("a", None, "a/objects.parquet", "a/bundle.json", "a/snapshot.json"),
    ("a", "both", "a/objects.parquet", "a/bundle.json", "a/snapshot.json"),
    ("a", "parquet", "a/objects.parquet", None, "a/snapshot.json"),
    ("a", "bundle", None, "a/bundle.json", "a/snapshot.json"),
    ("x.parquet", None, "x.parquet", None, "x.snapshot.json"),
    ("x.PARQUET", "parquet", "x.PARQUET", None, "x.snapshot.json"),
    ("x.json", None, None, "x.json", "x.snapshot.json"),
    ("x.json", "bundle", None, "x.json", "x.snapshot.json"),
])
def test_where_a_snapshot_goes(out: str, form: Any, parquet: str | None, bundle: str | None, description: str) -> None:
    found = target(Path(out), form)
    assert (found.parquet, found.bundle) == (parquet and Path(parquet), bundle and Path(bundle))
    assert found.description == Path(description)


@pytest.mark.parametrize(("out", "form"), [("x.json", "parquet"), ("x.json", "both"), ("x.parquet", "bundle")])
def test_a_file_name_of_another_format_is_refused(out: str, form: Any) -> None:
    with pytest.raises(InputError, match=f"name of one file, and not of a {form}"):
        target(Path(out), form)


@pytest.mark.parametrize(("there", "stands_in_the_way"), [
    ([], None), (["snapshot.json"], "snapshot.json"), (["bundle.json"], "bundle.json"),
    (["bundle.json", ".snapshot.json.part"], None), (["snapshot.json", ".snapshot.json.part"], "snapshot.json"),
    (["objects.parquet"], None),
])
def test_only_what_an_unfinished_snapshot_left_is_written_over(tmp_path: Path, there: list[str], stands_in_the_way: str | None) -> None:
    for name in there:
        (tmp_path / name).touch()
    found = target(tmp_path, "bundle")
    if stands_in_the_way is None:
        found.check_free()
    else:
        with pytest.raises(InputError, match=rf"/{stands_in_the_way} exists"):
            found.check_free()


def test_a_folder_that_cannot_be_made_is_told(peer: WebPeer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file/out can't be made: Not a directory"):
        take_snapshot(Shelf(peer).client, None, tmp_path / "file" / "out", "bundle")


@pytest.mark.parametrize(("text", "sentence"), [
    (None, "can't be read as the description"), (b"{", "can't be read as the description"),
    (b'{"format": 1}', "can't be read as the description"), ("format 2", "has format 2, and this release knows 1"),
])
def test_a_description_that_cannot_be_read_is_told(peer: WebPeer, tmp_path: Path, text: Any, sentence: str) -> None:
    take_snapshot(Shelf(peer, *FIVE).client, None, tmp_path, "bundle")
    path = tmp_path / "snapshot.json"
    if text == "format 2":
        path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 2}))
    else:
        path.write_bytes(text) if text is not None else path.unlink()
    with pytest.raises(InputError, match=sentence):
        read_snapshot(tmp_path)


def test_a_check_tells_of_each_file_and_of_what_the_server_has_now(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *FIVE)
    take_snapshot(shelf.client, None, tmp_path, "bundle")
    add_later(shelf)
    assert check_snapshot(shelf.client, None, tmp_path / "snapshot.json") == []
    withdraw(shelf)
    (tmp_path / "bundle.json").write_bytes(b"{}")
    first, second = check_snapshot(shelf.client, None, tmp_path)
    assert first == "bundle.json isn't as it was written."
    assert second.startswith(f"The server has 4 objects up to {stamp(4)}, the snapshot 5: ")
    (tmp_path / "bundle.json").unlink()
    with pytest.raises(InputError, match=r"bundle\.json can't be read"):
        check_snapshot(shelf.client, None, tmp_path)


def test_a_follower_begins_behind_a_snapshot_and_never_goes_back(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *FIVE)
    take_snapshot(shelf.client, None, tmp_path, "bundle")
    checkpoint = tmp_path / "place.json"
    begin_follower(tmp_path, shelf.url, checkpoint)
    with PlaceFile(checkpoint, shelf.url) as file:
        place = file.load()
        assert (place.after, place.last, place.taken) == (stamp(4), stamp(4), set())
        place.step([thing(7)], stamp(7))
        file.save(place)
    begin_follower(tmp_path, shelf.url, checkpoint)
    with PlaceFile(checkpoint, shelf.url) as file:
        assert file.load() == place


def test_a_snapshot_of_another_collection_is_refused(peer: WebPeer, tmp_path: Path) -> None:
    shelf = Shelf(peer, *FIVE)
    take_snapshot(shelf.client, None, tmp_path, "bundle")
    other = shelf.url.replace("c1", "c2")
    with pytest.raises(InputError, match=r"is a snapshot of .*/c1/, and not of .*/c2/"):
        begin_follower(tmp_path, other, tmp_path / "place.json")
    with pytest.raises(InputError, match=r"is a snapshot of .*/c1/, and not of .*/c2/"):
        check_snapshot(Client(other, token="t"), None, tmp_path)


def test_an_unfinished_snapshot_is_one_runs_and_one_collections(tmp_path: Path) -> None:
    with Stage(tmp_path / "part", "one") as stage:
        stage.add([(Head("a--1", ""), b"{}")], "here")
        with pytest.raises(InputError, match="Another run may use it"), Stage(tmp_path / "part", "one"):
            pass
    with pytest.raises(InputError, match="is an unfinished snapshot of one"), Stage(tmp_path / "part", "two"):
        pass
    with Stage(tmp_path / "part", "one") as stage:
        assert stage.kept("cursor") == "here"
        assert stage.kept("lorem") == ""
        assert stage.tally().count == 1


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_of_each_object_the_newest_version_is_kept_in_whatever_order_they_come(tmp_path: Path, order: tuple[int, ...]) -> None:
    with Stage(tmp_path / "part", "one") as stage:
        stage.add([(Head("a--1", f"2026-01-01T00:00:00.{n:03}Z"), str(n).encode()) for n in order], "here")
        stage.take_manifest([("a--1", "2026-01-01T00:00:00.002000Z", "then")])
        assert stage.settle() == []
        stage.date()
        assert list(stage.objects()) == [("then", b"2")]


def test_what_the_manifest_has_no_more_goes_at_the_next_look(tmp_path: Path) -> None:
    with Stage(tmp_path / "part", "one") as stage:
        stage.add([(Head("a--1", ""), b"{}"), (Head("b--2", ""), b"{}")], "here")
        stage.take_manifest([("a--1", "", "then"), ("b--2", "", "then")])
        assert stage.settle() == []
        stage.date()
        stage.take_manifest([("b--2", "", "then")])
        assert stage.settle() == []
        assert stage.tally().count == 1


PATTERN = "[domain-name:value = 'a.example' OR url:value = 'b' OR domain-name:value = 'c']"


@pytest.mark.parametrize(("item", "kinds"), [
    ({"pattern": PATTERN, "pattern_type": "stix"}, ["domain-name:value", "url:value"]),
    ({"pattern": PATTERN}, ["domain-name:value", "url:value"]),
    ({"pattern": PATTERN, "pattern_type": "yara"}, []),
    ({"pattern": "[lorem"}, []),
    ({"type": "domain-name", "value": "a.example"}, ["domain-name"]),
    ({"type": "user-account", "user_id": "1"}, []),
    ({"type": "x-lorem", "created": "2026-01-01T00:00:00Z", "value": "a"}, []),
])
def test_what_an_object_may_be_looked_for_by(item: dict[str, Any], kinds: list[str]) -> None:
    assert value_kinds(item) == kinds


@pytest.mark.parametrize(("item", "column", "value"), [
    ({"name": "a"}, "name", "a"), ({"name": 7}, "name", None),
    ({"revoked": True}, "revoked", True), ({"revoked": "true"}, "revoked", False), ({}, "revoked", False),
    ({"confidence": 100}, "confidence", 100), ({"confidence": 101}, "confidence", None), ({"confidence": "7"}, "confidence", None),
    ({"value": "a"}, "value", "a"), ({"value": 7}, "value", None),
    ({"labels": ["a", 7], "indicator_types": ["b"]}, "labels", ["a", "b"]), ({"labels": "a"}, "labels", []),
    ({"object_marking_refs": ["m", 1]}, "markings", ["m"]),
])
def test_a_column_has_a_value_of_its_kind_or_none(item: dict[str, Any], column: str, value: Any) -> None:
    row = row_of("then", json.dumps(item).encode())
    assert row.get(column) == value
    assert (row["date_added"], json.loads(row["object"])) == ("then", item)
