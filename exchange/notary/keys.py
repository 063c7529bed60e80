"""The log's private key in a file that only its owner may read, and the last checkpoint it signed, beside it.

The checkpoint beside the key is the signer's memory: a database that was set back to an older state doesn't
get a second history signed.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from exchange.audit.fault import UnreadableError
from exchange.audit.note import SignerKey, new_signer_key, read_signer_key
from exchange.errors import InputError, SettingError, StorageFullError
from exchange.settings import Settings

_SECRET_MODE = 0o600
_LARGEST = 4_096


def key_path(settings: Settings) -> Path:
    """Where the private key lies: CIBX_LOG_KEY, else beside the SQLite file, else in the working folder."""
    if settings.log_key:
        return Path(settings.log_key)
    found = re.fullmatch(r"sqlite:///(.+)", settings.database_url)
    return Path(found[1] + ".log-key") if found else Path("cibx.log-key")


def next_path(path: Path) -> Path:
    """Where a new key waits while its rotation is under way."""
    return path.with_name(path.name + ".next")


def head_path(path: Path) -> Path:
    """Where the last signed checkpoint is remembered."""
    return path.with_name(path.name + ".head")


def make_key(path: Path, name: str) -> SignerKey:
    """Make a key in a new file that only its owner may read. Raises InputError where the file is there already."""
    key = new_signer_key(name, secrets.token_bytes(32))
    write_new(path, key.written() + "\n")
    return key


def write_new(path: Path, content: str) -> None:
    """Write a secret into a new file, on the disk when this returns. Raises InputError."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _SECRET_MODE)
    except FileExistsError:
        raise InputError(f"There is a file {path} already.",
                         fix="Keys are never overwritten: name another file.") from None
    except OSError as error:
        raise InputError(f"The key file {path} can't be made: {error.strerror}.",
                         fix="Name a file in a folder that may be written in CIBX_LOG_KEY.") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, _SECRET_MODE)  # whatever the umask is
            file.write(content)
            file.flush()
            os.fsync(handle)
    except OSError as error:
        path.unlink()
        raise StorageFullError(f"{path} can't be written: {error.strerror}.", fix="Free some space.") from error


def read_key(path: Path) -> SignerKey | None:
    """The key of a file; None where there is no file.

    Raises SettingError for one that others may read or that holds no key; nothing of it is shown.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingError(f"The log's key file {path} can't be read: {error.strerror}.",
                           fix="Give it to the user that runs the exchange.") from None
    with os.fdopen(handle, "rb") as file:
        mode = stat.S_IMODE(os.fstat(handle).st_mode)
        if mode & 0o077:
            raise SettingError(f"The log's key file {path} may be read by others (mode {mode:o}).",
                               why="Who has the key can sign another history.",
                               fix=f"chmod 600 {path}, and rotate the key if others had access.")
        content = file.read(_LARGEST)
    try:
        return read_signer_key(content.decode("utf-8", "replace"))
    except UnreadableError as unreadable:
        raise SettingError(f"{path}: {unreadable}") from None


def remember_head(path: Path, note: str) -> None:
    """Remember the last signed checkpoint beside the key; the file is replaced whole."""
    head = head_path(path)
    new = head.with_name(f"{head.name}.{os.getpid()}.{secrets.token_hex(4)}")
    write_new(new, note)
    new.replace(head)


def remembered_head(path: Path) -> bytes | None:
    """The last checkpoint that was signed with the key, if it is remembered."""
    try:
        return head_path(path).read_bytes()
    except FileNotFoundError:
        return None


def put_aside(path: Path, mark: str) -> None:
    """Keep a former log's key and last checkpoint under other names."""
    for one in (path, head_path(path)):
        if one.exists():
            one.replace(one.with_name(f"{one.name}.former-{mark}"))
