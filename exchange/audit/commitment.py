"""How the log speaks of a personal value without holding it: SHA-256 over a salt and the value.

The salt is kept apart and destroyed when the value is erased; then nobody can tell what was committed to.
"""

from __future__ import annotations

from hashlib import sha256

SALT_BYTES = 32


def commit(salt: bytes, value: bytes) -> str:
    """The commitment in hex. Raises ValueError for a salt that isn't 32 bytes: the value could be guessed."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return sha256(salt + value).hexdigest()
