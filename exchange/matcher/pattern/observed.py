"""Observed data as the patterns see it: a bundle's observed-data objects, each with the objects it saw and when.

An observed-data object stands for ``number_observed`` observations at unknown moments between ``first_observed``
and ``last_observed`` (STIX 2.1, 9.1). Its objects come from ``object_refs`` (2.1) or from ``objects`` (2.0).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from exchange.errors import InputError
from exchange.stix.timestamp import microseconds, version_key

BROKEN_JSON = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
"""What msgspec raises for text that isn't JSON, is nested too deep, or isn't UTF-8."""
TICKS = 2 * 10**18
"""Ticks in a second: twice the finest fraction that is told apart, so that "just after" is one tick."""
_DIGITS = 18
_FIX = "Give a STIX bundle with observed-data and the objects they refer to."


class Observed(msgspec.Struct, frozen=True):
    """One observed-data object."""

    id: str
    objects: tuple[dict[str, Any], ...]
    scope: Mapping[str, dict[str, Any]]
    """What references may lead to: the objects of this observed-data by id (2.1) or by key (2.0)."""
    count: int = 1
    """Observations it stands for."""
    first: int | None = None
    """Ticks since 1970; None when the object doesn't tell, and so is ``last``."""
    last: int | None = None


@dataclass
class Bundle:
    """The observed data of a file and what couldn't be read of it, in words."""

    observed: list[Observed] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@lru_cache(maxsize=1 << 14)
def ticks(text: str) -> int:
    """Ticks since 1970 of a STIX timestamp, exact to 18 digits. Raises ValueError for anything else."""
    fraction = version_key(text)[20:][:_DIGITS].ljust(_DIGITS, "0")
    seconds = microseconds(text) // 1_000_000
    return seconds * TICKS + int(fraction) * 2


def read_bundle(path: Path) -> Bundle:
    """The observed data of a bundle, a TAXII envelope or an array of objects.

    A bad object is told in ``problems`` and the rest goes on. Raises InputError for a file that can't be read or
    isn't any of these.
    """
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InputError(f"The observed data in {path} can't be read.", why=f"{error.strerror}.", fix=_FIX) from error
    try:
        whole = _raw_objects(data)
        try:
            bundle = observed_data(msgspec.json.decode(whole, type=list[dict[str, Any]]))
        except BROKEN_JSON:  # one of them is bad: which?
            objects, problems = _one_by_one(msgspec.json.decode(whole, type=list[msgspec.Raw]))
            bundle = observed_data(objects)
            bundle.problems[:0] = problems
    except BROKEN_JSON as error:
        raise InputError(f"{path} is no STIX bundle.", why=f"{str(error).rstrip('.')}.", fix=_FIX) from error
    return bundle


def _one_by_one(raws: Sequence[msgspec.Raw]) -> tuple[list[dict[str, Any]], list[str]]:
    """The objects that can be read, and what is wrong with the others, in words."""
    problems: list[str] = []
    objects: list[dict[str, Any]] = []
    for number, raw in enumerate(raws, 1):
        try:
            objects.append(msgspec.json.decode(raw, type=dict[str, Any]))
        except BROKEN_JSON as error:
            problems.append(f"Object {number} of the bundle is left out: {str(error).rstrip('.')}.")
    return objects, problems


def _raw_objects(data: bytes) -> bytes | msgspec.Raw:
    """The JSON array of the objects of a bundle, an envelope, an array, or an observed-data by itself."""
    if data.lstrip()[:1] == b"[":
        return data
    box = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    kind = bytes(box.get("type", b"")).strip()
    if kind == b'"observed-data"':
        return b"[%b]" % data
    if "objects" in box:
        return box["objects"]
    if kind != b'"bundle"':
        raise msgspec.DecodeError("It has no objects")
    return b"[]"


def observed_data(objects: Iterable[Mapping[str, Any]]) -> Bundle:
    """The observed data among decoded STIX objects, in their order; of several versions the latest counts, and what
    its creator revoked doesn't."""
    by_id: dict[str, Mapping[str, Any]] = {}
    problems: list[str] = []
    for given in objects:
        name = given.get("id")
        if not isinstance(name, str):
            problems.append("An object without an id is left out of the observed data.")
        elif name not in by_id or _is_newer(given, by_id[name]):
            by_id[name] = given
    found = []
    for name, given in by_id.items():
        kind = given.get("type")
        if kind == "bundle":
            problems.append(f"{name} is a bundle inside of another; its objects are left out. Give it by itself.")
        if kind != "observed-data":
            continue
        if given.get("revoked") is True:
            problems.append(f"{name} is revoked; it counts as not seen.")
        else:
            found.append(_observed(name, given, by_id, problems))
    return Bundle(found, problems)


def _is_newer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    try:
        return version_key(str(one.get("modified"))) > version_key(str(other.get("modified")))
    except ValueError:
        return False


def _observed(
    name: str, given: Mapping[str, Any], by_id: Mapping[str, Mapping[str, Any]], problems: list[str]
) -> Observed:
    scope: dict[str, dict[str, Any]] = {}
    inner = given.get("objects")
    if isinstance(inner, dict):
        for key, one in inner.items():
            if isinstance(one, dict):
                scope[key] = one
    refs = given.get("object_refs")
    missing = 0
    for ref in refs if isinstance(refs, list) else ():
        seen = by_id.get(ref) if isinstance(ref, str) else None
        if isinstance(seen, dict):
            scope[ref] = seen
        else:
            missing += 1
    if missing:
        problems.append(f"{name} refers to {missing} object(s) that the bundle doesn't hold; they count as not seen.")
    count = given.get("number_observed", 1)
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        problems.append(f"{name} has a number_observed that is no whole number above 0; it counts as 1.")
        count = 1
    first, last = given.get("first_observed"), given.get("last_observed")
    try:
        begin, end = ticks(last if first is None else first), ticks(first if last is None else last)
        if begin <= end:
            return Observed(name, tuple(scope.values()), scope, count, begin, end)
    except (ValueError, TypeError):
        pass
    problems.append(f"{name} doesn't tell when it was observed; patterns that ask for time can't be sure of it.")
    return Observed(name, tuple(scope.values()), scope, count)
