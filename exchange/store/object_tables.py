"""The tables that hold pushed objects, their policy labels and who may see them.

Declared with SQLModel (its metadata is what migrations are compared with), written and read with Core: an ORM
insert costs eight times as much (measured).
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text, text
from sqlmodel import Field, SQLModel

# SQLite gives an automatic number only to a column of the exact type INTEGER.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
# Versions are compared as text, byte by byte; a PostgreSQL database may sort text otherwise.
_TIME_TEXT = Text().with_variant(Text(collation="C"), "postgresql")


class FeedRow(SQLModel, table=True):
    """One collection's order: ``last_seq`` is the date_added (microseconds) of its newest object.

    The row is also the lock that serialises the collection's commits on PostgreSQL, so that dates are handed
    out in commit order.
    """

    __tablename__ = "feed"
    number: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    collection: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    last_seq: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    """Grows when an object is withdrawn or gets another row: what was read before may be different now."""


class ContributorRow(SQLModel, table=True):
    """A small number for each contributing organisation, to keep object rows short."""

    __tablename__ = "contributor"
    number: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    org: str = Field(sa_column=Column(Text, nullable=False, unique=True))


class LabelRow(SQLModel, table=True):
    """Everything immutable about an object's sharing policy, folded to one number."""

    __tablename__ = "label"
    number: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    digest: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    facts: str = Field(sa_column=Column(Text, nullable=False))


class ProfileRow(SQLModel, table=True):
    """Everything about one who asks, at a time, folded to one number."""

    __tablename__ = "profile"
    number: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    digest: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    facts: str = Field(sa_column=Column(Text, nullable=False))


class GrantRow(SQLModel, table=True):
    """The label may be seen by the profile; no row means no.

    ``withheld`` is 0 where it is seen in full, else the row of ``withholding`` that names the parts left out.
    """

    __tablename__ = "policy_grant"
    __table_args__ = ({"sqlite_with_rowid": False},)
    profile: int = Field(sa_column=Column(Integer, ForeignKey("profile.number"), primary_key=True))
    label: int = Field(sa_column=Column(Integer, ForeignKey("label.number"), primary_key=True))
    withheld: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))


class WithholdingRow(SQLModel, table=True):
    """Parts that are left out of what a reader gets (P21): a canonical JSON list of selectors and categories."""

    __tablename__ = "withholding"
    number: int | None = Field(default=None, sa_column=Column(Integer, primary_key=True))
    parts: str = Field(sa_column=Column(Text, nullable=False, unique=True))


class ObjectRow(SQLModel, table=True):
    """One pushed version of one object by one contributor, with the bytes as they were sent.

    ``id_key`` is 64 bits of a hash of ``stix_id``: a short index; every use compares the id
    too. ``version`` is the sortable form of ``modified`` (or ``created``), empty for objects without either,
    whose version is the date added (TAXII 2.1, 3.4.1); ``version_text`` is the time as it was written where
    that isn't ``version`` followed by Z. ``shared_id`` says that the collection holds another row
    with the same id, so that only such rows pay for finding the newest. ``claim`` is the seq of the
    contributor's first row of that id, its claim to it, or later where the id doesn't follow from the content.
    ``state`` is a ``State``; ``refs`` counts the rows of ``reference`` and ``closure`` says which of those targets
    the reader must see (``Closure``, P20).
    """

    __tablename__ = "object"
    __table_args__ = (
        Index("object_order", "feed", "seq", unique=True),
        Index("object_id", "id_key", "feed", "claim", "version"),  # finding the newest of many versions: one step
        Index("object_label", "feed", "label", "seq"),
        Index("object_type", "feed", "type", "seq"),
        Index("object_opening", "visible_from", sqlite_where=text("visible_from IS NOT NULL"),
              postgresql_where=text("visible_from IS NOT NULL")),
    )
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    claim: int = Field(sa_column=Column(BigInteger, nullable=False))
    contributor: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    label: int = Field(sa_column=Column(Integer, ForeignKey("label.number"), nullable=False))
    id_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    shared_id: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    visible_from: int | None = Field(default=None, sa_column=Column(BigInteger))
    visible_until: int | None = Field(default=None, sa_column=Column(BigInteger))
    stix_id: str = Field(sa_column=Column(Text, nullable=False))
    type: str = Field(sa_column=Column(Text, nullable=False))
    version: str = Field(sa_column=Column(_TIME_TEXT, nullable=False))
    version_text: str | None = Field(default=None, sa_column=Column(Text))
    spec_version: str = Field(sa_column=Column(Text, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    state: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))
    refs: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    closure: int = Field(default=0, sa_column=Column(SmallInteger, nullable=False, server_default=text("0")))


