"""What a seat sees later than it was pushed: by its labels, in its order alone, and never told to an older reader."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from exchange.errors import UnavailableError
from exchange.store.arrivals import Arrivals
from exchange.store.engine import raw, write
from exchange.store.labels import Labels, Numbers
from exchange.store.objects import Filter, ObjectQueries, Reader
from exchange.store.pushes import NewObject, add_objects
from exchange.store.visibility import NOBODY

NOW = 1_790_000_000_000_000
SECOND = 1_000_000


def grants(profile: str, label: str) -> tuple[str, ...] | None:
    """A profile is the labels that it sees; those in capitals it sees in part."""
    return () if label in profile else ("name",) if label.upper() in profile else None


def folded(facts: str) -> tuple[str, str]:
    return hashlib.sha256(facts.encode()).hexdigest(), facts


class Bench:
    """One collection, read by seats whose profiles change."""

    def __init__(self, engine: Engine, name: str = "c") -> None:
        self.name = name
        self.engine, self.queries, self.arrivals = engine, ObjectQueries(engine.dialect), Arrivals(engine)
        self.labels, self.feed = Labels(engine, grants), Numbers(engine).feed(name)
        self.contributor = Numbers(engine).contributor("org")

    def push(self, names: str, label: str, now: int = NOW, opens: int | None = None) -> None:
        new = [NewObject(stix_id=f"x--{name}", type="x", version="v1", version_text=None, spec_version="2.1",
                         label=self.labels.label(*folded(label)), visible_from=opens, visible_until=None,
                         body=name.encode()) for name in names]
        with write(self.engine) as connection:
            add_objects(connection, feed=self.feed, contributor=self.contributor, reader=Reader(NOBODY, now), objects=new)

    def reader(self, profile: str, seat: int = 1, now: int = NOW + SECOND, directory: int = 1) -> Reader:
        return Reader(self.labels.profile(*folded(profile)), now, collections=(self.name,), seat=seat, directory=directory)

    def standing(self, reader: Reader) -> Reader | None:
        with raw(self.engine) as connection:
            standing = self.arrivals.standing(connection, self.feed, reader)
        return None if standing is None else standing.reader

    def look(self, reader: Reader, after: int = -1, limit: int = 100) -> list[tuple[str, int]]:
        """Objects and their dates, after what is new was taken in."""
        now = self.standing(reader)
        if now is None:
            self.arrivals.catch_up(self.feed, reader)
            now = self.standing(reader)
        assert now is not None
        with raw(self.engine) as connection:
            rows = self.queries.page(connection, self.feed, now, Filter(after=after, limit=limit), ("body", "date"))
        return [(bytes(body).decode(), int(date)) for body, date in rows[:limit]]


@pytest.fixture
def bench(engine: Engine) -> Bench:
    return Bench(engine)


def names(found: list[tuple[str, int]]) -> str:
    return "".join(name for name, _ in found)


def dates(found: list[tuple[str, Any]]) -> list[int]:
    return [date for _, date in found]


CHANGES = {
    # profile before, after: what comes late
    ("a", "ab"): "345",
    ("ab", "a"): "",
    ("aB", "ab"): "345",
    ("ab", "aB"): "345",
    ("ab", "abc"): "678",
    ("", "abc"): "012345678",
    ("abc", "cba"): "",
}


def test_what_a_new_profile_adds_comes_after_everything_else(engine: Engine) -> None:
    """Each change in a collection of its own: a database for each takes longer than all of them."""
    for (before, after), expected in CHANGES.items():
        _check_change(Bench(engine, f"from {before} to {after}"), before, after, expected)


def _check_change(bench: Bench, before: str, after: str, expected: str) -> None:
    for some, label in (("012", "a"), ("345", "b"), ("678", "c")):
        bench.push(some, label)
    seen = bench.look(bench.reader(before))
    other = bench.look(bench.reader("abc", seat=2))
    last = max([NOW + 8, *dates(seen)])
    late = bench.look(bench.reader(after), after=last)
    assert names(late) == expected, bench.name
    whole = bench.look(bench.reader(after))
    assert dates(whole) == sorted(set(dates(whole))), bench.name
    assert set(seen) - {one for one in seen if one[0] in names(late) or one not in whole} <= set(whole), bench.name
    assert names(bench.look(bench.reader(after), limit=4)) == names(whole)[:4], bench.name
    assert bench.look(bench.reader("abc", seat=2)) == other, bench.name
    bench.push("9", "a")
    assert names(bench.look(bench.reader(after), after=max([last, *dates(late)]))) == ("9" if "a" in after else "")


def test_what_goes_and_comes_again_has_the_date_of_its_last_coming(bench: Bench) -> None:
    bench.push("0", "a")
    bench.push("1", "b")
    assert names(bench.look(bench.reader("a"))) == "0"
    last = NOW + 2
    for _ in range(2):
        ((name, date),) = bench.look(bench.reader("ab"), after=last)
        assert name == "1"
        assert date > last
        last = date
        assert names(bench.look(bench.reader("a"))) == "0"


def test_where_little_of_much_is_seen_what_came_late_is_met_too(bench: Bench) -> None:
    """Such pages are found by labels, in batches; here one batch lies behind the late objects and shows nothing."""
    others, late, held_back, last = (
        "".join(map(chr, range(first, first + many)))
        for first, many in ((0x4E00, 3_000), (0x1000, 40), (0x2000, 25), (0x3000, 30)))
    bench.push(others, "z")
    bench.push(late, "b")
    assert bench.look(bench.reader("a")) == []
    assert names(bench.look(bench.reader("ab"))) == late
    bench.push(held_back, "a", opens=NOW + 3_600 * SECOND)
    bench.push(last, "a")
    found, after = "", -1
    while some := bench.look(bench.reader("ab"), after=after, limit=10):
        found, after = found + names(some), some[-1][1]
    assert found == late + last


def test_release_dates_are_looked_at_by_the_seats_own_time(bench: Bench) -> None:
    bench.push("0", "a", opens=NOW + 5 * SECOND)
    bench.push("1", "a")
    assert names(bench.look(bench.reader("a"))) == "1"
    assert names(bench.look(bench.reader("a", now=NOW + 6 * SECOND), after=NOW + 1)) == "0"
    earlier = bench.reader("a", now=NOW + 4 * SECOND)  # the clock was set back, or another server's is behind
    assert names(bench.look(earlier)) == "10"


def test_a_page_begun_under_an_older_directory_changes_nothing(bench: Bench) -> None:
    bench.push("0", "a")
    bench.push("1", "b")
    bench.look(bench.reader("a", directory=1))
    assert names(bench.look(bench.reader("ab", directory=2))) == "01"
    with pytest.raises(UnavailableError, match="just changed"):
        bench.look(bench.reader("a", directory=1))


def test_who_has_no_seat_keeps_no_place(bench: Bench) -> None:
    bench.push("0", "a")
    reader = bench.reader("a", seat=0)
    assert bench.standing(reader) == reader
    assert names(bench.look(replace(reader, profile=bench.reader("b").profile))) == ""
