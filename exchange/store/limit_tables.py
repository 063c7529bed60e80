"""The table of what members took of their allowances, over all workers and servers."""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, Column, Float, Table, Text
from sqlmodel import Field, SQLModel


class AllowanceRow(SQLModel, table=True):
    """One allowance of one credential or organisation: a bucket that a minute empties."""

    __tablename__ = "allowance"
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    """requests, bytes or objects; guess-both, -address or -name; streams (``openings``)."""
    who: str = Field(sa_column=Column(Text, primary_key=True))
    """Id of the credential (requests) or of the organisation; of guesses a keyed digest."""
    owed: float = Field(sa_column=Column(Float(53), nullable=False))
    """What was taken and isn't filled again, in minutes' worth: 1 is all that a minute allows."""
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    """When that was so, in microseconds."""


ALLOWANCE: Table = cast(Table, AllowanceRow.__table__)  # type: ignore[attr-defined]
