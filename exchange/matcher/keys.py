"""Where keyed hashes meet values in the clear: a member who holds the group's keys hashes its own values to compare.

Neither side's values change. A local value whose hash the feed names is looked for under its own number, as if the
feed had named it in the clear; a value that the feed names in the clear is looked for under its hash, where local
tables hold hashes. Hashing takes tens of microseconds a value (HMAC-SHA256, and normalisation), so only the kinds
and keys are hashed that the other side has, and each distinct value once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from ipaddress import IPv4Address

from exchange.matcher.engine import Engine
from exchange.matcher.hashed import LOCAL_KINDS, kinds_hashed_as
from exchange.matcher.indicators import Indicator
from exchange.matcher.probes import Probe
from exchange.matcher.report import Report
from exchange.matcher.values import HASHED, hashed_token, is_token_sql, key, quoted
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.keyed import NORM, Key, token
from exchange.model.identifiers.keyring import Ring
from exchange.model.identifiers.kind import Kind

_AT_ONCE = 50_000
NOT_HASHED = "a local value that no keyed hash can be made of (a phone number without its country's code, for one)"


@dataclass(frozen=True)
class _Wanted:
    """Kind of link, what was hashed, key id and normalisation: hashes are equal within one of them only."""

    kind: str
    of: str
    key_id: str
    norm: str


def meet_hashes(engine: Engine, indicators: list[Indicator], ring: Ring | None, at: int, report: Report
                ) -> list[Indicator]:
    """The indicators with probes for what they mean on the other side of a hash; the report gets what can't be told.

    ``at``: Unix seconds; keys of the ring that are valid that day are used.
    """
    feed = _hashes(indicators)
    if not feed and ring is None:
        return indicators
    local = {(kind, key_id) for kind, key_id in engine.rows(f"""SELECT DISTINCT kind, split_part(value, ':', 2)
        FROM links WHERE value LIKE {quoted(HASHED + '%')}""")}
    day = datetime.fromtimestamp(at, UTC).date()
    keys = {one.id: one for one in ring.accepted(day)} if ring is not None else {}
    _tell_strange(feed, {key_id for _, key_id in local} | keys.keys(), ring, day, report)
    found: dict[int, list[Probe]] = defaultdict(list)
    mine = {wanted: named for wanted, named in feed.items() if wanted.key_id in keys}
    if mine:
        _meet_clear(engine, mine, keys, found, report)
    ours = {(kind, key_id) for kind, key_id in local if key_id in keys}
    if ours:
        _meet_local(indicators, ours, keys, found)
    return [replace(one, probes=(*one.probes, *found[ix])) if ix in found else one
            for ix, one in enumerate(indicators)]


_Named = dict[str, list[tuple[int, Probe]]]
"""Hex digits of a hash to who names it: number of the indicator, and its probe."""


def _hashes(indicators: list[Indicator]) -> dict[_Wanted, _Named]:
    found: dict[_Wanted, _Named] = defaultdict(lambda: defaultdict(list))
    for ix, indicator in enumerate(indicators):
        for probe in indicator.probes:
            if (one := probe.hashed) is not None:
                found[_Wanted(probe.kind, one.of, one.key_id, one.norm)][one.value].append((ix, probe))
    return found


def _tell_strange(feed: Mapping[_Wanted, _Named], known: set[str], ring: Ring | None, day: date, report: Report
                  ) -> None:
    """Keys of the feed that neither the local tables nor the ring have: what is under them can't be compared."""
    for wanted, named in feed.items():
        if wanted.norm.partition("+")[0] != NORM:
            report.leave_out(f"a keyed hash in the normalisation {wanted.norm[:40]}, which isn't known here",
                             wanted.key_id, len(named))
    for name in sorted({wanted.key_id for wanted in feed} - known):
        count = sum(len(named) for wanted, named in feed.items() if wanted.key_id == name)
        report.leave_out(f"a keyed hash under the key {name}, which nothing local is hashed under", name, count)
        remedy = (f"The ring has no key of that name that is valid on {day}; ask the group for it." if ring else
                  "Name the group's ring of keys with --keys, or hash your own values with cibx identifier hash.")
        report.problems.append(f"The feed names {count} keyed {'hash' if count == 1 else 'hashes'} under the key"
                               f" {name}, and nothing local can be compared with them. {remedy}")


def _meet_clear(engine: Engine, feed: Mapping[_Wanted, _Named], keys: Mapping[str, Key],
                found: dict[int, list[Probe]], report: Report) -> None:
    """Local values in the clear whose hashes the feed names."""
    for kind in sorted({wanted.kind for wanted in feed}):
        wanted = [(one, named, kinds_hashed_as(one.of), one.norm.removeprefix(NORM).removeprefix("+"))
                  for one, named in feed.items() if one.kind == kind and one.norm.partition("+")[0] == NORM]
        faults = 0
        for value, number in _clear_values(engine, kind):
            told = False
            for one, named, kinds, fold in wanted:
                for made in _digits(kinds, value, keys[one.key_id], fold):
                    told = True
                    for ix, probe in named.get(made, ()):
                        found[ix].append(replace(probe, key=number, hashed=None))
            faults += not told
        if faults:
            report.leave_out(NOT_HASHED, kind, faults)


def _meet_local(indicators: list[Indicator], local: set[tuple[str, str]], keys: Mapping[str, Key],
                found: dict[int, list[Probe]]) -> None:
    """Values that the feed names in the clear, where local tables hold hashes of their kind."""
    under: dict[str, list[Key]] = defaultdict(list)
    for kind, key_id in sorted(local):
        under[kind].append(keys[key_id])
    for ix, indicator in enumerate(indicators):
        for probe in indicator.probes:
            if probe.how != "token" or probe.hashed is not None or probe.kind not in under:
                continue
            for one in under[probe.kind]:
                for of in sorted(word for word, kind in LOCAL_KINDS.items() if kind == probe.kind):
                    found[ix] += [replace(probe, key=key(probe.kind, hashed_token(made)))
                                  for made in _digits(kinds_hashed_as(of), probe.shared, one, "")]


def _digits(kinds: tuple[Kind, ...], text: str, under: Key, fold: str) -> Iterator[str]:
    """The hashes of a text as each of the kinds that takes it."""
    for kind in kinds:
        try:
            yield token(kind, text, under, fold).value
        except IdentifierError:
            continue


def _clear_values(engine: Engine, kind: str) -> Iterator[tuple[str, int]]:
    """Each distinct local value of a kind that is in the clear, with its number."""
    if kind == "ip4":
        for number, in engine.rows(f"SELECT DISTINCT key FROM links WHERE kind = {quoted(kind)}"):
            yield str(IPv4Address(key(kind, number))), number
        return
    cursor = engine.connection.execute(f"""SELECT DISTINCT value, key FROM links WHERE kind = {quoted(kind)}
        AND value IS NOT NULL AND NOT value LIKE {quoted(HASHED + '%')}
        AND NOT {is_token_sql('value')}""")
    while rows := cursor.fetchmany(_AT_ONCE):
        yield from rows
