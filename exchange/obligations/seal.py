"""Sealing copies of objects under a legal hold: AES-256-GCM under a key that lies in a file of its own."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from exchange.errors import SettingError
from exchange.secret_files import check_owner
from exchange.settings import Settings

_KEY_BYTES, _NONCE_BYTES = 32, 12


@dataclass(frozen=True)
class Seal:
    """One key; ``fingerprint`` tells which, and nothing of it."""

    key: bytes
    former: tuple[bytes, ...] = ()
    """Keys that it took the place of: they open what they sealed."""

    def __repr__(self) -> str:
        """Without the key."""
        return f"Seal({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """The first 16 hex digits of a hash of the key."""
        return sha256(b"cibx seal " + self.key).hexdigest()[:16]

    def close(self, content: bytes, about: str) -> bytes:
        """Encrypt; ``about`` (which object, which version) is bound to it. Nonce first."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - 30 ms that few starts need

        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, content, about.encode())

    def open(self, sealed: bytes, about: str) -> bytes:
        """The content. Raises SettingError where it was sealed under another key, for another object, or changed."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        for key in (self.key, *self.former):
            with suppress(InvalidTag, ValueError):
                return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
        raise SettingError("A sealed copy can't be opened.", why="It was sealed under another key or changed.",
                           fix="Give the key file that was in use when the hold began.")


def read_seal(path: Path) -> Seal:
    """The seal of a key file, which is made where there is none (mode 0600): a key a line, the one in use first.

    Raises SettingError for a file that isn't a key, or that others may read.
    """
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise SettingError(f"The key file {path} may be read by others.", fix=f"Run chmod 600 {path}.")
    try:
        keys = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()]
    except (ValueError, OSError):
        keys = []
    if not keys or any(len(key) != _KEY_BYTES for key in keys):
        raise SettingError(f"The file {path} is no key: it must hold {2 * _KEY_BYTES} hexadecimal digits a line.",
                           fix="Restore it from where you keep it; sealed copies can't be opened without it.")
    return Seal(keys[0], tuple(keys[1:]))


def rotate_seal(path: Path) -> Seal:
    """Put a new key above those of the file, which go on opening what they sealed. Raises SettingError.

    One at a time, and on the disk when this returns: what is sealed afterwards can't be opened without it.
    """
    check_owner(path)
    try:
        with _alone_in(path.parent):
            present = read_seal(path)
            whole = path.with_name(f"{path.name}.{secrets.token_hex(4)}.rotated")
            _write_whole(whole, (os.urandom(_KEY_BYTES), present.key, *present.former))
            whole.replace(path)
    except OSError as error:
        raise SettingError(f"The key file {path} can't be changed: {error.strerror}.",
                           fix="Rotate as the user who owns the file.") from error
    return read_seal(path)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other rotations out of a folder; what was renamed in it is on the disk when this ends."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_whole(path: Path, keys: Iterable[bytes]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.writelines(key.hex() + "\n" for key in keys)
        file.flush()
        os.fsync(file.fileno())


def _make(path: Path) -> None:
    """Two that make it at once leave one key: the file appears whole or not at all."""
    try:
        whole = path.with_name(f"{path.name}.{os.getpid()}.new")
        _write_whole(whole, [os.urandom(_KEY_BYTES)])
        try:
            os.link(whole, path)
        except FileExistsError:
            pass
        finally:
            whole.unlink()
    except OSError as error:
        raise SettingError(f"The key file {path} can't be made: {error.strerror}.",
                           fix="Name a file in a folder that the server may write to, in CIBX_SEAL_KEY.") from error


def seal_path(settings: Settings) -> Path:
    """Where the key lies: CIBX_SEAL_KEY, else beside the SQLite file, else in the working folder."""
    if settings.seal_key:
        return Path(settings.seal_key)
    found = re.fullmatch(r"sqlite:///(.+)", settings.database_url)
    return Path(found[1] + ".seal-key") if found else Path("cibx.seal-key")
