"""A mapping file: which file, column and kind of a platform's own tables is which of ours.

TOML, one table per entity table::

    [links]
    file = "identity_edges.parquet"             # a file, or a folder of Parquet parts; relative to the entities' folder
    columns = { account_id = "uid", itype = "edge_kind", value = "edge_value" }
    kinds = { device_id = "device", msisdn = "phone" }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exchange.errors import InputError
from exchange.toml_text import TomlError, read_toml

_WORDS = ("file", "columns", "kinds")


@dataclass(frozen=True)
class TableMapping:
    """Where one entity table stands and what its columns and kinds are called there."""

    file: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name to the platform's name."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """The platform's name of a kind to ours."""


def read_mapping(path: Path, tables: tuple[str, ...]) -> dict[str, TableMapping]:
    """Read a mapping file for the named tables. Raises InputError with the place that is wrong."""
    try:
        given = read_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The mapping file {path} can't be read.", why=f"{error}.") from error
    except TomlError as error:
        raise InputError(f"The mapping file {path} is not TOML.", why=f"{error}.") from error
    result = {}
    for name, row in given.items():
        if name not in tables or not isinstance(row, dict):
            raise InputError(f"{path}: {name!r} is not an entity table.", fix=f"Tables: {', '.join(tables)}.")
        for word, value in row.items():
            wanted = str if word == "file" else dict
            if word not in _WORDS or not isinstance(value, wanted):
                raise InputError(f"{path}: [{name}] can't have {word} = {value!r}.",
                                 fix="A table may have file (a name), columns and kinds (inline tables).")
        result[name] = TableMapping(row.get("file"), row.get("columns", {}), row.get("kinds", {}))
    return result
