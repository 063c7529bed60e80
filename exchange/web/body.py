"""Request bodies: read within a bound, gzip and zstd undone within the same bound."""

from __future__ import annotations

import time
import zlib

import zstandard
from flask import Request
from gunicorn.http.errors import ParseException

from exchange.errors import BadRequestError, RequestTimeoutError, TooLargeError, UnsupportedMediaError

BYTES = "cibx.bytes"
"""Where the request's environment says how many bytes were read of it: of what was undone, where it was compressed."""
_SILENT_SECONDS = 20.0
"""A client that sends nothing for so long is given up."""
_WHOLE_SECONDS = 120.0
"""The whole body must be there by then."""
_CHUNK = 262_144
_ZSTD_WINDOW = 8 * 1024 * 1024
_ZSTD_STEP = 256
"""Bytes undone at a time: a block of zstd, which takes 4, makes at most 128 kB, so a step at most 8 MB of a bomb."""


def read_body(request: Request, most: int) -> bytes:
    """The body, at most ``most`` bytes also after decompression.

    Raises TooLargeError, UnsupportedMediaError (an encoding other than gzip and zstd), BadRequestError (no body, broken
    compression), RequestTimeoutError.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip", "zstd"}:
        raise UnsupportedMediaError("The body's Content-Encoding isn't supported.", fix="Use gzip, zstd or none.")
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)
    body = _receive(request, most)
    request.environ[BYTES] = len(body)
    if encoding == "gzip":
        body = _gunzip(body, most)
    elif encoding == "zstd":
        body = _unzstd(body, most)
    request.environ[BYTES] = len(body)
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


def _unzstd(body: bytes, most: int) -> bytes:
    """One frame (RFC 8878) with a window of at most 8 MB, which every decoder must take."""
    undo = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    parts: list[bytes] = []
    size = start = 0
    try:
        for start in range(0, len(body), _ZSTD_STEP):
            part = undo.decompress(body[start : start + _ZSTD_STEP])
            parts.append(part)
            size += len(part)
            if size > most:
                raise _too_large(most)
            if undo.eof:
                break
    except zstandard.ZstdError:
        raise BadRequestError("The body is declared as zstd but isn't, or needs a window of over 8 MB.") from None
    if not undo.eof or undo.unused_data or start + _ZSTD_STEP < len(body):
        raise BadRequestError("The zstd body is cut short or has something after its end.")
    return b"".join(parts)


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"The body has more than {most} bytes (max_content_length of the API root).",
                         fix="Send the objects in several envelopes.")
