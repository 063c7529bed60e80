"""Request bodies: read within a bound, gzip undone within the same bound."""

from __future__ import annotations

import time
import zlib

from flask import Request
from gunicorn.http.errors import ParseException

from exchange.errors import BadRequestError, RequestTimeoutError, TooLargeError, UnsupportedMediaError

_SILENT_SECONDS = 20.0
"""A client that sends nothing for so long is given up."""
_WHOLE_SECONDS = 120.0
"""The whole body must be there by then."""
_CHUNK = 262_144


def read_body(request: Request, most: int) -> bytes:
    """The body, at most ``most`` bytes also after decompression.

    Raises TooLargeError, UnsupportedMediaError (an encoding other than gzip), BadRequestError (no body, broken
    gzip), RequestTimeoutError.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip"}:
        raise UnsupportedMediaError("The body's Content-Encoding isn't supported.", fix="Use gzip or none.")
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)
    body = _receive(request, most)
    if encoding == "gzip":
        body = _gunzip(body, most)
    if not body.strip():
        raise BadRequestError("The request has no body.", fix="Send a TAXII envelope with objects in it.")
    return body


def _receive(request: Request, most: int) -> bytes:
    socket = request.environ.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(_SILENT_SECONDS)
    end = time.monotonic() + _WHOLE_SECONDS
    parts: list[bytes] = []
    size = 0
    try:
        while part := request.stream.read(_CHUNK):
            parts.append(part)
            size += len(part)
            if size > most:
                raise _too_large(most)
            if time.monotonic() > end:
                raise TimeoutError
    except TimeoutError:
        raise RequestTimeoutError("The body didn't arrive in time.", fix="Send it faster or in parts.") from None
    except (ParseException, OSError):
        raise BadRequestError("The body's framing is broken: its length or its chunks don't fit.") from None
    finally:
        if socket is not None:
            socket.settimeout(None)
    return b"".join(parts)


def _gunzip(body: bytes, most: int) -> bytes:
    undo = zlib.decompressobj(wbits=31)
    try:
        text = undo.decompress(body, most + 1)
    except zlib.error:
        raise BadRequestError("The body is declared as gzip but isn't.") from None
    if len(text) > most:
        raise _too_large(most)
    if not undo.eof or undo.unused_data:
        raise BadRequestError("The gzip body is cut short or has something after its end.")
    return text


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"The body has more than {most} bytes (max_content_length of the API root).",
                         fix="Send the objects in several envelopes.")
