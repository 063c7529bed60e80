"""How a source gets in: fetch, push with terms, take back, account for every row, checkpoint, report.

Order matters. Objects are pushed first, then what was withdrawn is revoked, rows are settled by the answers, and the
checkpoint is saved last: a crash anywhere repeats at most the objects of one step, and repeating is harmless because
connectors make the same ids from the same source. What is about to be taken back is noted before (``renewal``), so that
it counts as the source's own word when it comes again. For the same reason a run whose source or exchange can't be
reached just goes on from its last step after a while.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from exchange.connect.checkpoint import Standing, read_standing
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.quarantine import settle
from exchange.connect.renewal import Renewals
from exchange.connect.report import Report
from exchange.connect.revocation import revocations
from exchange.connect.source import Source
from exchange.errors import ExchangeError, InputError, UnavailableError
from exchange.model.pushed import PushOutcome
from exchange.outbound.patience import BusyError, Patience

MAX_ENVELOPE_OBJECTS = 1_000
MAX_ENVELOPE_BYTES = 8_000_000
"""Below the exchange's default limit of a request's body, with room for the envelope itself."""
MAX_STEP_ROWS = 5_000
"""Rows without objects that are gathered before a checkpoint is due."""


_NOT_OURS = frozenset({"not-object-creator", "revoked-permanently"})
"""Refusals of a withdrawal that say: there is nothing of this contributor's to take back."""


