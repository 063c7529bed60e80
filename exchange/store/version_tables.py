"""The tables of policy versions and of the directory through time; times are microseconds since the epoch."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlmodel import Field, SQLModel

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class PolicyVersionRow(SQLModel, table=True):
    """One version of the policy packs, word for word."""

    __tablename__ = "policy_version"
    digest: str = Field(sa_column=Column(Text, primary_key=True))
    texts: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """zlib of a JSON object: file name to TOML text, in the order of reading."""


class PolicyStepRow(SQLModel, table=True):
    """One version was taken to one stage (``exchange.model.policy_version.Step``)."""

    __tablename__ = "policy_step"
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    digest: str = Field(sa_column=Column(Text, ForeignKey("policy_version.digest"), nullable=False))
    stage: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    by_person: str = Field(sa_column=Column(Text, nullable=False))
    why: str = Field(sa_column=Column(Text, nullable=False))
    organisations: str = Field(sa_column=Column(Text, nullable=False))
    """JSON list."""


class PolicyCountRow(SQLModel, table=True):
    """What a version not yet in force would change for one organisation, counted at one time."""

    __tablename__ = "policy_count"
    __table_args__ = (Index("policy_count_version", "digest", "at"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    digest: str = Field(sa_column=Column(Text, ForeignKey("policy_version.digest"), nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    org: str = Field(sa_column=Column(Text, nullable=False))
    """Empty: the sum over all, also where it is nothing."""
    gained: int = Field(sa_column=Column(BigInteger, nullable=False))
    lost: int = Field(sa_column=Column(BigInteger, nullable=False))
    reasons: str = Field(sa_column=Column(Text, nullable=False))
    """JSON object: reason code to number of object versions."""


class DirectoryHistoryRow(SQLModel, table=True):
    """The members' directory as it was from a time on."""

    __tablename__ = "directory_history"
    __table_args__ = (Index("directory_history_at", "at"),)
    version: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    snapshot: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """zlib of JSON: table name to rows; credentials without their digests."""


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)


POLICY_VERSION = _table(PolicyVersionRow)
POLICY_STEP = _table(PolicyStepRow)
POLICY_COUNT = _table(PolicyCountRow)
DIRECTORY_HISTORY = _table(DirectoryHistoryRow)
