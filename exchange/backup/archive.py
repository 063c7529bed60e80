"""A backup's file: a tar archive whose first member says what the others are, with the SHA-256 of each."""

from __future__ import annotations

import io
import os
import secrets
import tarfile
from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from typing import IO

import msgspec

from exchange.errors import InputError, StorageFullError

_FORMAT = 1
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1_000_000
_PART = 1 << 20


class _Version(msgspec.Struct):
    cibx_backup: int = 0


class Manifest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds; times in microseconds."""

    cibx_backup: int = _FORMAT
    engine: str
    """sqlite or postgresql."""
    schema: str
    release: str
    exchange: str
    """Id of the exchange's identity."""
    made_at: int
    objects: int
    erasures: int
    last_date: int
    """The newest date_added of any collection."""
    log_size: int
    log_head: str
    """The newest signed checkpoint; empty where none was signed."""
    members: dict[str, str] = {}
    """Name of each other member to its SHA-256 in hexadecimal."""


def write_archive(path: Path, manifest: Manifest, members: Mapping[str, Path]) -> Manifest:
    """Write a backup whole or not at all, for this user alone (mode 0600); gives the manifest with the digests.

    Raises InputError where there is a file of that name, or it can't be written, StorageFullError.
    """
    manifest = msgspec.structs.replace(manifest, members={name: _digest(file) for name, file in members.items()})
    waiting = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, 0o600)
                with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                    _add(archive, _MANIFEST, io.BytesIO(raw := msgspec.json.encode(manifest)), len(raw))
                    for name, member in members.items():
                        with member.open("rb") as content:
                            _add(archive, name, content, member.stat().st_size)
                file.flush()
                os.fsync(handle)
            os.link(waiting, path)  # a backup is never overwritten
        finally:
            waiting.unlink()
        sync_folder(path.parent)
    except FileExistsError:
        raise InputError(f"There is a file {path} already.",
                         fix="Name a new file: backups aren't overwritten.") from None
    except OSError as error:
        if error.errno == 28:
            raise StorageFullError(f"The backup {path} can't be written: the disk is full.") from error
        raise InputError(f"The backup {path} can't be written: {error.strerror}.",
                         fix="Name a file in a folder that may be written.") from None
    return manifest


def read_archive(path: Path, folder: Path) -> Manifest:
    """Take a backup's members out into a folder and check each. Raises InputError; StorageFullError."""
    try:
        with tarfile.open(path, mode="r:") as archive:
            head = archive.next()
            if head is None or head.name != _MANIFEST or head.size > _LARGEST_MANIFEST:
                raise _none_of_ours(path)
            manifest = _read_manifest(path, archive.extractfile(head))
            for name, digest in manifest.members.items():
                member = archive.next()
                content = archive.extractfile(member) if member is not None and member.isfile() else None
                if member is None or content is None or member.name != name or not _plain(name):
                    raise _none_of_ours(path)
                _take_out(content, folder / name)
                if _digest(folder / name) != digest:
                    raise InputError(f"The backup {path} is damaged: its part {name} isn't what was written.",
                                     fix="Take another backup.")
    except (tarfile.TarError, msgspec.MsgspecError, EOFError):
        raise _none_of_ours(path) from None
    except OSError as error:
        if error.errno == 28:
            raise StorageFullError(f"There is no space beside the database for what is in {path}.") from error
        raise InputError(f"The backup {path} can't be read: {error.strerror or error}.") from None
    return manifest


def peek(path: Path) -> Manifest:
    """What a backup says it holds, with nothing taken out. Raises InputError."""
    try:
        with tarfile.open(path, mode="r:") as archive:
            head = archive.next()
            if head is None or head.name != _MANIFEST or head.size > _LARGEST_MANIFEST:
                raise _none_of_ours(path)
            return _read_manifest(path, archive.extractfile(head))
    except (tarfile.TarError, msgspec.MsgspecError, EOFError):
        raise _none_of_ours(path) from None
    except OSError as error:
        raise InputError(f"The backup {path} can't be read: {error.strerror or error}.") from None


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_manifest(path: Path, content: IO[bytes] | None) -> Manifest:
    if content is None:
        raise _none_of_ours(path)
    raw = content.read()
    try:
        if msgspec.json.decode(raw, type=_Version).cibx_backup > _FORMAT:
            raise InputError(f"The backup {path} is of a newer release of cib-exchange.",
                             fix="Restore it with that release or a newer one.")
        return msgspec.json.decode(raw, type=Manifest)
    except (UnicodeDecodeError, RecursionError):
        raise _none_of_ours(path) from None


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)


def _plain(name: str) -> bool:
    """Whether it is the name of a file in a folder, and not of one elsewhere or of none."""
    return not ("/" in name or "\0" in name or name.startswith("."))


def _take_out(content: IO[bytes], path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        while part := content.read(_PART):
            file.write(part)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _none_of_ours(path: Path) -> InputError:
    return InputError(f"{path} is no backup of cib-exchange, or not whole.", fix="Name a file that cibx backup wrote.")
