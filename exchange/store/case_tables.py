"""The tables of contests, disputes, contributors' records, held contributors and emergencies.

Times are microseconds since the epoch; lists are JSON texts. Evidence is kept as hashes only.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text, false, text
from sqlmodel import Field, SQLModel

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class ContestRow(SQLModel, table=True):
    """One contest of objects of one producer in one collection (R27)."""

    __tablename__ = "contest"
    __table_args__ = (Index("contest_stage", "stage", "opened_at"),)
    id: str = Field(sa_column=Column(Text, primary_key=True))
    opened_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), nullable=False))
    producer: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    contester: str = Field(sa_column=Column(Text, nullable=False))
    contester_person: str | None = Field(default=None, sa_column=Column(Text))
    for_person: bool = Field(sa_column=Column(Boolean, nullable=False))
    """Opened by the operator on behalf of an affected person."""
    grounds: str = Field(sa_column=Column(Text, nullable=False))
    evidence: str = Field(sa_column=Column(Text, nullable=False))
    """JSON list of hex SHA-256."""
    stage: str = Field(sa_column=Column(Text, nullable=False))
    restricted: bool = Field(sa_column=Column(Boolean, nullable=False))
    answer_due: int = Field(sa_column=Column(BigInteger, nullable=False))
    answered_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    answerer: str | None = Field(default=None, sa_column=Column(Text))
    review_due: int | None = Field(default=None, sa_column=Column(BigInteger))
    reviewer: str | None = Field(default=None, sa_column=Column(Text))
    reviewer_person: str | None = Field(default=None, sa_column=Column(Text))
    ended_at: int | None = Field(default=None, sa_column=Column(BigInteger))


class ContestObjectRow(SQLModel, table=True):
    """One object of a contest."""

    __tablename__ = "contest_object"
    __table_args__ = (Index("contest_object_id", "stix_id"),)
    contest: str = Field(sa_column=Column(Text, ForeignKey("contest.id"), primary_key=True))
    stix_id: str = Field(sa_column=Column(Text, primary_key=True))
    campaign_class: str = Field(sa_column=Column(Text, nullable=False))
    known_as: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    """The id of the derived form by which the contester knows it; empty: its own id."""


class ContestStepRow(SQLModel, table=True):
    """One step of a contest, with what was said."""

    __tablename__ = "contest_step"
    __table_args__ = (Index("contest_step_contest", "contest"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    contest: str = Field(sa_column=Column(Text, ForeignKey("contest.id"), nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    step: str = Field(sa_column=Column(Text, nullable=False))
    role: str = Field(sa_column=Column(Text, nullable=False))
    org: str = Field(sa_column=Column(Text, nullable=False))
    person: str | None = Field(default=None, sa_column=Column(Text))
    statement: str = Field(sa_column=Column(Text, nullable=False))


class VoiceRow(SQLModel, table=True):
    """What one object of a member (an opinion, sighting or note) says of another's object, until taken back."""

    __tablename__ = "voice"
    __table_args__ = (
        Index("voice_about", "feed", "stix_id", "producer"),
        Index("voice_statement", "statement", "org"),
    )
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    statement: str = Field(sa_column=Column(Text, nullable=False))
    """STIX id of the object that says it."""
    org: str = Field(sa_column=Column(Text, nullable=False))
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), nullable=False))
    producer: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    stix_id: str = Field(sa_column=Column(Text, nullable=False))
    word: str = Field(sa_column=Column(Text, nullable=False))
    """dispute or back."""
    affected: bool = Field(sa_column=Column(Boolean, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    ended_at: int | None = Field(default=None, sa_column=Column(BigInteger))


class FlagRow(SQLModel, table=True):
    """An object that is marked as disputed, and the exchange's opinion that says so beside it (P19)."""

    __tablename__ = "flag"
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), primary_key=True))
    producer: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), primary_key=True))
    stix_id: str = Field(sa_column=Column(Text, primary_key=True))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    lifted_at: int | None = Field(default=None, sa_column=Column(BigInteger))


class VerdictRow(SQLModel, table=True):
    """An object was confirmed or overturned: it counts in its contributor's record."""

    __tablename__ = "verdict"
    __table_args__ = (
        Index("verdict_once", "producer", "feed", "stix_id", "word", unique=True),
    )
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    producer: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    feed: int = Field(sa_column=Column(Integer, nullable=False))
    stix_id: str = Field(sa_column=Column(Text, nullable=False))
    campaign_class: str = Field(sa_column=Column(Text, nullable=False))
    word: str = Field(sa_column=Column(Text, nullable=False))
    """confirmed or overturned."""
    cause: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    repeated: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=false()))
    """Whether the contributor had received it from others: then the verdict isn't one on the contributor."""


class ContributorDayRow(SQLModel, table=True):
    """How many objects a contributor gave on one day (UTC, days since the epoch), and whether they are held."""

    __tablename__ = "contributor_day"
    __table_args__ = ({"sqlite_with_rowid": False},)
    contributor: int = Field(sa_column=Column(
        Integer, ForeignKey("contributor.number"), primary_key=True, autoincrement=False))
    day: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    given: int = Field(sa_column=Column(BigInteger, nullable=False))
    held: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))


class ContributorHoldRow(SQLModel, table=True):
    """A contributor whose new objects wait for a person, until released or rejected."""

    __tablename__ = "contributor_hold"
    __table_args__ = (Index("contributor_hold_open", "contributor", "ended_at"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    contributor: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    since: int = Field(sa_column=Column(BigInteger, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    ended_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    outcome: str | None = Field(default=None, sa_column=Column(Text))
    """released or rejected."""
    by_person: str | None = Field(default=None, sa_column=Column(Text))


class ValueReportRow(SQLModel, table=True):
    """A row of ``object`` reports a value (a 64-bit key of its normal form); filled in behind the pushes."""

    __tablename__ = "value_report"
    __table_args__ = (Index("value_report_object", "feed", "seq"), {"sqlite_with_rowid": False})
    value: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class ValueMarkRow(SQLModel, table=True):
    """Up to which date of a collection ``value_report`` is filled in."""

    __tablename__ = "value_mark"
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))


class EmergencyRow(SQLModel, table=True):
    """A declared emergency (R28)."""

    __tablename__ = "emergency"
    id: str = Field(sa_column=Column(Text, primary_key=True))
    declared_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    org: str = Field(sa_column=Column(Text, nullable=False))
    declared_by: str = Field(sa_column=Column(Text, nullable=False))
    people: str = Field(sa_column=Column(Text, nullable=False))
    since: int = Field(sa_column=Column(BigInteger, nullable=False))
    until: int = Field(sa_column=Column(BigInteger, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    collections: str = Field(sa_column=Column(Text, nullable=False))
    ended_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    reviewed_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    reviewer: str | None = Field(default=None, sa_column=Column(Text))
    findings: str = Field(sa_column=Column(Text, nullable=False))


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)


CONTEST = _table(ContestRow)
CONTEST_OBJECT = _table(ContestObjectRow)
CONTEST_STEP = _table(ContestStepRow)
VOICE = _table(VoiceRow)
FLAG = _table(FlagRow)
VERDICT = _table(VerdictRow)
CONTRIBUTOR_DAY = _table(ContributorDayRow)
CONTRIBUTOR_HOLD = _table(ContributorHoldRow)
VALUE_REPORT = _table(ValueReportRow)
VALUE_MARK = _table(ValueMarkRow)
EMERGENCY = _table(EmergencyRow)
