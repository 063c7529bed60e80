"""``cibx match replay``: past decisions computed again, to the last bit; or a candidate tried on past inputs."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.errors import InputError
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.matcher.change.kept import Kept
    from exchange.matcher.weighing import Weights

EXIT_DIFFERS = 1
_NAMED = 5

EPILOG = """Exit codes: 0 everything came out as it was decided (or the candidate was tried); 1 something came out
otherwise, and is told; 2 what is needed isn't there."""


@click.command("replay", epilog=EPILOG)
@click.argument("outs", nargs=-1, type=click.Path(path_type=Path), metavar="[RESULTS]...")
@click.option("--reviews", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Replay the reviewed decisions of this folder, from what the reviews keep.")
@click.option("--feed", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Do the whole run again, with this feed. Default with --again: the file that the run had.")
@click.option("--entities", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Do the whole run again, with these tables. Default with --again: the folder that the run had.")
@click.option("--again", is_flag=True, help="Do the whole run again from where its feed and tables came from.")
@click.option("--records", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="The contributors' records that the run had.")
@click.option("--keys", type=click.Path(path_type=Path, dir_okay=False), metavar="RING.toml",
              help="The ring of keys that the run had.")
@click.option("--weights", metavar="NAME|FILE", help="Try this version on the run's inputs and tell the drift.")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Keep the results of the new run there.")
@click.option("--memory", metavar="SIZE", help="Most memory for the engine, such as 4GB.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads of the engine.")
def command(outs: tuple[Path, ...], **given: Any) -> int:
    """Compute past decisions again from what was kept: all of RESULTS, or reviewed ones (--reviews).

    With --again (or --feed, --entities) the whole run is done again, with its own weights and compared row by row, or
    with a candidate version (--weights; the drift is told). The inputs are checked against the run's fingerprints.
    """
    from exchange.matcher.change.kept import read_kept

    if not outs and given["reviews"] is None:
        raise click.UsageError("Name results of runs, or --reviews.")
    whole = given["again"] or any(given[name] is not None for name in ("feed", "entities", "weights"))
    right = True
    if given["reviews"] is not None:
        right = _reviews(given["reviews"])
    for kept in (read_kept(out) for out in outs):
        right = (_again(kept, given) if whole else _decisions(kept)) and right
    return 0 if right else EXIT_DIFFERS


def _reviews(folder: Path) -> bool:
    from exchange.matcher.change.replay import replay_book
    from exchange.matcher.learning.reviews import read_book

    return _told(f"Reviews in {folder}", replay_book(folder, read_book(folder)))


def _decisions(kept: Kept) -> bool:
    from exchange.matcher.change.replay import replay_run

    return _told(f"Run {kept.name} in {kept.out} by weights {kept.weights.version}", replay_run(kept))


def _told(what: str, found: Any) -> bool:
    if not found.differing:
        click.echo(f"{what}: {counted(found.decisions, 'decision')} with"
                   f" {counted(found.rows, 'contribution')} come out the same, to the last bit.")
        return True
    click.echo(f"{what}: {len(found.differing):,} of {found.decisions:,} decisions come out otherwise"
               f" ({found.differing_rows:,} of {found.rows:,} contributions), such as accounts"
               f" {', '.join(found.differing[:_NAMED])}.")
    return False


def _again(kept: Kept, given: dict[str, Any]) -> bool:
    """Do the run again, with its own weights or a candidate."""
    from exchange.matcher.change.drift import as_text, drift
    from exchange.matcher.change.kept import read_kept
    from exchange.matcher.change.replay import same_results
    from exchange.matcher.weighing import load_weights

    name = given["weights"]
    weights = kept.weights if name is None else load_weights(
        Path(name) if name.endswith(".toml") or "/" in name else name)
    with tempfile.TemporaryDirectory() as folder:
        out = given["to"] / kept.name if given["to"] is not None else Path(folder)
        _run(kept, weights, out, given)
        new = read_kept(out)
        for part, words in (("feed", "The feed is not that"), ("tables", "The entity tables are not those")):
            if new.run[part] != kept.run[part]:
                raise InputError(f"{words} of the run {kept.name} in {kept.out}.", why="The fingerprints differ.",
                                 fix="Give the files that the run had.")
        if name is not None:
            click.echo(as_text(drift(kept, new)))
            return True
        differing = {what: n for what, n in same_results(kept.out, out).items() if n}
    told = "accounts and evidence are the same, to the last bit." if not differing else (
        f"rows that differ: {', '.join(f'{n:,} of {what}' for what, n in differing.items())}.")
    if differing and new.run["program"] != kept.run["program"]:
        told += " The matcher's own code is not that of the run; install that version to do the run again."
    click.echo(f"Run {kept.name} done again: {told}")
    return not differing


def _run(kept: Kept, weights: Weights, out: Path, given: dict[str, Any]) -> None:
    from exchange.cli.identifier import read_ring_file
    from exchange.matcher.bundle import read_objects
    from exchange.matcher.contributors import read_records
    from exchange.matcher.mapping import TableMapping
    from exchange.matcher.run import Options, match

    feed, entities = given["feed"] or kept.run["came_from"], given["entities"] or Path(kept.run["entities"])
    if feed is None or not Path(feed).is_file():
        raise InputError(f"The feed of the run {kept.name} in {kept.out} is no file that is still there.",
                         why=f"It came from {feed}." if feed else "",
                         fix="Save the same feed to a file and name it with --feed.")
    if kept.run["records"] and given["records"] is None:
        raise InputError(f"The run {kept.name} in {kept.out} had records of {kept.run['records']} contributors.",
                         fix="Name their file with --records.")
    if kept.run.get("keys") and given["keys"] is None:
        raise InputError(f"The run {kept.name} in {kept.out} had the keys {', '.join(kept.run['keys'])}.",
                         fix="Name their ring with --keys.")
    how = kept.run["options"]
    match(read_objects(Path(feed)), entities, out, Options(
        at=int(kept.run["at"]), purpose=kept.run["purpose"], feed=str(feed), memory=given["memory"],
        threads=given["threads"], weights=weights, allow_from=frozenset(how["allow_from"]),
        warning_lists=tuple(map(Path, how["warning_lists"])),
        mapping={name: TableMapping(*row) for name, row in how["mapping"].items()},
        contributors=read_records(given["records"]) if given["records"] is not None else None,
        ring=read_ring_file(given["keys"]) if given["keys"] is not None else None))
