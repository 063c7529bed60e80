"""Taking a backup of an exchange while its server runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from msgspec.structs import replace

from exchange.backup.archive import Manifest, write_archive
from exchange.errors import InputError
from exchange.notary.keys import head_path, key_path, next_path
from exchange.obligations.seal import seal_path
from exchange.settings import Settings
from exchange.store import log
from exchange.store.copies import copy_both
from exchange.store.directory import meta_value
from exchange.store.dumps import check_dump, dump, export_snapshot, is_unfinished
from exchange.store.engine import is_sqlite, open_engine, read
from exchange.store.erasures import all_erasures
from exchange.store.migrations import HEAD, check_made, current_revision
from exchange.store.whole import count_objects, last_date
from exchange.wiring import Exchange

if TYPE_CHECKING:
    from sqlalchemy import Connection

DATABASE, LEDGER, DUMP = "database.sqlite3", "ledger.sqlite3", "database.pgdump"


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that is written; ``left_out`` are files that it doesn't hold and a restore needs.

    ``not_found`` are those that this exchange has and that aren't where the settings look for them.
    """

    manifest: Manifest
    left_out: tuple[tuple[str, Path], ...]
    not_found: tuple[tuple[str, Path], ...] = ()


def key_files(settings: Settings) -> dict[str, tuple[str, Path]]:
    """Name in a backup to what it is and where it lies: the keys without which a restored exchange can't go on."""
    log_key = key_path(settings)
    return {
        "seal-key": ("the seal key", seal_path(settings)),
        "log-key": ("the log key", log_key),
        "log-key.next": ("the log key that waits", next_path(log_key)),
        "log-key.head": ("the log's last checkpoint", head_path(log_key)),
    }


def take(settings: Settings, path: Path, clock: int, *, with_keys: bool) -> Taken:
    """Write a backup into a new file; ``clock`` in microseconds.

    Raises InputError (there is such a file, the copy is damaged, a program is missing), StorageFullError,
    UnavailableError.
    """
    if path.exists():
        raise InputError(f"There is a file {path} already.", fix="Name a new file: backups aren't overwritten.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"There is no folder {path.absolute().parent}.", fix="Name a file in an existing folder.")
    exchange = Exchange(settings)
    try:
        check_made(exchange.engine)
        with scratch_beside(path) as scratch, \
                _copied(exchange, Path(scratch), clock) as (described, members):
            keys = {name: (what, file) for name, (what, file) in key_files(settings).items() if file.exists()}
            if with_keys:
                members |= {name: file for name, (_, file) in keys.items()}
            manifest = write_archive(path, described, members)
    finally:
        exchange.engine.dispose()
        exchange.ledger.close()
    signed = key_files(settings)["log-key"]
    return Taken(manifest, () if with_keys else tuple(keys.values()),
                 () if "log-key" in keys or not manifest.log_size else (signed,))


def scratch_beside(path: Path) -> TemporaryDirectory[str]:
    """A folder beside a file that is to be made, on its disk. Raises InputError."""
    try:
        return TemporaryDirectory(prefix=f".{path.name}.", dir=path.absolute().parent)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}.",
                         fix="Name a file in a folder where you may write.") from None


@contextmanager
def _copied(exchange: Exchange, folder: Path, clock: int) -> Iterator[tuple[Manifest, dict[str, Path]]]:
    """The manifest and the copies that it describes, all of one moment."""
    if not is_sqlite(exchange.engine):
        with read(exchange.engine) as connection:
            if is_unfinished(connection):
                raise InputError("A restore of this database wasn't brought to its end.", fix="Run cibx restore again.")
            manifest = _described(connection, clock)
            dump(exchange.engine, export_snapshot(connection), folder / DUMP)
        check_dump(folder / DUMP)
        yield manifest, {DUMP: folder / DUMP}
        return
    exchange.ledger.last()  # there is a ledger, if an empty one
    copy_both(exchange.engine, folder / DATABASE, folder / LEDGER)
    copy = open_engine(f"sqlite:///{folder / DATABASE}")
    try:
        with read(copy) as connection:
            manifest = _described(connection, clock)
    finally:
        copy.dispose()
    for left in folder.glob(f"{DATABASE}-*"):
        left.unlink()
    yield manifest, {DATABASE: folder / DATABASE, LEDGER: folder / LEDGER}


def _described(connection: Connection, clock: int) -> Manifest:
    """What the copy holds; of an older schema less is known."""
    schema = current_revision(connection) or ""
    manifest = Manifest(
        engine=connection.dialect.name, schema=schema, release=version("cib-exchange"), exchange="", made_at=clock,
        objects=count_objects(connection), erasures=0, last_date=last_date(connection), log_size=0, log_head="",
    )
    if schema != HEAD:
        return manifest
    newest = log.newest_checkpoint(connection)
    return replace(
        manifest, exchange=meta_value(connection, "exchange.identity"), erasures=len(all_erasures(connection)),
        log_size=log.cursor(connection, "size"), log_head="" if newest is None else newest[1],
    )
