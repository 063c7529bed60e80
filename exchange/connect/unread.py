"""Formats that no connector reads, known by a file's first bytes: what each is, and what to send instead."""

from __future__ import annotations

import re

HEAD = 8_192
"""First bytes of a file that tell its format."""

_BINARY = (
    (b"PK\x03\x04", "an archive or a spreadsheet (ZIP)",
     "Unpack it, or save the sheet as CSV in UTF-8."),
    (b"\xd0\xcf\x11\xe0", "a document of an old office program", "Save the sheet as CSV in UTF-8."),
    (b"%PDF", "a PDF document", "Send the report's table as CSV."),
    (b"\x1f\x8b", "packed with gzip", "Unpack it first."),
    (b"BZh", "packed with bzip2", "Unpack it first."),
    (b"\xfd7zXZ", "packed with xz", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV in UTF-8."),
)  # fmt: skip
_ELEVATE = "Convert it to STIX 2.1 in JSON first, for instance with the OASIS program stix2-elevator."
_XML = (
    (re.compile(r"stix\.mitre\.org|cybox\.mitre\.org|<(?:\w+:)?STIX_Package\b", re.IGNORECASE),
     "STIX 1.x in XML", _ELEVATE),
    (re.compile(r"schemas\.mandiant\.com|openioc|<ioc[\s>]", re.IGNORECASE),
     "OpenIOC", "Send the same values as CSV or STIX 2.1."),
    (re.compile(r"<!doctype html|<html[\s>]", re.IGNORECASE),
     "a web page", "Download the file itself, not the page that shows it."),
)  # fmt: skip
_TAG = re.compile(r"\s*<(?:[?!]|[A-Za-z_][\w:.-]*[\s/>])")


def why_unread(start: bytes) -> tuple[str, str] | None:
    """What a file is (``STIX 1.x in XML``) and what to do instead, where no connector reads it; else None.

    ``start`` holds its first bytes, ``HEAD`` of them where it has as many.
    """
    for magic, what, remedy in _BINARY:
        if start.startswith(magic):
            return what, remedy
    text = _text(start)
    if not _TAG.match(text):
        return None
    for pattern, what, remedy in _XML:
        if pattern.search(text):
            return what, remedy
    return "XML", "Send STIX 2.1 in JSON, or a table as CSV."


def _text(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return start.decode("utf-16", "replace")
    return start.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
