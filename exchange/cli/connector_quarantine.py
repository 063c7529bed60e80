"""``cibx connector quarantine``: read what was put aside, mend it, send it again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli.connector_options import read_config, way_of, way_options
from exchange.errors import InputError
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.connect.quarantine import Kept
    from exchange.connect.way import Way

EXIT_SOME_LEFT = 3


@click.group()
def quarantine() -> None:
    """Rows that didn't go in: list, show, replay and drop them. They may hold personal data."""


def _way(given: Mapping[str, Any], *, reads_only: bool) -> Way:
    """The way; a token is needed only to send."""
    taken = dict(given)
    sources = read_config(taken.pop("config"))
    return way_of(sources=sources, dry_run=reads_only and bool(taken["server"]), **taken)


@quarantine.command(name="list")
@way_options
@click.option("--source", metavar="NAME", help="Only of this source.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a row a line.")
def list_(*, source: str | None, as_json: bool, **given: Any) -> None:
    """List the rows in quarantine: number, place, reason, and whether they can be replayed as they are."""
    from exchange.connect.quarantine import Quarantine

    with _way(given, reads_only=True).journal() as journal:
        for kept in Quarantine(journal).rows(source):
            if as_json:
                click.echo(json.dumps(_record(kept), ensure_ascii=False))
            else:
                there = counted(len(kept.objects), "object") if kept.objects else "no objects: mend the source"
                click.echo(f"{kept.number}  {kept.source}  {kept.file}, row {kept.row}: {kept.reason} ({there})")


@quarantine.command()
@click.argument("number", type=int)
@way_options
def show(*, number: int, **given: Any) -> None:
    """Show a row with its objects as JSON: mend a copy of it, and replay NUMBER --mended FILE."""
    from exchange.connect.quarantine import Quarantine

    with _way(given, reads_only=True).journal() as journal:
        click.echo(json.dumps(_record(Quarantine(journal).get(number)), indent=2, ensure_ascii=False))


@quarantine.command()
@click.argument("numbers", type=int, nargs=-1)
@way_options
@click.option("--policy", "pack", metavar="PACK", help="Policy pack whose terms the objects get that carry none.")
@click.option("--source", metavar="NAME", help="Every row of this source that has objects.")
@click.option("--mended", type=click.Path(path_type=Path), metavar="FILE",
              help="What show printed, mended, or a list of objects; for one row.")
def replay(*, numbers: Sequence[int], pack: str | None, source: str | None, mended: Path | None, **given: Any) -> int:
    """Send rows again, as they are or mended. A row leaves when all its objects are in. Exit code 3: some didn't.

    A row without objects leaves when its source is mended and run again.
    """
    from exchange.connect.quarantine import Quarantine

    if not pack:
        raise click.UsageError("--policy PACK is missing: say under which policy it goes in.")
    if not numbers and not source:
        raise click.UsageError("Name rows by their numbers, or a --source.")
    if mended and len(numbers) != 1:
        raise click.UsageError("--mended is for one row: name its number.")
    way = _way(given, reads_only=False)
    terms, left = way.terms(pack), 0
    with way.journal() as journal, way.sink(terms, journal) as sink:
        kept = Quarantine(journal)
        rows = [kept.get(number) for number in numbers] or [row for row in kept.rows(source) if row.objects]
        for row in rows:
            objects = _objects(mended) if mended else list(row.objects.values())
            reason = kept.replay(row, objects, sink, terms)
            left += bool(reason)
            if reason:
                click.echo(f"  {row.number}: {row.file}, row {row.row}: {reason}", err=True)
    click.echo(f"{len(rows) - left:,} of {counted(len(rows), 'row')} went in and left the quarantine.")
    return EXIT_SOME_LEFT if left else 0


@quarantine.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
@way_options
def drop(*, numbers: Sequence[int], **given: Any) -> None:
    """Let go of rows for good."""
    from exchange.connect.quarantine import Quarantine

    with _way(given, reads_only=True).journal() as journal:
        for number in numbers:
            Quarantine(journal).drop(number)
    click.echo(f"{counted(len(numbers), 'row was', 'rows were')} dropped.")


def _record(kept: Kept) -> dict[str, Any]:
    from exchange.connect.job import moment

    return {"number": kept.number, "source": kept.source, "file": kept.file, "row": kept.row,
            "since": moment(kept.since), "reason": kept.reason, "raw": kept.raw, "objects": list(kept.objects.values())}


def _objects(path: Path) -> list[Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} can't be read as JSON: {error}.") from None
    objects = found.get("objects") if isinstance(found, dict) else found
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise InputError(f"{path} holds no list of objects.", fix="Mend a copy of what show prints.")
    return objects
