"""Where a run stands: the connector's own cursor, the tallies so far, what was refused so far.

One record per connector and source, of plain JSON values, kept by the sink. It is written after each push,
so a crash repeats at most one push, which the exchange answers with ``unchanged``; of a finished run it stays only
where the connector's checkpoint is lasting. Older or damaged records start the run anew, which costs time and never
a duplicate, because ids are deterministic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exchange.connect.report import Report

FORMAT = 1
MAX_REFUSED = 10_000
"""Refused ids that are remembered across a restart, the latest ones."""


@dataclass
class Standing:
    """How far a run has come."""

    cursor: Mapping[str, Any] | None = None
    """The connector's own checkpoint; None at the start of a source."""
    report: Report = field(default_factory=Report)
    refused: dict[str, str] = field(default_factory=dict)
    """Id of each refused object to its "code: sentence": a later row may refer to it."""

    def refuse(self, identifier: str, reason: str) -> None:
        """Remember a refusal, and forget the oldest beyond ``MAX_REFUSED``."""
        self.refused.pop(identifier, None)
        self.refused[identifier] = reason
        if len(self.refused) > MAX_REFUSED:
            del self.refused[next(iter(self.refused))]

    def as_record(self, *, finished: bool = False) -> dict[str, Any]:
        """Plain JSON values for ``Sink.save_checkpoint``; ``finished`` for a checkpoint that outlives its run."""
        record = {"format": FORMAT, "cursor": self.cursor, "refused": dict(self.refused)}
        return {**record, "finished": True} if finished else {**record, "report": self.report.as_record()}


def read_standing(record: Mapping[str, Any] | None) -> Standing:
    """The inverse of ``Standing.as_record``; a record that isn't understood gives a fresh start.

    So does one without a cursor: its connector can't go on from the midst, and rows would count twice.
    """
    if not record or record.get("format") != FORMAT or not isinstance(record.get("cursor"), Mapping):
        return Standing()
    if not record["cursor"]:
        return Standing()
    try:
        refused = {str(key): str(value) for key, value in record["refused"].items()}
        if record.get("finished") is True:
            return Standing(record["cursor"], Report(), refused)
        report = Report.from_record(record["report"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return Standing()
    report.resumed = True
    return Standing(record["cursor"], report, refused)
