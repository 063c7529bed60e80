"""Webhook messages as Standard Webhooks writes them: secrets, ids, signatures.

A signature is ``v1,`` and the Base64 of HMAC-SHA256 over ``id.timestamp.body`` under the bytes behind ``whsec_``
(Standard Webhooks, "Signature scheme").
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable

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


def signed_headers(secrets: Iterable[str], message: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a message; ``at`` in seconds since the epoch, ``message`` the same for each try.

    Each of the secrets signs: while one takes the other's place the receiver may hold either.
    """
    said = f"{message}.{at}.".encode() + body
    signed = (base64.b64encode(hmac.digest(key_of(one), said, "sha256")).decode("ascii") for one in secrets)
    return {"webhook-id": message, "webhook-timestamp": str(at),
            "webhook-signature": " ".join(f"v1,{one}" for one in signed), "Content-Type": "application/json"}


def kept_secrets(new: str, held: str, until: int) -> str:
    """What is kept (sealed) when ``new`` takes the place of the secret in ``held``, which signs too until then (µs)."""
    return f"{new} {held.partition(' ')[0]} {until}"


def signing_secrets(held: str, now: int) -> list[str]:
    """The secrets that sign at ``now`` (µs), of what is kept."""
    new, *former = held.split()
    return [new, former[0]] if former and now < int(former[1]) else [new]
