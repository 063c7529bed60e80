"""Hashes of files: MD5, SHA-1, SHA-256 and SHA-512 in lower-case hex, told apart by their length."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind

_HEX = re.compile(r"[0-9a-f]+\Z")
_TRIVIAL = (b"", b"\0", b"\n", b" ")
"""Contents that any number of unrelated files have."""


def _normaliser(word: str, digits: int) -> Callable[[str], str]:
    prefix = re.compile(rf"{word[:3]}-?{word[3:]}[:=]\s*" if word.startswith("sha") else rf"{word}[:=]\s*")

    def normalise(text: str) -> str:
        """The hex digits in small letters, without a prefix. Raises IdentifierError for another length, and for
        fillers."""
        plain = text.strip().lower()
        found = prefix.match(plain)
        plain = plain[found.end() :] if found else plain
        if len(plain) != digits or not _HEX.match(plain):
            raise IdentifierError(f"{text[:80]!r} is no {word.upper()} hash: {digits} hex digits are needed")
        if len(set(plain)) == 1:
            raise IdentifierError(f"{text[:80]!r} is a filler, no hash of a file")
        return plain

    return normalise


def _kind(word: str, stix: str, digits: int) -> Kind:
    trivial = {hashlib.new(word, content, usedforsecurity=False).hexdigest() for content in _TRIVIAL}
    lorem = hashlib.new(word, b"lorem ipsum", usedforsecurity=False).hexdigest()
    return Kind(
        name=word,
        title=f"{stix} hash of a file",
        normalise=_normaliser(word, digits),
        path=f"file:hashes.'{stix}'",
        weight=4.0,
        half_life=300,
        nobody=lambda value: "it is the hash of an empty file" if value in trivial else "",
        examples={lorem: lorem, f" {lorem.upper()} ": lorem, f"{stix}: {lorem}": lorem},
        non_examples=("", "lorem", lorem[:-1], lorem + "0", "0" * digits, "g" * digits),
    )


MD5 = _kind("md5", "MD5", 32)
SHA1 = _kind("sha1", "SHA-1", 40)
SHA256 = _kind("sha256", "SHA-256", 64)
SHA512 = _kind("sha512", "SHA-512", 128)
