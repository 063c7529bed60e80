"""``cibx match review``: what people found of accounts and clusters goes into the book of reviews, or out of it."""

from __future__ import annotations

import csv
import getpass
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from exchange.errors import InputError
from exchange.words import counted

EXIT_IN_PART = 3
REVIEWS = "reviews"
"""Folder in the results where reviews are kept unless told otherwise."""

EPILOG = """A file holds a review per line, as JSON or CSV (.csv, with a header), or a JSON list: account or cluster,
verdict (confirmed, overturned), reason, and if you like signals (separated by ;), reviewer, time. Exit codes: 0 done;
3 some lines were no reviews and are told; 2 nothing could be taken."""


@click.command("review", epilog=EPILOG)
@click.argument("accounts", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Results of the run that is reviewed.")
@click.option("--reviews", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder of the reviews; it should outlast results. Default: reviews in --out.")
@click.option("--cluster", "clusters", multiple=True, metavar="C", help="Judge all accounts of a cluster (repeatable).")
@click.option("--account", "more", multiple=True, metavar="A", help="Judge an account, as the arguments do.")
@click.option("--confirmed", is_flag=True, help="It belongs to a covert operation.")
@click.option("--overturned", is_flag=True, help="It doesn't: the matcher was wrong.")
@click.option("--verdict", "word", type=click.Choice(["confirmed", "overturned"]), help="The same as a word.")
@click.option("--reason", default="", metavar="TEXT",
              help="Why. Accounts overturned for the same reason are learned from as one group.")
@click.option("--signal", "signals", multiple=True, metavar="KIND",
              help="The kind of evidence that misled, such as share or phone (repeatable).")
@click.option("--reviewer", metavar="NAME", help="Who says so (default: the user of this machine).")
@click.option("--time", metavar="TIME", help="When, such as 2026-06-01T12:00:00Z (default: now).")
@click.option("--file", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Take reviews from a file.")
@click.option("--withdraw", "withdrawn", multiple=True, metavar="ID",
              help="Withdraw a review by its id, or all of an account or a cluster (repeatable).")
@click.option("--list", "listed", is_flag=True, help="Show the reviews that stand.")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def command(accounts: tuple[str, ...], **given: Any) -> int:
    """Say of ACCOUNTS (or clusters) of a run whether the matcher was right, for cibx match refit to learn from."""
    folder = folder_of(given)
    if given["listed"]:
        _list(folder, as_json=given["as_json"])
        return 0
    reviewer, time = given["reviewer"] or getpass.getuser(), given["time"] or datetime.now(UTC).isoformat()
    if given["withdrawn"]:
        from exchange.matcher.learning.reviews import withdraw

        gone = sum(withdraw(folder, one, reviewer, time, given["reason"]) for one in given["withdrawn"])
        click.echo(f"{counted(gone, 'review is', 'reviews are')} withdrawn.")
        return 0
    if given["out"] is None:
        raise click.UsageError("--out is missing: name the results of the run that is reviewed.")
    return _take(folder, [*_rows((*accounts, *given["more"]), given), *_file_rows(given["file"])],
                 given["out"], reviewer, time)


def folder_of(given: Mapping[str, Any]) -> Path:
    """Where reviews are kept."""
    if given["reviews"] is not None:
        folder: Path = given["reviews"]
        return folder
    if given["out"] is None:
        raise click.UsageError("--reviews is missing: name the folder of the reviews (or --out, results of a run).")
    out: Path = given["out"]
    return out / REVIEWS


def _rows(accounts: tuple[str, ...], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    if not accounts and not given["clusters"]:
        if not given["file"]:
            raise click.UsageError("Name accounts, --cluster or --file (or --list, --withdraw).")
        return []
    verdicts = {word for word in ("confirmed", "overturned") if given[word] or given["word"] == word}
    if len(verdicts) != 1:
        raise click.UsageError("Say either --confirmed or --overturned: both, or none, is no verdict.")
    rest = {"verdict": verdicts.pop(), "reason": given["reason"], "signals": list(given["signals"])}
    return [{"account": account, "_place": f"Account {account}", **rest} for account in accounts] + [
        {"cluster": cluster, "_place": f"Cluster {cluster}", **rest} for cluster in given["clusters"]]


def _file_rows(path: Path | None) -> Iterator[dict[str, Any]]:
    """Rows of a JSONL or CSV file; a line that is none has only its place."""
    if path is None:
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The reviews {path} can't be read.", why=f"{error}.",
                         fix="Give a file of JSON lines, or a CSV with a header.") from error
    if path.suffix.lower() in (".csv", ".tsv"):
        reader = csv.DictReader(text.splitlines(), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
        for given in reader:
            place = {"_place": f"Line {reader.line_num} of {path}"}
            yield {name: value for name, value in given.items() if name} | place
        return
    if text.lstrip().startswith("["):
        text = _one_a_line(text, path)
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            place = {"_place": f"Line {number} of {path}"}
            try:
                row: Any = json.loads(line)
            except ValueError:
                row = {}
            yield {**row, **place} if isinstance(row, dict) else place


def _one_a_line(text: str, path: Path) -> str:
    """A JSON list as JSON lines."""
    try:
        return "\n".join(json.dumps(row) for row in json.loads(text))
    except ValueError as error:
        raise InputError(f"The reviews {path} are no JSON.", why=f"{error}.",
                         fix="Give a JSON list, JSON lines, or a CSV with a header.") from error


def _take(folder: Path, rows: list[dict[str, Any]], out: Path, reviewer: str, time: str) -> int:
    from exchange.matcher.change.kept import read_kept
    from exchange.matcher.learning.reviews import add_reviews
    from exchange.matcher.learning.take import read_words, take

    kept = read_kept(out)
    words, wrong = read_words(rows, reviewer=reviewer, time=time)
    reviews, strange = take(kept, words)
    wrong += strange
    for sentence in wrong if reviews else wrong[1:]:
        click.echo(sentence, err=True)
    if not reviews:
        raise InputError("No review was taken.", why=wrong[0] if wrong else "The file holds none.",
                         fix="See cibx match review --help.")
    new, told = add_reviews(folder, reviews, kept.weights.table)
    for sentence in told:
        click.echo(sentence, err=True)
    click.echo(f"{counted(new, 'review is', 'reviews are')} new, {len(reviews) - new} stood already: {folder}.")
    return EXIT_IN_PART if wrong else 0


def _list(folder: Path, *, as_json: bool) -> None:
    from exchange.matcher.learning.reviews import read_book

    book = read_book(folder)
    for review in book.reviews:
        decision = review.decision
        if as_json:
            click.echo(json.dumps({
                "id": review.id, "account": review.account, "cluster": review.cluster, "verdict": review.verdict,
                "reason": review.reason, "signals": list(review.signals), "reviewer": review.reviewer,
                "time": review.time, "score": decision.score, "weights": decision.weights, "run": decision.run}))
        else:
            cluster = f", in cluster {review.cluster}" if review.cluster else ""
            reason = f": {review.reason}" if review.reason else ""
            signals = f" [{', '.join(review.signals)}]" if review.signals else ""
            click.echo(f"{review.id}  {review.time[:16]}  {review.reviewer}: account {review.account} {review.verdict}"
                       f" (score {decision.score:.3f} by {decision.weights}{cluster}){reason}{signals}")
    if not as_json:
        click.echo(f"{counted(len(book.reviews), 'review stands', 'reviews stand')}; {book.withdrawn} withdrawn,"
                   f" {book.superseded} replaced by"
                   " a later one of the same person.")
