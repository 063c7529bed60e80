"""A copy is compared with what the server tallies; where they differ the manifest says which objects are why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from exchange.client.completeness import Verdict, compare, held_in, tallied
from exchange.client.taxii import Client
from exchange.errors import InputError, UnavailableError
from tests.fakes.web_peer import Answer, Asked, WebPeer

MEDIA = {"Content-Type": "application/taxii+json;version=2.1"}
PLACE = "/root/collections/c%201/"
UNTIL, LATER = "2026-01-02T00:00:00.000000Z", "2026-01-02T00:00:00.000001Z"
V1, V2 = "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z"


class There:
    """A collection of (id, version, date added), whose server tallies what was added until the date it is asked of."""

    def __init__(self, peer: WebPeer, held: list[tuple[str, str, str]]) -> None:
        self._held = held
        self.untils: list[str] = []
        peer.routes["/api/v1/collections/c%25201/tally"] = self._tally
        peer.routes[PLACE + "manifest/"] = self._manifest
        self.url = peer.url(PLACE)
        self.client = Client(self.url, token="t")

    def _tally(self, asked: Asked) -> Answer:
        (until,) = asked.query["until"]
        self.untils.append(until)
        counted = [(i, "" if version == date else version) for i, version, date in self._held if date <= until]
        root = tallied(counted).root
        return Answer(200, json.dumps({"count": len(counted), "root": root}).encode(), {"Content-Type": "application/json"})

    def _manifest(self, asked: Asked) -> Answer:
        """Two records a page."""
        start = int(asked.query.get("next", ["0"])[0])
        page = [{"id": i, "version": version, "date_added": date} for i, version, date in self._held[start : start + 2]]
        more = start + 2 < len(self._held)
        said = {"objects": page, "more": more, **({"next": str(start + 2)} if more else {})}
        return Answer(200, json.dumps(said).encode(), MEDIA)


@pytest.fixture
def peer() -> Iterator[WebPeer]:
    with WebPeer() as running:
        yield running


THERE = [("a--1", V1, V1), ("b--2", V2, UNTIL), ("c--3", UNTIL, UNTIL), ("d--4", V1, LATER)]
"""The third has no version of its own; the last came after the copy stands."""
WHOLE = {"a--1": "", "b--2": V2, "c--3": ""}


@pytest.mark.parametrize(("held", "missing", "left_over"), [
    (WHOLE, (), ()),
    ({**WHOLE, "e--5": V1}, (), ("e--5",)),
    ({"b--2": V2, "c--3": ""}, ("a--1",), ()),
    ({**WHOLE, "b--2": V1}, ("b--2",), ()),
    ({"c--3": "", "x--2": "", "x--1": ""}, ("a--1", "b--2"), ("x--1", "x--2")),
    ({}, ("a--1", "b--2", "c--3"), ()),
], ids=["whole", "one too many", "one missing", "an earlier version", "both", "empty"])
def test_a_copy_is_whole_or_its_differences_are_named(
    peer: WebPeer, held: Mapping[str, str], missing: tuple[str, ...], left_over: tuple[str, ...]
) -> None:
    there = There(peer, THERE)
    verdict = compare(there.client, there.url, held, UNTIL)
    assert verdict == Verdict(not missing and not left_over, 3, UNTIL, missing, left_over)
    assert there.untils == [UNTIL]


def test_a_million_differences_are_told_as_a_thousand(peer: WebPeer) -> None:
    there = There(peer, THERE[:1])
    verdict = compare(there.client, there.url, {f"x--{number:05}": "" for number in range(1_500)}, UNTIL)
    assert verdict.left_over == tuple(f"x--{number:05}" for number in range(1_000))


def test_a_million_missing_are_told_as_a_thousand(peer: WebPeer) -> None:
    there = There(peer, [(f"x--{number:05}", V1, V1) for number in range(1_500)])
    page = [{"id": f"x--{number:05}", "version": V1, "date_added": V1} for number in range(1_500)]
    peer.routes[PLACE + "manifest/"] = lambda _: Answer(200, json.dumps({"objects": page}).encode(), MEDIA)
    verdict = compare(there.client, there.url, {}, UNTIL)
    assert (verdict.count, verdict.missing) == (1_500, tuple(f"x--{number:05}" for number in range(1_000)))


@pytest.mark.parametrize("body", [b"[]", b"lorem", b"7"])
def test_a_server_without_a_tally_is_told(peer: WebPeer, body: bytes) -> None:
    there = There(peer, THERE)
    peer.routes["/api/v1/collections/c%25201/tally"] = lambda _: Answer(200, body)
    with pytest.raises(UnavailableError, match="isn't answered with a JSON object"):
        compare(there.client, there.url, WHOLE, UNTIL)


def keep(folder: Path, kind: str, name: str, **more: str) -> None:
    (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / kind / f"{name}.json").write_text(json.dumps({"type": kind, **more}))


def test_a_folder_holds_the_last_version_of_each_object_and_no_notices(tmp_path: Path) -> None:
    keep(tmp_path, "indicator", "1a", id="indicator--1", modified=V2)
    keep(tmp_path, "indicator", "1b", id="indicator--1", modified=V1)
    keep(tmp_path, "domain-name", "2", id="domain-name--2")
    keep(tmp_path, "notices", "n", id="n1")
    (tmp_path / "place.json").write_text('{"id": "none"}')
    assert held_in(tmp_path) == {"indicator--1": V2, "domain-name--2": ""}


def test_the_last_version_counts_in_whatever_order_the_files_come(tmp_path: Path) -> None:
    for number in range(12):
        for at in range(3):
            keep(tmp_path, "indicator", f"{number}{'abc'[(number + at) % 3]}", id=f"indicator--{number}",
                 **({"modified": f"2026-01-01T00:00:00.00{at}Z"} if at else {}))
    assert set(held_in(tmp_path).values()) == {"2026-01-01T00:00:00.002Z"}


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"id": 7}', b"\xff"])
def test_a_file_that_is_no_object_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json can't be read as an object"):
        held_in(tmp_path)
