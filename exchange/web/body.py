"""Request bodies: read within a bound, gzip undone within the same bound."""

from __future__ import annotations

import zlib

from flask import Request

from exchange.errors import BadRequestError, TooLargeError, UnsupportedMediaError


def read_body(request: Request, most: int) -> bytes:
    """The body, at most ``most`` bytes also after decompression.

    Raises TooLargeError, UnsupportedMediaError (an encoding other than gzip), BadRequestError (no body, broken
    gzip).
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "", "gzip"}:
        raise UnsupportedMediaError("The body's Content-Encoding isn't supported.", fix="Use gzip or none.")
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)
    body = request.stream.read(most + 1)
    if len(body) > most:
        raise _too_large(most)
    if encoding == "gzip":
        body = _gunzip(body, most)
    if not body.strip():
        raise BadRequestError("The request has no body.", fix="Send a TAXII envelope with objects in it.")
    return body


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
