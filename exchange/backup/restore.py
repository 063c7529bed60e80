"""The way back of a backup: into an empty database or in another's place, migrated, and without what was erased since.

On SQLite everything is done to files beside the database, which take its place at the end; on PostgreSQL the tables are
replaced in one transaction and marked as unfinished until the rest is done: a server doesn't start before.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import inspect

from exchange.audit.checkpoint import read_checkpoint
from exchange.audit.note import read_note
from exchange.backup.archive import Manifest, peek, read_archive, sync_folder
from exchange.backup.narrow import Narrowed, hold_again, take_back_again
from exchange.backup.take import DATABASE, DUMP, LEDGER, key_files, scratch_beside
from exchange.errors import ExchangeError, InputError, SettingError
from exchange.notary.keys import key_path, remembered_head
from exchange.obligations.erasure_list import Erased, ErasureList, Listed, erasures_path, read_erasures
from exchange.obligations.put_aside import wipe_everywhere
from exchange.obligations.taken_back import TakenBack
from exchange.obligations.transitions import By
from exchange.settings import Settings
from exchange.store import log
from exchange.store.clock import confirm
from exchange.store.copies import check_copy, release_file, settle_file
from exchange.store.dumps import check_dump, finish, is_in_use, load, unfinished_mark
from exchange.store.engine import is_sqlite, open_engine, read, write
from exchange.store.erasures import all_erasures, bodies_of
from exchange.store.migrations import HEAD, check_known, current_revision, migrate
from exchange.store.states import find_owned
from exchange.store.whole import last_date, raise_dates
from exchange.wiring import Exchange
from exchange.words import counted

_REASON = "It was erased before; a backup of earlier had brought it back."
_BY = By("cib-exchange", "officer", "restore")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a backup is to be restored; ``erasures`` is a list elsewhere than where the settings say."""

    file: Path
    replace: bool = False
    without_erasures: bool = False
    erasures: Path | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """Key files: those that were put where none was, and those that are missing."""

    put: tuple[str, ...]
    missing: tuple[tuple[str, Path], ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    manifest: Manifest
    erased: int
    """Objects of the backup whose erasure was repeated."""
    listed: int | None
    """Erasures on the list; None where there was none."""
    cut: int
    """Lines of the list that a crash cut short: their erasures were never acknowledged."""
    read_old: bool | None
    """Whether the database that was replaced could still be read for erasures and dates; None where there was none."""
    log_size: int
    signed: int | None
    """Leaves that were signed before, as the file beside the log's key remembers; None where nothing does."""
    keys: Keys
    narrowed: Narrowed
    """What else was taken back since and is so again."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the database that is replaced tells: its erasures, the newest date it gave out."""

    erased: tuple[Erased, ...] = ()
    date: int = 0


def restore(settings: Settings, wanted: Wanted, clock: int) -> Restored:
    """Restore a backup; ``clock`` in microseconds.

    Raises InputError where the file is none or damaged, the database isn't empty, a server is running on it, or the
    list of erasures isn't there; SettingError for a newer schema; StorageFullError. Nothing is changed then.
    """
    engine = open_engine(settings.database_url)
    try:
        manifest = peek(wanted.file)
        if manifest.engine != engine.dialect.name:
            raise InputError(f"The backup is of a {manifest.engine} database and can't go into {engine.dialect.name}.",
                             fix="Name a database of the same kind in CIBX_DATABASE_URL.")
        check_known(manifest.schema)
        listed = _listed(settings, wanted, manifest)
        place = Path(str(engine.url.database)) if is_sqlite(engine) else wanted.file
        with scratch_beside(place) as scratch:
            way = _into_sqlite if is_sqlite(engine) else _into_postgres
            return way(settings, wanted, listed, Path(scratch), clock)
    finally:
        engine.dispose()


def _listed(settings: Settings, wanted: Wanted, manifest: Manifest) -> Listed | None:
    path = wanted.erasures or erasures_path(settings)
    if path is None or not path.exists():
        if wanted.without_erasures:
            return None
        where = "CIBX_ERASURES names none" if path is None else f"{path} isn't there"
        raise InputError(f"The list of erasures is missing: {where}.",
                         why="What was erased after the backup was taken would come back.",
                         fix="Give the list with --erasures FILE, or say --without-erasures and erase again by hand.")
    listed = read_erasures(path)
    if listed.exchange and manifest.exchange and listed.exchange != manifest.exchange:
        raise InputError(f"The list of erasures {path} is of another exchange than the backup.",
                         fix="Give the list that was kept beside the database of the backup.")
    return listed


# -- SQLite


def _into_sqlite(settings: Settings, wanted: Wanted, listed: Listed | None, scratch: Path, clock: int) -> Restored:
    target = Path(str(open_engine(settings.database_url).url.database))
    ledger = Path(f"{target}-ledger")
    taken = target.exists() and target.stat().st_size > 0
    known: _Known | None = None
    if taken:
        if not wanted.replace:
            raise _not_empty(settings)
        known = _known(settings)
        if not (release_file(target) and (not ledger.exists() or release_file(ledger))):
            raise _in_use(settings)
    manifest = read_archive(wanted.file, scratch)
    for name in (DATABASE, LEDGER):
        if name not in manifest.members:
            raise InputError(f"The backup {wanted.file} has no {name}.", fix="Take another backup.")
        check_copy(scratch / name)
    database = scratch / DATABASE
    (scratch / LEDGER).rename(f"{database}-ledger")
    there = replace(settings, database_url=f"sqlite:///{database}", erasures=str(scratch / "erasures"),
                    seal_key=str(key_files(settings)["seal-key"][1]), log_key=str(key_path(settings)))
    keys = _put_keys(settings, manifest, scratch)
    brought = _bring_up(there, erasures_path(settings), listed, known, manifest, clock)
    mark = unfinished_mark(target)
    mark.touch()
    sync_folder(target.parent)
    for file, place in ((Path(f"{database}-ledger"), ledger), (database, target)):
        settle_file(file)
        for left in ("-wal", "-shm", "-journal"):
            Path(f"{place}{left}").unlink(missing_ok=True)
        _sync(file)
        file.replace(place)
    sync_folder(target.parent)
    mark.unlink()
    return _told(settings, manifest, listed, brought, keys, None if not taken else known is not None)


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- PostgreSQL


def _into_postgres(settings: Settings, wanted: Wanted, listed: Listed | None, scratch: Path, clock: int) -> Restored:
    engine = open_engine(settings.database_url)
    known: _Known | None = None
    try:
        with read(engine) as connection:
            taken = bool(inspect(connection).get_table_names())
            used = is_in_use(connection)
        if taken and not wanted.replace:
            raise _not_empty(settings)
        if used:
            raise _in_use(settings)
        known = _known(settings) if taken else None
        manifest = read_archive(wanted.file, scratch)
        if DUMP not in manifest.members:
            raise InputError(f"The backup {wanted.file} has no {DUMP}.", fix="Take another backup.")
        check_dump(scratch / DUMP)
        keys = _put_keys(settings, manifest, scratch)
        load(engine, scratch / DUMP, scratch)
        there = replace(settings, erasures=str(scratch / "erasures"))
        brought = _bring_up(there, erasures_path(settings), listed, known, manifest, clock)
        with write(engine) as connection:
            finish(connection)
    finally:
        engine.dispose()
    return _told(settings, manifest, listed, brought, keys, None if not taken else known is not None)


# -- what both have in common


def _known(settings: Settings) -> _Known | None:
    """What the database that is replaced knows; None where it can't be read: damaged, or of another schema."""
    engine = open_engine(settings.database_url)
    try:
        with read(engine) as connection:
            if current_revision(connection) != HEAD:
                return None
            rows = all_erasures(connection)
            return _Known(tuple(Erased(org, feed, stix_id, (), at) for at, org, feed, stix_id in rows),
                          last_date(connection))
    except ExchangeError:  # a damaged database is what a backup is for
        return None
    finally:
        engine.dispose()


def _bring_up(
    settings: Settings, own: Path | None, listed: Listed | None, known: _Known | None, manifest: Manifest, clock: int
) -> tuple[int, int, Narrowed]:
    """Migrate, take back and erase again, let dates go on where they were.

    Gives the number of objects erased, the log's size and what else was taken back.

    ``own`` is where the exchange keeps its list from now on.
    """
    wanted = [*(listed.erased if listed else ()), *(known.erased if known else ())]
    now = max([clock, manifest.last_date, known.date if known else 0, *(one.at for one in wanted)])
    exchange = Exchange(settings, clock=lambda: now)
    try:
        migrate(exchange.engine)
        with read(exchange.engine) as connection:
            size = log.cursor(connection, "size")
        with write(exchange.engine) as connection:
            raise_dates(connection, now)
            confirm(connection, clock)
        taken = listed.taken if listed else ()
        held = hold_again(exchange, taken, now)
        erased = _erase_again(exchange, {_name(one) for one in wanted}, now)
        wipe_everywhere(exchange.engine, {(one.org, one.stix_id) for one in wanted})
        narrowed = take_back_again(exchange, taken, now)
        narrowed.counts += Counter(hold=held)
        _continue_list(exchange, own, wanted, taken)
        return erased, size, narrowed
    finally:
        exchange.engine.dispose()
        exchange.ledger.close()


def _erase_again(exchange: Exchange, objects: Iterable[tuple[str, str, str]], now: int) -> int:
    """Erase objects (contributor, collection, id) that have content again; who received one is told again.

    Gives how many there were. Raises SettingError where content stays.
    """
    back = _with_content(exchange, sorted(objects))
    exchange.obligations.erase_again(back, reason=_REASON, by=_BY, now=now)
    if left := _with_content(exchange, back):
        raise SettingError(f"{counted(len(left), 'object')} couldn't be erased again, such as {left[0][2]}.",
                           fix="Look whether the disk is full, and run cibx restore again.")
    return len(back)


def _with_content(exchange: Exchange, objects: Iterable[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    with read(exchange.engine) as connection:
        return [(org, collection, stix_id) for org, collection, stix_id in objects
                if any(bodies_of(connection, owned.versions)
                       for owned in find_owned(connection, stix_id, org=org, collection=collection))]


def _put_keys(settings: Settings, manifest: Manifest, scratch: Path) -> Keys:
    """Put the backup's keys where none is; one that is there is never overwritten."""
    put = []
    for name, (what, place) in key_files(settings).items():
        if name in manifest.members and not place.exists():
            try:
                handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
                with os.fdopen(handle, "wb") as file:
                    file.write((scratch / name).read_bytes())
                    file.flush()
                    os.fsync(handle)
            except OSError as error:
                raise InputError(f"The key file {place} can't be made: {error.strerror}.",
                                 fix="Name a file that can be, in CIBX_SEAL_KEY or CIBX_LOG_KEY.") from None
            put.append(what)
    files = key_files(settings)
    return Keys(tuple(put), tuple(files[name] for name in ("seal-key", "log-key") if not files[name][1].exists()))


def _continue_list(
    exchange: Exchange, path: Path | None, wanted: Iterable[Erased], taken: Sequence[TakenBack]
) -> None:
    """The exchange's own list is begun where there is none, and takes over what it lacks of what others told."""
    own = ErasureList(path)
    own.begin(exchange.engine)
    if path is None:
        return
    present = read_erasures(path)
    there = {_name(one) for one in present.erased}
    lacking = {_name(one): one for one in wanted if _name(one) not in there}
    own.add([*lacking.values(), *(one for one in taken if one not in present.taken)])


def _name(one: Erased) -> tuple[str, str, str]:
    return one.org, one.collection, one.stix_id


def _told(
    settings: Settings, manifest: Manifest, listed: Listed | None, brought: tuple[int, int, Narrowed], keys: Keys,
    read_old: bool | None,
) -> Restored:
    erased, size, narrowed = brought
    head = remembered_head(key_path(settings))
    signed = None if head is None else read_checkpoint(read_note(head).text).size
    return Restored(manifest, erased, None if listed is None else len(listed.erased),
                    0 if listed is None else listed.cut, read_old, size, signed, keys, narrowed)


def _not_empty(settings: Settings) -> InputError:
    return InputError(f"The database {settings.shown_database} isn't empty.",
                      fix="Name an empty one, or say --replace: what is in it is lost then.")


def _in_use(settings: Settings) -> InputError:
    return InputError(f"The database {settings.shown_database} is in use.", fix="Stop every server and command on it.")
