"""What of this process's files a power cut would leave, by the acts that reach the disk: fsync and rename.

The strictest reading of POSIX: of a file stays what was there at its fsync; of a folder, the entries at its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


@dataclass
class WatchedDisk:
    """``kept`` is what would be there after a power cut now, as it is told by ``watch``."""

    forced: dict[int, bytes] = field(default_factory=dict)
    """Inode to its content at its last fsync."""
    entries: dict[Path, dict[str, int | None]] = field(default_factory=dict)
    """Folder to its entries (name to inode, None for a folder) at its last fsync."""
    renamed: list[tuple[Path, dict[Path, bytes]]] = field(default_factory=list)
    """Each file that took its place by a rename, and what would have been kept just before it."""

    def kept(self, folder: Path) -> dict[Path, bytes]:
        """The files below a folder that was there at the start."""
        found: dict[Path, bytes] = {}
        for name, inode in self.entries.get(folder, {}).items():
            if inode is None:
                found |= self.kept(folder / name)
            elif inode in self.forced:
                found[folder / name] = self.forced[inode]
        return found


def watch_disk(monkeypatch: pytest.MonkeyPatch, root: Path) -> WatchedDisk:
    """Watch the system calls that matter; they do what they do."""
    disk, fsync, replace = WatchedDisk(), os.fsync, os.replace

    def forcing(handle: int) -> None:
        fsync(handle)
        path = Path(f"/proc/self/fd/{handle}").resolve()
        if path.is_dir():
            disk.entries[path] = {one.name: None if one.is_dir() else one.inode() for one in os.scandir(path)}
        else:
            disk.forced[os.fstat(handle).st_ino] = path.read_bytes()

    def renaming(old: Any, new: Any, **how: Any) -> None:
        disk.renamed.append((Path(new), disk.kept(root)))
        replace(old, new, **how)

    monkeypatch.setattr(os, "fsync", forcing)
    monkeypatch.setattr(os, "replace", renaming)
    return disk