class Sink(Protocol):
    """The way into an exchange, for one contributor and one collection: local database, client or file."""

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        """Push one envelope of at most 1,000 STIX objects, each as JSON bytes; one answer each, in order.

        ``terms`` are for objects that carry none of their own: the keys of ``Collection.default_terms``.
        An answered object is durable. Raises an ExchangeError when the envelope as a whole can't be taken.
        """
        ...

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        """What ``save_checkpoint`` stored last for the pair; None when nothing is stored."""
        ...

    def held(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """The last version of each of at most 50 objects that this contributor can revise; others are left out."""
        ...

    def erased(self, ids: Sequence[str]) -> Iterable[str]:
        """Those of some objects of this contributor that were erased."""
        ...

    def delete(self, identifier: str) -> None:
        """Delete this contributor's object that has no versions; one that isn't there, or is held, is no fault."""
        ...

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        """Keep JSON values for the pair, durably; None forgets the pair."""
        ...


@dataclass(frozen=True)
class Step:
    """One step of a run, told to whoever watches."""

    rows: tuple[Row, ...]
    """Rows as settled by the exchange's answers."""
    report: Report
    """The tallies so far; the same value in every step of a run."""
    progress: float | None


    sent: tuple[Row, ...] = ()
    """The same rows as the connector told them."""
    refused: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    """Id of each object that was refused in this step, to its bytes and the reason."""


Watch = Callable[[Step], None]


@dataclass(frozen=True)
class Pace:
    """How a run waits; sleep, clock (seconds) and chance (0 to 1) come from outside."""

    patience: Patience = field(default_factory=lambda: Patience(tries=6, first=2.0, longest=120.0, in_all=600.0))
    """For a source or an exchange that can't be reached; each step that succeeds renews it."""
    rows_per_second: float | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.SystemRandom().random
    going: Callable[[], bool] = lambda: True
    """Asked after each step: False ends the run there, to go on from there next time."""


def run(
    connector: Connector,
    source: Source,
    sink: Sink,
    *,
    terms: Mapping[str, Any],
    source_key: str = "",
    dry_run: bool = False,
    watchers: Sequence[Watch] = (),
    pace: Pace | None = None,
) -> Report:
    """Bring a source in, from where an interrupted run of the same source stood.

    ``source_key`` names the source in checkpoints (``source.key`` where empty). Raises InputError when the
    source can't be read (after the part that could be read went in), or when there are no terms: only a
    ``dry_run``, whose sink keeps nothing, may do without. Raises UnavailableError when patience ends.
    """
    if not terms and not dry_run:
        raise InputError(
            "There are no terms to share this source under.",
            why="Nothing enters the exchange without a policy.",
            fix="Name a policy pack with --policy.",
        )
    one = _Run(connector, source, sink, terms, source_key or source.key, watchers, pace or Pace())
    one.to_the_end()
    return one.standing.report


class _Run:
    """One run: what it was given, where it stands, how long it waited."""

    def __init__(self, connector: Connector, source: Source, sink: Sink, terms: Mapping[str, Any], key: str,
                 watchers: Sequence[Watch], pace: Pace) -> None:
        self._connector, self._source, self._sink, self._terms = connector, source, sink, terms
        self._key, self._watchers, self._pace = key, watchers, pace
        self.standing = read_standing(sink.load_checkpoint(connector.name, key))
        self._renewals = Renewals(sink.load_checkpoint(connector.name, self._taken_back))
        self._failed, self._waited = 0, 0.0
        self._began, self._rows = pace.clock(), 0

    @property
    def _taken_back(self) -> str:
        """Where is kept what the source took back, whatever options and policy it comes in by."""
        return f"taken back by {self._source.key}"

    def to_the_end(self) -> None:
        """Step by step; what can't be reached now is waited for."""
        while True:
            try:
                if not self._steps():
                    return
                break
            except UnavailableError as error:
                self._wait(error)
            if not self.standing.cursor:
                self.standing = Standing()  # it begins anew, and so do its tallies
        kept = self.standing.as_record(finished=True) if self._connector.lasting and self.standing.cursor else None
        self._sink.save_checkpoint(self._connector.name, self._key, kept)

    def _steps(self) -> bool:
        """Steps from where the run stands; False when it was told to stop."""
        for batch in gather(self._connector.fetch(self._source, self.standing.cursor)):
            self._step(batch)
            self._sink.save_checkpoint(self._connector.name, self._key, self.standing.as_record())
            self._failed, self._waited = 0, 0.0
            if not self._pace.going():
                self.standing.report.stopped = True
                return False
            self._keep_pace(len(batch.rows))
        return True

    def _step(self, batch: Batch) -> None:
        standing = self.standing
        before = self._renewals.count
        batch = self._renewals.apply(batch, self._sink.erased)
        standing.report.renewed += self._renewals.count - before
        answers = list(_pushed((msgspec.json.encode(item) for item in batch.upserts), self._sink, self._terms))
        gone = list(self._take_back(batch.withdrawn))
        standing.report.count_pushes([answer for _, answer in answers])
        standing.report.withdrawn += len(gone)
        refused = {}
        for raw, answer in answers:
            if answer.state == "refused":
                refused[answer.id] = raw, f"{answer.code}: {answer.sentence}"
                standing.refuse(answer.id, refused[answer.id][1])
            else:
                standing.refused.pop(answer.id, None)  # a later version of it was taken
        rows = tuple(settle(row, standing.refused) for row in batch.rows)
        standing.report.count_rows(rows)
        standing.cursor = batch.checkpoint
        for watch in self._watchers:
            watch(Step(rows, standing.report, batch.progress, batch.rows, refused))

    def _take_back(self, withdrawn: Sequence[str]) -> Iterator[str]:
        """Revoke, and give the ids of what was."""
        versions: dict[str, bytes] = {}
        for version, identifier in revocations(withdrawn, self._sink.held) if withdrawn else ():
            if version is None:
                self._sink.delete(identifier)
                yield identifier
            else:
                versions[identifier] = version
        if versions:
            self._renewals.note({key: str(msgspec.json.decode(raw)["modified"]) for key, raw in versions.items()})
        if self._renewals.unsaved:
            self._sink.save_checkpoint(self._connector.name, self._taken_back, self._renewals.as_record())
            self._renewals.unsaved = False
        for _, answer in _pushed(versions.values(), self._sink, self._terms):
            if answer.state == "refused" and answer.code not in _NOT_OURS:
                raise ExchangeError(f"The withdrawal of {answer.id} was refused: {answer.code}: {answer.sentence}",
                                    fix="Mend that, and run again; or revoke it by cibx state revoke.")
            if answer.state == "added":
                yield answer.id

    def _wait(self, error: UnavailableError) -> None:
        self._failed += 1
        asked = error.retry_after if isinstance(error, BusyError) else None
        pause = self._pace.patience.pause(self._failed, asked, self._waited, self._pace.chance)
        if pause is None or not self._pace.going():
            raise error
        self._pace.sleep(pause)
        self._waited += pause

    def _keep_pace(self, rows: int) -> None:
        if self._pace.rows_per_second:
            self._rows += rows
            early = self._began + self._rows / self._pace.rows_per_second - self._pace.clock()
            if early > 0:
                self._pace.sleep(early)


def gather(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Join small batches into steps of about one envelope, so that a push is worth its transaction.

    What is withdrawn ends a step that objects would follow in: it is taken back after what came before it.
    An ExchangeError of the source comes after the step that was under way.
    """
    joined: list[Batch] = []
    objects = rows = withdrawn = 0
    source = iter(batches)
    failure: ExchangeError | None = None
    while failure is None:
        try:
            batch = next(source, None)
        except ExchangeError as error:
            failure = error
            break
        if batch is None:
            break
        if batch.upserts and withdrawn:
            yield _one(joined)
            joined, objects, rows, withdrawn = [], 0, 0, 0
        joined.append(batch)
        objects, rows = objects + len(batch.upserts), rows + max(1, len(batch.rows))
        withdrawn += len(batch.withdrawn)
        if objects >= MAX_ENVELOPE_OBJECTS or rows >= MAX_STEP_ROWS:
            yield _one(joined)
            joined, objects, rows, withdrawn = [], 0, 0, 0
    if joined:
        yield _one(joined)
    if failure is not None:
        raise failure


def _one(joined: Sequence[Batch]) -> Batch:
    return Batch(
        tuple(item for one in joined for item in one.upserts), tuple(row for one in joined for row in one.rows),
        joined[-1].checkpoint, joined[-1].progress, tuple(gone for one in joined for gone in one.withdrawn),
    )


def envelopes(objects: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Split into envelopes of at most 1,000 objects and 8 MB; a larger object travels alone."""
    envelope: list[bytes] = []
    size = 0
    for raw in objects:
        if envelope and (len(envelope) == MAX_ENVELOPE_OBJECTS or size + len(raw) > MAX_ENVELOPE_BYTES):
            yield envelope
            envelope, size = [], 0
        envelope.append(raw)
        size += len(raw)
    if envelope:
        yield envelope


def _pushed(
    objects: Iterable[bytes], sink: Sink, terms: Mapping[str, Any]
) -> Iterator[tuple[bytes, PushOutcome]]:
    """Push, and give each object with its answer."""
    for envelope in envelopes(objects):
        answers = sink.push(envelope, terms=terms)
        if len(answers) != len(envelope):
            raise ExchangeError(f"The exchange answered {len(answers)} of {len(envelope)} pushed objects.",
                                fix="Run the same command again; report it if it comes back.")
        yield from zip(envelope, answers, strict=True)
