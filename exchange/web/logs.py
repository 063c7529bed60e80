"""Logs as lines of JSON: one object a line whatever is in it, request ids, and nothing that names a person.

Of an exception the frames and the first line of its message are written: what follows may quote what was pushed.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from exchange.web.request_id import WithRequestId

_FIELDS = ("request_id", "error_id", "code", "reason", "status", "method", "route", "org", "milliseconds")
"""What a line may say besides its message, given as ``extra``."""
_AHEAD = frozenset({"at", "level", "logger", "process", "message"})
_LONGEST = 2_000
_MASKS = (
    (re.compile(r"\b([a-z0-9][a-z0-9-]{2,60})--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
     r"\1--(id)"),
    (re.compile(r"[^\s@<>\"'(),;:=/]{1,64}@[^\s@<>\"'(),;:=/]{1,255}"), "(address)"),
)
"""Ids that follow from a value, such as an e-mail address's (STIX 2.1, 2.9), and what looks like an address."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON: at, level, logger, message, process, and the fields that it has."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, ASCII alone, so that no sign of what was sent breaks or fakes one."""
        return json.dumps(_told(record))


class TextLines(logging.Formatter):
    """The same for people: one line, ASCII alone."""

    def format(self, record: logging.LogRecord) -> str:
        """``[time] [process] [level] message``, then the fields, each ``name="value"``."""
        line = _told(record)
        head = "[{at}] [{process}] [{level}] ".format(**line) + json.dumps(line["message"])[1:-1]
        return " ".join([head, *(f"{name}={json.dumps(value)}" for name, value in line.items() if name not in _AHEAD)])


def _told(record: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(), "logger": record.name, "process": record.process,
        "message": masked(record.getMessage()),
    }
    line |= {name: masked(value) if isinstance(value, str) else value
             for name in _FIELDS if (value := getattr(record, name, None)) not in {None, ""}}
    if record.exc_info and record.exc_info[1] is not None:
        line |= _of_exception(record.exc_info[1])
    return line


def masked(text: str) -> str:
    """A text without what may name a person, cut to 2,000 characters."""
    text = text[:_LONGEST]
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    return text


def log_settings(form: str) -> dict[str, Any]:
    """``logging``'s configuration (dictConfig) for one of the forms json and text, to the standard error."""
    formatter = {"()": JsonLines if form == "json" else TextLines}
    return {
        "version": 1, "disable_existing_loggers": False,
        "formatters": {"lines": formatter}, "filters": {"request": {"()": WithRequestId}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "filters": ["request"],
                                "stream": "ext://sys.stderr"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "exchange.web.requests": {"level": "INFO"},
            "gunicorn.error": {"level": "WARNING", "handlers": [], "propagate": True},
            "gunicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }


def _of_exception(error: BaseException) -> dict[str, Any]:
    said, frames = str(error).strip().splitlines(), traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__, "error_message": masked(said[0]) if said else "",
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
