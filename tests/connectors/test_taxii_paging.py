"""The walk through a collection as a pure core: any dates, any pages, cut anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.taxii.paging import Page, Standing, Walk, read_standing
from exchange.connect.taxii_server import RefusedError
from exchange.outbound.body import OversizeError
from exchange.stix.timestamp import from_microseconds, microseconds

START = microseconds("2026-03-01T12:00:00Z")
NOW = datetime(2026, 4, 1, tzinfo=UTC)
MANY = 500


@dataclass
class Shelf:
    """A server that keeps to the specification, as a function; it may lack ``next``, or refuse it."""

    dates: list[int]
    """Microseconds after the start, rising."""
    size: int
    nexts: str = "given"
    headers: bool = True
    light: int = 1_000
    """Objects on the largest page that isn't too large to be read."""
    asked: int = 0

    def ask(self, query: Mapping[str, str]) -> Page:
        self.asked += 1
        after = query.get("added_after", "")
        if "next" in query and self.nexts == "refused":
            raise RefusedError("no", answered=400, fix="")
        found = [at for at in range(len(self.dates)) if not after or self.date(at) > after]
        start = int(query.get("next", "0"))
        page = found[start : start + min(self.size, int(query["limit"]))]
        if len(page) > self.light:
            raise OversizeError("too large")
        more = start + len(page) < len(found)
        token = str(start + len(page)) if more and self.nexts != "none" else ""
        told = [self.date(page[0]), self.date(page[-1])] if page and self.headers else ["", ""]
        return Page(tuple(b"%d" % at for at in page), more, token, *told)

    def added(self, raw: bytes) -> str:
        return self.date(int(raw))

    def date(self, at: int) -> str:
        return from_microseconds(START + self.dates[at])

    def walk(self, at: Standing, most: int = MANY) -> tuple[list[int], Standing, list[str]]:
        walk = Walk(self.ask, self.added, NOW, 100, at)
        steps = list(walk.steps(most))
        told = [int(raw) for step in steps for raw in step.fresh]
        return told, steps[-1].standing if steps else walk.at, [step.gap for step in steps if step.gap]


dates = st.lists(st.integers(0, 5_000_000), max_size=30).map(sorted)
"""Within five seconds, so that the overlap matters."""
clumped = st.lists(st.integers(0, 5).map(lambda second: second * 900_000), max_size=30).map(sorted)


@given(dates | clumped, st.integers(1, 7), st.booleans())
def test_with_next_everything_comes_once_in_order(at: list[int], size: int, headers: bool) -> None:
    shelf = Shelf(at, size, headers=headers)
    told, standing, gaps = shelf.walk(Standing())
    assert told == list(range(len(at)))
    assert standing.rows == len(at)
    assert gaps == []
    assert shelf.asked <= len(at) // size + 2


@given(dates | clumped, st.integers(1, 7), st.sampled_from(["given", "none", "refused"]), st.integers(1, 6))
def test_what_came_and_what_is_told_as_a_gap_is_everything(at: list[int], size: int, nexts: str, cut: int) -> None:
    """Also where a walk is cut after so many pages and goes on from what was kept of it."""
    shelf = Shelf(at, size, nexts)
    told: list[int] = []
    gaps: list[str] = []
    standing = Standing()
    for _ in range(60):
        some, standing, open_ends = shelf.walk(read_standing(standing.as_record()), cut)
        told += some
        gaps += open_ends
    assert len(told) == len(set(told))
    crowded = max((at.count(date) for date in at), default=0) > size
    assert set(told) == set(range(len(at))) or (crowded and gaps)


@given(dates | clumped, st.integers(1, 7), st.integers(1, 7), st.sampled_from(["given", "none"]))
@example([0, 4, 4, 4], 4, 3, "none")
def test_pages_that_are_too_large_are_asked_for_in_parts(at: list[int], size: int, light: int, nexts: str) -> None:
    told, _, gaps = Shelf(at, size, nexts, light=light).walk(Standing())
    crowded = max((at.count(date) for date in at), default=0) > min(size, light)
    assert told == list(range(len(at))) or (nexts == "none" and crowded and gaps)


def test_an_object_that_is_too_large_alone_ends_the_walk() -> None:
    with pytest.raises(OversizeError):
        Shelf([1, 2], 5, light=0).walk(Standing())


@given(clumped, clumped, st.integers(1, 7))
def test_a_later_walk_brings_what_came_late_within_a_second(first: list[int], then: list[int], size: int) -> None:
    shelf = Shelf(first, size)
    _, standing, _ = shelf.walk(Standing())
    late = [date for date in then if date > max(first, default=0) - 1_000_000]
    both = Shelf(sorted([*first, *late]), size)
    told, _, _ = both.walk(Standing(since=standing.since, last=standing.last))
    assert {both.dates[at] for at in told} >= set(late)


RECORDS = [None, {}, {"format": 2}, {"format": 1, "since": 1}, {"format": 1, "since": "", "next": "", "last": "",
           "seen": [], "rows": 1, "way": "sideways"}]  # fmt: skip


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_that_is_not_understood_begins_anew(record: dict[str, object] | None) -> None:
    assert read_standing(record) == Standing()


def test_a_record_is_read_as_it_was_written() -> None:
    standing = Standing("2026-01-01T00:00:00Z", "t", "token", "2026-01-02T00:00:00Z", ("a", "b"), 7, 3)
    assert read_standing(standing.as_record()) == standing
