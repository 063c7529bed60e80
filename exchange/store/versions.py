"""Policy versions in the database: their texts, the steps they took, and what was counted of them.

A step makes a new version of the directory, so that every process notices it at its next request.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, insert, select, text

from exchange.model.policy_version import Stage, Step, Steps
from exchange.store.directory import optional_meta, put_meta, replace_meta
from exchange.store.events import record
from exchange.store.salts import commit_person
from exchange.store.version_tables import POLICY_COUNT, POLICY_STEP, POLICY_VERSION

_TURN = "policy.count-turn"
_TURN_LASTS = 600_000_000
"""Microseconds: a count of a large exchange takes some ten seconds."""


@dataclass(frozen=True)
class Count:
    """What a version would change for an organisation (empty: for all together), in object versions."""

    org: str
    gained: int
    lost: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Reason code to object versions."""


def load_steps(connection: Connection) -> Steps:
    """Every step, in order."""
    rows = connection.execute(select(POLICY_STEP).order_by(POLICY_STEP.c.number))
    return Steps(tuple(
        Step(row.digest, Stage(row.stage), row.at, row.by_person, row.why, tuple(json.loads(row.organisations)))
        for row in rows
    ))


def policy_texts(connection: Connection, digest: str) -> dict[str, str] | None:
    """The TOML texts of a version's packs by file name; None: there is no such version."""
    found = connection.execute(select(POLICY_VERSION.c.texts).where(POLICY_VERSION.c.digest == digest)).scalar()
    return None if found is None else dict(json.loads(zlib.decompress(found)))


def add_version(connection: Connection, digest: str, texts: Mapping[str, str]) -> None:
    """Keep the texts of a version; nothing is done where they are kept already."""
    if policy_texts(connection, digest) is None:
        connection.execute(insert(POLICY_VERSION).values(
            digest=digest, texts=zlib.compress(json.dumps(dict(texts), ensure_ascii=False).encode(), 9)
        ))


def add_steps(connection: Connection, steps: Sequence[Step]) -> None:
    """Note steps, each as an event, and make every process look again."""
    for step in steps:
        connection.execute(insert(POLICY_STEP).values(
            digest=step.digest, stage=step.stage.value, at=step.at, by_person=step.by, why=step.why,
            organisations=json.dumps(step.organisations),
        ))
        record(connection, at=step.at, kind="policy", org="", detail={
            "policy": step.digest, "stage": step.stage.value, "by": commit_person(connection, step.by),
            "organisations": list(step.organisations),
        })
    if steps:
        connection.execute(text(
            "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'directory.version'"
        ))


def add_counts(connection: Connection, digest: str, at: int, counts: Sequence[Count]) -> None:
    """Note what a version would change now (microseconds): one row for all, one for each organisation touched."""
    connection.execute(insert(POLICY_COUNT), [
        {"digest": digest, "at": at, "org": count.org, "gained": count.gained, "lost": count.lost,
         "reasons": json.dumps(count.reasons, sort_keys=True)}
        for count in counts
    ])


def last_counted(connection: Connection, digest: str) -> int | None:
    """When a version was counted last, in microseconds."""
    row = POLICY_COUNT.c
    return connection.execute(select(func.max(row.at)).where(row.digest == digest)).scalar()


def take_count_turn(connection: Connection, now: int) -> bool:
    """Whether this process is the one to have versions counted now (microseconds); the turn lasts ten minutes."""
    last = optional_meta(connection, _TURN)
    if last is None:
        put_meta(connection, _TURN, str(now))
        return True
    return not int(last) <= now < int(last) + _TURN_LASTS and replace_meta(connection, _TURN, last, str(now))


def load_counts(connection: Connection, digest: str) -> list[tuple[int, Count]]:
    """What was counted of a version, with the times, oldest first."""
    row = POLICY_COUNT.c
    found = connection.execute(select(POLICY_COUNT).where(row.digest == digest).order_by(row.number))
    return [(r.at, Count(r.org, r.gained, r.lost, json.loads(r.reasons))) for r in found]
