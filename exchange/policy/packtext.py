"""The text of policy packs: taken from a folder within bounds, kept word for word, read back as packs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from exchange.errors import SettingError
from exchange.policy.packfile import PackFile
from exchange.policy.packs import Packs, assemble
from exchange.toml_text import TomlError, read_toml

_MOST_FILES, _MOST_CHARACTERS, _DEEPEST = 1_000, 4_000_000, 5


def texts_of(folder: Path | None = None) -> dict[str, str]:
    """The TOML texts of a folder's packs by name, in the order in which packs are read; None: the shipped ones.

    Raises SettingError for what can't be read, isn't UTF-8, or is larger than any policy (4 MB in all).
    """
    if folder is not None and not folder.is_dir():
        raise SettingError(f"{folder} is no folder of policy packs.", fix="Name a folder of TOML files.")
    texts: dict[str, str] = {}
    left = _MOST_CHARACTERS
    for name, file in _files(folder or resources.files("policies"), "", 0):
        try:
            with file.open("rb") as stream:
                texts[name] = stream.read(left + 1).decode("utf-8")
        except OSError as error:
            raise SettingError(f"The policy pack {name} can't be read: {error.strerror or error}.") from error
        except UnicodeDecodeError as error:
            raise SettingError(f"The policy pack {name} can't be read: byte {error.start} isn't UTF-8.") from error
        left -= len(texts[name])
        if left < 0 or len(texts) > _MOST_FILES:
            raise SettingError(f"The policy packs in {folder} are too large.",
                               why=f"At most {_MOST_FILES} files and {_MOST_CHARACTERS:,} characters are taken.")
    return texts


def packs_of(texts: Mapping[str, str]) -> Packs:
    """The packs that those texts are. Raises SettingError that names the file and what is wrong in it."""
    files = []
    for name, text in texts.items():
        try:
            files.append(PackFile(name, read_toml(text)))
        except TomlError as error:
            raise SettingError(f"The policy pack {name} can't be read: {error}.") from error
    return assemble(tuple(files))


def _files(folder: Traversable, prefix: str, depth: int) -> Iterator[tuple[str, Traversable]]:
    if depth > _DEEPEST:
        raise SettingError(f"The folders of policy packs are nested too deeply, at {prefix[:60]}.")
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir():
            if not entry.name.startswith(("_", ".")):
                yield from _files(entry, f"{prefix}{entry.name}/", depth + 1)
        elif entry.name.endswith(".toml"):
            yield f"{prefix}{entry.name}", entry
