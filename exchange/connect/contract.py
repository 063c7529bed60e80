"""What a connector is: it turns one source into batches of STIX objects and an account of every source row.

A connector knows its format and nothing of the server; the runner (``exchange.connect.runner``) does the
rest: checkpoint, terms, push, dry run, quarantine, report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Literal, Protocol

from exchange.connect.source import Option, Source

Outcome = Literal[
    "indicator", "count", "audience", "spend", "behaviour", "note", "repaired", "quarantined", "blank",
]

StixObject = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """What became of one source row (or source object): every row of a source has exactly one."""

    file: str
    """Path inside the source, as the source names it."""
    row: int
    """1 = the header line or first object; a multi-line cell is one row."""
    outcome: Outcome
    ids: tuple[str, ...] = ()
    """STIX ids of what was made of the row."""
    reason: str = ""
    """For people: why it was quarantined, repaired or not made an indicator."""
    raw: str = ""
    """The record as the source has it, for a quarantined row that a person may mend; never a secret."""


@dataclass(frozen=True)
class Batch:
    """A step of a run: what goes in, what became of the rows, and where to resume after it."""

    upserts: tuple[StixObject, ...] = ()
    """Complete STIX objects (plain JSON values); the same source gives the same ids."""
    rows: tuple[Row, ...] = ()
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    """JSON values; given back to ``fetch`` to resume after this batch. The runner keeps it while a run is under
    way, and beyond it for a ``lasting`` connector; else a finished run starts from the beginning next time, and
    finds everything unchanged."""
    progress: float | None = None
    """Share of the source read so far, 0 to 1; None where nobody knows."""
    withdrawn: tuple[str, ...] = ()
    """Ids of objects that this connector made earlier and whose source took them back: each that the exchange
    still holds from this contributor is revoked, so that everyone who has it is told. Ids never seen are no fault.
    An observable has no versions and is deleted: name one only where nothing else of the source refers to it."""


class Connector(Protocol):
    """One outside party or format; a file in ``connectors/`` with a ``CONNECTOR`` of this kind.

    Subclass it: what is only sometimes needed has a default.
    """

    name: ClassVar[str]
    """As typed on the command line, such as ``meta-threat-research``."""
    title: ClassVar[str]
    options: ClassVar[Mapping[str, Option]] = {}
    """What a person may set, by name."""
    secrets: ClassVar[Mapping[str, str]] = {}
    """Name of each secret that ``fetch`` may ask for, and what it is, for people."""
    lasting: ClassVar[bool] = False
    """Whether the last checkpoint outlives a finished run, so that the next one only brings what is new."""
    stale_after: ClassVar[timedelta | None] = None
    """After this long without a finished run a scheduled source counts as stale, an error."""

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read the source from the checkpoint on; one bad row never stops a batch.

        Raises InputError when the source as a whole can't be read, UnavailableError when it may be later.
        """
        ...

    def advice(self, source: Source) -> str:
        """For ``cibx connector check``: how the source is understood, where a person may say it better; often empty."""
        return ""
