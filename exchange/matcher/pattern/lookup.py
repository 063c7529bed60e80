"""Many patterns at once over a table of observed values, on DuckDB: one join for all equalities, whatever the path.

Patterns of one observation expression whose tests are =, IN, LIKE, MATCHES or ISSUBSET on text, joined by OR, or by
AND of = and IN, become rows of look-ups; equal paths share one join, LIKE and MATCHES run on distinct values only,
ISSUBSET is one equality join per length of prefix. Everything else is named in ``Compiled.rest`` and goes to the
general evaluator (``verdict``); nothing is left out in silence.

The table has one row per value: observed (any type), object (number of the object), path (``type:property…`` as
``ObjectPath.text`` writes it) and value (text).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from exchange.matcher.pattern.compare import test_of
from exchange.matcher.pattern.networks import Network, network
from exchange.stix.fault import StixFault
from exchange.stix.pattern.parser import parse, single_equality
from exchange.stix.pattern.tree import Comparison, Logic, Observation, Test

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Equality(NamedTuple):
    """A value that a path must have: one of the ``of`` conditions of an alternative of a pattern."""

    pattern: int
    alternative: int
    condition: int
    of: int
    path: str
    value: str


@dataclass
class Compiled:
    """Patterns as look-ups; a pattern is its place in the list it came from."""

    equalities: list[Equality] = field(default_factory=list)
    scans: list[tuple[int, Comparison]] = field(default_factory=list)
    """LIKE and MATCHES."""
    ranges: list[tuple[int, str, Network]] = field(default_factory=list)
    """ISSUBSET: pattern, path, range."""
    invalid: dict[int, str] = field(default_factory=dict)
    """Pattern to the sentence that says what is wrong with it."""
    rest: list[int] = field(default_factory=list)
    """Patterns for the general evaluator."""


def compile_patterns(patterns: Sequence[str]) -> Compiled:
    """Look-ups for all patterns that are look-ups; each distinct text is parsed once."""
    made = Compiled()
    first_place: dict[str, int] = {}
    for place, text in enumerate(patterns):
        alone = single_equality(text)
        if alone is not None and not alone[0].endswith(("_bin", "_hex")):  # nearly all indicators
            made.equalities.append(Equality(place, 0, 0, 1, *alone))
            continue
        earlier = first_place.setdefault(text, place)
        try:
            expression = parse(text).expression
            simple = isinstance(expression, Observation) and _add(made, place, expression.test)
        except StixFault as fault:
            made.invalid[earlier] = made.invalid[place] = fault.sentence
            continue
        if not simple:
            made.rest.append(place)
    return made


def _add(made: Compiled, place: int, test: Test) -> bool:
    """Add the look-ups of a pattern; False (and nothing added) when it isn't made of look-ups."""
    alternatives = list(_alternatives(test))
    if not all(_is_lookup(one) for one in alternatives):
        return False
    for number, one in enumerate(alternatives):
        if isinstance(one, Logic):
            _add_equalities(made, place, number, one.operands)
        elif one.operator in ("=", "IN"):
            _add_equalities(made, place, number, (one,))
        elif one.operator == "ISSUBSET":
            test_of(one)
            given = network(str(one.value))
            if given is not None:
                made.ranges.append((place, one.path.text, given))
        else:
            test_of(one)
            made.scans.append((place, one))
    return True


def _alternatives(test: Test) -> Iterator[Test]:
    if isinstance(test, Logic) and test.operator == "OR":
        for one in test.operands:
            yield from _alternatives(one)
    else:
        yield test


def _is_lookup(test: Test) -> bool:
    if isinstance(test, Logic):
        return all(isinstance(one, Comparison) and _is_equality(one) for one in test.operands)
    return _is_equality(test) or (
        not test.negated and test.operator in ("LIKE", "MATCHES", "ISSUBSET") and not _is_binary(test))


def _is_equality(test: Comparison) -> bool:
    values = test.value if isinstance(test.value, tuple) else (test.value,)
    return (test.operator in ("=", "IN") and not test.negated and not _is_binary(test)
            and all(isinstance(one, str) for one in values))


def _is_binary(test: Comparison) -> bool:
    return str(test.path.steps[-1]).endswith(("_bin", "_hex"))


def _add_equalities(made: Compiled, place: int, alternative: int, tests: Iterable[Test]) -> None:
    conditions = list(dict.fromkeys(tests))
    for number, one in enumerate(conditions):
        if isinstance(one, Comparison):
            values = one.value if isinstance(one.value, tuple) else (one.value,)
            made.equalities.extend(
                Equality(place, alternative, number, len(conditions), one.path.text, str(value))
                for value in dict.fromkeys(values))


