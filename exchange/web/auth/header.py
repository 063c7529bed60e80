"""The Authorization header: HTTP Basic (RFC 7617) and Bearer (RFC 6750)."""

from __future__ import annotations

import base64
import binascii

from exchange.errors import UnauthorizedError

CHALLENGE = 'Basic realm="cib-exchange", charset="UTF-8", Bearer realm="cib-exchange"'
_FIX = "Send HTTP Basic with the key id and its secret, or the key's token as Bearer."


def read_authorization(header: str | None) -> tuple[str | None, str]:
    """(key id, secret) of HTTP Basic, or (None, token) of Bearer; raises UnauthorizedError."""
    if not header:
        raise UnauthorizedError("This server answers only to its members.", fix=_FIX)
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer" and value:
        return None, value
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(value, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            raise UnauthorizedError("The Authorization header can't be read.", fix=_FIX) from None
        user, colon, secret = text.partition(":")
        if colon:
            return user, secret
    raise UnauthorizedError("The Authorization header can't be read.", fix=_FIX)
