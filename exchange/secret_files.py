"""Secrets from files: whatever the variable NAME may hold, the file that NAME_FILE names may hold instead.

As container engines mount them (``/run/secrets/…``): a file stands in no list of processes, no crash report and no
``docker inspect``. The end of its last line doesn't belong to the secret.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath

from exchange.errors import SettingError

SUFFIX = "_FILE"
_LOG = logging.getLogger("exchange.settings")
_LARGEST = 65_536
_MOUNTED = PurePath("/run/secrets")
"""Where engines mount secrets, readable for all in a container that has one user."""


class WithFiles(Mapping[str, str]):
    """An environment in which NAME is found by NAME_FILE too; the file is read when NAME is asked for."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        """The variable's value; raises KeyError, and SettingError for a file that can't be read."""
        file = self._environment.get(name + SUFFIX, "")
        if not file:
            return self._environment[name]
        if self._environment.get(name):
            raise SettingError(f"Both {name} and {name}{SUFFIX} are set.", fix="Leave one of them out.")
        return read_secret(file, name + SUFFIX)

    def __iter__(self) -> Iterator[str]:
        return iter(self._environment)

    def __len__(self) -> int:
        return len(self._environment)


def read_secret(file: str, named_by: str) -> str:
    """A file's text without its last line's end, and without the mark (U+FEFF) that some editors begin with.

    Warns where others may read or change it. Raises SettingError, which tells the file and who named it, and nothing
    that is in it.
    """
    try:
        handle = os.open(file, os.O_RDONLY)
        with os.fdopen(handle, "rb") as stream:
            mode = os.fstat(handle).st_mode
            raw = stream.read(_LARGEST + 1)
        text = raw.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise SettingError(f"The file {file} ({named_by}) can't be read: {error.strerror}.",
                           fix="Name a file that the exchange's user may read.") from None
    except UnicodeDecodeError:
        raise SettingError(f"The file {file} ({named_by}) isn't UTF-8.") from None
    if not text or len(raw) > _LARGEST:
        raise SettingError(f"The file {file} ({named_by}) {'holds nothing' if not text else 'is too large'}.",
                           fix="It holds the secret alone.")
    if too_open(mode, file):
        _LOG.warning("The file %s (%s) may be read or changed by others (mode %o): run chmod 600 on it.",
                     file, named_by, stat.S_IMODE(mode))
    return text


def too_open(mode: int, file: str) -> bool:
    """Whether a file's mode lets others at the secret; what an engine mounted may be readable."""
    mounted = PurePath(file).is_relative_to(_MOUNTED)
    return bool(mode & (0o022 if mounted else 0o066))


def check_owner(path: Path) -> None:
    """Raise SettingError where a key file that is about to be replaced belongs to another user than this process's.

    The new file would be this user's (root's, say), and the server couldn't read it.
    """
    if path.exists() and path.stat().st_uid != os.geteuid():
        raise SettingError(f"The key file {path} belongs to another user.",
                           why="The server couldn't read the one that takes its place.",
                           fix="Rotate as the user that runs the server, for example with sudo -u.")


def environment() -> WithFiles:
    """This process's environment."""
    return WithFiles(os.environ)
