"""``cibx ingest``: a source through a connector into the exchange, or (dry run) into files to look at.

Exit codes, for jobs: 0 everything is in, 3 something was quarantined or refused, 2 the arguments or the
source are wrong, 1 a bug, 130 interrupted (the same command goes on from where it stopped).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from exchange.connect.report import Report
    from exchange.connect.runner import Sink, Watch

EXIT_SOME_LEFT_OUT = 3

EPILOG = """Exit codes: 0 everything is in; 3 something was quarantined or refused; 2 the arguments or
the source are wrong; 130 interrupted (the same command goes on from where it stopped)."""


@click.command(name="ingest", epilog=EPILOG)
@click.argument("connector")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "org", metavar="ORG", help="Organisation that contributes; needed unless --dry-run.")
@click.option("--policy", "pack", metavar="PACK",
              help="Policy pack whose terms the objects get that carry none; needed unless --dry-run.")
@click.option("--collection", metavar="C",
              help="Collection (id or alias), where the organisation writes to several.")
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would go in. Needs no database.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write rows.jsonl there (one line per source row), and in a dry run bundle.json.")
def command(
    *, connector: str, source: Path, org: str | None, pack: str | None, collection: str | None,
    dry_run: bool, out: Path | None,
) -> int:
    """Bring SOURCE in through CONNECTOR.

    Every row of the source is accounted for: taken, mended with a note, or quarantined with its place and a
    reason. Running it again adds nothing.
    """
    from exchange.connect import registry
    from exchange.connect.runner import run
    from exchange.connect.source import Source

    found = registry.connector(connector)
    if not dry_run:
        _need("--as ORG", org)
        _need("--policy PACK", pack)
    if out:
        _apart(source, out)
    terms = _terms(pack, org=None if dry_run else org) if pack else {}
    key = f"{source.resolve()} under {pack}"
    with ExitStack() as stack:
        sink = stack.enter_context(_preview(out)) if dry_run else _exchange(str(org), collection, terms)
        watchers = [stack.enter_context(_progress(found.title))]
        if out:
            fresh = "append" if sink.load_checkpoint(found.name, key) else "fresh"
            watchers.append(stack.enter_context(_rows(out, "whole" if dry_run else fresh)))
        report = run(found, Source(str(source)), sink, terms=terms, source_key=key, dry_run=dry_run, watchers=watchers)
    _show(report, dry_run, out)
    return 0 if report.all_in else EXIT_SOME_LEFT_OUT


def _need(option: str, value: str | None) -> None:
    if not value:
        raise click.UsageError(f"{option} is missing: say who contributes and under which policy.")


def _apart(source: Path, out: Path) -> None:
    """Raise InputError where what is written would be read as source, now or at the next run."""
    from exchange.errors import InputError

    there, read = out.resolve(), source.resolve()
    inside = there.is_relative_to(read) if source.is_dir() else read in (there / "bundle.json", there / "rows.jsonl")
    if inside:
        raise InputError(f"--out {out} is inside of the source {source}." if source.is_dir()
                         else f"--out {out} would write over the source {source}.",
                         why="What is written there would be read as source.", fix="Name another folder.")


def _terms(pack: str, *, org: str | None) -> Mapping[str, Any]:
    """The pack's terms: of the policy version in force for ``org``, in a dry run (None) of the configured folder.

    Raises SettingError that lists the packs for an unknown one.
    """
    from exchange.policy.packs import load
    from exchange.settings import read_settings

    settings = read_settings()
    if org is not None:
        from exchange.wiring import packs_in_force

        return packs_in_force(settings, org).terms(pack)
    return load(Path(settings.policies) if settings.policies else None).terms(pack)


def _exchange(org: str, collection: str | None, terms: Mapping[str, Any]) -> Sink:
    from exchange.connect.local_sink import local_sink
    from exchange.settings import read_settings

    sink: Sink = local_sink(read_settings(), org=org, collection=collection, terms=terms)
    return sink


@contextmanager
def _preview(out: Path | None) -> Iterator[Sink]:
    from exchange.connect.preview import PreviewSink

    with PreviewSink(out) as sink:
        yield sink


@contextmanager
def _rows(out: Path, mode: Any) -> Iterator[Watch]:
    from exchange.connect.rows import RowsFile

    with RowsFile(out, mode) as rows:
        yield lambda step: rows.add(step.rows)


@contextmanager
def _progress(title: str) -> Iterator[Watch]:
    """A progress bar on the standard error, where that is a terminal; nothing elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[counts]}"),
               TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None, counts="")
        yield lambda step: bar.update(
            task,
            total=None if step.progress is None else 1.0,
            completed=min(step.progress or 0.0, 1.0),
            counts=f"{step.report.rows:,} rows",
        )


def _show(report: Report, dry_run: bool, out: Path | None) -> None:
    """The summary on the standard output; what was put aside on the standard error."""
    from exchange.connect.summary import summary

    click.echo(summary(report, dry_run=dry_run))
    for sentence in report.aside:
        click.echo(f"  {sentence}", err=True)
    left = report.outcomes["quarantined"] - len(report.aside)
    if left > 0:
        where = f"see {out / 'rows.jsonl'}" if out else "use --out DIR to see them"
        click.echo(f"  and {left:,} more: {where}", err=True)
