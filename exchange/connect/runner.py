"""How a source gets in: fetch, push with terms, account for every row, checkpoint, report.

Order matters. Objects are pushed first, rows are settled by the answers, and the checkpoint is saved last: a
crash anywhere repeats at most the objects of one step, and repeating is harmless because connectors make the
same ids from the same source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from exchange.connect.checkpoint import Standing, read_standing
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.quarantine import settle
from exchange.connect.report import Report
from exchange.connect.source import Source
from exchange.errors import ExchangeError, InputError
from exchange.model.pushed import PushOutcome

MAX_ENVELOPE_OBJECTS = 1_000
MAX_ENVELOPE_BYTES = 8_000_000
"""Below the exchange's default limit of a request's body, with room for the envelope itself."""
MAX_STEP_ROWS = 5_000
"""Rows without objects that are gathered before a checkpoint is due."""


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


Watch = Callable[[Step], None]


def run(
    connector: Connector,
    source: Source,
    sink: Sink,
    *,
    terms: Mapping[str, Any],
    source_key: str = "",
    dry_run: bool = False,
    watchers: Sequence[Watch] = (),
) -> Report:
    """Bring a source in, from where an interrupted run of the same source stood.

    ``source_key`` names the source in checkpoints (``source.key`` where empty). Raises InputError when the
    source can't be read (after the part that could be read went in), or when there are no terms: only a
    ``dry_run``, whose sink keeps nothing, may do without.
    """
    if not terms and not dry_run:
        raise InputError(
            "There are no terms to share this source under.",
            why="Nothing enters the exchange without a policy.",
            fix="Name a policy pack with --policy.",
        )
    key = source_key or source.key
    standing = read_standing(sink.load_checkpoint(connector.name, key))
    for batch in gather(connector.fetch(source, standing.cursor)):
        _push(batch, sink, terms, standing)
        rows = tuple(settle(row, standing.refused) for row in batch.rows)
        standing.report.count_rows(rows)
        standing.cursor = batch.checkpoint
        for watch in watchers:
            watch(Step(rows, standing.report, batch.progress))
        sink.save_checkpoint(connector.name, key, standing.as_record())
    sink.save_checkpoint(connector.name, key, None)
    return standing.report


def gather(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Join small batches into steps of about one envelope, so that a push is worth its transaction.

    An ExchangeError of the source comes after the step that was under way.
    """
    upserts: list[Mapping[str, Any]] = []
    rows: list[Row] = []
    last: Batch | None = None
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
        upserts += batch.upserts
        rows += batch.rows
        last = batch
        if len(upserts) >= MAX_ENVELOPE_OBJECTS or len(rows) >= MAX_STEP_ROWS:
            yield Batch(tuple(upserts), tuple(rows), batch.checkpoint, batch.progress)
            upserts, rows, last = [], [], None
    if last is not None:
        yield Batch(tuple(upserts), tuple(rows), last.checkpoint, last.progress)
    if failure is not None:
        raise failure


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


def _push(batch: Batch, sink: Sink, terms: Mapping[str, Any], standing: Standing) -> None:
    for envelope in envelopes(msgspec.json.encode(item) for item in batch.upserts):
        answers = sink.push(envelope, terms=terms)
        if len(answers) != len(envelope):
            raise ExchangeError(f"The exchange answered {len(answers)} of {len(envelope)} pushed objects.",
                                fix="Run the same command again; report it if it comes back.")
        standing.report.count_pushes(answers)
        for answer in answers:
            if answer.state == "refused":
                standing.refused[answer.id] = f"{answer.code}: {answer.sentence}"
            else:
                standing.refused.pop(answer.id, None)  # a later version of it was taken
