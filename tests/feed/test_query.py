"""What the texts of TAXII filters mean, and which mean nothing."""

from __future__ import annotations

import pytest

from exchange.errors import BadRequestError
from exchange.feed.cursor import open_cursor, sign_cursor
from exchange.feed.query import read_query

ALLOWED = frozenset({"added_after", "limit", "next", "match[id]", "match[type]", "match[version]", "match[spec_version]"})


def read(*arguments: tuple[str, str]):  # type: ignore[no-untyped-def]
    return read_query(arguments, allowed=ALLOWED, page_size=100)


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("99", 99), ("100", 100), ("101", 100), ("0099", 99), ("9" * 40, 100)])
def test_a_limit_is_capped_by_the_server(text: str, limit: int) -> None:
    assert read(("limit", text)).filter.limit == limit


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1_0", "１２", "1.0", "1e3", " 1", "", "x", "0x10", "9" * 41])
def test_a_limit_that_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError):
        read(("limit", text))


@pytest.mark.parametrize(("text", "after"), [
    ("1970-01-01T00:00:01Z", 1_000_000),
    ("1970-01-01T00:00:01.5Z", 1_500_000),
    ("1970-01-01T00:00:01.0000019Z", 1_000_001),
    ("1970-01-01T00:00:00.000000Z", 0),
])
def test_added_after_takes_any_number_of_fraction_digits(text: str, after: int) -> None:
    assert read(("added_after", text)).filter.after == after


@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00", "0", "", "now",
                                  "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01 00:00:00Z"])
def test_added_after_that_is_no_utc_timestamp_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError):
        read(("added_after", text))


@pytest.mark.parametrize(("text", "keywords", "times"), [
    ("last", {"last"}, ()), ("first", {"first"}, ()), ("all", {"all"}, ()), ("first,last", {"first", "last"}, ()),
    ("2026-01-01T00:00:05.000Z", set(), ("2026-01-01T00:00:05",)),
    ("last,2026-01-01T00:00:05.50Z", {"last"}, ("2026-01-01T00:00:05.5",)),
])
def test_versions_are_keywords_and_times(text: str, keywords: set[str], times: tuple[str, ...]) -> None:
    versions = read(("match[version]", text)).filter.versions
    assert (versions.keywords, versions.times) == (keywords, times)


@pytest.mark.parametrize("text", ["all,last", "first,all", "last,last", "newest", "", "last,", "2026"])
def test_versions_that_mean_nothing_are_refused(text: str) -> None:
    with pytest.raises(BadRequestError):
        read(("match[version]", text))


@pytest.mark.parametrize("name", sorted(ALLOWED))
def test_a_filter_given_twice_or_empty_is_refused(name: str) -> None:
    with pytest.raises(BadRequestError):
        read((name, "1"), (name, "1"))
    with pytest.raises(BadRequestError):
        read((name, ""))


@pytest.mark.parametrize("text", ["a,,b", ",a", "a,"])
def test_an_empty_value_in_a_list_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError):
        read(("match[type]", text))


def test_without_filters_the_newest_versions_from_the_start_are_meant() -> None:
    asked = read(("utm_source", "x"))
    assert (asked.filter.after, asked.filter.limit, asked.filter.versions.keywords) == (-1, 100, {"last"})
    assert asked.filter.ids is asked.filter.types is asked.filter.spec_versions is None


def test_the_context_of_a_cursor_is_the_match_filters_in_any_order() -> None:
    one = read(("match[type]", "a,b"), ("match[id]", "x"))
    two = read(("match[id]", "x"), ("match[type]", "b,a"), ("limit", "5"))
    other = read(("match[id]", "x"))
    assert one.context == two.context != other.context


@pytest.mark.parametrize("change", ["tampered", "context", "secret", "empty", "long"])
def test_a_cursor_is_worth_nothing_elsewhere(change: str) -> None:
    token = sign_cursor("secret", "here", 123)
    assert open_cursor("secret", "here", token) == 123
    secret, context = ("other" if change == "secret" else "secret"), ("there" if change == "context" else "here")
    token = {"tampered": "A" + token, "empty": "", "long": token * 1000}.get(change, token)
    with pytest.raises(BadRequestError):
        open_cursor(secret, context, token)
