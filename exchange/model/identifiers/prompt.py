"""Prompt fingerprints: the template behind prompts to an AI model, only ever as a keyed hash.

Operators fill one template again and again; what is filled in (numbers, addresses, names with @ or #, quoted
texts) is left out, so that prompts of one template have one fingerprint. A prompt is somebody's
communication: neither it nor its template leaves the provider, and the hash is keyed because templates can be
guessed.
"""

from __future__ import annotations

import re
import unicodedata

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind

_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|«[^»]*»|„[^“”]*[“”]")
_FILLED = re.compile(r"(?:https?://|www\.)\S+|[@#]\w+|\w*\d\w*")
_OTHER = re.compile(r"[\W_]+")
_FEWEST, _MOST = 5, 20_000


def normalise(text: str) -> str:
    """The words of a prompt in lower case without what was filled in; raises IdentifierError for fewer than 5 words."""
    if len(text) > _MOST:
        raise IdentifierError(f"the prompt has more than {_MOST} characters")
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = _OTHER.sub(" ", _FILLED.sub(" ", _QUOTED.sub(" ", plain))).split()
    if len(words) < _FEWEST:
        raise IdentifierError(f"the prompt leaves fewer than {_FEWEST} words: too few to tell a template")
    return " ".join(words)


KIND = Kind(
    name="prompt",
    title="prompt fingerprint",
    normalise=normalise,
    personal=("Communication",),
    hashed_as="prompt",
    weight=3.0,
    half_life=120,
    examples={
        "Write 10 tweets about “lorem”, in the voice of @ipsum.": "write tweets about in the voice of",
        "write 25 TWEETS about \"dolor sit\" in the voice of @amet": "write tweets about in the voice of",
    },
    non_examples=("", "hello", "Write 10 tweets", "1 2 3 4 5 6 7"),
)
