"""Hashtags: NFKC, casefolded, without the sign. Anybody may use one: evidence between accounts, never an
indicator.
"""

from __future__ import annotations

import re
import unicodedata

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind

_TAG = re.compile(r"[#＃](?=\w*[^\W\d_])(\w{1,139})\Z")
_BARE = re.compile(r"(?=\w*[^\W\d_])\w{1,139}\Z")


def normalise(text: str) -> str:
    """The tag of ``#Tag``; raises IdentifierError for what no platform would link (digits only, blanks, no
    sign).
    """
    found = _TAG.match(text.strip())
    if not found:
        raise IdentifierError(f"{text[:80]!r} is no hashtag")
    return _folded(found[1])


def only_tags(text: str) -> list[str]:
    """The tags of a text that is nothing but hashtags, in order; empty where there is anything else."""
    words = re.split(r"[\s,;]+", text.strip())
    if not all(_TAG.match(word) for word in words):
        return []
    return [normalise(word) for word in words]


def _folded(tag: str) -> str:
    if tag.isascii():
        return tag.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", tag).casefold())


def _with_sign(text: str) -> str:
    """``#`` and the tag: so that it is told from any word, and normalising it again gives it again."""
    tag = normalise(text)
    if not _BARE.match(tag):
        raise IdentifierError(f"{text[:80]!r} is no hashtag: a letter of it stands for something else")
    return "#" + tag


KIND = Kind(
    name="hashtag",
    title="hashtag",
    normalise=_with_sign,
    weight=0.8,
    half_life=30,
    nobody=lambda _value: "anybody may use a hashtag",
    examples={"#Lorem_9": "#lorem_9", " ＃ロレム": "#ロレム", "#STRASSE": "#strasse", "#Straße": "#strasse"},
    non_examples=("", "#123", "lorem", "#lo rem", "# lorem", "#lorem.org", "#"),
)
