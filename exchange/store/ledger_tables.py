"""The tables of the delivery ledger: who received which versions of what, when, under which receipt.

On PostgreSQL they lie in the database; on SQLite in a file of their own beside it (``ledger``), where the same
tables of the main file stay empty. So no foreign keys: numbers are those of the main database.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class ReceiverRow(SQLModel, table=True):
    """Who received, on which credential, for which purpose, under which policy: a small number for each."""

    __tablename__ = "receiver"
    __table_args__ = (UniqueConstraint("org", "credential", "purpose", "profile", "policy"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    org: int = Field(sa_column=Column(Integer, nullable=False))
    """Its number as contributor."""
    credential: str = Field(sa_column=Column(Text, nullable=False))
    purpose: str = Field(sa_column=Column(Text, nullable=False))
    profile: int = Field(sa_column=Column(Integer, nullable=False))
    policy: str = Field(sa_column=Column(Text, nullable=False))
    """Digest of the policy version."""


class DeliveryRow(SQLModel, table=True):
    """One page that left: ``seqs`` are the dates of its objects, run-length-coded (``runs``)."""

    __tablename__ = "delivery"
    __table_args__ = (Index("delivery_span", "feed", "last"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    receiver: int = Field(sa_column=Column(Integer, nullable=False))
    feed: int = Field(sa_column=Column(Integer, nullable=False))
    first: int = Field(sa_column=Column(BigInteger, nullable=False))
    last: int = Field(sa_column=Column(BigInteger, nullable=False))
    count: int = Field(sa_column=Column(Integer, nullable=False))
    seqs: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    receipt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """16 random bytes; the client gets them in hexadecimal."""
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """SHA-256 of the body of the answer."""


class DerivedRow(SQLModel, table=True):
    """A derived object's id (P21) and the object that it was made of, noted before it is first shown."""

    __tablename__ = "derived"
    __table_args__ = ({"sqlite_with_rowid": False},)
    id_key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    stix_id: str = Field(sa_column=Column(Text, primary_key=True))
    object: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)


RECEIVER = _table(ReceiverRow)
DELIVERY = _table(DeliveryRow)
DERIVED = _table(DerivedRow)
