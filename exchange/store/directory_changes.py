"""How the directory is changed: wanted rows against present ones, a line per difference, one new version.

Run it inside one write transaction that began with ``lock_directory``: of two that change the directory at
once the second sees what the first did.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from sqlalchemy import Connection, Table, func, select, text

from exchange.errors import InputError
from exchange.model.credential import Issued, issue
from exchange.model.description import Row, Wanted, place_key
from exchange.model.description_tables import KEYS
from exchange.model.party import Agreement, Collection, Community, Credential, Membership, Organisation
from exchange.store.directory import cursor_keys, decoded, put_cursor_keys
from exchange.store.directory_history import keep_directory
from exchange.store.directory_tables import JSON_COLUMNS, table
from exchange.store.engine import is_sqlite
from exchange.store.events import record
from exchange.store.object_tables import CONTRIBUTOR, FEED, OBJECT
from exchange.words import counted

_MODELS: Mapping[str, type] = {
    "organisation": Organisation, "membership": Membership, "agreement": Agreement, "community": Community,
    "collection": Collection, "credential": Credential,
}
_ONLY_STATED = ("active", "status", "revoked", "digest")
"""Columns that only a statement changes, also with ``prune``: a file that says nothing of a suspension or
a revocation doesn't lift it."""
_STORED = {"group": "grp"}
"""Words of the description that have another name in SQL."""


def _clock() -> int:
    """Microseconds since the epoch."""
    return time.time_ns() // 1_000


@dataclass(frozen=True)
class Change:
    """One difference that was made."""

    sign: str
    """``+`` added, ``~`` changed, ``-`` removed."""
    kind: str
    """organisation, group, membership, agreement, community, collection or credential."""
    id: str
    detail: str = ""
    issued: Issued | None = None
    """The secret of a new credential, to be shown once."""

    def __str__(self) -> str:
        """One line, such as ``~ organisation org-alpha: clearance TLP:GREEN -> TLP:AMBER``."""
        return f"{self.sign} {self.kind} {self.id}" + (f": {self.detail}" if self.detail else "")


def lock_directory(connection: Connection) -> None:
    """Wait for the directory's turn (PostgreSQL); on SQLite the write transaction is the lock already."""
    if not is_sqlite(connection):
        connection.execute(text("SELECT value FROM meta WHERE key = 'directory.version' FOR UPDATE"))


def apply(
    connection: Connection,
    wanted: Wanted,
    *,
    prune: bool = False,
    entropy: Callable[[int], bytes] = secrets.token_bytes,
    clock: Callable[[], int] = _clock,
) -> list[Change]:
    """Make the directory hold the wanted rows; when anything changed the version grows and a snapshot is kept.

    With ``prune`` what isn't wanted goes, and columns that weren't stated take their defaults. A credential
    without a digest gets a new secret from ``entropy``. An organisation that took part is suspended and keeps its
    credentials: they open its notices, and nothing else. Raises InputError when a collection would go that
    holds objects; nothing is then to be committed.
    """
    present = {kind: _present(connection, kind) for kind in KEYS}
    changes: list[Change] = []
    for kind in KEYS:
        for key, stated in wanted.get(kind, {}).items():
            row = present[kind].get(key)
            if row is None:
                changes.append(_add(connection, kind, stated, entropy))
            else:
                changes += _change(connection, kind, row, _with_defaults(kind, stated) if prune else stated)
    if prune:
        changes += _prune(connection, wanted, present)
    if changes:
        at = clock()
        directory_changed(connection, at)
        record(connection, at=at, kind="directory", org="", detail={"changes": list(map(_logged, changes))})
    return changes


def _prune(
    connection: Connection, wanted: Wanted, present: Mapping[str, Mapping[tuple[str, ...], Row]]
) -> list[Change]:
    """Remove what isn't wanted; a member that leaves after it took part keeps the keys to its notices."""
    gone = {key[0] for key in present["organisation"] if key not in wanted.get("organisation", {})}
    leaving = {org for org in gone if _took_part(connection, org)}
    changes: list[Change] = []
    for kind in reversed(tuple(KEYS)):
        for key, row in present[kind].items():
            if key not in wanted.get(kind, {}) and not (kind == "credential" and row["org"] in leaving):
                changes += _remove(connection, kind, row)
    return changes


def _logged(change: Change) -> str:
    """The change as the log has it: of credentials no values, since they name persons."""
    if change.kind != "credential":
        return str(change)
    return f"{change.sign} credential {change.id}" + (": revoked" if "revoked no -> yes" in change.detail else "")


def directory_changed(connection: Connection, at: int) -> None:
    """Give the directory a new version and keep it as it is from ``at`` (microseconds) on.

    For the transaction that changed it: every process sees the change at its next request.
    """
    connection.execute(text(
        "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'directory.version'"
    ))
    keep_directory(connection, at)


