"""Hashtags: NFKC, casefolded, without the sign. Anybody may use one: evidence between accounts, never an
indicator.
"""

from __future__ import annotations

import re
import unicodedata

from exchange.model.identifiers.fault import IdentifierError

_TAG = re.compile(r"[#＃](?=\w*[^\W\d_])(\w{1,139})\Z")


def normalise(text: str) -> str:
    """The tag of ``#Tag``; raises IdentifierError for what no platform would link (digits only, blanks, no
    sign).
    """
    found = _TAG.match(text.strip())
    if not found:
        raise IdentifierError(f"{text[:80]!r} is no hashtag")
    return unicodedata.normalize("NFKC", found[1]).casefold()


def only_tags(text: str) -> list[str]:
    """The tags of a text that is nothing but hashtags, in order; empty where there is anything else."""
    words = re.split(r"[\s,;]+", text.strip())
    if not all(_TAG.match(word) for word in words):
        return []
    return [normalise(word) for word in words]
