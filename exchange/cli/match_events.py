"""``cibx match events``: events of the platform, one JSON object per line, against a feed held in memory.

Exit codes: 0 done; 3 done, but lines were left out because they are no events; 2 the arguments or the feed are wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from exchange.errors import ExchangeError, InputError
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.matcher.stream import Index

EXIT_LINES_LEFT_OUT = 3
_SHOWN_PROBLEMS = 20


@click.command("events")
@click.option("--feed", type=click.Path(path_type=Path), required=True, metavar="FILE", help="A STIX bundle.")
@click.option("--weights", metavar="NAME|FILE", help="Table of weights other than the shipped one.")
@click.option("--warning-list", "warning_lists", type=click.Path(path_type=Path), multiple=True, metavar="FILE|DIR",
              help="MISP warning list, or a folder of them (repeatable): a value on one is not looked for.")
@click.option("--keys", type=click.Path(path_type=Path, dir_okay=False), metavar="RING.toml",
              help="Your groups' keys: values in the clear are compared with the feed's keyed hashes too.")
@click.option("--purpose", metavar="P", help="Purpose; indicators not shared for it are left out.")
@click.option("--accounts", type=click.IntRange(min=1), metavar="N",
              help="How many accounts the platform has, where it has fewer than 20,000.")
@click.option("--at", metavar="TIME", help="Moment that is spoken of, such as 2026-06-01T00:00:00Z (default: now).")
def command(feed: Path, weights: str | None, warning_lists: tuple[Path, ...], purpose: str | None,
            accounts: int | None, at: str | None, keys: Path | None) -> int:
    """Say of each event on the standard input which indicators it meets: a JSON line per hit.

    An event is {"account": …, "kind": …, "value": …}, and may have seen and first (Unix seconds), platform, and holders
    (how many accounts hold the value). A hit has the indicator's id, its source, and nats: the direct evidence.
    """
    index = _index(feed, weights, warning_lists, purpose, at, accounts, keys)
    left_out = _answer(index, sys.stdin.buffer)
    if left_out > _SHOWN_PROBLEMS:
        click.echo(f"cibx: and {left_out - _SHOWN_PROBLEMS:,} more such lines.", err=True)
    return EXIT_LINES_LEFT_OUT if left_out else 0


def _index(feed: Path, weights: str | None, warning_lists: tuple[Path, ...], purpose: str | None,
           at: str | None, accounts: int | None, keys: Path | None) -> Index:
    import time
    from datetime import UTC, datetime

    from exchange.cli.identifier import read_ring_file
    from exchange.matcher.bundle import read_objects
    from exchange.matcher.indicators import Terms, collect, read_indicators
    from exchange.matcher.report import Report
    from exchange.matcher.stream import Index
    from exchange.matcher.warninglists import read_warning_lists, suppress
    from exchange.matcher.weighing import load_weights
    from exchange.stix.timestamp import microseconds

    try:
        moment = None if at is None else microseconds(at) // 1_000_000
    except ValueError as error:
        raise InputError(f"--at {at!r} is no moment.", why=f"{error}.",
                         fix="Write such as 2026-06-01T00:00:00Z.") from error
    table = load_weights(Path(weights) if weights.endswith(".toml") else weights) if weights else load_weights()
    report = Report()
    lists, problems = read_warning_lists(warning_lists)
    terms = Terms(moment or int(time.time()), table.direct.default_confidence, table.direct.sibling, purpose,
                  sources=table.sources)
    found = suppress(read_indicators(collect(read_objects(feed), report), terms, report), lists, report)
    valid = read_ring_file(keys).accepted(datetime.fromtimestamp(terms.at, UTC).date()) if keys else ()
    index = Index(table, (one for one in found if one.compound is None), at=moment, accounts=accounts, keys=valid)
    for one in found:
        if one.compound is not None:
            report.leave_out("one event doesn't decide the pattern (an expression, or several values); cibx match does",
                             one.id)
    click.echo(f"cibx: {counted(len(index), 'indicator')}.", err=True)
    for sentence in [*problems, *report.problems]:
        click.echo(f"cibx: {sentence}", err=True)
    for reason, count in sorted(report.not_used.items()):
        click.echo(f"cibx: not used: {count:,} × {reason}.", err=True)
    return index


def _answer(index: Index, lines: BinaryIO) -> int:
    """Write the hits of each line; returns how many lines were no events."""
    import msgspec

    from exchange.matcher.stream import read_event

    encoder = msgspec.json.Encoder()
    left_out = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            mets = index.meet(read_event(_decoded(line, number), f"Line {number}"))
        except ExchangeError as error:
            left_out += 1
            if left_out <= _SHOWN_PROBLEMS:
                click.echo(f"cibx: {error} It is left out.", err=True)
            continue
        for met in mets:
            click.echo(encoder.encode(met._asdict()))
    return left_out


def _decoded(line: bytes, number: int) -> dict[str, object]:
    import msgspec

    try:
        found: dict[str, object] = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InputError(f"Line {number} is no JSON object.", why=f"{str(error).rstrip('.')}.",
                         fix="Write one event per line.") from error
    return found
