"""The tables of webhooks: who is told where, how far it is, and what couldn't be delivered.

Times and places are microseconds since the epoch; a place is a date of adding.
"""

from __future__ import annotations

from typing import cast

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text
from sqlmodel import Field, SQLModel

_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class WebhookRow(SQLModel, table=True):
    """One subscription."""

    __tablename__ = "webhook"
    __table_args__ = (Index("webhook_due", "state", "next_at"),)
    id: str = Field(sa_column=Column(Text, primary_key=True))
    org: str = Field(sa_column=Column(Text, nullable=False))
    credential: str = Field(sa_column=Column(Text, nullable=False))
    """The key that made it: its purpose decides what leaves, and it ends with it."""
    collection: str = Field(sa_column=Column(Text, nullable=False))
    url: str = Field(sa_column=Column(Text, nullable=False))
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Sealed under the server's key file."""
    interest: str = Field(sa_column=Column(Text, nullable=False))
    """JSON: filter to its values."""
    state: str = Field(sa_column=Column(Text, nullable=False))
    """active, or stopped: nothing more is sent until it is resumed."""
    why: str = Field(sa_column=Column(Text, nullable=False))
    """Why it is stopped, or what went wrong last."""
    place: int = Field(sa_column=Column(BigInteger, nullable=False))
    """What was added up to here was delivered, or is a dead letter."""
    until: int | None = Field(default=None, sa_column=Column(BigInteger))
    """Where the message that is being tried ends, from before its first try until it is taken: it is sent again as it
    was, whatever was added since."""
    failures: int = Field(sa_column=Column(Integer, nullable=False))
    """Tries of the present message that failed."""
    next_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Not before this it is looked at; while a process delivers, the end of its lease."""
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    delivered_at: int | None = Field(default=None, sa_column=Column(BigInteger))
    delivered: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Objects that were delivered."""


class DeadLetterRow(SQLModel, table=True):
    """One message that failed for days: where its objects are, and not the objects."""

    __tablename__ = "dead_letter"
    __table_args__ = (Index("dead_letter_webhook", "webhook", "number"),)
    number: int | None = Field(default=None, sa_column=Column(_NUMBER, primary_key=True))
    webhook: str = Field(sa_column=Column(Text, ForeignKey("webhook.id"), nullable=False))
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    after: int = Field(sa_column=Column(BigInteger, nullable=False))
    until: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Its objects are those added in (after, until]."""
    tries: int = Field(sa_column=Column(Integer, nullable=False))
    why: str = Field(sa_column=Column(Text, nullable=False))


WEBHOOK: Table = cast(Table, WebhookRow.__table__)  # type: ignore[attr-defined]
DEAD_LETTER: Table = cast(Table, DeadLetterRow.__table__)  # type: ignore[attr-defined]
