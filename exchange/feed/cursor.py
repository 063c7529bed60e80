"""Paging cursors: opaque, signed, worth nothing outside the query, collection and member they were made for."""

from __future__ import annotations

import hashlib

from itsdangerous import BadData, URLSafeSerializer

from exchange.errors import BadRequestError


def sign_cursor(secret: str, context: str, position: int) -> str:
    """A ``next`` token for ``position`` (microseconds), bound to ``context``."""
    return str(_serializer(secret, context).dumps(position))


def open_cursor(secret: str, context: str, token: str) -> int:
    """The position in a ``next`` token; raises BadRequestError for one that wasn't made for this context."""
    try:
        position = _serializer(secret, context).loads(token)
    except BadData:
        position = None
    # base64 has several spellings of one value: only the one that was given out counts
    if not isinstance(position, int) or sign_cursor(secret, context, position) != token:
        raise BadRequestError(
            "The parameter next isn't a value that this server gave for this request.",
            why="It was changed, or belongs to another collection, filter or member.",
            fix="Start again without next, or send it with the same filters as before.",
        )
    return position


def _serializer(secret: str, context: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=context, signer_kwargs={"digest_method": hashlib.sha256})
