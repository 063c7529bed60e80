"""``cibx connector status``: how each source stands; silence beyond its limit is an error, with exit code 3."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli.connector_options import read_config, way_of
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.connect.freshness import Health

EXIT_STALE = 3


@click.command()
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder of checkpoints, runs and quarantine; usually beside the database, or cibx-connectors.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE",
              help="TOML file that names sources: those that never ran are shown too.")
@click.option("--forget", metavar="NAME", help="Forget a source of --config's way that isn't brought in any more.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--prometheus", "as_metrics", is_flag=True, help="Print Prometheus' text format.")
def status(*, state: Path | None, config: Path | None, forget: str | None, as_json: bool, as_metrics: bool) -> int:
    """Show each source's freshness, last run and quarantine. Exit code 3: a source is stale."""
    from exchange.connect.freshness import prometheus

    folder = _folder(state, config, forget)
    found = healths(folder)
    if as_metrics:
        click.echo(prometheus(found), nl=False)
    elif as_json:
        click.echo(json.dumps([{"whose": whose, **one.as_record()} for whose, every in found.items() for one in every],
                              indent=2, ensure_ascii=False))
    else:
        if not found:
            click.echo(f"No source was brought in yet ({folder}).")
        for whose, every in found.items():
            click.echo(whose)
            for one in every:
                click.echo(f"  {_line(one)}", err=False)
    return EXIT_STALE if any(one.state == "stale" for every in found.values() for one in every) else 0


def healths(folder: Path) -> Mapping[str, Sequence[Health]]:
    """How each source stands now, by whose it is; empty where nothing ran yet."""
    from exchange.connect.freshness import health
    from exchange.connect.journal import Journal, whoses
    from exchange.connect.quarantine import Quarantine

    now, found = time.time(), {}
    for whose in whoses(folder):
        with Journal(folder, whose) as journal:
            kept = Quarantine(journal)
            found[whose] = [health(source, next(iter(journal.runs(source.name)), None), kept.count(source.name), now)
                            for source in journal.sources()]
    return found


def _folder(state: Path | None, config: Path | None, forget: str | None) -> Path:
    """The folder; sources of a file are expected from now on, and one is forgotten where that is asked."""
    from exchange.connect import registry
    from exchange.connect.job import stale_after
    from exchange.connect.way import Way
    from exchange.settings import read_settings

    if config is None:
        return Way(read_settings(), state=state).folder if state else _usual()
    sources = read_config(config)
    way = way_of(org=None, server=None, token_file=None, collection=None, state=state, sources=sources)
    with way.journal() as journal:
        if forget:
            journal.forget(forget)
        for job in sources.jobs if sources else ():
            limit = stale_after(job, registry.connector(job.connector))
            journal.expect(job.name, job.connector, job.place, now=time.time(), every=job.every, stale=limit)
    return way.folder


def _usual() -> Path:
    """The folder beside the database, or, where there is none, the one in the current folder."""
    from exchange.connect.way import FOLDER, Way
    from exchange.settings import read_settings

    beside = Way(read_settings()).folder
    return beside if beside.is_dir() else Path(FOLDER)


def _line(one: Any) -> str:
    from exchange.connect.job import moment

    source, last = one.source, one.last
    heard = f"last finished {moment(source.succeeded)}" if source.succeeded else "never finished a run"
    parts = [f"{source.name}: {one.state.upper() if one.state == 'stale' else one.state}", heard]
    if source.stale:
        parts.append(f"limit {source.stale / 60:,.0f} min")
    if last is not None and last.outcome != "finished":
        parts.append(f"last run {last.outcome}" + (f": {last.error}" if last.error else ""))
    if one.quarantined:
        parts.append(f"{counted(one.quarantined, 'row')} in quarantine")
    return "; ".join(parts)
