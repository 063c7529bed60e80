"""A table of weights as a file: written back word for word as it was read, and known by its digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

_BARE = re.compile("[A-Za-z0-9_-]+")


def digest(table: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a parsed table; the same for files that differ in layout or comments only."""
    return hashlib.sha256(orjson.dumps(table, option=orjson.OPT_SORT_KEYS)).hexdigest()


def as_toml(table: Mapping[str, Any]) -> str:
    """The table as TOML that reads back equal, to the last bit of every number."""
    return "\n".join(_lines(table, ())).strip() + "\n"


def write_table(table: Mapping[str, Any], path: Path, about: str = "") -> None:
    """Write a table, with ``about`` as comment lines above it; never over a file that is there (FileExistsError)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    comment = "".join(f"# {line}\n" for line in about.splitlines())
    with path.open("x", encoding="utf-8") as file:
        file.write(comment + as_toml(table))


def _lines(table: Mapping[str, Any], place: tuple[str, ...]) -> list[str]:
    lines = [f"{_key(name)} = {_value(value)}" for name, value in table.items() if not _is_table(value)]
    for name, value in table.items():
        where = (*place, name)
        header = ".".join(map(_key, where))
        if isinstance(value, Mapping):
            lines += ["", f"[{header}]", *_lines(value, where)]
        elif _is_table(value):
            for row in value:
                lines += ["", f"[[{header}]]", *_lines(row, where)]
    return lines


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value)
                                          and all(isinstance(row, Mapping) for row in value))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)


def _text(text: str) -> str:
    """A basic string of TOML; JSON's escapes are TOML's too, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