def rotate_cursor_key(connection: Connection, at: int, entropy: Callable[[int], bytes] = secrets.token_bytes) -> None:
    """Let a new key sign cursors from ``at`` (microseconds) on; the one before it goes on verifying, older ones end."""
    put_cursor_keys(connection, f"{entropy(32).hex()},{cursor_keys(connection).partition(',')[0]}")
    directory_changed(connection, at)
    record(connection, at=at, kind="directory", org="", detail={"changes": ["~ key cursors: rotated"]})


def _present(connection: Connection, kind: str) -> dict[tuple[str, ...], Row]:
    rows: dict[tuple[str, ...], Row] = {}
    words = {stored: word for word, stored in _STORED.items()}
    for found in connection.execute(select(_table(kind))).mappings():
        row = {words.get(name, name): value for name, value in decoded(found).items()}
        rows[tuple(row[column] for column in KEYS[kind])] = row
    return rows


def _add(connection: Connection, kind: str, stated: Row, entropy: Callable[[int], bytes]) -> Change:
    row = {**_defaults(kind, stated), **stated}
    issued = None
    if kind == "credential":
        issued = _secret_of(row, entropy)
    connection.execute(_table(kind).insert(), _encoded(row))
    return Change("+", kind, _key(kind, row), _title(row), issued)


def _secret_of(row: Row, entropy: Callable[[int], bytes]) -> Issued | None:
    """A new secret for a credential that needs one: neither was one chosen, nor do tokens or certificates prove it."""
    if row.get("digest") or row.get("oidc") or row.get("certificates"):
        row.setdefault("digest", "")
        return None
    issued = issue(row["id"], entropy(32))
    row["digest"] = issued.digest
    return issued


def _change(connection: Connection, kind: str, present: Row, wanted: Row) -> list[Change]:
    differences = {name: value for name, value in wanted.items() if present[name] != value}
    if not differences:
        return []
    _update(connection, kind, present, differences)
    detail = ", ".join(_difference(name, present[name], value) for name, value in differences.items())
    return [Change("~", kind, _key(kind, present), detail)]


def _remove(connection: Connection, kind: str, row: Row) -> list[Change]:
    """Remove a row; an organisation that gave or received is only suspended: objects and notices need their owner."""
    if kind == "organisation" and _took_part(connection, row["id"]):
        if not row["active"]:
            return []
        _update(connection, kind, row, {"active": False})
        told = "active yes -> no (not removed: it took part; its keys open its notices alone)"
        return [Change("~", kind, row["id"], told)]
    if kind == "collection":
        _refuse_with_objects(connection, row)
    connection.execute(_table(kind).delete().where(*_is(kind, row)))
    return [Change("-", kind, _key(kind, row), _title(row))]


def _took_part(connection: Connection, org: str) -> bool:
    """Whether it ever pushed or pulled: either gives it a number."""
    found = select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org == org)
    return connection.execute(found).first() is not None


def _refuse_with_objects(connection: Connection, row: Row) -> None:
    count = select(func.count()).select_from(OBJECT.join(FEED)).where(FEED.c.collection == row["id"])
    objects = connection.execute(count).scalar_one()
    if objects:
        raise InputError(
            f"The collection {row['alias'] or row['id']} is not described any more, but it holds"
            f" {counted(objects, 'object')}; nothing was changed.",
            fix="Describe it, or delete its objects first.",
        )


def _update(connection: Connection, kind: str, present: Row, values: Row) -> None:
    connection.execute(_table(kind).update().where(*_is(kind, present)).values(**_encoded(values)))


def _is(kind: str, row: Row) -> list[Any]:
    return [_table(kind).c[_STORED.get(name, name)] == row[name] for name in KEYS[kind]]


def _table(kind: str) -> Table:
    return table(_STORED.get(kind, kind))


def _key(kind: str, row: Row) -> str:
    return place_key(tuple(row[name] for name in KEYS[kind]))


def _with_defaults(kind: str, stated: Row) -> Row:
    """What ``prune`` makes of stated columns: the others take their defaults, but for _ONLY_STATED."""
    defaults = {name: value for name, value in _defaults(kind, stated).items() if name not in _ONLY_STATED}
    return {**defaults, **stated}


def _defaults(kind: str, stated: Row) -> Row:
    """The model's own defaults for the columns of that table."""
    if kind == "group":
        return {"title": stated["id"]}
    columns = _table(kind).columns
    values = {}
    for field in fields(_MODELS[kind]):
        if field.name in columns:
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            if default is not MISSING:
                values[field.name] = list(default) if isinstance(default, tuple) else default
    return values


def _encoded(row: Row) -> Row:
    return {
        _STORED.get(name, name): canonical(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in row.items()
    }


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces, so that equal values are equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _title(row: Row) -> str:
    title = str(row.get("name") or row.get("title") or "")
    return f"{row['community']}/{row['alias']}, {title}" if row.get("alias") else title


def _difference(name: str, old: Any, new: Any) -> str:
    if name == "digest":
        return "secret changed"
    return f"{name} {_shown(old)} -> {_shown(new)}"


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else canonical(value)
