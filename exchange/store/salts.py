"""Salts of commitments to personal values: made with the commitment, destroyed when the subject is erased.

The log names objects by commitments too: an observable's id follows from its value (STIX 2.1, 2.9), so whoever
can guess the value knows the id.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from exchange.store.log_tables import SALT

_SALT_BYTES = 32
_STIX_ID = re.compile(r"([a-z0-9][a-z0-9-]{2,249})--[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_OPEN = frozenset({"marking-definition", "extension-definition"})
"""Types whose ids don't follow from a value; those of notices do, from the ids of what they are about."""
_AT_A_TIME = 500


def names_object(text: str) -> bool:
    """Whether a text is an object's id, for which a commitment stands in the log."""
    found = _STIX_ID.fullmatch(text) if "--" in text else None
    return found is not None and found[1] not in _OPEN


def commit_name(connection: Connection, stix_id: str) -> str:
    """How the log names an object: the same commitment each time, for as long as its salt is there."""
    return _commit_once(connection, stix_id, _named(stix_id))


def commit_person(connection: Connection, person: str) -> str:
    """How the log names a person: two steps show whether they are one's or two people's, not whose."""
    return _commit_once(connection, person, f"person:{person}")


def _commit_once(connection: Connection, value: str, subject: str) -> str:
    known = connection.execute(
        select(SALT.c.commitment).where(SALT.c.subject == subject).order_by(SALT.c.commitment).limit(1)).scalar()
    return f"salted:{known or commit_value(connection, value, subject=subject)}"


def salts_of_name(connection: Connection, stix_id: str) -> list[bytes]:
    """The salts that open the names of an object in the log; two may be there where two events came at once."""
    return [bytes(salt) for salt in connection.execute(
        select(SALT.c.salt).where(SALT.c.subject == _named(stix_id)).order_by(SALT.c.commitment)).scalars()]


def destroy_names(connection: Connection, stix_ids: Iterable[str]) -> int:
    """Forget the salts of objects' names: what the log says of them stays, of which object nobody can tell."""
    subjects = [subject for stix_id in stix_ids for subject in (_named(stix_id), content_of(stix_id))]
    return sum(connection.execute(delete(SALT).where(SALT.c.subject.in_(subjects[at : at + _AT_A_TIME]))).rowcount
               for at in range(0, len(subjects), _AT_A_TIME))


def content_of(stix_id: str) -> str:
    """Under which subject the salt of a commitment to a notice's text is kept."""
    return f"content:{stix_id}"


def _named(stix_id: str) -> str:
    return f"object:{stix_id}"


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