class ReferenceRow(SQLModel, table=True):
    """An object refers to another that its contributor could see when it was pushed (P20)."""

    __tablename__ = "reference"
    __table_args__ = (Index("reference_target", "target_key"), {"sqlite_with_rowid": False})
    object: int = Field(sa_column=Column(
        _NUMBER, ForeignKey("object.number", ondelete="CASCADE"), primary_key=True, autoincrement=False))
    target_key: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    target_id: str = Field(sa_column=Column(Text, primary_key=True))


class RecipientRow(SQLModel, table=True):
    """An organisation (its number as contributor) received an earlier version of a revoked object (P15)."""

    __tablename__ = "recipient"
    __table_args__ = ({"sqlite_with_rowid": False},)
    object: int = Field(sa_column=Column(
        _NUMBER, ForeignKey("object.number", ondelete="CASCADE"), primary_key=True, autoincrement=False))
    org: int = Field(sa_column=Column(
        Integer, ForeignKey("contributor.number"), primary_key=True, autoincrement=False))


class StatusRow(SQLModel, table=True):
    """The status resource of one push (TAXII 2.1, 4.3), compressed; visible to its pusher only."""

    __tablename__ = "push_status"
    __table_args__ = (Index("push_status_end", "expires"),)
    id: str = Field(sa_column=Column(Text, primary_key=True))
    community: str = Field(sa_column=Column(Text, nullable=False))
    org: str = Field(sa_column=Column(Text, nullable=False))
    expires: int = Field(sa_column=Column(BigInteger, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class EventRow(SQLModel, table=True):
    """What happened: one row for each push, delete or change, written with what it records and never changed.

    The row is a leaf of the log (``exchange.audit.leaf``): ``detail`` is canonical JSON, ``id`` what its receipt
    is asked by, ``nonce`` keeps its hash from being guessed. Its index is told by ``log_span``.
    """

    __tablename__ = "event"
    __table_args__ = (Index("event_org", "org", "number"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    org: str = Field(sa_column=Column(Text, nullable=False))
    detail: str = Field(sa_column=Column(Text, nullable=False))
    id: str = Field(sa_column=Column(Text, nullable=False, unique=True))
    nonce: str = Field(sa_column=Column(Text, nullable=False))


class CheckpointRow(SQLModel, table=True):
    """Where a connector's run stands, by organisation, connector and source."""

    __tablename__ = "checkpoint"
    org: str = Field(sa_column=Column(Text, primary_key=True))
    connector: str = Field(sa_column=Column(Text, primary_key=True))
    source: str = Field(sa_column=Column(Text, primary_key=True))
    state: str = Field(sa_column=Column(Text, nullable=False))


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)


FEED = _table(FeedRow)
CONTRIBUTOR = _table(ContributorRow)
LABEL = _table(LabelRow)
PROFILE = _table(ProfileRow)
GRANT = _table(GrantRow)
WITHHOLDING = _table(WithholdingRow)
OBJECT = _table(ObjectRow)
REFERENCE = _table(ReferenceRow)
RECIPIENT = _table(RecipientRow)
STATUS = _table(StatusRow)
EVENT = _table(EventRow)
CHECKPOINT = _table(CheckpointRow)
