"""Files that are on the disk, whole or not at all, before anything counts on them.

A rename is only as lasting as what it names and the folder that it changes: the content is forced to the disk before
it, the folder after it. Disks do that for many files about as fast as for one where they are asked together.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_TOGETHER = 16
"""Threads that wait for the disk; one after the other 1,000 files take seconds, together some tenths of one."""


class Batch:
    """Files of one folder that appear, or go, together; nothing of it is lasting before ``settle``."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._waiting: dict[Path, Path] = {}
        """File to where its content waits."""
        self._changed: set[Path] = set()
        """Folders whose entries changed."""

    def write(self, path: Path, content: bytes) -> None:
        """Write a file below the folder. Raises OSError; then nothing of the batch appears."""
        new = path.with_name(f".{path.name}.new")
        self._waiting[path] = new
        try:
            make_folder(self._root)
            path.parent.mkdir(parents=True, exist_ok=True)
            new.write_bytes(content)
        except OSError:
            self._forget()
            raise

    def gone(self, path: Path) -> None:
        """Say that a file or folder below the folder was deleted: that is to last too."""
        self._changed.update(folder for folder in self._up_from(path.parent) if folder.is_dir())

    def settle(self) -> None:
        """Let the files appear, on the disk when this returns. Raises OSError; then those that are there are whole."""
        try:
            _together(sync_file, self._waiting.values())
            for path, new in self._waiting.items():
                new.replace(path)
                self._changed.update(self._up_from(path.parent))
            _together(sync_folder, self._changed)
        finally:
            self._forget()

    def _up_from(self, folder: Path) -> Iterable[Path]:
        """The folder and those above it, up to that of the whole: each may be new."""
        yield folder
        while folder != self._root:
            folder = folder.parent
            yield folder

    def _forget(self) -> None:
        for new in self._waiting.values():
            new.unlink(missing_ok=True)
        self._waiting, self._changed = {}, set()


def write_whole(path: Path, content: bytes) -> None:
    """One file, whole or not at all, on the disk when this returns. Raises OSError."""
    batch = Batch(path.parent)
    batch.write(path, content)
    batch.settle()


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that aren't there, each on the disk when this returns. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_file(path: Path) -> None:
    """Have a file's content on the disk. Raises OSError."""
    _sync(os.open(path, os.O_RDONLY))


def sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk, where its file system can be asked for that. Raises OSError."""
    try:
        _sync(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


def _sync(handle: int) -> None:
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _together(sync: Callable[[Path], None], paths: Collection[Path]) -> None:
    with ThreadPoolExecutor(min(_TOGETHER, len(paths)) or 1) as threads:
        for _ in threads.map(sync, paths):
            pass  # an error is raised here
