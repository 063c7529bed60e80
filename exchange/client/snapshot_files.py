"""A snapshot's files: a STIX 2.1 bundle, and Parquet with the columns that a detection job asks for (schema 1).

Both are written an object at a time, under another name that is changed when they are whole.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO, Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from exchange.client.disk import sync_file, sync_folder
from exchange.errors import InputError, UnavailableError
from exchange.stix.fault import StixFault
from exchange.stix.pattern.parser import parse
from exchange.stix.pattern.tree import comparisons

PARQUET_SCHEMA = "cibx-snapshot/1"
COLUMNS: Mapping[str, tuple[str, str]] = {
    "id": ("VARCHAR", "STIX id"),
    "type": ("VARCHAR", "STIX type"),
    "created": ("VARCHAR", "as its producer wrote it; null for observables"),
    "modified": ("VARCHAR", "as its producer wrote it; null for what has no versions"),
    "date_added": ("VARCHAR", "when it was added to the collection, as this member can tell"),
    "revoked": ("BOOLEAN", "taken back: stop using it"),
    "created_by_ref": ("VARCHAR", "id of its producer's identity"),
    "name": ("VARCHAR", "name, if any"),
    "pattern_type": ("VARCHAR", "of indicators: stix, or another language"),
    "pattern": ("VARCHAR", "of indicators"),
    "value_kinds": ("VARCHAR[]", "object paths that the pattern compares (domain-name:value); of observables the type"),
    "value": ("VARCHAR", "of observables that have one"),
    "valid_from": ("VARCHAR", "of indicators"),
    "valid_until": ("VARCHAR", "of indicators; null: no end"),
    "confidence": ("INTEGER", "0 to 100; null: not stated"),
    "labels": ("VARCHAR[]", "labels and indicator types"),
    "markings": ("VARCHAR[]", "ids of its marking definitions"),
    "object": ("VARCHAR", "the whole object, the JSON as it came"),
}
"""Column to its type (DuckDB's names) and meaning; a new column raises the schema's number."""
_TEXTS = ("id", "type", "created", "modified", "created_by_ref", "name", "pattern_type", "pattern", "valid_from",
          "valid_until")

_SHORTEST_BUFFER = 1 << 20
"""Bytes: DuckDB takes lines in buffers of twice its longest line, for each thread."""

Objects = Callable[[], Iterable[tuple[str, bytes]]]
"""Gives date added and bytes of each object, anew at each call."""


def write_bundle(path: Path, objects: Objects, root: str) -> None:
    """A bundle, its id made of the snapshot's ``root``. Raises UnavailableError where the disk doesn't take it."""
    head = f'{{"type":"bundle","id":"bundle--{uuid5(NAMESPACE_URL, root)}"'

    def fill(file: IO[bytes]) -> None:
        """Write the bundle an object at a time (STIX 2.1, 8); an empty one has no ``objects``."""
        file.write(head.encode())
        before = b',"objects":[\n'
        for _, body in objects():
            file.write(before + body)
            before = b",\n"
        file.write(b"]}\n" if before == b",\n" else b"}\n")

    _whole(path, fill)


def write_parquet(path: Path, objects: Objects) -> None:
    """Parquet in the schema of ``COLUMNS``. Raises InputError without DuckDB, UnavailableError for a full disk."""
    try:
        import duckdb  # noqa: PLC0415 - an optional part of the installation, and slow to load
    except ImportError:
        raise InputError("Parquet is written with DuckDB, which is not installed.",
                         fix="Install cib-exchange[matcher], or take --format bundle.") from None
    new = _other_name(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".snapshot-") as folder:
        rows, longest = Path(folder) / "rows.jsonl", _SHORTEST_BUFFER

        def fill(file: IO[bytes]) -> None:
            """Write a line for each object, and note the longest (bytes)."""
            nonlocal longest
            for added, body in objects():
                longest = max(longest, file.write(msgspec.json.encode(row_of(added, body)) + b"\n"))

        _whole(rows, fill)
        columns = ", ".join(f"'{name}': '{kind}'" for name, (kind, _) in COLUMNS.items())
        try:
            with duckdb.connect(config={"memory_limit": "512MB", "threads": 2, "temp_directory": folder}) as link:
                link.execute(
                    f"COPY (SELECT * FROM read_json({_quoted(rows)}, format = 'newline_delimited',"  # noqa: S608 - our own words # nosec B608
                    f" maximum_object_size = {longest + 1}, columns = {{{columns}}})) TO {_quoted(new)}"
                    f" (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, KV_METADATA {_described()})")
        except duckdb.Error as error:
            new.unlink(missing_ok=True)
            raise UnavailableError(f"{path} can't be written: {str(error).splitlines()[0]}",
                                   fix="Make room and run the same command.") from None
    _rename(new, path)


def row_of(added: str, body: bytes) -> dict[str, Any]:
    """The values of ``COLUMNS`` for one object."""
    item = msgspec.json.decode(body)
    row: dict[str, Any] = {name: text for name in _TEXTS if isinstance(text := item.get(name), str)}
    confidence, value = item.get("confidence"), item.get("value")
    return row | {
        "date_added": added, "revoked": item.get("revoked") is True, "object": body.decode(),
        "confidence": confidence if isinstance(confidence, int) and abs(confidence) <= 100 else None,
        "value": value if isinstance(value, str) else None, "value_kinds": value_kinds(item),
        "labels": [*_texts(item.get("labels")), *_texts(item.get("indicator_types"))],
        "markings": _texts(item.get("object_marking_refs")),
    }


def value_kinds(item: Mapping[str, Any]) -> list[str]:
    """What an object may be looked for by: the paths of its pattern, or its type where it is an observable."""
    pattern = item.get("pattern")
    if isinstance(pattern, str):
        if item.get("pattern_type", "stix") != "stix":
            return []
        try:
            return list(dict.fromkeys(one.object_path for one in comparisons(parse(pattern))))
        except StixFault:
            return []
    return [] if "created" in item or "value" not in item else [str(item.get("type", ""))]


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal. Raises InputError where it can't be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}.", fix="Make the snapshot anew.") from None


def write_whole(path: Path, data: bytes) -> None:
    """A small file, whole or not at all. Raises UnavailableError where the disk doesn't take it."""
    _whole(path, lambda file: file.write(data))


def _whole(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    new = _other_name(path)
    try:
        with open(new, "wb") as file:
            fill(file)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise _full(path, error) from None
    _rename(new, path)


def _rename(new: Path, path: Path) -> None:
    try:
        sync_file(new)
        new.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise _full(path, error) from None


def _full(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(f"{path} can't be written: {error.strerror}.",
                            fix="Make room and run the same command: what was pulled is kept.")


def _other_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _texts(found: Any) -> list[str]:
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _quoted(path: Path | str) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _described() -> str:
    said = {"schema": PARQUET_SCHEMA, **{f"column.{name}": meaning for name, (_, meaning) in COLUMNS.items()}}
    return "{" + ", ".join(f"{_quoted(name)}: {_quoted(text)}" for name, text in said.items()) + "}"
