"""Finding the objects of a JSON document: decision tables and properties."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect.json_elements import Places, elements


def texts(data: bytes) -> list[str]:
    return [
        data[e.start : e.end].decode(errors="replace") + ("" if e.complete else " …") for e in elements(data)
    ]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"", []),
        (b" \n", []),
        (b'{"a": 1}', ['{"a": 1}']),
        (b'[{"a": 1}, {"b": "]}"}]', ['{"a": 1}', '{"b": "]}"}']),
        (b'{"type": "bundle", "objects": [{"a": 1}, 7, "x,]", null, [2]]}',
         ['{"a": 1}', "7", '"x,]"', "null", "[2]"]),
        (b'{"objects": [], "type": "bundle"}', []),
        (b'{"objects": {"0": {"type": "file"}}}', ['{"objects": {"0": {"type": "file"}}}']),
        (b'{"objects": [{"a": 1}], "more": true, "objects": [{"b": 1}]}', ['{"a": 1}', '{"b": 1}']),
        (b'{"a": 1}\n{"b": 2}\n', ['{"a": 1}', '{"b": 2}']),
        (b'{"a": 1} rubbish', ['{"a": 1}', "rubbish"]),
        (b'[{"a": 1},, {"b": 2},]', ['{"a": 1}', '{"b": 2}']),
        (b'[{"a": 1} {"b": 2}]', ['{"a": 1}', '{"b": 2}']),
        (b'{"objects": [{"a": 1}, {"b": ', ['{"a": 1}', '{"b":  …']),
        (b'{"objects": [{"a": 1}, ', ['{"a": 1}', " …"]),
        (b'{"objects": [', [" …"]),
        (b'{"a": [1, 2', ['{"a": [1, 2 …']),
        (b'[{"a": "no end}, \n {"b": 1}]', ['{"a": "no end}, \n {"b": 1}]', " …"]),
        (b'[{"a": "\xff"}, {"b": 1}]', ['{"a": "�"}', '{"b": 1}']),
        (b"]", ["]"]),
    ],
)
def test_each_element_has_its_place(document: bytes, expected: list[str]) -> None:
    assert expected == texts(document)


def test_a_quote_that_is_lost_at_the_end_of_a_line_costs_one_object() -> None:
    document = b'{"objects": [\n{"a": "lost},\n{"b": 1}\n]}'
    assert texts(document)[0].startswith('{"a": "lost},')
    document = b'{"objects": [\n{"a": "lost\n},\n{"b": 1}\n]}'
    assert texts(document) == ['{"a": "lost\n}', '{"b": 1}']


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(values, max_size=6), st.sampled_from([None, 1]))
def test_elements_of_a_list_are_those_that_json_sees(items: list[object], indent: int | None) -> None:
    raw = json.dumps({"type": "bundle", "objects": items, "x": {"objects": [1]}}, indent=indent).encode()
    assert items == [json.loads(raw[e.start : e.end]) for e in elements(raw)]
    raw = json.dumps(items, indent=indent, ensure_ascii=False).encode(errors="surrogatepass")
    assert items == [json.loads(raw[e.start : e.end]) for e in elements(raw)]


@given(st.binary(max_size=200) | st.text('{}[]",:\\ax \n', max_size=60).map(str.encode))
def test_any_bytes_give_elements_in_order_that_do_not_overlap(data: bytes) -> None:
    last = 0
    for element in elements(data):
        assert last <= element.start <= element.end <= len(data)
        last = element.end


@pytest.mark.parametrize("data", [
    b"[" * 200_000, b'{"a":' * 100_000, b'"' + b'\\"' * 200_000, b'[{"a": "' + b"x" * 1_000_000,
    b'{"objects": [' * 50_000, b"}" * 100_000, b',"' * 100_000,
], ids=lambda data: repr(data[:6]))
def test_hostile_documents_end(data: bytes) -> None:
    found = list(elements(data))  # quadratic work would take hours
    assert found[-1].end == len(data)


@given(st.text("a\n", max_size=30), st.lists(st.integers(0, 30), max_size=6))
def test_places_are_lines_and_columns_in_any_order(text: str, offsets: list[int]) -> None:
    places = Places(text.encode())
    for offset in offsets:
        before = text[:offset] if offset <= len(text) else None
        if before is not None:
            expected = (before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)
            assert expected == places.at(offset)
