"""``cibx match``: a feed against the tables of a platform, on this machine; and why an account has its score.

The only join of client and matcher: the feed may come over TAXII, local data goes nowhere.
Exit codes: 0 done, 3 done without an entity table that is there but damaged or without its columns, 2 the arguments,
the feed or the tables are wrong, 1 something failed, 130 interrupted (nothing half is left).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli import match_drift, match_events, match_refit, match_replay, match_review, match_share
from exchange.cli.match_damage import OverResults
from exchange.cli.match_progress import shown
from exchange.errors import InputError
from exchange.secret_files import environment

if TYPE_CHECKING:
    from exchange.client.taxii import Client
    from exchange.matcher.contributors import Contributors
    from exchange.matcher.report import Report

_SHOWN_PROBLEMS = 20
EXIT_TABLE_LEFT_OUT = 3

EPILOG = """Exit codes: 0 done; 3 done, but an entity table that is there was left out, because it is damaged or
lacks its columns; 2 the arguments, the feed or the tables are wrong; 1 something failed; 130 interrupted (nothing
half is left)."""


@click.group(name="match", cls=OverResults, invoke_without_command=True, epilog=EPILOG)
@click.option("--feed", metavar="FILE|URL", help="A STIX bundle, or the URL of a TAXII 2.1 server or API root.")
@click.option("--entities", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder of the entity tables (Parquet or CSV): accounts, links, avatars, posts, handles.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Where accounts, evidence, clusters, actions … (.parquet) and report.json go.")
@click.option("--collection", metavar="C", help="The collection of a TAXII feed, where there are several.")
@click.option("--user", metavar="NAME", help="User at the TAXII server.")
@click.option("--password-env", default="CIBX_SECRET_OF_FEED", show_default=True, metavar="VARIABLE",
              help="Environment variable with the password (or, without --user, the bearer token).")
@click.option("--log-view", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File that remembers the exchange's log: a feed whose log was rolled back or forked is refused.")
@click.option("--mapping", type=click.Path(path_type=Path), metavar="FILE",
              help="TOML file that says which of your files, columns and kinds is which.")
@click.option("--purpose", metavar="P", help="Purpose of this run; indicators not shared for it are left out.")
@click.option("--allow-from", "allow_from", multiple=True, metavar="SOURCE",
              help="Id of an identity whose word that a value is benign takes it out of the search whoever named it"
                   " (repeatable). Without it a source's word does so for its own values only, and counts"
                   " against those of others.")
@click.option("--records", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Contributors' records (the answer of GET /api/v1/records, or the collection records); from an"
                   " exchange's own TAXII server they are fetched.")
@click.option("--recorded-only", is_flag=True,
              help="Sources without a record are no independent witnesses beside others.")
@click.option("--warning-list", "warning_lists", type=click.Path(path_type=Path), multiple=True, metavar="FILE|DIR",
              help="MISP warning list, or a folder of them (repeatable): a value on one is not looked for.")
@click.option("--keys", type=click.Path(path_type=Path, dir_okay=False), metavar="RING.toml",
              help="Your groups' keys: your values are compared with the keyed hashes of the feed too.")
@click.option("--weights", metavar="NAME|FILE", help="Table of weights other than the shipped one.")
@click.option("--memory", metavar="SIZE", help="Most memory for the engine, such as 4GB; beyond it the disk is used.")
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Keep the tables in normal form and finished steps there: a later run reads only files that are new"
                   " or changed, and one that was killed goes on.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads of the engine.")
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True,
              help="Where tables as large as the platform are read, joined and counted.")
@click.option("--spark-master", metavar="URL", help="Spark's master, such as spark://HOST:7077 (default: local[*]).")
@click.option("--at", metavar="TIME", help="Moment the run speaks of, such as 2026-06-01T00:00:00Z (default: now).")
@click.option("--actions", type=click.Path(path_type=Path), metavar="FILE",
              help="Policy pack of recommended actions other than the shipped one.")
@click.option("--cases", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Then, or from earlier results, write the case of each cluster there, as JSON and as a page.")
@click.option("--explain", "account", metavar="ACCOUNT", help="Then, or from earlier results, explain an account.")
@click.pass_context
def command(ctx: click.Context, /, **given: Any) -> int | None:
    """Match shared indicators against local accounts; local data stays on this machine.

    Explain one account of earlier results: cibx match explain ACCOUNT --out DIR
    """
    if ctx.invoked_subcommand is not None:
        return None
    if given["feed"] is None and (given["account"] is not None or given["cases"] is not None):
        _afterwards(_needed(given, "out"), given)
        return 0
    feed, entities, out = (_needed(given, name) for name in ("feed", "entities", "out"))
    report = _run(feed, entities, out, given)
    _afterwards(out, given)
    return EXIT_TABLE_LEFT_OUT if report.tables_left_out else 0


@command.command("explain")
@click.argument("account")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Results of a run.")
def explain_command(account: str, out: Path) -> int:
    """Why ACCOUNT has its score: every contribution, for and against."""
    _explain(out, account)
    return 0


def _needed(given: Mapping[str, Any], name: str) -> Any:
    if given[name] is None:
        raise click.UsageError(f"--{name} is missing; a run needs --feed, --entities and --out.")
    return given[name]


def _afterwards(out: Path, given: Mapping[str, Any]) -> None:
    """What is read back from results: cases, and the explanation of an account."""
    if given["cases"] is not None:
        from exchange.matcher.action.pack import load_actions
        from exchange.matcher.case.write import INDEX, write_cases
        from exchange.words import counted

        count = write_cases(out, given["cases"], load_actions(given["actions"]))
        click.echo(f"{counted(count, 'case')}: {given['cases'] / INDEX}")
    if given["account"] is not None:
        click.echo("")
        _explain(out, given["account"], given["actions"])


def _explain(out: Path, account: str, actions: Path | None = None) -> None:
    from exchange.matcher.action.pack import load_actions
    from exchange.matcher.action.recall import recall
    from exchange.matcher.explain import explain

    click.echo(explain(out, account).text())
    if recommended := recall(out, account, load_actions(actions)):
        click.echo(recommended)


def _run(feed: str, entities: Path, out: Path, given: Mapping[str, Any]) -> Report:
    from exchange.cli.identifier import read_ring_file
    from exchange.matcher.action.pack import load_actions
    from exchange.matcher.mapping import read_mapping
    from exchange.matcher.run import Options, match
    from exchange.matcher.shapes import SHAPES
    from exchange.matcher.weighing import load_weights

    options = Options(
        feed=feed, at=_moment(given["at"]), purpose=given["purpose"], allow_from=frozenset(given["allow_from"]),
        warning_lists=given["warning_lists"],
        memory=given["memory"], threads=given["threads"], state=given["state"],
        spark=_master(given),
        weights=load_weights(_weights(given["weights"])) if given["weights"] else None,
        actions=load_actions(given["actions"]) if given["actions"] else None,
        contributors=_contributors(feed, given),
        ring=read_ring_file(given["keys"]) if given["keys"] else None,
        mapping=read_mapping(given["mapping"], tuple(SHAPES)) if given["mapping"] else None,
    )
    with shown() as say:
        report = match(_objects(feed, given), entities, out, options, say)
    _summary(report, out)
    return report


def _master(given: Mapping[str, Any]) -> str | None:
    """Spark's master; None when the engine is DuckDB."""
    from exchange.matcher.spark.session import LOCAL

    if given["engine"] == "spark":
        return given["spark_master"] or LOCAL
    if given["spark_master"]:
        raise click.UsageError("--spark-master needs --engine spark.")
    return None


