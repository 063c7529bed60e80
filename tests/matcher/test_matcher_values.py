"""Both sides bring a value to the same form: in Python (the feed) and in SQL (the tables)."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher.values import (
    address_sql,
    clear_token,
    clear_token_sql,
    host_sql,
    key,
    normal,
    normal_sql,
    odd_time_sql,
    quoted,
    read_token,
    text_sql,
    time_sql,
    token_sql,
    unit_sql,
)


def answer(expression, value=None):
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {expression} FROM (SELECT ? AS v)", [value]).fetchall()[0][0]


@pytest.mark.parametrize(
    ("kind", "seen", "form"),
    [
        ("phone", "+44 (7911) 123-456", "+447911123456"),
        ("phone", "0044 7911 123456", "+447911123456"),
        ("phone", "07911 123456", "07911123456"),
        ("email", "  Jo@Mail.Example ", "jo@mail.example"),
        ("email_domain", "Mail.Example.", "mail.example"),
        ("device", " AbC ", "AbC"),
    ],
)
def test_a_clear_value_has_one_form_on_both_sides(kind, seen, form):
    assert (form, form) == (normal(kind, seen), answer(normal_sql(kind, "v"), seen))
    assert clear_token(kind, seen) == answer(clear_token_sql(kind, "v"), seen)


@settings(max_examples=3, deadline=None)
@given(
    st.sampled_from(["phone", "email", "device", "payment"]),
    st.lists(st.text(st.characters(codec="ascii", exclude_characters="\0")), min_size=20, max_size=60),
)
def test_tokens_of_any_text_agree(kind, texts):
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {clear_token_sql(kind, 'v')} FROM (SELECT unnest(range(len($1))) AS n, unnest($1) AS v) ORDER BY n",
            [texts]).fetchall()
    assert [clear_token(kind, text) for text in texts] == [token for (token,) in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dv_72c5d055f0bb46ae", ("device", 0x72C5D055F0BB46AE)),
        ("md_1.example", ("email_domain", 1)),
        ("dv_ffffffffffffffff", None),
        ("zz_1", None),
        ("dv_", None),
        ("dv_12 ", None),
    ],
)
def test_a_token_is_read_from_its_text(text, expected):
    assert expected == read_token(text)


@pytest.mark.parametrize(
    ("value", "numbers", "expected"),
    [
        ("dv_ff", False, 255),
        ("dv_ff", True, 255),
        ("7167725874973650476", True, 7167725874973650476),
        ("abc", False, clear_token("device", "abc")),
        ("abc", True, None),
    ],
)
def test_a_local_value_is_a_token_a_number_or_clear(value, numbers, expected):
    assert expected == answer(token_sql("device", "v", numbers), value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10.1.2.3", 0x0A010203),
        ("255.255.255.255", 2**32 - 1),
        ("0.0.0.0", 0),
        ("167838211", 167838211),
        ("256.1.1.1", None),
        ("1.2.3", None),
        ("host", None),
    ],
)
def test_an_address_is_a_number(value, expected):
    assert expected == answer(address_sql("v"), value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Evil.Example.", "evil.example"),
        ("https://jo@Evil.example:8080/x?y", "evil.example"),
        ("//evil.example/x", "evil.example"),
        ("evil.example/x", "evil.example"),
    ],
)
def test_the_host_of_a_domain_or_url(value, expected):
    assert expected == answer(host_sql("v"), value)


def test_texts_are_compared_without_capitals_punctuation_and_spacing():
    assert answer(text_sql("v"), "  No dams, on River-X!! #Now") == "no dams on river x #now"


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (1_780_272_000, "BIGINT", 1_780_272_000),
        (1_780_272_000_123, "BIGINT", 1_780_272_000),
        (1_780_272_000_123_456, "BIGINT", 1_780_272_000),
        ("1780272000", "VARCHAR", 1_780_272_000),
        ("2026-06-01T00:00:00Z", "VARCHAR", 1_780_272_000),
        ("2026-06-01 00:00:00", "VARCHAR", 1_780_272_000),
        ("soon", "VARCHAR", None),
    ],
)
def test_times_are_brought_to_seconds(value, kind, expected):
    assert expected == answer(time_sql("v", kind), value)


@pytest.mark.parametrize(("value", "kind", "odd", "unit"), [
    (1_780_272_000, "BIGINT", False, "in Unix seconds"),
    (-5, "BIGINT", False, "in Unix seconds"),
    (99_999_999_999, "BIGINT", False, "in Unix seconds"),
    (-100_000_000_000, "BIGINT", True, "in milliseconds"),
    (1_780_272_000_000, "BIGINT", True, "in milliseconds"),
    (1_780_272_000_000_000, "BIGINT", True, "in microseconds"),
    (1_780_272_000_000_000_000, "BIGINT", True, "in nanoseconds"),
    (None, "BIGINT", False, None),
    (float("nan"), "DOUBLE", True, None),
    (float("inf"), "DOUBLE", True, None),
    ("1780272000.5", "VARCHAR", False, "in Unix seconds"),
    ("1780272000000", "VARCHAR", True, "in milliseconds"),
    ("2026-06-01T00:00:00Z", "VARCHAR", True, "texts with a zone"),
    ("2026-06-01T02:00:00.5+02:00", "VARCHAR", True, "texts with a zone"),
    ("2026-06-01 02:00:00+02", "VARCHAR", True, "texts with a zone"),
    ("2026-06-01T00:00:00", "VARCHAR", True, "texts without a zone"),
    ("2026-06-01", "VARCHAR", True, "texts without a zone"),
    ("nan", "VARCHAR", True, None),
    ("soon", "VARCHAR", True, None),
])
def test_the_unit_of_a_time_is_noticed(value, kind, odd, unit):
    assert odd is answer(odd_time_sql("v", kind), value)
    assert unit == answer(unit_sql("v", kind), value)


def test_equal_tokens_of_two_kinds_have_different_keys():
    assert key("device", 5) != key("phone", 5)


def test_a_quote_in_a_literal_is_doubled():
    assert answer(quoted("a'b")) == "a'b"