def matches(connection: DuckDBPyConnection, compiled: Compiled, table: str) -> list[tuple[int, Any]]:
    """(pattern, observed) of all hits of the compiled patterns in a table, each once, in order.

    ``table`` is a name of ours, never text from outside. Undecided values (MATCHES beyond RE2) are no hits; ask
    the general evaluator where that matters.
    """
    _fill(connection, "pattern_equality", "pattern INTEGER, alternative INTEGER, condition INTEGER, of INTEGER,"
          " path VARCHAR, value VARCHAR", compiled.equalities)
    _fill(connection, "pattern_value", "pattern INTEGER, path VARCHAR, value VARCHAR",
          [*_scanned(connection, compiled, table)])
    _fill(connection, "pattern_range", "pattern INTEGER, path VARCHAR, version INTEGER, bits INTEGER, first HUGEINT",
          [(place, path, given.version, given.bits, _signed(given.first)) for place, path, given in compiled.ranges])
    _fill(connection, "pattern_network", "path VARCHAR, value VARCHAR, version INTEGER, bits INTEGER, first HUGEINT",
          [*_networks(connection, compiled, table)])
    return connection.execute(f"""
        SELECT pattern, observed FROM pattern_equality JOIN {table} USING (path, value) WHERE "of" = 1
        UNION
        SELECT pattern, observed FROM (
            SELECT pattern, alternative, observed, object FROM pattern_equality JOIN {table} USING (path, value)
            WHERE "of" > 1 GROUP BY ALL HAVING count(DISTINCT condition) = any_value("of"))
        UNION
        SELECT pattern, observed FROM pattern_value JOIN {table} USING (path, value)
        UNION
        SELECT r.pattern, o.observed FROM pattern_range r
        JOIN pattern_network n ON n.path = r.path AND n.version = r.version AND n.bits = r.bits AND n.first = r.first
        JOIN {table} o ON o.path = n.path AND o.value = n.value
        ORDER BY ALL""").fetchall()


def _fill(connection: DuckDBPyConnection, name: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """A temporary table of rows, handed over as whole columns."""
    columns = columns.replace(" of ", ' "of" ')
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})").fetchall()
    if not rows:
        return
    kinds = [column.split() for column in columns.split(", ")]
    arrays = {column.strip('"'): np.array(values, dtype=np.int64 if kind == "INTEGER" else object)
              for (column, kind), values in zip(kinds, zip(*rows, strict=True), strict=True)}
    connection.register("rows_to_fill", arrays)
    connection.execute(f"INSERT INTO {name} SELECT * FROM rows_to_fill").fetchall()
    connection.unregister("rows_to_fill")


def _scanned(connection: DuckDBPyConnection, compiled: Compiled, table: str) -> Iterator[tuple[int, str, str]]:
    """(pattern, path, value) of the distinct values that satisfy LIKE and MATCHES."""
    by_path: dict[str, list[tuple[int, Comparison]]] = {}
    for place, test in compiled.scans:
        by_path.setdefault(test.path.text, []).append((place, test))
    for path, wanted in by_path.items():
        values = _distinct(connection, table, path)
        for place, test in wanted:
            satisfies = test_of(test)
            yield from ((place, path, value) for value in values if satisfies(value) is True)


def _networks(connection: DuckDBPyConnection, compiled: Compiled, table: str) -> Iterator[tuple[Any, ...]]:
    """Every distinct address, cut to each length of prefix that some range on its path has."""
    lengths: dict[str, set[tuple[int, int]]] = {}
    for _, path, given in compiled.ranges:
        lengths.setdefault(path, set()).add((given.version, given.bits))
    for path, wanted in lengths.items():
        for value in _distinct(connection, table, path):
            found = network(value)
            for version, bits in wanted if found else ():
                if found and version == found.version and bits <= found.bits:
                    shift = found.length - bits
                    yield path, value, version, bits, _signed(found.first >> shift << shift)


def _signed(first: int) -> int:
    """128 bits fit a HUGEINT when counted from the middle."""
    return first - 2**127


def _distinct(connection: DuckDBPyConnection, table: str, path: str) -> list[str]:
    rows = connection.execute(f"SELECT DISTINCT value FROM {table} WHERE path = ?", [path]).fetchall()
    return [value for (value,) in rows]
