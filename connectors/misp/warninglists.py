"""Warning lists: values that look like indicators and condemn nobody; a hit names the list.

Hits come from the event itself (``warnings`` of an attribute, as a MISP server adds them) and from lists in the form
of misp-warninglists: ``type`` string (the value), substring (anywhere in it), hostname (its host or one above it),
cidr, or regex; ``matching_attributes`` says which attribute types a list is about. Letter case doesn't matter.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import re2

from connectors.misp import record
from connectors.misp.record import Record
from exchange.errors import InputError

Test = Callable[[str], bool]

_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#:@|]+)", re.IGNORECASE)
_PHP = re.compile(r"([/~#])(.*)\1[imsux]*", re.DOTALL)
_MEMORY = 256 << 20
_FIX = "Give a warning list in the form of misp-warninglists: a JSON object with name, type and list."


@dataclass(frozen=True)
class WarningList:
    """One list, ready to be asked."""

    name: str
    types: frozenset[str]
    """Attribute types that it is about; empty: all."""
    test: Test


def read_lists(option: str) -> tuple[WarningList, ...]:
    """The lists of a file or folder; none where the option is empty. Raises InputError for what is no list."""
    if not option:
        return ()
    place = Path(option)
    paths = sorted(place.rglob("*.json")) if place.is_dir() else [place]
    if not paths:
        raise InputError(f"The folder {place} holds no warning list.", fix=_FIX)
    return tuple(_read(path) for path in paths)


def hit(item: Record, kind: str, lists: Iterable[WarningList]) -> str:
    """The name of the first list that an attribute's value is on, by the event or by ours; empty where on none."""
    for warning in record.children(item, "warnings"):
        return record.text(warning, "warninglist_name") or "a warning list of the source"
    value = record.text(item, "value").lower()
    parts = (value, *(value.split("|") if "|" in kind else ()))
    for one in lists:
        if (not one.types or kind in one.types) and any(one.test(part) for part in parts):
            return one.name
    return ""


def _read(path: Path) -> WarningList:
    try:
        raw: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise InputError(f"{path} can't be read as a warning list.", fix=_FIX) from None
    entries = raw.get("list") if isinstance(raw, dict) else None
    maker = _TESTS.get(str(raw.get("type", "string"))) if isinstance(raw, dict) else None
    if not isinstance(entries, list) or maker is None:
        raise InputError(f"{path} is no warning list.", fix=_FIX)
    found = [str(one).strip().lower() for one in entries if isinstance(one, str | int) and str(one).strip()]
    if maker is _regex:
        found = [str(one) for one in entries]
    try:
        test = maker(found)
    except (ValueError, re2.error) as error:
        raise InputError(f"{path} has an entry that can't be used: {str(error)[:200]}.", fix=_FIX) from None
    about = frozenset(record.names(raw, "matching_attributes"))
    return WarningList(record.text(raw, "name") or path.stem, about, test)


def _string(entries: list[str]) -> Test:
    return frozenset(entries).__contains__


def _hostname(entries: list[str]) -> Test:
    hosts = frozenset(entry.strip(".") for entry in entries)

    def test(value: str) -> bool:
        """Whether a host, or a domain that it is under, is on the list."""
        found = _HOST.match(value)
        labels = found[1].strip(".").split(".") if found else []
        return any(".".join(labels[start:]) in hosts for start in range(len(labels)))

    return test


def _substring(entries: list[str]) -> Test:
    return _search("|".join(re2.escape(entry) for entry in entries)) if entries else (lambda _value: False)


def _cidr(entries: list[str]) -> Test:
    networks: dict[tuple[int, int], set[int]] = {}
    for entry in entries:
        network = ipaddress.ip_network(entry, strict=False)
        shift = network.max_prefixlen - network.prefixlen
        networks.setdefault((network.version, shift), set()).add(int(network.network_address) >> shift)

    def test(value: str) -> bool:
        """Whether an address or network lies within a network of the list."""
        try:
            asked = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return False
        own = asked.max_prefixlen - asked.prefixlen
        number = int(asked.network_address)
        return any(version == asked.version and shift >= own and number >> shift in known
                   for (version, shift), known in networks.items())

    return test


def _regex(entries: list[str]) -> Test:
    found = (_PHP.fullmatch(entry.strip()) for entry in entries)
    plain = [match[2] if match else entry for match, entry in zip(found, entries, strict=True)]
    tests = [_search(one.replace(r"\@", "@").replace(r"\/", "/")) for one in plain]
    return lambda value: any(test(value) for test in tests)


def _search(pattern: str) -> Test:
    options = re2.Options()
    options.case_sensitive, options.max_mem, options.log_errors = False, _MEMORY, False
    compiled = re2.compile(pattern, options)
    return lambda value: compiled.search(value) is not None


_TESTS: dict[str, Callable[[list[str]], Test]] = {
    "string": _string, "substring": _substring, "hostname": _hostname, "cidr": _cidr, "regex": _regex,
}  # fmt: skip
