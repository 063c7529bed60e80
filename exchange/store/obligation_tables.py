"""The tables of what is owed after sharing: states through time, legal holds, erasures, notices, answers.

Times are microseconds since the epoch.
"""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text
from sqlmodel import Field, SQLModel

from exchange.store.object_tables import OBJECT

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class StateChangeRow(SQLModel, table=True):
    """One change of the state of one contributor's object in one collection."""

    __tablename__ = "state_change"
    __table_args__ = (Index("state_change_object", "feed", "id_key", "contributor", "at"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), nullable=False))
    contributor: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    id_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    stix_id: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    before: int = Field(sa_column=Column(Integer, nullable=False))
    after: int = Field(sa_column=Column(Integer, nullable=False))
    by_org: str = Field(sa_column=Column(Text, nullable=False))
    by_role: str = Field(sa_column=Column(Text, nullable=False))
    """producer, officer or case: what one did another doesn't lift."""
    by_key: str = Field(sa_column=Column(Text, nullable=False))
    """Key id of the credential, or the person's name where it was done on the server's machine."""
    reason: str = Field(sa_column=Column(Text, nullable=False))
    citation: str = Field(sa_column=Column(Text, nullable=False))


class WithdrawnRow(SQLModel, table=True):
    """A version that its contributor deleted: who received it is still told when the object is erased."""

    __tablename__ = "withdrawn"
    __table_args__ = (Index("withdrawn_object", "id_key", "contributor"),)
    feed: int = Field(sa_column=Column(Integer, ForeignKey("feed.number"), primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    contributor: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    id_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    stix_id: str = Field(sa_column=Column(Text, nullable=False))
    version: str = Field(sa_column=Column(Text, nullable=False))
    """As its producer wrote it."""
    at: int | None = Field(default=None, sa_column=Column(BigInteger))
    """When it was deleted, in microseconds; unknown where an earlier release did it, as are the label and the row."""
    label: int | None = Field(default=None, sa_column=Column(Integer))
    object: int | None = Field(default=None, sa_column=Column(BigInteger))
    """The number that its row had: by it the ledger knows the forms in which it left."""


class HoldRow(SQLModel, table=True):
    """A legal hold on one contributor's object, in every collection."""

    __tablename__ = "hold"
    __table_args__ = (Index("hold_object", "id_key", "contributor"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    contributor: int = Field(sa_column=Column(Integer, ForeignKey("contributor.number"), nullable=False))
    id_key: int = Field(sa_column=Column(BigInteger, nullable=False))
    stix_id: str = Field(sa_column=Column(Text, nullable=False))
    since: int = Field(sa_column=Column(BigInteger, nullable=False))
    until: int | None = Field(default=None, sa_column=Column(BigInteger))
    released: int | None = Field(default=None, sa_column=Column(BigInteger))
    by_org: str = Field(sa_column=Column(Text, nullable=False))
    by_key: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))


class SealedRow(SQLModel, table=True):
    """A copy of one version under a hold, encrypted; it is never released through the exchange."""

    __tablename__ = "sealed"
    __table_args__ = (Index("sealed_once", "hold", "feed", "seq", unique=True),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    hold: int = Field(sa_column=Column(BigInteger, ForeignKey("hold.number"), nullable=False))
    feed: int = Field(sa_column=Column(Integer, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    version: str = Field(sa_column=Column(Text, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    """Fingerprint of the key that opens it."""
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ErasureRow(SQLModel, table=True):
    """What stays of an erased version: which one it was, and a salted commitment to its content."""

    __tablename__ = "erasure"
    __table_args__ = (Index("erasure_version", "feed", "seq", unique=True),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    change: int = Field(sa_column=Column(BigInteger, ForeignKey("state_change.number"), nullable=False))
    feed: int = Field(sa_column=Column(Integer, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    version: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    commitment: str = Field(sa_column=Column(Text, nullable=False))
    """Hex SHA-256 of a salt and the content; the salt is kept apart for a while (``exchange.store.salts``)."""


class NoticeRow(SQLModel, table=True):
    """A notice as it was sent, and what became of it."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("notice_org", "org", "at"),
        Index("notice_due", "state", "deadline"),
        Index("notice_reference", "reference"),
    )
    id: str = Field(sa_column=Column(Text, primary_key=True))
    """Id of its note."""
    org: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    obligation: str = Field(sa_column=Column(Text, nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    deadline: int | None = Field(default=None, sa_column=Column(BigInteger))
    citation: str = Field(sa_column=Column(Text, nullable=False))
    reason: str = Field(sa_column=Column(Text, nullable=False))
    reference: str = Field(sa_column=Column(Text, nullable=False))
    objects: str = Field(sa_column=Column(Text, nullable=False))
    """JSON list of {id, versions}."""
    state: str = Field(sa_column=Column(Text, nullable=False))
    """open, done, not-done, escalated, suspended or told (nothing is awaited)."""
    escalated: int | None = Field(default=None, sa_column=Column(BigInteger))


class AcknowledgementRow(SQLModel, table=True):
    """One answer to a notice; a recipient may answer again, the newest counts."""

    __tablename__ = "acknowledgement"
    __table_args__ = (Index("acknowledgement_notice", "notice"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    notice: str = Field(sa_column=Column(Text, ForeignKey("notice.id"), nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    done: bool = Field(sa_column=Column(Boolean, nullable=False))
    statement: str = Field(sa_column=Column(Text, nullable=False))
    by_key: str = Field(sa_column=Column(Text, nullable=False))


def _table(model: Any) -> Table:
    return cast(Table, model.__table__)


Index(
    "object_end", OBJECT.c.visible_until,
    sqlite_where=text("body <> x''"), postgresql_where=text("body <> ''::bytea"),
)
STATE_CHANGE = _table(StateChangeRow)
WITHDRAWN = _table(WithdrawnRow)
HOLD = _table(HoldRow)
SEALED = _table(SealedRow)
ERASURE = _table(ErasureRow)
NOTICE = _table(NoticeRow)
ACKNOWLEDGEMENT = _table(AcknowledgementRow)
