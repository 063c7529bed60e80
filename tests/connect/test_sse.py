"""Server-sent events as WHATWG HTML, 9.2, reads them: a table of streams and what comes out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect import sse
from exchange.connect.sse import Event, events
from exchange.errors import InputError

TABLE = {
    "an event": (b"id: 1-0\nevent: create\ndata: {}\n\n", [Event("1-0", "create", "{}")]),
    "no name is a message": (b"data: a\n\n", [Event("", "message", "a")]),
    "one blank after the colon goes": (b"data:  a\ndata:b\n\n", [Event("", "message", " a\nb")]),
    "an id holds for what comes after it": (b"id: 7\n\ndata: a\n\ndata: b\n\n",
                                            [Event("7", "message", "a"), Event("7", "message", "b")]),
    "an empty id forgets the last one": (b"id: 7\ndata: a\n\nid\ndata: b\n\n",
                                         [Event("7", "message", "a"), Event("", "message", "b")]),
    "an id with NUL is none": (b"id: 7\nid: 8\0\ndata: a\n\n", [Event("7", "message", "a")]),
    "no data, no event": (b"event: create\n\ndata: a\n\n", [Event("", "message", "a")]),
    "empty data is data": (b"data\n\n", [Event("", "message", "")]),
    "a cut event is none": (b"data: a\n\ndata: b\n", [Event("", "message", "a")]),
    "a comment is a sign of life": (b":\n: still here\n", [Event("", "", ""), Event("", "", "")]),
    "other fields say nothing": (b"retry: 10\nfoo: bar\ndata: a\n\n", [Event("", "message", "a")]),
    "a byte order mark goes": (b"\xef\xbb\xbfdata: a\n\n", [Event("", "message", "a")]),
    "line ends of two characters": (b"data: a\r\n\r\n", [Event("", "message", "a")]),
    "broken UTF-8 is replaced": (b"data: \xff\n\n", [Event("", "message", "\ufffd")]),
}


@pytest.mark.parametrize(("stream", "expected"), TABLE.values(), ids=TABLE)
def test_a_stream_is_read_as_the_specification_says(stream: bytes, expected: list[Event]) -> None:
    assert expected == list(events(stream.split(b"\n")[:-1]))


def test_an_event_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 100)
    with pytest.raises(InputError, match="100 bytes"):
        list(events([b"data: 0123456789"] * 20))


@given(st.lists(st.binary(max_size=30)))
def test_any_lines_are_read_without_a_fault(lines: list[bytes]) -> None:
    for event in events(lines):
        assert "\0" not in event.id