def _weights(name: str) -> str | Path:
    return Path(name) if name.endswith(".toml") or "/" in name else name


def _moment(text: str | None) -> int:
    from exchange.stix.timestamp import microseconds

    if text is None:
        return int(time.time())
    try:
        return microseconds(text) // 1_000_000
    except ValueError as error:
        raise InputError(f"--at {text!r} is no moment.", why=f"{error}.",
                         fix="Write such as 2026-06-01T00:00:00Z.") from error


def _objects(feed: str, given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The feed's objects: of a file, or pulled over TAXII with the credential from the environment."""
    from exchange.matcher.bundle import read_objects

    if not re.match(r"https?://", feed):
        return read_objects(Path(feed))
    objects: Iterator[Mapping[str, Any]] = _client(feed, given).objects(given["collection"])
    return objects


def _client(feed: str, given: Mapping[str, Any]) -> Client:
    """Who pulls the feed, with the credential from the environment."""
    from exchange.client.taxii import Client

    secret = environment().get(given["password_env"], "")
    user = given["user"]
    view: Path | None = given["log_view"]
    return (Client(feed, user, secret, log_view=view) if user or not secret
            else Client(feed, token=secret, log_view=view))


def _contributors(feed: str, given: Mapping[str, Any]) -> Contributors:
    """Contributors' records of a file, else as the feed's server tells them, else none."""
    from exchange.matcher.contributors import Contributors, contributors, read_records

    found = Contributors()
    if given["records"] is not None:
        found = read_records(given["records"])
    elif re.match(r"https?://", feed):
        said = _client(feed, given).records()
        if said is None:
            click.echo(f"  {feed} tells no contributors' records: every source counts in full (--records FILE names"
                       " some).", err=True)
        else:
            found = contributors(said, f"{feed}: /api/v1/records")
    return replace(found, recorded_only=given["recorded_only"] or found.recorded_only)


def _summary(report: Report, out: Path) -> None:
    from exchange.words import counted

    lines = [
        f"{counted(report.accounts, 'account')}, {report.accounts_with_evidence:,} with evidence,"
        f" {report.accounts_likely:,} more likely than not in an operation, {counted(report.clusters, 'cluster')}"
        f" (weights {report.weights}).",
        f"{counted(report.indicators_used, 'indicator')} used with {counted(report.values_used.total(), 'value')};"
        f" {counted(report.hits.total(), 'meeting')} with local rows:"
        f" {', '.join(f'{n:,} {kind}' for kind, n in sorted(report.hits.items())) or 'none'}.",
    ]
    recommended = ", ".join(f"{n:,} {action}" for action, n in sorted(report.actions.items()) if action != "none")
    lines.append(f"Recommended by policy {report.action_pack[:12]}: {recommended or 'nothing'}.")
    lines += [f"  not used: {count:,} × {reason}" for reason, count in sorted(report.not_used.items())]
    if report.too_common:
        lines.append("  too common to say anything: "
                     + ", ".join(f"{count:,} {kind}" for kind, count in sorted(report.too_common.items())))
    lines += [f"  {name}: {sum(table.skipped.values()):,} of {counted(table.read, 'row')} skipped:"
              f" {', '.join(f'{n:,} {reason}' for reason, n in sorted(table.skipped.items()))}"
              for name, table in sorted(report.tables.items()) if table.skipped]
    lines.append(f"Results: {out / 'accounts.parquet'}, evidence.parquet, clusters.parquet,"
                 f" memberships.parquet, actions.parquet, timeline.parquet, report.json"
                 f" ({sum(report.seconds.values()):.1f} s).")
    click.echo("\n".join(lines))
    for sentence in report.problems[:_SHOWN_PROBLEMS]:
        click.echo(f"  {sentence}", err=True)
    if len(report.problems) > _SHOWN_PROBLEMS:
        click.echo(f"  and {len(report.problems) - _SHOWN_PROBLEMS} more: see report.json", err=True)


for part in (match_events.command, match_review.command, match_refit.command, match_replay.command,
             match_drift.drift_command, match_drift.canary_command, match_share.share_command):
    command.add_command(part)
