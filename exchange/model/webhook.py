"""Webhook messages as Standard Webhooks writes them: secrets, ids, signatures.

A signature is ``v1,`` and the Base64 of HMAC-SHA256 over ``id.timestamp.body`` under the bytes behind ``whsec_``
(Standard Webhooks, "Signature scheme").
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable

from exchange.errors import InputError

PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64
"""Bytes of a secret (Standard Webhooks)."""


def new_secret(random: Callable[[int], bytes]) -> str:
    """A secret of 32 random bytes, as it is shown once."""
    return PREFIX + base64.b64encode(random(32)).decode("ascii")


def key_of(secret: str) -> bytes:
    """The bytes of a secret; raises InputError for a text that is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not _SHORTEST <= len(key) <= _LONGEST:
        raise InputError("That is no secret of a webhook.",
                         fix=f"It is {PREFIX} and the Base64 of {_SHORTEST} to {_LONGEST} bytes.")
    return key


def signed_headers(secret: str, message: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a message; ``at`` in seconds since the epoch, ``message`` the same for each try."""
    signature = hmac.digest(key_of(secret), f"{message}.{at}.".encode() + body, "sha256")
    signed = "v1," + base64.b64encode(signature).decode("ascii")
    return {"webhook-id": message, "webhook-timestamp": str(at), "webhook-signature": signed,
            "Content-Type": "application/json"}
