"""What the log calls a request: the id that its client chose, else one that is made when it is first needed."""

from __future__ import annotations

import logging
import re
import secrets

from flask import g, has_request_context, request

_CLIENTS_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
"""An X-Request-ID that a client may choose: it stands in the log, and comes back."""


def own_id() -> str:
    """The id that the client chose; empty where it chose none, or one that isn't taken."""
    given = request.headers.get("X-Request-ID", "")
    return given if _CLIENTS_ID.fullmatch(given) else ""


def request_id() -> str:
    """The request's id, the same each time that it is asked for."""
    if "request_id" not in g:
        g.request_id = own_id() or secrets.token_hex(8)
    made: str = g.request_id
    return made


class WithRequestId(logging.Filter):
    """Gives each line that is logged while a request is answered that request's id."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line goes on."""
        if has_request_context() and not hasattr(record, "error_id"):
            record.request_id = request_id()
        return True
