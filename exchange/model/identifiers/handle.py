"""Handles without a platform: the name alone, which one operator often uses on several platforms.

About one handle in ten of a published network stands on more than one platform, and strangers share names
too: weak evidence, never an indicator.
"""

from __future__ import annotations

import re
import unicodedata

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import refang

_FORM = re.compile(r"(?=.*[^\W_])[\w.\-]{3,64}\Z")


def normalise(text: str) -> str:
    """The name in NFKC, casefolded, without one ``@``; raises IdentifierError."""
    plain = refang(text)
    if not plain.isascii():
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", plain).casefold())
    plain = plain.lower().removeprefix("@")
    if not _FORM.match(plain):
        raise IdentifierError(f"{text[:80]!r} is no handle: 3 to 64 letters, digits, dots, '_' and '-' are needed")
    return plain


KIND = Kind(
    name="handle",
    title="handle",
    normalise=normalise,
    personal=("Username",),
    hashed_as="handle",
    weight=1.0,
    half_life=365,
    nobody=lambda _value: "a handle without its platform is a name that strangers share",
    examples={"@Lorem_Ipsum9": "lorem_ipsum9", "LOREM.IPSUM": "lorem.ipsum", "＠ｌｏｒｅｍ": "lorem"},
    non_examples=("", "@", "ab", "...", "lo rem", "https://x.com/lorem", "@@lorem", "a" * 65),
)
