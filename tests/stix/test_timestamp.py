"""STIX timestamps: one key per instant, text order is time order."""

from __future__ import annotations

import datetime as dt

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.timestamp import from_microseconds, microseconds, version_key
from exchange.stix.validate import check

_UTC = dt.UTC
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=_UTC)
_TIMES = st.datetimes(min_value=dt.datetime(1, 1, 1), max_value=dt.datetime(9999, 12, 31, 23, 59, 59))


@pytest.mark.parametrize(("text", "key"), [
    ("2026-01-01T00:00:05Z", "2026-01-01T00:00:05"),
    ("2026-01-01T00:00:05.0Z", "2026-01-01T00:00:05"),
    ("2026-01-01T00:00:05.000000Z", "2026-01-01T00:00:05"),
    ("2026-01-01T00:00:05.500Z", "2026-01-01T00:00:05.5"),
    ("2026-01-01T00:00:05.0000001Z", "2026-01-01T00:00:05.0000001"),
    ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59"),
    ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00"),
    ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00"),
    ("2026-12-31T23:59:59." + "9" * 1000 + "Z", "2026-12-31T23:59:59." + "9" * 1000),
])
def test_one_instant_has_one_key(text: str, key: str) -> None:
    assert key == version_key(text)


@pytest.mark.parametrize("text", [
    "", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+00:00", "2026-01-01 00:00:00Z",
    "2026-01-01t00:00:00Z", "2026-01-01T00:00:00z", "2026-01-01T00:00Z", "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00,5Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
    "2026-01-32T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-31T22:59:60Z",
    "2026-01-31T23:59:61Z", "2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5Z", "0000-01-01T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01T00:00:00Z\n",
    " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00." + "1" * 1001 + "Z",
])
def test_what_is_no_stix_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        version_key(text)


@pytest.mark.parametrize("clock", ["23:59:59", "23:59:59.999999", "23:59:60", "23:59:60.5"])
@pytest.mark.parametrize("name", ["created", "modified", "valid_from"])
def test_only_seconds_that_the_stock_library_reads_are_accepted(name: str, clock: str) -> None:
    indicator = {
        "type": "indicator", "spec_version": "2.1", "id": "indicator--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01",
        "created": "2016-01-01T00:00:00Z", "modified": "2017-01-01T00:00:00Z", "valid_from": "2016-01-01T00:00:00Z",
        "pattern": "[domain-name:value = 'a.example']", "pattern_type": "stix", name: f"2016-12-31T{clock}Z",
    }
    try:
        stix2.parse(indicator)
    except stix2.exceptions.STIXError:
        fault = check(indicator)
        assert fault is not None
        assert fault.property == name
    else:
        assert check(indicator) is None


@given(_TIMES, _TIMES)
def test_order_of_keys_is_order_in_time(one: dt.datetime, other: dt.datetime) -> None:
    assert (one < other) == (version_key(_text(one)) < version_key(_text(other)))


@given(_TIMES, st.integers(0, 30))
def test_trailing_zeros_change_nothing(time: dt.datetime, zeros: int) -> None:
    text = _text(time)
    assert version_key(text) == version_key(text[:-1] + "0" * zeros + "Z")


@given(st.text(alphabet="0123456789", min_size=1, max_size=20), st.text(alphabet="0123456789", min_size=1, max_size=20))
def test_fractions_of_any_length_are_ordered_as_numbers(one: str, other: str) -> None:
    width = max(len(one), len(other))
    before = int(one.ljust(width, "0")) < int(other.ljust(width, "0"))
    assert before == (version_key(f"2026-01-01T00:00:00.{one}Z") < version_key(f"2026-01-01T00:00:00.{other}Z"))


@given(_TIMES)
def test_microseconds_agree_with_the_calendar_and_come_back(time: dt.datetime) -> None:
    value = microseconds(_text(time))
    assert (time.replace(tzinfo=_UTC) - _EPOCH) // dt.timedelta(microseconds=1) == value
    assert _text(time) == from_microseconds(value)


def test_microseconds_are_rounded_down() -> None:
    assert microseconds("1970-01-01T00:00:00.0000019Z") == 1
    assert microseconds("1969-12-31T23:59:59.9999999Z") == -1


@pytest.mark.parametrize("value", [-(10**18), 10**18])
def test_microseconds_outside_of_the_calendar_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        from_microseconds(value)


@given(st.text(max_size=40))
def test_any_text_gives_a_key_or_a_value_error(text: str) -> None:
    try:
        key = version_key(text)
    except ValueError:
        return
    assert key == version_key(key + "Z")


def _text(time: dt.datetime) -> str:
    return f"{time.year:04}-{time:%m-%dT%H:%M:%S}.{time.microsecond:06}Z"
