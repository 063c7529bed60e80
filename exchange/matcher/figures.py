"""What is wrong with times and numbers of a table: mixed units, what can't be read, what lies out of bounds.

One scan finds the columns with anything odd; only those are looked at again, so that right tables cost little.
"""

from __future__ import annotations

from dataclasses import replace

from exchange.matcher.engine import Engine
from exchange.matcher.report import Report
from exchange.matcher.shapes import MOST, Column
from exchange.matcher.tables import Source, column_sql
from exchange.matcher.values import BARE, INTEGERS, SECONDS, ZONED, odd_time_sql, real, unit_sql

_SAMPLE = "2026-06-01T00:00:00Z"


def check_figures(engine: Engine, source: Source, report: Report) -> Source:
    """Say what is odd, with place and remedy. Returns the source with the columns that hold nothing but whole seconds
    marked as such: those need no arithmetic."""
    columns = [column for column in source.shape.columns
               if column.role in ("time", "number") and source.has(column.name)]
    if not columns:
        return source
    tests = ", ".join(f"{_odd_sql(source, column)} AS odd_{column.name}" for column in columns)
    counts = engine.one("SELECT " + ", ".join(f"count(*) FILTER (odd_{column.name})" for column in columns)
                        + f" FROM (SELECT {tests} FROM {source.scan})")
    for column, odd in zip(columns, counts, strict=True):
        if odd and column.role == "time":
            _tell_times(engine, source, column, report)
        elif odd:
            _tell_numbers(engine, source, column, odd, report)
    return replace(source, seconds=frozenset(
        column.name for column, odd in zip(columns, counts, strict=True)
        if column.role == "time" and not odd and source.is_number(column.name)))


def _odd_sql(source: Source, column: Column) -> str:
    name = source.columns[column.name]
    if column.role == "time":
        return odd_time_sql(name, source.types[column.name])
    if source.types[column.name] in (*INTEGERS, "DOUBLE"):
        return f"{name} IS NOT NULL AND NOT {name} BETWEEN 0 AND {real(column.most)}"
    return f"{name} IS NOT NULL AND {column_sql(source, column, '')} IS NULL"


def _tell_times(engine: Engine, source: Source, column: Column, report: Report) -> None:
    name = source.columns[column.name]
    units: dict[str | None, int] = dict(engine.rows(f"""SELECT unit, count(*) FROM (
            SELECT {unit_sql(name, source.types[column.name])} AS unit FROM {source.scan} WHERE {name} IS NOT NULL)
        GROUP BY 1 ORDER BY 2 DESC, 1"""))
    lost, every = units.pop(None, 0), sum(units.values())
    place = f"{source.place}: column {column.name}"
    if len(units) > 1:
        told = ", ".join(f"{count:,} {unit}" for unit, count in units.items())
        report.problems.append(f"{place} mixes units: of {every:,} times {told}; each was read as its own, texts"
                               " without a zone as UTC. Write all of them as Unix seconds.")
    elif BARE in units:
        report.problems.append(f"{place} has times without a zone; they were read as UTC. Write such as {_SAMPLE}, or"
                               " Unix seconds.")
    elif units.keys() - {SECONDS, ZONED}:
        report.problems.append(f"{place} is {next(iter(units))}, not {SECONDS}; it was read as such.")
    if lost:
        report.problems.append(f"{place}: {lost:,} of {every + lost:,} times can't be read and count as unknown. Write"
                               f" Unix seconds, or such as {_SAMPLE}.")


def _tell_numbers(engine: Engine, source: Source, column: Column, odd: int, report: Report) -> None:
    given, = engine.one(f"SELECT count({source.columns[column.name]}) FROM {source.scan}")
    bounds = "of 0 or more" if column.most == MOST else f"from 0 to {column.most:g}"
    report.problems.append(f"{source.place}: column {column.name}: {odd:,} of {given:,} figures are no number {bounds}"
                           " and count as unknown. Mend them in the table.")
