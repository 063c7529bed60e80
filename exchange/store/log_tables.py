"""The tables of the tamper-evident log: tiles of its tree, signed checkpoints, keys, and salts of commitments.

The leaves are the rows of ``event``; ``event_pending`` has the numbers of those without a place yet, ``log_span``
the places of all others, a row for each run of numbers.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text
from sqlmodel import Field, SQLModel

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class EventPendingRow(SQLModel, table=True):
    """An event that waits for its place in the log."""

    __tablename__ = "event_pending"
    number: int = Field(sa_column=Column(_NUMBER, primary_key=True, autoincrement=False))


class LogSpanRow(SQLModel, table=True):
    """The leaves from ``place`` on are the events from ``number`` on, ``count`` of them."""

    __tablename__ = "log_span"
    place: int = Field(sa_column=Column(_NUMBER, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(BigInteger, nullable=False, unique=True))
    count: int = Field(sa_column=Column(BigInteger, nullable=False))


class LogTileRow(SQLModel, table=True):
    """Up to 256 hashes of one level of the tree, in one piece (C2SP tlog-tiles)."""

    __tablename__ = "log_tile"
    level: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hashes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class LogCheckpointRow(SQLModel, table=True):
    """A signed checkpoint as it was published."""

    __tablename__ = "log_checkpoint"
    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    note: str = Field(sa_column=Column(Text, nullable=False))


class LogCosignatureRow(SQLModel, table=True):
    """A member's signature under a checkpoint."""

    __tablename__ = "log_cosignature"
    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    verifier: str = Field(sa_column=Column(Text, primary_key=True))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    line: str = Field(sa_column=Column(Text, nullable=False))


class LogKeyRow(SQLModel, table=True):
    """A verifier key, of the log itself (``org`` is empty) or of a member that cosigns."""

    __tablename__ = "log_key"
    verifier: str = Field(sa_column=Column(Text, primary_key=True))
    org: str = Field(sa_column=Column(Text, nullable=False))
    since: int = Field(sa_column=Column(BigInteger, nullable=False))
    until: int | None = Field(default=None, sa_column=Column(BigInteger))


class LogCursorRow(SQLModel, table=True):
    """Numbers that change with the log: ``size``, the number of leaves; its row is the sequencer's lock."""

    __tablename__ = "log_cursor"
    name: str = Field(sa_column=Column(Text, primary_key=True))
    value: int = Field(sa_column=Column(BigInteger, nullable=False))


class LogSaltRow(SQLModel, table=True):
    """The salt of a commitment to a personal value; it goes when the value is erased."""

    __tablename__ = "log_salt"
    __table_args__ = (Index("log_salt_subject", "subject"),)
    commitment: str = Field(sa_column=Column(Text, primary_key=True))
    subject: str = Field(sa_column=Column(Text, nullable=False))
    salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


def _table(model: type[SQLModel]) -> Table:
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


PENDING = _table(EventPendingRow)
SPAN = _table(LogSpanRow)
TILE = _table(LogTileRow)
SIGNED = _table(LogCheckpointRow)
COSIGNATURE = _table(LogCosignatureRow)
KEY = _table(LogKeyRow)
CURSOR = _table(LogCursorRow)
SALT = _table(LogSaltRow)
