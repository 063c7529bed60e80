"""Bodies of answers: unpacked piece by piece within a limit, whole or line by line.

A few kilobytes can unpack to gigabytes, and a line need not end: what is counted is what comes out, and no more than
a piece is ever unpacked at once.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from exchange.errors import InputError

ACCEPTED = "gzip, deflate"
"""The value of Accept-Encoding; whatever else comes is refused."""
PIECE = 65_536
_GZIP = 16 + zlib.MAX_WBITS


class OversizeError(InputError):
    """An answer is larger than was asked for; less of it at once may do."""


def unpacked(pieces: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Unpack a body with one Content-Encoding, in pieces of at most 64 KiB. Raises InputError for a wrong one."""
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return iter(pieces)
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise InputError(f"The answer is packed as {coding[:40]!r}, which wasn't asked for.")
    return _inflated(iter(pieces), coding)


def _inflated(pieces: Iterator[bytes], coding: str) -> Iterator[bytes]:
    first = b""
    while len(first) < 2 and (piece := next(pieces, b"")):
        first += piece
    if not first:
        return
    # "deflate" is zlib's format (RFC 9110, 8.4.1.2), but some servers send it raw.
    raw = first[0] & 0x0F != 8 or int.from_bytes(first[:2], "big") % 31 != 0
    bits = _GZIP if coding != "deflate" else -zlib.MAX_WBITS if raw else zlib.MAX_WBITS
    engine = zlib.decompressobj(bits)
    try:
        for piece in chain([first], pieces):
            data = piece
            while data:
                if engine.eof:  # gzip may have several members, and zeros after the last one
                    data = data.lstrip(b"\0") if bits == _GZIP else b""
                    engine = zlib.decompressobj(bits) if data else engine
                while not engine.eof:
                    out = engine.decompress(data, PIECE)
                    if out:
                        yield out
                    data = engine.unused_data if engine.eof else engine.unconsumed_tail
                    if len(out) < PIECE and not data:
                        break
    except zlib.error:
        raise InputError(f"The answer says that it is packed as {coding}, but it can't be unpacked.") from None
    if not engine.eof:
        raise InputError(f"The answer, packed as {coding}, breaks off.")


def whole(pieces: Iterable[bytes], limit: int) -> bytes:
    """All pieces together; raises OversizeError beyond ``limit`` bytes."""
    found: list[bytes] = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > limit:
            raise OversizeError(f"The answer is larger than {limit:,} bytes.", fix="Ask for less at once.")
        found.append(piece)
    return b"".join(found)


def lines(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Lines without their ends (LF, CRLF or CR, as in server-sent events) as soon as they are complete.

    Raises InputError for a line of more than ``limit`` bytes. A last line need not have an end.
    """
    held = bytearray()
    after_cr = False
    for piece in filter(None, pieces):
        text = piece[1:] if after_cr and piece.startswith(b"\n") else piece  # the second half of a CRLF
        after_cr = piece.endswith(b"\r")
        parts = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        for part in parts[:-1]:
            _within(len(held) + len(part), limit)
            yield bytes(held) + part
            held.clear()
        held += parts[-1]
        _within(len(held), limit)
    if held:
        yield bytes(held)


def _within(size: int, limit: int) -> None:
    if size > limit:
        raise InputError(f"A line of the answer is longer than {limit:,} bytes.")
