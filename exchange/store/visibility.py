"""Who may see a row of ``object``, as a condition in SQL: grant, state, window in time, and what it refers to.

A row is seen *in full* under its own id, or in a form of which parts are left out, under another id (P20, P21).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    FromClause,
    ScalarSelect,
    and_,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
)

from exchange.model.state import State
from exchange.stix.references import Closure
from exchange.store.object_tables import FEED, GRANT, OBJECT, RECIPIENT, REFERENCE
from exchange.store.statement import listed, number, one_of

NOBODY = 0
"""The profile that is granted nothing: numbers begin at 1."""
DEEP = 2
"""How far references are followed; what refers further on isn't seen through them."""


def _word(value: int) -> ColumnElement[int]:
    return literal_column(str(int(value)))


@dataclass(frozen=True)
class Reader:
    """Who asks, as a profile number, and when, in microseconds since the epoch."""

    profile: int
    now: int
    org: int = 0
    """Number of the organisation as contributor; 0: none, nothing is its own."""
    collections: tuple[str, ...] = ()
    """Ids of the collections that it may read: where the targets of references are looked for (P20)."""
    facts: str = ""
    """The profile's canonical facts, for decisions anew."""
    credential: str = ""
    purpose: str = ""
    policy: str = ""
    """Digest of the policy version that decides for it."""
    directory: int = 0
    """Version of the directory that all this was read from."""
    seat: int = 0
    """Number of whoever reads in this way, whatever the credential (``arrival_tables``); 0: nobody keeps its place."""
    opened: int | None = None
    """Release dates up to then are over for it (microseconds); None: up to ``now``."""
    changes: int | None = None
    """Microseconds: when the profile is another one by date alone; None: never."""
    arrived: int = 0
    """In the collection that is asked: date of the last object that its seat saw later than it was pushed; 0: none."""


def id_key(stix_id: str) -> int:
    """64 bits (signed) of a hash of the id, for the short index; never enough to identify the object."""
    return int.from_bytes(hashlib.blake2b(stix_id.encode(), digest_size=8).digest(), signed=True)


def reader_values(dialect: Dialect, reader: Reader) -> dict[str, Any]:
    """What ``visible`` and ``seen`` bind."""
    return {
        "profile": reader.profile, "now": reader.now, "org": reader.org,
        "opened": reader.now if reader.opened is None else reader.opened,
        "collections": _listed(dialect, reader.collections),
    }


@lru_cache(maxsize=1_024)
def _listed(dialect: Dialect, collections: tuple[str, ...]) -> Any:
    return listed(dialect, collections)


def visible(rows: FromClause, dialect: Dialect, *, full: bool = False, deep: int = DEEP) -> ColumnElement[bool]:
    """The reader may see the row, in full or in any form.

    Arithmetic on the label keeps the database from walking by label where another index gives the order.
    """
    granted = select(GRANT.c.label).where(GRANT.c.profile == number("profile"))
    if full:
        granted = granted.where(GRANT.c.withheld == _word(0))
    return and_((rows.c.label + _word(0)).in_(granted), present(rows, dialect, full=full, deep=deep))


def present(rows: FromClause, dialect: Dialect, *, full: bool = False, deep: int = DEEP) -> ColumnElement[bool]:
    """The rest of ``visible``, where the label is known to be granted."""
    return and_(
        or_(rows.c.state <= _word(State.DISPUTED), _by_state(rows)),
        or_(rows.c.visible_from.is_(None), rows.c.visible_from <= number("opened")),
        or_(rows.c.visible_until.is_(None), rows.c.visible_until > number("now")),
        or_(rows.c.closure == _word(Closure.FREE), _closed(rows, dialect, full=full, deep=deep)),
    )


def _by_state(rows: FromClause) -> ColumnElement[bool]:
    """Its contributor sees its restricted, held and revoked objects; earlier recipients the revoked; nobody erased."""
    told = exists().where(RECIPIENT.c.object == rows.c.number, RECIPIENT.c.org == number("org"))
    own = and_(rows.c.contributor == number("org"), rows.c.state != _word(State.ERASED))
    return or_(own, and_(rows.c.state == _word(State.REVOKED), told))


def _closed(rows: FromClause, dialect: Dialect, *, full: bool, deep: int) -> ColumnElement[bool]:
    """As many of the row's closed references are seen as it needs; beyond ``deep`` none is (in doubt: no)."""
    if deep == 0:
        return false()
    link = REFERENCE.alias(f"link{deep}")
    seen: ScalarSelect[int] = select(func.count()).select_from(link).where(
        link.c.object == rows.c.number, target_seen(link, dialect, deep - 1)
    ).correlate(rows).scalar_subquery()
    needed: Any = rows.c.refs if full else case(
        (rows.c.closure == _word(Closure.ALL), rows.c.refs),
        (rows.c.closure == _word(Closure.SOME), _word(1)),
        else_=_word(0),
    )
    enough: ColumnElement[bool] = seen >= needed
    return enough


def target_seen(link: FromClause, dialect: Dialect, deep: int = DEEP - 1) -> ColumnElement[bool]:
    """The reader sees, in full and in some collection that it may read, an object of the id that ``link`` names."""
    target = OBJECT.alias(f"target{deep}")
    feeds = select(FEED.c.number).where(one_of(dialect, FEED.c.collection, "collections"))
    return exists(select(target.c.number).where(
        target.c.id_key == link.c.target_key, target.c.stix_id == link.c.target_id,
        target.c.feed.in_(feeds), visible(target, dialect, full=True, deep=deep),
    ).correlate(link))
