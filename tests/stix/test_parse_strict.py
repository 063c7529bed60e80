"""Strict JSON: what two readers could read differently is refused with a sentence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.fault import StixFault
from exchange.stix.parse import MAX_DEPTH, MAX_STRING, parse_strict


def _nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


@pytest.mark.parametrize(("raw", "says"), [
    (b"", "not JSON"),
    (b"[]", "JSON object"),
    (b'"text"', "JSON object"),
    (b"null", "JSON object"),
    (b'{"a":1}{"b":2}', "not JSON"),
    (b'{"a":1,}', "not JSON"),
    (b"{'a':1}", "not JSON"),
    (b'{"a":1,"a":1}', "'a' stands twice"),
    (b'{"x":{"b":1,"c":2,"b":3}}', "'b' stands twice"),
    (b'{"x":[{"b":1},{"c":2,"c":3}]}', "'c' stands twice"),
    (b'{"a":1,"\\u0061":2}', "'a' stands twice"),
    (b'{"a":NaN}', "NaN"),
    (b'{"a":-Infinity}', "Infinity"),
    (b'{"a":1e999}', "too large"),
    (b'{"a":-1e999}', "too large"),
    (b'{"a":' + b"1" * 401 + b"}", "401 digits"),
    (b'{"a":' + b"1" * 5000 + b"}", "5000 digits"),
    (b'{"a":0.' + b"1" * 500 + b"}", "digits"),
    (b'{"a":"\\u0000"}', "NUL"),
    (b'{"a\\u0000":1}', "NUL"),
    (b'{"a":"\x00"}', "not JSON"),
    (b'{"a":"\\ud800"}', "surrogate"),
    (b'{"a":"\\udc00\\ud800"}', "surrogate"),
    (b'{"a":{"\\udfff":1}}', "surrogate"),
    (b'{"a":"\xff"}', "UTF-8"),
    (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
    ('{"a":1}'.encode("utf-16"), "UTF-8"),
    (b'\xef\xbb\xbf{"a":1}', "not JSON"),
    (_nested(MAX_DEPTH + 1), "deeper"),
    (b"[" * 100_000, "deeper"),
    (b'{"a":' * 100_000, "deeper"),
    (b'{"a":"' + b"x" * (MAX_STRING + 1) + b'"}', "at most"),
    (b'{"a":"\n"}', "not JSON"),
])
def test_ambiguous_or_hostile_json_is_refused(raw: bytes, says: str) -> None:
    with pytest.raises(StixFault) as refused:
        parse_strict(raw)
    assert refused.value.code == "json-invalid"
    assert says in str(refused.value)
    assert str(refused.value).encode()
    assert refused.value.property.encode() is not None


@pytest.mark.parametrize(("raw", "value"), [
    (b'{"a":' + b"9" * 400 + b"}", {"a": int("9" * 400)}),
    (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    ('{"a":"\U0001f600é"}'.encode(), {"a": "\U0001f600é"}),
    (b'{"a":"\\\\u0000 \\\\ud800"}', {"a": "\\u0000 \\ud800"}),
    (b'{"a":["[[[[[{{{{{",{"b":"]"}]}', {"a": ["[[[[[{{{{{", {"b": "]"}]}),
    (b' \n{"a":1.5e3} ', {"a": 1500.0}),
    (b'{"":1}', {"": 1}),
])
def test_good_json_is_read_exactly(raw: bytes, value: object) -> None:
    assert value == parse_strict(raw)


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    assert len(parse_strict(json.dumps({"a": '"[{\\' * 1000}).encode())) == 1


def test_the_deepest_nesting_that_is_allowed_is_read() -> None:
    assert parse_strict(_nested(MAX_DEPTH)) is not None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), _JSON, max_size=5), st.booleans()
)
def test_every_json_object_comes_back_equal(value: dict[str, object], ascii_only: bool) -> None:
    assert value == parse_strict(json.dumps(value, ensure_ascii=ascii_only).encode())


@given(st.binary(max_size=200) | st.text('{}[]":,\\ud800eE+-.0123 NaN', max_size=80).map(str.encode))
def test_any_bytes_give_an_object_or_a_fault(raw: bytes) -> None:
    try:
        read: object = parse_strict(raw)
    except StixFault as fault:
        read = fault
    assert isinstance(read, dict) or (isinstance(read, StixFault) and read.code == "json-invalid")
