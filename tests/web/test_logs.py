"""Log lines: one object a line whatever is logged, without what names a person."""

from __future__ import annotations

import json
import logging
import sys

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from exchange.web.logs import JsonLines, TextLines, log_settings, masked
from exchange.web.request_id import WithRequestId


def _line(message: str, **more: object) -> str:
    record = logging.LogRecord("exchange.web", logging.WARNING, "f.py", 1, "%s", (message,), None)
    record.__dict__.update(more)
    return JsonLines().format(record)


@given(st.text(max_size=200), st.text(max_size=50))
def test_any_text_is_one_line_of_ascii_json(message: str, route: str) -> None:
    line = _line(message, route=route, error_id="ab12")
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert line.isprintable()
    found = json.loads(line)
    assert found["level"] == "warning"
    assert found["error_id"] == "ab12"
    if "@" not in message and "--" not in message:
        assert found["message"] == message


@given(st.text(max_size=200))
def test_lines_for_people_are_single_too_and_name_nobody_either(message: str) -> None:
    record = logging.LogRecord("exchange.web", logging.WARNING, "f.py", 1, "%s", (f"{message} a@b.example",), None)
    record.__dict__["error_id"] = message
    line = TextLines().format(record)
    assert line.isascii()
    assert line.isprintable()
    assert "b.example" not in line


@pytest.mark.parametrize("text", [
    "x\r\n2026-01-01 INFO faked", 'x", "level": "error', "\x1b[31mred", "\u2028", "\u0085", "\x00", "\ud800",
])
def test_no_line_is_faked(text: str) -> None:
    assert len(_line(text).splitlines()) == 1
    assert json.loads(_line(text))["level"] == "warning"


@pytest.mark.parametrize(("text", "shown"), [
    ("told email-addr--f5c8d2b1-0a7e-5c4f-9d3e-1b2a3c4d5e6f", "told email-addr--(id)"),
    ("kept indicator--f5c8d2b1-0a7e-4c4f-9d3e-1b2a3c4d5e6f", "kept indicator--f5c8d2b1-0a7e-4c4f-9d3e-1b2a3c4d5e6f"),
    ("asked by lorem.ipsum@people.example today", "asked by (address) today"),
    ("asked by löröm@people.example", "asked by (address)"),
    ("key person:ana@gamma.example.", "key person:(address)"),
    ("x" * 3_000, "x" * 2_000),
])
def test_what_names_a_person_is_left_out(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert json.loads(_line(text))["message"] == shown


def test_of_an_exception_the_frames_are_told_and_not_what_it_quotes() -> None:
    try:
        raise ValueError("duplicate key\nDETAIL: lorem ipsum of a person")
    except ValueError:
        found = json.loads(_line("internal error", exc_info=sys.exc_info()))
    assert found["error"] == "ValueError"
    assert found["error_message"] == "duplicate key"
    assert "lorem" not in json.dumps(found)
    assert found["frames"][-1].endswith("test_of_an_exception_the_frames_are_told_and_not_what_it_quotes")


def test_fields_that_are_not_there_are_not_told() -> None:
    assert set(json.loads(_line("x"))) == {"at", "level", "logger", "process", "message"}


def _named(**more: object) -> logging.LogRecord:
    record = logging.LogRecord("exchange.wiring", logging.ERROR, "f.py", 1, "x", (), None)
    record.__dict__.update(more)
    assert WithRequestId().filter(record)
    return record


def test_every_line_of_a_request_has_its_id() -> None:
    with Flask("lorem").test_request_context(headers={"X-Request-ID": "lorem-ipsum-1"}):
        assert json.loads(JsonLines().format(_named()))["request_id"] == "lorem-ipsum-1"
        assert "request_id" not in vars(_named(error_id="ab12"))
    with Flask("lorem").test_request_context(headers={"X-Request-ID": "a\"b"}):
        first, second = vars(_named())["request_id"], vars(_named())["request_id"]
        assert first == second != "a\"b"
    assert "request_id" not in vars(_named())


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_servers_log_names_requests(form: str) -> None:
    settings = log_settings(form)
    names = settings["handlers"]["stderr"]["filters"]
    assert [settings["filters"][name]["()"] for name in names] == [WithRequestId]
