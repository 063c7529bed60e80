"""What a member told the exchange so far, with the true figures behind it: kept beside its data, never sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import msgspec

from exchange.errors import InputError
from exchange.matcher.results.told import Former

NAME = "shared.json"
_SEPARATOR = " "


def read_ledger(path: Path) -> dict[tuple[str, str], Former]:
    """("sighting" or "opinion", id of the object spoken of) to what was told. Empty where there is no file.

    Raises InputError for a file that is none: to begin anew would tell what changed since.
    """
    if not path.exists():
        return {}
    try:
        rows = msgspec.json.decode(path.read_bytes(), type=dict[str, Former])
        return {_key(name): former for name, former in rows.items()}
    except (msgspec.DecodeError, ValueError, OSError) as error:
        raise InputError(f"The ledger {path} can't be read.", why=f"{error}.",
                         fix="Restore it from a backup: it keeps two runs from telling of single accounts.") from error


def _key(name: str) -> tuple[str, str]:
    kind, _, about = name.partition(_SEPARATOR)
    if kind not in ("sighting", "opinion") or not about:
        raise ValueError(f"{name[:80]!r} names no sighting and no opinion")
    return kind, about


def write_ledger(path: Path, rows: Mapping[tuple[str, str], Former]) -> None:
    """Write it whole under another name first. Raises InputError where it can't be written."""
    draft = path.with_name(f".{path.name}.part")
    text = msgspec.json.encode({_SEPARATOR.join(key): asdict(former) for key, former in sorted(rows.items())})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(msgspec.json.format(text, indent=1) + b"\n")
        draft.replace(path)
    except OSError as error:
        raise InputError(f"The ledger {path} can't be written.", why=f"{error.strerror}.",
                         fix="Name another place with --ledger.") from error
