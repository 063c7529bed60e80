"""Salts of commitments to personal values: made with the commitment, destroyed when the subject is erased."""

from __future__ import annotations

import secrets
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from exchange.store.log_tables import SALT

_SALT_BYTES = 32


def commit_value(connection: Connection, value: str, *, subject: str) -> str:
    """Commit to a value (``exchange.audit.commitment``); the salt is kept under ``subject``, such as an object's id."""
    salt = secrets.token_bytes(_SALT_BYTES)
    commitment = sha256(salt + value.encode()).hexdigest()
    connection.execute(insert(SALT), {"commitment": commitment, "subject": subject, "salt": salt})
    return commitment


def find_salt(connection: Connection, commitment: str) -> bytes | None:
    """The salt that opens a commitment; None where it was destroyed or never was."""
    found = connection.execute(select(SALT.c.salt).where(SALT.c.commitment == commitment)).scalar()
    return None if found is None else bytes(found)


def destroy_salts(connection: Connection, subject: str) -> int:
    """Forget the salts of a subject: nobody can tell then what was committed to. Gives how many there were."""
    return connection.execute(delete(SALT).where(SALT.c.subject == subject)).rowcount
