"""Rows that connectors put aside on this machine: what was erased is wiped there as well.

They lie in SQLite files outside the database (``exchange.connect.journal``), since nobody accepted them. The database
knows the folders of those that bring something in here, so that an erasure finds them; whoever brings something in
wipes once more what was erased until then.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from exchange.store.directory import optional_meta, put_meta
from exchange.store.engine import read, write
from exchange.store.erasures import all_erasures
from exchange.words import counted

_LOG = logging.getLogger("exchange.obligations")
FILE = "connectors.db"
_FOLDERS = "connectors.folders"
_WIPED = "Its content was erased, for what was made of it was: {}."
_SCHEMA = """
CREATE TABLE IF NOT EXISTS quarantine (number INTEGER PRIMARY KEY AUTOINCREMENT, whose TEXT NOT NULL,
    name TEXT NOT NULL, file TEXT NOT NULL, row INTEGER NOT NULL, since REAL NOT NULL, reason TEXT NOT NULL,
    objects TEXT NOT NULL, raw TEXT NOT NULL, by_exchange INTEGER NOT NULL, UNIQUE (whose, name, file, row));
CREATE TABLE IF NOT EXISTS quarantine_id (id TEXT, number INTEGER, PRIMARY KEY (id, number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS quarantine_id_of ON quarantine_id (number);
CREATE TRIGGER IF NOT EXISTS quarantine_left AFTER DELETE ON quarantine
    BEGIN DELETE FROM quarantine_id WHERE number = old.number; END;
"""
_OLDER_ROWS = """
INSERT OR IGNORE INTO quarantine_id SELECT key, number FROM quarantine, json_each(quarantine.objects);
PRAGMA user_version = 1;
"""


def make_tables(database: sqlite3.Connection) -> None:
    """Make the tables of rows put aside; ``quarantine_id`` has every object made of a row, whether it went in or not.

    Rows of a file that an earlier release made are listed there by the objects that they still hold.
    """
    database.execute("PRAGMA secure_delete=ON")
    database.executescript(_SCHEMA)
    if database.execute("PRAGMA user_version").fetchone() == (0,):
        database.executescript(_OLDER_ROWS)


def remember_folder(engine: Any, folder: Path) -> None:
    """Note that rows of connectors that bring something into this database lie in a folder."""
    place = str(folder.resolve())
    with read(engine) as connection:
        if place in _folders(connection):
            return
    with write(engine) as connection:
        put_meta(connection, _FOLDERS, json.dumps(sorted({*_folders(connection), place})))


def _folders(connection: Any) -> list[str]:
    return list(json.loads(optional_meta(connection, _FOLDERS) or "[]"))


def wipe_everywhere(engine: Any, erased: Iterable[tuple[str, str]]) -> int:
    """Wipe rows of which ``erased`` objects (organisation, id) were made, in every folder that is known here.

    Gives how many there were. A folder that isn't on this machine is left out; one that can't be written is told in
    the log: the next run of a connector wipes there.
    """
    ids = defaultdict[str, set[str]](set)
    for org, stix_id in erased:
        ids[org].add(stix_id)
    if not ids:
        return 0
    with read(engine) as connection:
        files = [Path(place) / FILE for place in _folders(connection)]
    return sum(_wipe_file(file, ids) for file in files if file.is_file())


def _wipe_file(path: Path, erased: Mapping[str, Iterable[str]]) -> int:
    try:
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as database:
            make_tables(database)
            count = sum(wipe(database, org, ids) for org, ids in erased.items())
    except sqlite3.Error as error:
        _LOG.warning("what was erased may still wait in quarantine in %s: %s. It is wiped when a connector runs next,"
                     " or by cibx connector quarantine drop", path.parent, error)
        return 0
    if count:
        _LOG.info("wiped %s in quarantine, in %s", counted(count, "row"), path.parent)
    return count


def wipe_erased_of(database: sqlite3.Connection, engine: Any, org: str) -> int:
    """Wipe in an open file every row of which something was made that ``org`` gave and that is erased by now."""
    with read(engine) as connection:
        erased = [stix_id for _, giver, _, stix_id in all_erasures(connection) if giver == org]
    return wipe(database, org, erased)


def wipe(database: sqlite3.Connection, whose: str, erased: Iterable[str]) -> int:
    """Wipe, in a file, the rows of one organisation of which erased objects (ids) were made; gives how many.

    A wiped row stays with its place and a reason until its source is run again or a person drops it.
    """
    wanted = json.dumps(list(erased))
    with database:
        database.execute("BEGIN IMMEDIATE")
        found = database.execute(
            "SELECT min(id), number FROM quarantine_id JOIN quarantine USING (number) WHERE whose = ? AND id IN "
            "(SELECT value FROM json_each(?)) AND (raw <> '' OR objects <> '{}') GROUP BY number",
            (whose, wanted)).fetchall()
        database.executemany("UPDATE quarantine SET objects = '{}', raw = '', reason = ? WHERE number = ?",
                             [(_WIPED.format(stix_id), number) for stix_id, number in found])
    if found:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    return len(found)
