"""One source to be brought in, as a person orders it, and its run from beginning to end.

What a person gives is checked before anything is asked: an unknown option or a missing secret is told with what there
is. A run notes itself in the journal, whatever became of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from exchange.connect.checkpoint import read_standing
from exchange.connect.contract import Connector
from exchange.connect.journal import Journal, RunKept
from exchange.connect.outward import Publisher
from exchange.connect.quarantine import Quarantine
from exchange.connect.report import Report
from exchange.connect.runner import Pace, Sink, Step, Watch, run
from exchange.connect.source import Source
from exchange.errors import ExchangeError, InputError
from exchange.outbound.web import Web

MISSED_RUNS = 3
"""A scheduled source that missed so many runs is stale, unless it or its connector says otherwise."""


@dataclass(frozen=True)
class Job:
    """One source with everything that its run needs, but the way into the exchange."""

    name: str
    """By which a person knows the source; unique for whom it is brought in."""
    connector: str
    place: str
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    policy: str = ""
    """The policy pack; empty in a dry run only."""
    every: float | None = None
    """Seconds between two runs; None: once."""
    stale: float | None = None
    """Seconds without a finished run after which it is stale; None: the connector's, else by the schedule."""
    per_second: float | None = None
    """Requests (of a server) or rows (of a file) in a second at most."""
    allow: Sequence[str] = ()
    """Networks that may be asked though they are private."""
    plain_http: bool = False
    ca_file: Path | None = None

    def __post_init__(self) -> None:
        """Raises InputError for an address with a password in it: addresses are kept and shown."""
        authority = self.place.partition("://")[2].replace("\\", "/").partition("/")[0]
        if "@" in authority:
            raise InputError("The source's address holds a user or password.",
                             fix="Leave it out of the address, and give it as a --secret.")

    @property
    def key(self) -> str:
        """What names it in checkpoints: other options or another policy begin anew."""
        place = Source(self.place).key
        given = "".join(f", {name}={self.options[name]}" for name in sorted(self.options))
        return f"{place} under {self.policy or None}{given}"


def source_of(job: Job, connector: Connector | Publisher) -> Source:
    """The source that a connector reads from, or what a publisher's target is made of.

    Raises InputError for an option or secret that is wrong or missing.
    """
    _refuse_unknown("option", job.options, connector.options, connector.name)
    _refuse_unknown("secret", job.secrets, connector.secrets, connector.name)
    options = {name: option.default for name, option in connector.options.items() if option.default}
    options.update(job.options)
    for name, option in connector.options.items():
        if option.needed and not options.get(name):
            raise InputError(f"The connector {connector.name} needs the option {name!r}: {option.help}.",
                             fix=f"Give it with --option {name}=VALUE.")
    web = Web(allow=job.allow, plain_http=job.plain_http, ca_file=job.ca_file, hide=list(job.secrets.values()),
              per_second=job.per_second)
    return Source(job.place, options, job.secrets, web)


def _refuse_unknown(what: str, given: Iterable[str], known: Mapping[str, Any], connector: str) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, list(known), n=1)
            there = ", ".join(sorted(known)) or "none"
            raise InputError(f"The connector {connector} has no {what} {name!r}.",
                             fix=(f"Did you mean {near[0]!r}? " if near else "") + f"It takes: {there}.")


def stale_after(job: Job, connector: Connector) -> float | None:
    """Seconds without a finished run after which a source counts as stale; None: never."""
    if job.stale is not None or job.every is None:
        return job.stale  # what is brought in once may fall silent
    if connector.stale_after is not None:
        return max(connector.stale_after.total_seconds(), job.every)
    return MISSED_RUNS * job.every


def perform(
    job: Job, connector: Connector, sink: Sink, terms: Mapping[str, Any], *, journal: Journal | None,
    watchers: Sequence[Watch] = (), pace: Pace | None = None, now: Callable[[], float] = time.time,
) -> Report:
    """Run a job once. With a ``journal`` the run is noted and rows in quarantine are kept; a dry run has none.

    Raises as ``runner.run``, after noting the failure; InputError also where another process runs the same source.
    """
    source = source_of(job, connector)
    pace = pace or Pace()
    if not source.is_url:
        pace = replace(pace, rows_per_second=job.per_second)
    with source.web:
        if journal is None:
            return run(connector, source, sink, terms=terms, source_key=job.key, dry_run=True, watchers=watchers,
                       pace=pace)
        with journal.alone(job.name):
            return _noted(job, connector, source, sink, terms, journal, watchers, pace, now)


def _noted(
    job: Job, connector: Connector, source: Source, sink: Sink, terms: Mapping[str, Any], journal: Journal,
    watchers: Sequence[Watch], pace: Pace, now: Callable[[], float],
) -> Report:
    began, quarantine = now(), Quarantine(journal)
    journal.expect(job.name, job.connector, job.place, now=began, every=job.every, stale=stale_after(job, connector))
    last: list[Step] = []

    def watch(step: Step) -> None:
        """Note the step, and what it refused."""
        last[:] = [step]
        quarantine.watch(job.name, step, now())

    before = counts(read_standing(sink.load_checkpoint(connector.name, job.key)).report)  # told by an earlier run
    outcome, error, report = "failed", "It was ended from outside.", None
    try:
        report = run(connector, source, sink, terms=terms, source_key=job.key, watchers=[watch, *watchers], pace=pace)
        outcome = "stopped" if report.stopped else "finished" if report.all_in else "partly"
        error = ""
        return report
    except ExchangeError as failure:
        error = str(failure)
        raise
    except KeyboardInterrupt:
        outcome, error = "stopped", ""
        raise
    finally:
        found = counts(report or (last[0].report if last else Report()))
        new = {name: max(0, number - before.get(name, 0)) for name, number in found.items()}
        journal.note(job.name, RunKept(began, now(), outcome, new, error))


def counts(report: Report) -> dict[str, int]:
    """A report's tallies by flat names: ``rows.NAME``, ``objects.NAME``, ``withdrawn``."""
    found = {f"rows.{outcome}": number for outcome, number in report.outcomes.items()}
    for fates in report.objects.values():
        for state, number in fates.items():
            found[f"objects.{state}"] = found.get(f"objects.{state}", 0) + number
    return {**found, "withdrawn": report.withdrawn}


def moment(seconds: float) -> str:
    """A time of the journal for people: RFC 3339 in UTC, whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
