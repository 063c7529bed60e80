"""The tables of what became visible to a reader later than it was pushed, and when that reader looked last.

A *seat* is a number for one who reads, whatever credential it uses: organisation, person, purpose, kind of channel.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, Table, Text
from sqlmodel import Field, SQLModel

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class LookRow(SQLModel, table=True):
    """How a seat looked at a collection the last time: what it might see is compared with that when it looks again."""

    __tablename__ = "look"
    __table_args__ = ({"sqlite_with_rowid": False},)
    seat: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), primary_key=True, autoincrement=False))
    profile: int = Field(sa_column=Column(Integer, nullable=False))
    collections: str = Field(sa_column=Column(Text, nullable=False))
    """JSON list of the collections that it could read, sorted."""
    directory: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Version of the directory that the profile was folded from."""
    opened: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Microseconds: release dates up to then are behind it."""
    stirred: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Number of the last row of ``stir`` that it has taken in."""
    arrived: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Date of the last of its rows in ``arrival``; 0: it has none."""


class ArrivalRow(SQLModel, table=True):
    """An object that a seat sees later than it was pushed stands in that seat's order at ``date``, not at its own."""

    __tablename__ = "arrival"
    __table_args__ = (
        Index("arrival_order", "seat", "feed", "date"), Index("arrival_object", "object"),
        {"sqlite_with_rowid": False},
    )
    seat: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    object: int = Field(sa_column=Column(
        _NUMBER, ForeignKey("object.number", ondelete="CASCADE"), primary_key=True, autoincrement=False))
    feed: int = Field(sa_column=Column(Integer, nullable=False))
    date: int = Field(sa_column=Column(BigInteger, nullable=False))


class StirRow(SQLModel, table=True):
    """An object changed so that readers of a collection may see more of it than before.

    ``itself``: the object may be seen from now on; else what refers to it may. Rows of one collection are committed
    in the order of their numbers, since its row in ``feed`` is locked first.
    """

    __tablename__ = "stir"
    __table_args__ = (Index("stir_feed", "feed", "number"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), nullable=False))
    object: int = Field(sa_column=Column(BigInteger, nullable=False))
    """It may be gone: its row here stays, since SQLite would give the last one's number out again."""
    itself: int = Field(sa_column=Column(SmallInteger, nullable=False))


LOOK = cast(Table, LookRow.__table__)  # type: ignore[attr-defined]
ARRIVAL = cast(Table, ArrivalRow.__table__)  # type: ignore[attr-defined]
STIR = cast(Table, StirRow.__table__)  # type: ignore[attr-defined]
