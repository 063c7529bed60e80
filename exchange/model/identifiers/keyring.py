"""The keys of a group over time: under which one tokens are made today, and under which they are looked up.

A ring is a TOML file that members of the group give each other on a safe way::

    [[key]]
    id = "grp-2026-q2"
    secret = "64 or more hex digits"      # or secret_env = "NAME" of an environment variable that holds them
    since = 2026-04-01
    until = 2026-08-01

Rotation: the next key begins before the last one ends. From its first day new tokens are made under the new
key; local values are looked up under all keys that are valid that day, so that what was shared under the
last one is still found. After ``until`` a key's tokens aren't looked up any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from exchange.errors import InputError
from exchange.model.identifiers.keyed import SHORTEST_SECRET, Key
from exchange.toml_text import TomlError, read_toml

_FIX = "`cibx identifier new-key ID` writes an entry as it must be."
_FIELDS = frozenset({"id", "secret", "secret_env", "since", "until"})


@dataclass(frozen=True, slots=True)
class Term:
    """A key and the days on which it is valid: from ``since`` on, before ``until``."""

    key: Key
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Ring:
    """The keys of one group."""

    terms: tuple[Term, ...]

    def accepted(self, on: date) -> tuple[Key, ...]:
        """The keys under which tokens are looked up that day, the newest first."""
        valid = sorted((term for term in self.terms if term.since <= on < term.until), key=lambda term: term.since)
        return tuple(term.key for term in reversed(valid))

    def current(self, on: date) -> Key:
        """The key under which tokens are made that day: the newest. Raises InputError when there is none."""
        valid = self.accepted(on)
        if not valid:
            raise InputError(f"No key of the ring is valid on {on}.", fix="Ask the group for its next key.")
        return valid[0]


def read_ring(text: str, environment: Mapping[str, str]) -> Ring:
    """The ring of a TOML text; raises InputError that names the entry, never the secret."""
    try:
        raw = read_toml(text)
    except TomlError as error:
        where = str(error).rpartition("(")[2].rstrip(")")  # the rest might quote a secret
        raise InputError("The ring of keys is no TOML.", why=f"Look {where}.", fix=_FIX) from None
    entries = raw.get("key")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise InputError("The ring of keys holds no [[key]].", fix=_FIX)
    terms = tuple(_term(entry, number, environment) for number, entry in enumerate(entries, 1))
    for name, values in (("id", [term.key.id for term in terms]), ("secret", [term.key.secret for term in terms])):
        if max(Counter(values).values()) > 1:
            raise InputError(f"Two keys of the ring have one {name}.", fix="Give each an id and a secret of its own.")
    starts = Counter(term.since for term in terms)
    if max(starts.values()) > 1:
        raise InputError("Two keys of the ring begin on one day.", why="Neither would be the newer.", fix=_FIX)
    return Ring(terms)


def _term(entry: Mapping[str, Any], number: int, environment: Mapping[str, str]) -> Term:
    where = f"Key {number} of the ring"
    odd = sorted(set(entry) - _FIELDS)
    if odd:
        raise InputError(f"{where} has an unknown field {odd[0]!r}.", fix=_FIX)
    since, until = entry.get("since"), entry.get("until")
    if type(since) is not date or type(until) is not date or since >= until:
        raise InputError(f"{where} needs the days since and until, since before until.", fix=_FIX)
    try:
        key = Key(str(entry.get("id", "")), _secret(entry, where, environment))
    except ValueError as error:
        raise InputError(f"{where} can't be used: {error}.", fix=_FIX) from error
    return Term(key, since, until)


def _secret(entry: Mapping[str, Any], where: str, environment: Mapping[str, str]) -> bytes:
    name = entry.get("secret_env")
    if (name is None) == ("secret" not in entry):
        raise InputError(f"{where} needs either secret or secret_env.", fix=_FIX)
    text = entry.get("secret") if name is None else environment.get(str(name))
    if text is None:
        raise InputError(f"{where} takes its secret from the variable {name}, which isn't set.", fix=f"Set {name}.")
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        need = f"It needs {2 * SHORTEST_SECRET} or more hex digits."
        raise InputError(f"{where} has a secret that can't be read.", why=need, fix=_FIX) from None
