"""Lines of a text file of any size and encoding, read piece by piece; no line is held beyond a limit.

UTF-8 (with or without a byte order mark) and UTF-16 or UTF-32 with one are known by themselves. A line that isn't
UTF-8 is read as Windows-1252, which most programs write that don't write UTF-8, and says so.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from exchange.errors import InputError

MAX_LINE = 1_000_000
"""Bytes of a line; a longer one is passed over and told."""
_PIECE = 262_144
_MARKS = (  # longest first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line, without its end."""

    text: str
    fault: str = ""
    """Why it can't be read; the text is empty then."""
    repair: str = ""


def lines(file: BinaryIO, encoding: str = "", limit: int = MAX_LINE) -> Iterator[Line]:
    """The lines of a binary file; raises InputError for an encoding that there isn't.

    Lines end with LF or CRLF, or with CR alone where the file's beginning has no LF.
    """
    head = file.read(_PIECE)
    known = _known(encoding) or next((name for mark, name in _MARKS if head.startswith(mark)), "")
    if known == "utf-8-sig":
        head, known = head.removeprefix(codecs.BOM_UTF8), "utf-8"
    wide = known.startswith(("utf-16", "utf-32"))
    pieces = _as_utf8(head, file, known) if wide else _pieces(head, file)
    old_mac = not wide and b"\r" in head and b"\n" not in head
    for raw in _split(pieces, b"\r" if old_mac else b"\n", limit):
        yield _line(raw, "" if wide else known, limit)


def _known(encoding: str) -> str:
    if not encoding:
        return ""
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, TypeError) as error:
        raise InputError(f"There is no encoding {encoding[:40]!r}.", fix="Write utf-8, utf-16 or cp1252.") from error
    return name


def _pieces(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    piece = head
    while piece:
        yield piece
        piece = file.read(_PIECE)


def _as_utf8(head: bytes, file: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for piece in _pieces(head, file):
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


def _split(pieces: Iterator[bytes], end: bytes, limit: int) -> Iterator[bytes | None]:
    """Lines as bytes; None for one beyond the limit."""
    held = bytearray()
    too_long = False
    for piece in pieces:
        first, *rest = piece.split(end)
        held += first
        for part in rest:
            yield None if too_long or len(held) > limit else bytes(held)
            held[:] = part
            too_long = False
        if len(held) > limit:
            too_long = True
            held.clear()
    if too_long or held:
        yield None if too_long else bytes(held)


def _line(raw: bytes | None, encoding: str, limit: int) -> Line:
    if raw is None:
        return Line("", f"The line is longer than {limit:,} bytes.")
    raw = raw.removesuffix(b"\r")
    if encoding and encoding != "utf-8":
        return Line(raw.decode(encoding, "replace"))
    try:
        return Line(raw.decode())
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
        return Line(text, repair="the line isn't UTF-8 and was read as Windows-1252: save the file as UTF-8")
