"""``cibx connector run`` and ``check``: bring sources in, once or by the clock, or see first whether it would work.

Exit codes, for jobs: 0 everything is in, 3 something was quarantined or refused, 2 the arguments or the source are
wrong, 1 something failed, 130 interrupted (the same command goes on from where it stopped).
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli.connector_options import job_of, read_config, source_options, way_of, way_options
from exchange.errors import ExchangeError, InputError
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.connect.job import Job
    from exchange.connect.report import Report
    from exchange.connect.runner import Sink, Watch
    from exchange.connect.way import Way

EXIT_FAILED = 1
EXIT_SOME_LEFT_OUT = 3
EPILOG = """Exit codes: 0 everything is in; 3 something was quarantined or refused; 2 the arguments or
the source are wrong; 1 something failed; 130 interrupted (the same command goes on from where it stopped)."""


@click.command(epilog=EPILOG)
@click.argument("connector", required=False)
@click.argument("source", required=False)
@source_options
@way_options
@click.option("--every", metavar="TIME", help="Again and again, such as 15m, until it is stopped.")
@click.option("--stale-after", metavar="TIME", help="Without a finished run for so long it counts as stale.")
@click.option("--only", multiple=True, metavar="NAME", help="Of the file's sources only these.")
@click.option("--once", is_flag=True, help="Run the file's sources once, whatever their schedules.")
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would go in. Needs no database or server.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write rows.jsonl there (one line per source row), and in a dry run bundle.json.")
@click.option("--metrics", type=click.Path(path_type=Path), metavar="FILE",
              help="Write metrics there after each run, for Prometheus' text-file collector.")
def run(connector: str | None, source: str | None, *, only: Sequence[str], once: bool, dry_run: bool, out: Path | None,
        metrics: Path | None, config: Path | None, **given: Any) -> int:
    """Bring SOURCE (a path or URL) in through CONNECTOR, or the sources of --config.

    Every row of a source is accounted for: taken, mended with a note, or put into quarantine with its place and a
    reason. Running it again adds nothing that is there.
    """
    sources = read_config(config)
    way = way_of(sources=sources, dry_run=dry_run, **{key: given.pop(key) for key in (
        "org", "server", "token_file", "collection", "state")})
    if sources is not None:
        if connector:
            raise click.UsageError("Name a source, or a --config that names them.")
        jobs = [job for job in sources.jobs if not only or job.name in only]
        if len(jobs) < len(only):
            raise InputError(f"{config} names no source {', '.join(set(only) - {job.name for job in jobs})!r}.")
        jobs = [replace(job, every=None, stale=job.stale) if once or dry_run else job for job in jobs]
        metrics = metrics or sources.metrics
    else:
        if not connector or not source:
            raise click.UsageError("Name a connector and a source, or a --config.")
        jobs = [job_of(connector, source, **given)]
    if not dry_run:
        _need_policies(jobs)
    bringing = Bringing(way, dry_run=dry_run, out=out, metrics=metrics)
    if any(job.every is not None for job in jobs) and not dry_run:
        return bringing.by_the_clock(jobs)
    return max(bringing.once(job, alone=len(jobs) == 1) for job in jobs)


@click.command()
@click.argument("connector", required=False)
@click.argument("source", required=False)
@source_options
@way_options
def check(connector: str | None, source: str | None, *, config: Path | None, **given: Any) -> int:
    """Look whether SOURCE can be read through CONNECTOR, and written to the exchange: nothing is pushed.

    Options, secrets, credential and address are tried; the first step of the source is read. Without --as or
    --server only the source is looked at.
    """
    from exchange.connect import registry

    sources = read_config(config)
    wanted = {key: given.pop(key) for key in ("org", "server", "token_file", "collection", "state")}
    way = way_of(sources=sources, dry_run=not (wanted["org"] or wanted["server"]), **wanted)
    if sources is None and (not connector or not source):
        raise click.UsageError("Name a connector and a source, or a --config.")
    jobs = sources.jobs if sources else [job_of(str(connector), str(source), **given)]
    code = 0
    for job in jobs:
        try:
            found = registry.connector(job.connector)
            click.echo(f"{job.name}: {_first_step(job, found)}")
            if way.whose:
                with way.journal() as journal:
                    terms = way.terms(job.policy) if job.policy else {}
                    with way.sink(terms, journal):
                        click.echo(f"{job.name}: {way.whose} can be written to.")
        except ExchangeError as error:
            if len(jobs) == 1:
                raise
            click.echo(f"{job.name}: {error}", err=True)
            code = EXIT_FAILED
    return code


def _first_step(job: Job, connector: Any) -> str:
    """Read the first step; gives a sentence about it."""
    from exchange.connect.job import source_of

    source = source_of(job, connector)
    with source.web:
        batch = next(iter(connector.fetch(source, None)), None)
    if batch is None:
        return "reachable; it has nothing to tell."
    advice = getattr(connector, "advice", lambda source: "")(source)  # a third party's may not know the question
    bad = [row for row in batch.rows if row.outcome == "quarantined"]
    more = f", {len(bad)} of them to quarantine; {bad[0].file}, row {bad[0].row}: {bad[0].reason}" if bad else ""
    told = (f"reachable; its first step has {counted(len(batch.upserts), 'object')} of"
            f" {counted(len(batch.rows), 'row')}{more}.")
    return f"{told}\n{advice}" if advice else told


def _need_policies(jobs: Sequence[Job]) -> None:
    for job in jobs:
        if not job.policy:
            raise click.UsageError("--policy PACK is missing: say under which policy it goes in.")


class Bringing:
    """Runs jobs one way, and tells a person of them."""

    def __init__(self, way: Way, *, dry_run: bool, out: Path | None = None, metrics: Path | None = None) -> None:
        self._way, self._dry_run, self._out, self._metrics = way, dry_run, out, metrics
        self._stop = threading.Event()

    def once(self, job: Job, *, alone: bool = True) -> int:
        """Run a job; gives the exit code. An error is raised where it is the only one, else told."""
        try:
            with Bars([job]) as bars:
                report = self._bring(job, bars)
        except ExchangeError as error:
            if alone:
                raise
            click.echo(f"{job.name}: {error}", err=True)
            return EXIT_FAILED
        if not alone:
            click.echo(f"{job.name}")
        show(report, self._dry_run, self._out)
        return 0 if report.all_in else EXIT_SOME_LEFT_OUT

    def by_the_clock(self, jobs: Sequence[Job]) -> int:
        """Run jobs by their schedules until a signal says stop; 0 then, whatever single runs came to."""
        from exchange.connect.schedule import keep_bringing

        with Bars(jobs) as bars, self._stopped_by_signals():
            keep_bringing(jobs, lambda job: self._told(job, self._bring(job, bars)), self._failed, self._stop)
        return 0

    def _bring(self, job: Job, bars: Bars) -> Report:
        from exchange.connect import registry
        from exchange.connect.job import perform
        from exchange.connect.preview import PreviewSink
        from exchange.connect.runner import Pace

        connector = registry.connector(job.connector)
        terms = self._way.terms(job.policy, dry_run=self._dry_run) if job.policy else {}
        pace = Pace(going=lambda: not self._stop.is_set(), sleep=self._sleep)
        with ExitStack() as stack:
            if self._dry_run:
                sink: Sink = stack.enter_context(PreviewSink(self._out))
                journal = None
            else:
                journal = stack.enter_context(self._way.journal())
                sink = stack.enter_context(self._way.sink(terms, journal))
                stack.callback(self._write_metrics)
            watchers: list[Watch] = [bars.watch(job)]
            if self._out:
                fresh = "append" if sink.load_checkpoint(connector.name, job.key) else "fresh"
                watchers.append(stack.enter_context(_rows(self._out, "whole" if self._dry_run else fresh)))
            return perform(job, connector, sink, terms, journal=journal, watchers=watchers, pace=pace)

    def _sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _write_metrics(self) -> None:
        if self._metrics is None:
            return
        from exchange.cli.connector_status import healths
        from exchange.connect.freshness import prometheus

        aside = self._metrics.with_name(f"{self._metrics.name}.{threading.get_ident()}.part")
        try:
            aside.write_text(prometheus(healths(self._way.folder)), encoding="utf-8")
            aside.replace(self._metrics)
        except OSError as error:
            raise InputError(f"{self._metrics} can't be written: {error.strerror}.") from None

    def _told(self, job: Job, report: Report) -> None:
        from exchange.connect.summary import closing

        click.echo(f"{job.name}: {closing(report)}")

    def _failed(self, job: Job, error: ExchangeError) -> None:
        click.echo(f"{job.name}: {error}", err=True)

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        """Stop after the step under way; a second signal ends at once."""

        def end(number: int, _frame: Any) -> None:
            """Stop after the step under way; the second signal ends at once (KeyboardInterrupt)."""
            if self._stop.is_set():
                raise KeyboardInterrupt
            click.echo("Stopping after the step under way; once more ends at once.", err=True)
            self._stop.set()

        former = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)


class Bars:
    """A progress bar for each job on the standard error, where that is a terminal; nothing elsewhere."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[counts]}"),
                   TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._tasks = {job.name: self._bar.add_task(job.name, total=None, counts="") for job in jobs}

    def __enter__(self) -> Bars:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)

    def watch(self, job: Job) -> Watch:
        """Moves the bar of a job."""
        return lambda step: self._bar.update(
            self._tasks[job.name], total=None if step.progress is None else 1.0,
            completed=min(step.progress or 0.0, 1.0), counts=counted(step.report.rows, "row"))


@contextmanager
def _rows(out: Path, mode: Any) -> Iterator[Watch]:
    from exchange.connect.rows import RowsFile

    with RowsFile(out, mode) as rows:
        yield lambda step: rows.add(step.rows)


def show(report: Report, dry_run: bool, out: Path | None) -> None:
    """The summary on the standard output; what was put aside on the standard error."""
    from exchange.connect.summary import summary

    click.echo(summary(report, dry_run=dry_run))
    for sentence in report.aside:
        click.echo(f"  {sentence}", err=True)
    left = report.outcomes["quarantined"] - len(report.aside)
    if left > 0:
        where = f"see {out / 'rows.jsonl'}" if out else "use --out DIR to see them"
        click.echo(f"  and {left:,} more: {where}", err=True)
