"""Paging cursors: opaque, signed, worth nothing outside the query, collection and member they were made for.

The secret may be several, with commas between: the first signs, and the others, which it took the place of, go on
verifying what they signed.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer

from exchange.errors import BadRequestError


def sign_cursor(secret: str, context: str, position: int) -> str:
    """A ``next`` token for ``position`` (microseconds), bound to ``context``."""
    return str(_serializer(secret.partition(",")[0], context).dumps(position))


def open_cursor(secret: str, context: str, token: str) -> int:
    """The position in a ``next`` token; raises BadRequestError for one that wasn't made for this context."""
    for key in filter(None, secret.split(",")):
        try:
            position = _serializer(key, context).loads(token)
        except BadData:
            continue
        # base64 has several spellings of one value: only the one that was given out counts
        if isinstance(position, int) and sign_cursor(key, context, position) == token:
            return position
    raise BadRequestError(
        "The parameter next isn't a value that this server gave for this request.",
        why="It was changed, or belongs to another collection, filter or member.",
        fix="Start again without next, or send it with the same filters as before.",
    )


@lru_cache(maxsize=1_024)  # making one costs as much as signing does
def _serializer(key: str, context: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=context, signer_kwargs={"digest_method": hashlib.sha256})
