"""Patterns in parts, asked of each account that could satisfy them (see ``exchange.matcher.compound``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from exchange.matcher.compound import PART, Compound, could_hold
from exchange.matcher.engine import Engine
from exchange.matcher.indicators import Indicator
from exchange.matcher.pattern.observed import TICKS, Observed
from exchange.matcher.pattern.verdict import MATCH, UNDECIDED, Judge
from exchange.matcher.report import Report
from exchange.matcher.values import host_form, quoted
from exchange.matcher.weighing import Weights

MOST = 20_000
"""Accounts of which one pattern is asked."""
MOST_SCANS = 100
"""Expressions that are searched for in one run."""
MOST_ROWS = 100_000
"""Local rows that one expression may be true of."""
_LONGEST = 300
_Row = tuple[int, str, str, int | None, int | None]
"""Part, kind, local value, first and last time."""


class _Seen(NamedTuple):
    """A value of an account with the parts of a pattern that it meets."""

    parts: frozenset[int]
    kind: str
    local: str
    first: int | None
    last: int | None


def part_numbers(indicators: Iterable[Indicator]) -> dict[tuple[int, int], int]:
    """(place of the indicator, part) to the number under which a part's values are looked for; beyond all places."""
    indicators = list(indicators)
    found: dict[tuple[int, int], int] = {}
    for ix, indicator in enumerate(indicators):
        for part in sorted({probe.part for probe in indicator.probes if probe.part is not None}):
            found[ix, part] = len(indicators) + len(found)
    return found


def compare(engine: Engine, indicators: list[Indicator], tables: frozenset[str], weights: Weights,
            report: Report) -> None:
    """Take the meetings of parts out of ``hits`` and put in who satisfies whole patterns; count all hits."""
    whole = {ix: one.compound for ix, one in enumerate(indicators) if one.compound is not None}
    if whole:
        _decide(engine, indicators, whole, tables, weights, report)
    report.hits.update(dict(engine.rows("SELECT kind, count(*) FROM hits GROUP BY 1")))


def _decide(engine: Engine, indicators: list[Indicator], whole: Mapping[int, Compound], tables: frozenset[str],
            weights: Weights, report: Report) -> None:
    meetings: dict[int, dict[Any, list[_Row]]] = {ix: defaultdict(list) for ix in whole}
    numbers = {number: place for place, number in part_numbers(indicators).items()}
    for number, account, kind, local, first, last in engine.rows(
            f"SELECT ix, account_id, kind, local, first_seen, last_seen FROM hits WHERE ix >= {len(indicators)}"
            " AND similarity >= 1"):
        ix, part = numbers[number]
        meetings[ix][account].append((part, kind, local, first, last))
    engine.run(f"DELETE FROM hits WHERE ix >= {len(indicators)}")
    for ix, account, row in _scanned(engine, whole, tables, report):
        meetings[ix][account].append(row)
    for ix, compound in whole.items():
        found = list(_asked(compound, meetings[ix], indicators[ix].id, weights, report))
        engine.load("hits", ({"account_id": account, "ix": ix, "kind": kind, "similarity": 1.0, "local": local,
                              "shared": compound.shown[:_LONGEST], "first_seen": first, "last_seen": last,
                              "holders": len(found)} for account, kind, local, first, last in found))


def _scanned(engine: Engine, whole: Mapping[int, Compound], tables: frozenset[str],
             report: Report) -> Iterator[tuple[int, Any, _Row]]:
    """(pattern, account, part with kind, local value and times) of values in the clear that satisfy expressions.

    Each expression reads a whole table, so their number is limited, and so is what one of them may bring.
    """
    done = 0
    for ix, compound in whole.items():
        for scan in compound.scans:
            if scan.table not in tables:
                report.leave_out(f"there is no local table of {scan.table} to compare with", compound.shown[:_LONGEST])
                continue
            if done == MOST_SCANS:
                report.leave_out(f"a feed's expressions (LIKE, MATCHES) beyond the first {MOST_SCANS}",
                                 compound.shown[:_LONGEST])
                continue
            done += 1
            times = "NULL, NULL" if scan.table == "handles" else "first_seen, last_seen"
            rows = engine.rows(f"""SELECT account_id, {scan.column}, {times} FROM {scan.table}
                WHERE regexp_matches(nfc_normalize({scan.column}), {quoted(scan.expression)}, 's')
                LIMIT {MOST_ROWS + 1}""")
            if len(rows) > MOST_ROWS:
                report.leave_out(f"the expression is true of over {MOST_ROWS:,} local rows: it names everybody",
                                 compound.shown[:_LONGEST])
                continue
            yield from ((ix, account, (scan.part, scan.kind, value, first, last))
                        for account, value, first, last in rows)


def _asked(compound: Compound, accounts: Mapping[Any, list[Any]], name: str, weights: Weights,
           report: Report) -> Iterator[tuple[Any, str, str, int | None, int | None]]:
    """(account, kind, local values, first, last) of the accounts of which the pattern is true."""
    asked = 0
    for account in sorted(accounts):
        seen = list(_objects(compound, accounts[account]))
        met = [(one, [n for n, test in enumerate(compound.tests) if test.holds(one.parts)]) for one in seen]
        met = [(one, tests) for one, tests in met if tests]
        if not could_hold(compound.needs, frozenset(n for _, tests in met for n in tests)):
            continue
        asked += 1
        if asked > MOST:
            report.leave_out(f"the pattern is asked of no more than {MOST} accounts", name)
            return
        verdict = Judge([_observed(n, one, tests) for n, (one, tests) in enumerate(met)]).judge(compound.text)
        if verdict.result == UNDECIDED:
            report.leave_out(f"a pattern stays undecided for an account: {verdict.reason}", name)
        elif verdict.result == MATCH:
            values = [one for one, _ in met]
            times = [moment for one in values for moment in (one.first, one.last) if moment is not None]
            yield (account, max((one.kind for one in values), key=lambda kind: (_base(kind, weights), kind)),
                   " + ".join(sorted({one.local for one in values}))[:_LONGEST],
                   min(times, default=None), max(times, default=None))


def _objects(compound: Compound, rows: list[_Row]) -> Iterator[_Seen]:
    """One object for each value of a type; it meets all the parts that its rows name."""
    grouped: dict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        type_name = compound.types[row[0]]
        grouped[type_name, host_form(row[2]) if type_name == "domain-name" else row[2]].append(row)
    for (_, local), group in sorted(grouped.items()):
        firsts = [row[3] for row in group if row[3] is not None]
        lasts = [row[4] for row in group if row[4] is not None]
        yield _Seen(frozenset(row[0] for row in group), min(row[1] for row in group), local,
                    min(firsts, default=None), max(lasts, default=None))


def _observed(number: int, seen: _Seen, tests: list[int]) -> Observed:
    type_name, _, step = PART.partition(":")
    timed = seen.first is not None and seen.last is not None
    return Observed(
        f"observed-data--{number}", tuple({"type": type_name, step: test} for test in tests), {},
        2 if timed and seen.first != seen.last else 1,
        seen.first * TICKS if seen.first is not None and timed else None,
        seen.last * TICKS if seen.last is not None and timed else None)


def _base(kind: str, weights: Weights) -> float:
    return weights.kinds[kind].base if kind in weights.kinds else 0.0
