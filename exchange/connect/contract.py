"""What a connector is: it turns one source into batches of STIX objects and an account of every source row.

A connector knows its format and nothing of the server; the runner (``exchange.connect.runner``) does the
rest: checkpoint, terms, push, dry run, quarantine, report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

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


@dataclass(frozen=True)
class Batch:
    """A step of a run: what goes in, what became of the rows, and where to resume after it."""

    upserts: tuple[StixObject, ...] = ()
    """Complete STIX objects (plain JSON values); the same source gives the same ids."""
    rows: tuple[Row, ...] = ()
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    """JSON values; given back to ``fetch`` to resume after this batch. The runner keeps it only while a run
    is under way: a finished run starts from the beginning next time, and finds everything unchanged."""
    progress: float | None = None
    """Share of the source read so far, 0 to 1; None where nobody knows."""


class Connector(Protocol):
    """One outside party or format; a file in ``connectors/`` with a ``CONNECTOR`` of this kind."""

    name: str
    """As typed on the command line, such as ``meta-threat-research``."""
    title: str

    def fetch(self, source: Path, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read the source from the checkpoint on; one bad row never stops a batch.

        Raises InputError when the source as a whole can't be read.
        """
        ...
