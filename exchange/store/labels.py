"""Labels, profiles and grants: what was decided once about who may see what, so that a page is one query.

A label folds everything immutable about an object's policy, a profile everything about one who asks; the grant
of each pair is computed when either is new. Both are made in small transactions of their own under one lock, so
that no pair is ever missed: a label sees every earlier profile and a profile every earlier label.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from sqlalchemy import Connection, Dialect, Engine, Insert, Table, insert, select, text

from exchange.store.engine import is_sqlite, raw, read, write
from exchange.store.object_tables import CONTRIBUTOR, FEED, GRANT, LABEL, PROFILE, WITHHOLDING
from exchange.store.statement import Prepared, listed, number, one_of
from exchange.store.statement import text as bound_text

Grants = Callable[[str, str], Sequence[str] | None]
"""(profile facts, label facts), both canonical JSON -> the parts to leave out, none where the profile may see the
label in full; None: it may not see it."""

_POLICY_LOCK = 0x_C1B_0001
"""Key of the PostgreSQL advisory lock under which labels and profiles are made."""
_MOST_FACTS = 20_000
"""Labels, and profiles, whose facts (a kilobyte each) a process keeps."""


class Labels:
    """Numbers of labels and profiles, with what this process already looked up."""

    def __init__(self, engine: Engine, grants: Grants) -> None:
        self._engine = engine
        self._grants = grants
        self._labels: dict[str, int] = {}
        self._profiles: dict[str, int] = {}
        self._kept = KeptFacts()

    def label(self, digest: str, facts: str) -> int:
        """The number of the label, made with its grants if it is new."""
        known = self._labels.get(digest)
        if known is None:
            known = self._labels[digest] = self._ensure(LABEL, digest, facts)
        return known

    def profile(self, digest: str, facts: str) -> int:
        """The number of the profile, made with its grants if it is new."""
        known = self._profiles.get(digest)
        if known is None:
            known = self._profiles[digest] = self._ensure(PROFILE, digest, facts)
        return known

    def _ensure(self, table: Table, digest: str, facts: str) -> int:
        with read(self._engine) as connection:
            found = _number(connection, table, digest)
        if found is not None:
            return found
        with write(self._engine) as connection:
            return ensure(connection, table, digest, facts, self._grants, self._kept)


class KeptFacts:
    """Facts of labels and of profiles by number, so that a thousandth new one doesn't read the others again.

    Facts never change. Only what is committed may be kept: a number that was rolled back is given out again.
    """

    def __init__(self) -> None:
        self._kept: dict[str, dict[int, str]] = {LABEL.name: {}, PROFILE.name: {}}

    def every(self, connection: Connection, table: Table) -> Mapping[int, str]:
        """All of one table, for a transaction that adds to the other."""
        kept = self._kept[table.name]
        later = select(table.c.number, table.c.facts).where(table.c.number > max(kept, default=0))
        fresh = {int(made): str(facts) for made, facts in connection.execute(later.order_by(table.c.number))}
        if len(kept) + len(fresh) > _MOST_FACTS:
            return {**kept, **fresh}
        kept.update(fresh)
        return kept


def ensure(
    connection: Connection, table: Table, digest: str, facts: str, grants: Grants, kept: KeptFacts | None = None
) -> int:
    """The number of a label (LABEL) or profile (PROFILE), made with its grants in the caller's write transaction.

    ``kept`` may be given where the transaction does nothing else.
    """
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POLICY_LOCK})
    found = _number(connection, table, digest)
    if found is not None:
        return found
    made = connection.execute(
        insert(table).values(digest=digest, facts=facts).returning(table.c.number)
    ).scalar_one()
    facts_of_others = (kept or KeptFacts()).every(connection, PROFILE if table is LABEL else LABEL)
    for parts, others in _granted(table, facts, facts_of_others, grants).items():
        withheld = _withholding(connection, parts) if parts else 0
        connection.execute(_add_grants(table, connection.dialect), {
            "made": int(made), "withheld": withheld, "others": listed(connection.dialect, others)})
    return int(made)


def _granted(
    table: Table, facts: str, facts_of_others: Mapping[int, str], grants: Grants
) -> dict[tuple[str, ...], list[int]]:
    """The profiles that the new label is granted to, or the labels granted to the new profile, by what is withheld."""
    found: dict[tuple[str, ...], list[int]] = {}
    for made, facts_of_other in facts_of_others.items():
        granted = grants(facts_of_other, facts) if table is LABEL else grants(facts, facts_of_other)
        if granted is not None:
            found.setdefault(tuple(granted), []).append(made)
    return found


@cache
def _add_grants(table: Table, dialect: Dialect) -> Insert:
    """One statement for any number of grants: a row for each took longer than deciding on it."""
    other = PROFILE if table is LABEL else LABEL
    made = number("made")
    profile, label = (other.c.number, made) if table is LABEL else (made, other.c.number)
    return insert(GRANT).from_select(
        ["profile", "label", "withheld"],
        select(profile, label, number("withheld")).where(one_of(dialect, other.c.number, "others")))


def _withholding(connection: Connection, parts: Sequence[str]) -> int:
    """The number of a list of parts, made if it is new; under the lock of labels and profiles."""
    stated, row = json.dumps(sorted(parts)), WITHHOLDING.c
    found = connection.execute(select(row.number).where(row.parts == stated)).scalar()
    if found is None:
        found = connection.execute(insert(WITHHOLDING).values(parts=stated).returning(row.number)).scalar_one()
    return int(found)


class Numbers:
    """Small numbers for collections (feeds) and contributing organisations, made when first needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._feed = Prepared(
            select(FEED.c.number).where(FEED.c.collection == bound_text("collection")), engine.dialect
        )
        self._known: dict[tuple[str, str], int] = {}

    def feed(self, collection: str) -> int:
        """The number of a collection's order."""
        return self._get(FEED, "collection", collection)

    def feed_if_any(self, collection: str) -> int:
        """The same for a reader: 0, which no collection has, where nothing was pushed yet."""
        known = self._known.get(("collection", collection))
        if known is None:
            with raw(self._engine) as connection:  # asked again at every poll until something is pushed
                rows = self._feed.run(connection, collection=collection)
            if not rows:
                return 0
            known = self._known[("collection", collection)] = int(rows[0][0])
        return known

    def contributor(self, org: str) -> int:
        """The number of an organisation as contributor."""
        return self._get(CONTRIBUTOR, "org", org)

    def _get(self, table: Table, column: str, value: str) -> int:
        known = self._known.get((column, value))
        if known is not None:
            return known
        found = self._look_up(table, column, value)
        if found is None:
            lookup = select(table.c.number).where(table.c[column] == value)
            with write(self._engine) as connection:
                if not is_sqlite(connection):
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POLICY_LOCK})
                found = connection.execute(lookup).scalar()
                if found is None:
                    made = insert(table).values({column: value}).returning(table.c.number)
                    found = int(connection.execute(made).scalar_one())
        self._known[(column, value)] = found
        return found

    def _look_up(self, table: Table, column: str, value: str) -> int | None:
        with read(self._engine) as connection:
            found = connection.execute(select(table.c.number).where(table.c[column] == value)).scalar()
        if found is None:
            return None
        self._known[(column, value)] = int(found)
        return int(found)


def _number(connection: Connection, table: Table, digest: str) -> int | None:
    found = connection.execute(select(table.c.number).where(table.c.digest == digest)).scalar()
    return None if found is None else int(found)
