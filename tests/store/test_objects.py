"""The store of objects, on both engines: order, idempotence, claims, visibility, versions, withdrawal."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Engine

from exchange.store.engine import raw, write
from exchange.store.labels import Labels, Numbers
from exchange.store.objects import Filter, ObjectQueries, Reader, Versions
from exchange.store.pushes import NewObject, Stored, add_objects, withdraw
from exchange.store.statuses import find_status, save_status

NOW = 1_790_000_000_000_000
COLUMNS = ("seq", "stix_id", "version", "body")


@dataclass
class Bench:
    """A store with one feed, three organisations and labels that name who may see them."""

    engine: Engine
    labels: Labels
    numbers: Numbers
    queries: ObjectQueries
    feed: int

    def label(self, *readers: str) -> int:
        return self.labels.label("label:" + ",".join(readers), ",".join(readers))

    def reader(self, org: str, now: int = NOW) -> Reader:
        return Reader(self.labels.profile(f"profile:{org}", org), now)

    def push(self, org: str, *objects: NewObject, now: int = NOW) -> list[Stored]:
        reader, contributor = self.reader(org, now), self.numbers.contributor(org)
        with write(self.engine) as connection:
            return add_objects(connection, feed=self.feed, contributor=contributor, reader=reader, objects=objects)

    def page(self, org: str, wanted: Filter | None = None, now: int = NOW) -> list[tuple[object, ...]]:
        reader = self.reader(org, now)
        with raw(self.engine) as connection:
            return self.queries.page(connection, self.feed, reader, wanted or Filter(), COLUMNS)

    def seen(self, org: str, wanted: Filter | None = None, now: int = NOW) -> list[tuple[str, str]]:
        return [(str(row[1]), str(row[2])) for row in self.page(org, wanted, now)]


@pytest.fixture
def bench(engine: Engine) -> Bench:
    labels = Labels(engine, lambda profile, label: () if profile in label.split(",") else None)
    numbers = Numbers(engine)
    return Bench(engine, labels, numbers, ObjectQueries(engine.dialect), numbers.feed("c1"))


def new(bench: Bench, stix_id: str, version: str = "2026-01-01T00:00:00", *readers: str, body: bytes = b"{}") -> NewObject:
    return NewObject(stix_id=stix_id, type=stix_id.partition("--")[0], version=version, version_text=None,
                     spec_version="2.1", label=bench.label(*(readers or ("a", "b", "c"))), visible_from=None,
                     visible_until=None, body=body)


def test_dates_grow_strictly_also_when_the_clock_steps_back(bench: Bench) -> None:
    bench.push("a", new(bench, "x--1"), new(bench, "x--2"))
    bench.push("a", new(bench, "x--3"), now=NOW - 10_000_000)
    seqs = [row[0] for row in bench.page("a")]
    assert seqs == [NOW, NOW + 1, NOW + 2]


def test_the_same_version_again_is_present_and_keeps_its_date(bench: Bench) -> None:
    first = bench.push("a", new(bench, "x--1", body=b"1"))
    again = bench.push("a", new(bench, "x--1", body=b"1"), new(bench, "x--1", body=b"2"), now=NOW + 99)
    assert first == [Stored("added", NOW)]
    assert again == [Stored("present", same_bytes=True), Stored("present", same_bytes=False)]
    assert [row[0] for row in bench.page("a")] == [NOW]
    assert bench.page("a")[0][3] == b"1"


def test_one_version_twice_in_one_envelope_is_stored_once(bench: Bench) -> None:
    fates = bench.push("a", new(bench, "x--1"), new(bench, "x--1"))
    assert [f.fate for f in fates] == ["added", "present"]
    assert len(bench.page("a")) == 1


VERSIONS = ("2026-01-01T00:00:05", "2026-01-01T00:00:05.5", "2026-01-01T00:00:05.5000001")


@pytest.mark.parametrize(("asked", "expected"), [
    (Versions(), [VERSIONS[2]]),
    (Versions(frozenset({"first"})), [VERSIONS[0]]),
    (Versions(frozenset({"all"})), list(VERSIONS)),
    (Versions(frozenset({"first", "last"})), [VERSIONS[0], VERSIONS[2]]),
    (Versions(frozenset(), (VERSIONS[1],), (0,)), [VERSIONS[1]]),
    (Versions(frozenset({"last"}), (VERSIONS[0],), (0,)), [VERSIONS[0], VERSIONS[2]]),
    (Versions(frozenset(), ("1999-01-01T00:00:00",), (0,)), []),
])
def test_versions_are_ordered_in_time_to_the_last_digit(bench: Bench, asked: Versions, expected: list[str]) -> None:
    for version in (VERSIONS[1], VERSIONS[2], VERSIONS[0]):
        bench.push("a", new(bench, "x--1", version))
    assert sorted(v for _, v in bench.seen("a", Filter(versions=asked))) == sorted(expected)


def test_an_object_without_version_has_its_date_added_as_version(bench: Bench) -> None:
    bench.push("a", new(bench, "domain-name--1", ""))
    hit = Filter(versions=Versions(frozenset(), ("irrelevant",), (NOW,)))
    miss = Filter(versions=Versions(frozenset(), ("irrelevant",), (NOW + 1,)))
    assert len(bench.seen("a", hit)) == 1
    assert bench.seen("a", miss) == []


def test_a_reader_sees_only_labels_granted_to_it(bench: Bench) -> None:
    bench.push("a", new(bench, "x--1", "v", "a", "b"), new(bench, "x--2", "v", "a"))
    assert bench.seen("b") == [("x--1", "v")]
    assert bench.seen("c") == []
    assert len(bench.seen("a")) == 2


def test_a_label_made_after_the_profile_is_granted_too(bench: Bench) -> None:
    assert bench.seen("b") == []
    bench.push("a", new(bench, "x--1", "v", "a", "b", "later"))
    assert bench.seen("b") == [("x--1", "v")]


@pytest.mark.parametrize(("start", "end", "visible"), [
    (None, None, True), (NOW, None, True), (NOW + 1, None, False), (None, NOW, False), (None, NOW + 1, True),
])
def test_windows_in_time_are_half_open(bench: Bench, start: int | None, end: int | None, visible: bool) -> None:
    bench.push("a", replace(new(bench, "x--1"), visible_from=start, visible_until=end))
    assert bool(bench.seen("b")) is visible


def test_two_who_report_one_observable_are_merged_for_who_sees_both(bench: Bench) -> None:
    bench.push("a", new(bench, "domain-name--1", "", "a", "c", body=b"from a"))
    bench.push("b", new(bench, "domain-name--1", "", "b", "c", body=b"from b"), now=NOW + 5)
    assert [row[3] for row in bench.page("a")] == [b"from a"]
    assert [row[3] for row in bench.page("b")] == [b"from b"]
    assert [row[3] for row in bench.page("c")] == [b"from a"]
    assert [row[3] for row in bench.page("c", Filter(versions=Versions(frozenset({"all"}))))] == [b"from a"]


def test_one_who_cannot_see_it_pushes_the_same_id_as_if_new(bench: Bench) -> None:
    bench.push("a", new(bench, "x--1", "v1", "a"))
    assert [f.fate for f in bench.push("b", new(bench, "x--1", "v2", "b"))] == ["added"]


def test_one_who_sees_it_does_not_revise_it(bench: Bench) -> None:
    bench.push("a", new(bench, "x--1", "v1", body=b"1"))
    assert bench.push("b", new(bench, "x--1", "v2", body=b"2")) == [Stored("foreign")]
    assert bench.push("b", new(bench, "x--1", "v1", body=b"other")) == [Stored("foreign")]
    assert [f.fate for f in bench.push("b", new(bench, "x--1", "v1", body=b"1"))] == ["added"]


def test_a_forged_newer_version_does_not_displace_the_first_contributor_s(bench: Bench) -> None:
    bench.push("a", new(bench, "x--1", "v1", "a", "c"))
    bench.push("b", new(bench, "x--1", "v9", "b", "c"))
    assert bench.seen("c") == [("x--1", "v1")]


@pytest.mark.parametrize(("asked", "left"), [
    (Versions(frozenset({"all"})), []),
    (Versions(frozenset({"last"})), ["v1", "v2"]),
    (Versions(frozenset({"first"})), ["v2", "v3"]),
    (Versions(frozenset({"first", "last"})), ["v2"]),
    (Versions(frozenset(), ("v2",), (0,)), ["v1", "v3"]),
])
def test_withdrawing_takes_the_versions_named(bench: Bench, asked: Versions, left: list[str]) -> None:
    bench.push("a", *(new(bench, "x--1", v) for v in ("v1", "v2", "v3")))
    contributor = bench.numbers.contributor("a")
    with write(bench.engine) as connection:
        withdraw(connection, feed=bench.feed, contributor=contributor, stix_id="x--1", versions=asked, spec_versions=None)
    every = Filter(versions=Versions(frozenset({"all"})))
    assert [v for _, v in bench.seen("a", every)] == left


def test_nobody_withdraws_another_s(bench: Bench) -> None:
    bench.push("a", new(bench, "x--1"))
    other = bench.numbers.contributor("b")
    with write(bench.engine) as connection:
        gone = withdraw(connection, feed=bench.feed, contributor=other, stix_id="x--1",
                        versions=Versions(frozenset({"all"})), spec_versions=None)
    assert gone == []
    assert len(bench.page("a")) == 1


@pytest.mark.parametrize(("wanted", "expected"), [
    (Filter(ids=("x--1", "nope--1")), ["x--1"]), (Filter(types=("y",)), ["y--1"]),
    (Filter(types=("x", "y")), ["x--1", "x--2", "y--1"]), (Filter(spec_versions=("2.0",)), []),
    (Filter(ids=("x--1",), types=("y",)), []), (Filter(limit=1), ["x--1", "x--2"]),
    (Filter(after=NOW), ["x--2", "y--1"]), (Filter(ids=()), []),
])
def test_filters_narrow_and_one_row_more_than_the_limit_tells_of_more(
    bench: Bench, wanted: Filter, expected: list[str]
) -> None:
    bench.push("a", new(bench, "x--1"), new(bench, "x--2"), new(bench, "y--1"))
    assert [i for i, _ in bench.seen("a", wanted)] == expected


def test_a_follower_by_date_misses_and_repeats_nothing_while_four_push(bench: Bench) -> None:
    bench.reader("a")  # made before the threads start
    label = bench.label("a", "b", "c")
    batches, per_batch = 12, 5

    def write_some(name: int) -> None:
        for batch in range(batches):
            bench.push("a", *(replace(new(bench, f"x--{name}-{batch}-{i}"), label=label) for i in range(per_batch)))

    writers = [threading.Thread(target=write_some, args=(n,)) for n in range(4)]
    for writer in writers:
        writer.start()
    seen: list[object] = []
    last = -1
    while True:
        alive = any(w.is_alive() for w in writers)
        rows = bench.page("a", Filter(after=last, limit=50))[:50]
        seen += [row[1] for row in rows]
        last = int(str(rows[-1][0])) if rows else last
        if not rows and not alive:
            break
    for writer in writers:
        writer.join()
    assert len(seen) == len(set(seen)) == 4 * batches * per_batch


def test_a_status_is_its_pusher_s_only_and_ends(engine: Engine) -> None:
    with write(engine) as connection:
        save_status(connection, status_id="s", community="c", org="a", expires=NOW, body=b"1")
    with write(engine) as connection:
        def found(**change: object) -> bytes | None:
            asked = {"status_id": "s", "community": "c", "org": "a", "now": NOW - 1} | change
            return find_status(connection, **asked)  # type: ignore[arg-type]
        assert found() == b"1"
        assert [found(org="b"), found(community="d"), found(status_id="t"), found(now=NOW)] == [None] * 4
