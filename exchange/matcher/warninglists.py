"""Warning lists: values that look like indicators and condemn nobody (top sites, shared hosting, contact addresses).

Read in MISP's form: a JSON object with name, type (string, substring, hostname, cidr, regex), list, and
matching_attributes that say which kinds of values it is about (absent: all). ``string`` is the value itself;
``substring`` stands anywhere in it; ``hostname`` is the value's host or one above it; ``cidr`` holds the address or the
whole range; ``regex`` (``/…/i``) is searched on RE2, which never takes long. Case doesn't matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import re2

from exchange.errors import InputError
from exchange.matcher import names
from exchange.matcher.indicators import Indicator
from exchange.matcher.pattern.networks import Network, network
from exchange.matcher.probes import Probe
from exchange.matcher.report import Report

_FIX = "Give a warning list of MISP: a JSON object with name, type and list."
_ATTRIBUTES = {
    "domain": {"domain", "hostname", "domain|ip", "url", "uri", "link", "fqdn"},
    "email_domain": {"domain", "hostname", "domain|ip"},
    "url": {"url", "uri", "link", "domain", "hostname", "domain|ip"},
    "account": {"url", "uri", "link"},
    "ip4": {"ip-src", "ip-dst", "domain|ip", "ip-src|port", "ip-dst|port"},
    "ip_range": {"ip-src", "ip-dst", "domain|ip", "ip-src|port", "ip-dst|port"},
    "email": {"email", "email-src", "email-dst", "target-email", "whois-registrant-email", "dns-soa-email"},
    "phone": {"phone-number", "whois-registrant-phone"},
}
_PHP = re.compile(r"([/~#])(.*)\1([imsux]*)", re.DOTALL)
_MEMORY = 256 << 20
Test = Callable[[str], bool]


@dataclass(frozen=True)
class WarningList:
    """One list, ready to be asked."""

    name: str
    place: str
    """The file, for people."""
    entries: int
    kinds: frozenset[str] | None
    """Kinds of values that it is about; None: all."""
    test: Test

    def holds(self, probe: Probe) -> bool:
        """Whether a value to look for is on the list, or the indicated one that it stems from; tokens can't be told."""
        if self.kinds is not None and probe.kind not in self.kinds:
            return False
        return self.test(probe.shared.strip().lower()) or (probe.how == "host" and self.test(probe.text))


def read_warning_lists(paths: Iterable[Path]) -> tuple[list[WarningList], list[str]]:
    """The lists of files and folders (their ``.json`` files, also in folders below), and what is wrong in folders.

    Raises InputError for a file that is named itself and is no warning list: who names it counts on it.
    """
    found: list[WarningList] = []
    problems: list[str] = []
    for path in paths:
        if path.is_dir():
            files = sorted(path.rglob("*.json"))
            if not files:
                raise InputError(f"The folder {path} holds no warning list.", fix=_FIX)
            for file in files:
                try:
                    found.append(_read(file, problems))
                except InputError as error:
                    problems.append(f"{error} The other lists are used.")
        else:
            found.append(_read(path, problems))
    return found, problems


def _read(path: Path, problems: list[str]) -> WarningList:
    try:
        given = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The warning list {path} can't be read.", why=f"{error}.", fix=_FIX) from error
    entries = given.get("list") if isinstance(given, dict) else None
    kind = given.get("type", "string") if isinstance(given, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise InputError(f"{path} is no warning list: it has no list of texts.", fix=_FIX)
    maker = _TESTS.get(kind) if isinstance(kind, str) else None
    if maker is None:
        raise InputError(f"The warning list {path} has the unknown type {kind!r}.", fix=f"Types: {', '.join(_TESTS)}.")
    wanted = [entry.strip() for entry in entries if entry.strip()]
    bad: list[str] = []
    test = maker(wanted, bad)
    problems += [f"{path}: the entry {entry[:80]!r} is no {kind} and is left out of the warning list."
                 for entry in bad]
    return WarningList(str(given.get("name") or path.stem), path.name, len(wanted) - len(bad), _kinds(given), test)


def _kinds(given: dict[str, Any]) -> frozenset[str] | None:
    stated = given.get("matching_attributes")
    if not isinstance(stated, list) or not stated:
        return None
    return frozenset(kind for kind, words in _ATTRIBUTES.items() if words.intersection(map(str, stated)))


def _strings(entries: list[str], bad: list[str]) -> Test:
    known = frozenset(entry.lower() for entry in entries)
    return lambda value: value in known or (names.host(value) or value) in known


def _substrings(entries: list[str], bad: list[str]) -> Test:
    return _searching([re2.escape(entry.lower()) for entry in entries])


def _hostnames(entries: list[str], bad: list[str]) -> Test:
    known = frozenset(entry.lower().strip(".") for entry in entries)

    def test(value: str) -> bool:
        """Whether the host of a value, or a name above it, is listed."""
        url = names.url(value)
        parts = (names.url_host(url) if url else value).split(".")
        return any(".".join(parts[start:]) in known for start in range(len(parts)))

    return test


def _ranges(entries: list[str], bad: list[str]) -> Test:
    known: dict[tuple[int, int], set[int]] = {}
    for entry in entries:
        given = network(entry)
        if given is None:
            bad.append(entry)
        else:
            known.setdefault((given.version, given.bits), set()).add(_cut(given, given.bits))

    def test(value: str) -> bool:
        """Whether an address or range lies in a listed one."""
        asked = network(value)
        return asked is not None and any(
            _cut(asked, bits) in firsts for (version, bits), firsts in known.items()
            if version == asked.version and bits <= asked.bits)

    return test


def _cut(given: Network, bits: int) -> int:
    return given.first >> (given.length - bits)


def _expressions(entries: list[str], bad: list[str]) -> Test:
    parts = []
    for entry in entries:
        php = _PHP.fullmatch(entry)
        text, flags = (php[2], php[3].replace("u", "").replace("x", "")) if php else (entry, "")
        part = f"(?{flags}i:{text})".replace("ii", "i")
        try:
            re2.compile(part, _options())
            parts.append(part)
        except re2.error:
            bad.append(entry)
    return _searching(parts)


def _searching(parts: list[str]) -> Test:
    if not parts:
        return lambda value: False
    search = re2.compile("|".join(parts), _options()).search
    return lambda value: search(value) is not None


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    return options


_TESTS: dict[str, Callable[[list[str], list[str]], Test]] = {
    "string": _strings, "substring": _substrings, "hostname": _hostnames, "cidr": _ranges, "regex": _expressions,
}


def suppress(indicators: Iterable[Indicator], lists: Iterable[WarningList], report: Report) -> list[Indicator]:
    """The indicators less the values that are on a list; the report says which list took how many, and one of them."""
    lists = list(lists)
    kept = []
    for indicator in indicators:
        values = []
        for probe in indicator.probes:
            on = next((one for one in lists if one.holds(probe)), None)
            if on is None:
                values.append(probe)
                continue
            report.leave_out(f"the value is on the warning list {on.name!r} ({on.place})",
                             f"{indicator.id}: {probe.shared}"[:200])
            report.values_used[probe.kind] -= 1
        report.indicators_used -= not (values or indicator.scans)
        if values or indicator.scans:
            kept.append(indicator if len(values) == len(indicator.probes)
                        else replace(indicator, probes=tuple(values)))
    report.values_used = +report.values_used
    return kept
