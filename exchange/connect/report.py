"""What a run came to: rows by outcome, objects by type and fate, and the first things that were put aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from exchange.connect.contract import Outcome, Row
from exchange.model.pushed import PushOutcome, PushState

OUTCOMES: tuple[str, ...] = get_args(Outcome)
STATES: tuple[str, ...] = get_args(PushState)
SHOWN = 20
"""Quarantined rows and refusals that a report keeps word for word; the counts are complete."""


@dataclass
class Report:
    """Tallies of one run, carried over when it is resumed."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Rows by outcome."""
    objects: dict[str, Counter[str]] = field(default_factory=dict)
    """STIX type to objects by fate: added, unchanged, refused."""
    files: int = 0
    aside: list[str] = field(default_factory=list)
    """The first quarantined rows and refusals, one sentence each with its place."""
    withdrawn: int = 0
    """Objects that were revoked or deleted because the source took them back."""
    renewed: int = 0
    """Objects that the source had taken back and published again: they came in anew."""
    resumed: bool = False
    stopped: bool = False
    """Whether it was told to stop before its source ended."""
    last_file: str = ""

    @property
    def rows(self) -> int:
        """Rows of the source that were accounted for."""
        return sum(self.outcomes.values())

    def pushed(self, state: str) -> int:
        """Objects that met this fate, over all types."""
        return sum(counts[state] for counts in self.objects.values())

    @property
    def all_in(self) -> bool:
        """True when nothing was quarantined and nothing refused."""
        return not self.outcomes["quarantined"] and not self.pushed("refused")

    def count_rows(self, rows: Iterable[Row]) -> None:
        """Add the rows of one step."""
        for row in rows:
            self.outcomes[row.outcome] += 1
            if row.file != self.last_file:
                self.files += 1
                self.last_file = row.file
            if row.outcome == "quarantined":
                self._put_aside(f"{row.file}, row {row.row}: {row.reason}")

    def count_pushes(self, pushes: Iterable[PushOutcome]) -> None:
        """Add the answers to one envelope."""
        for push in pushes:
            kind = push.id.partition("--")[0] or "(no id)"
            self.objects.setdefault(kind, Counter())[push.state] += 1

    def _put_aside(self, sentence: str) -> None:
        if len(self.aside) < SHOWN:
            self.aside.append(sentence)

    def as_record(self) -> dict[str, Any]:
        """Plain JSON values, for a checkpoint."""
        return {
            "outcomes": dict(self.outcomes),
            "objects": {kind: dict(counts) for kind, counts in self.objects.items()},
            "files": self.files, "last_file": self.last_file, "aside": self.aside,
            "withdrawn": self.withdrawn, "renewed": self.renewed,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Report:
        """The inverse of ``as_record``; raises KeyError, TypeError, ValueError or AttributeError."""
        return cls(
            outcomes=Counter({key: int(number) for key, number in record["outcomes"].items()}),
            objects={kind: Counter(counts) for kind, counts in record["objects"].items()},
            files=int(record["files"]), last_file=str(record["last_file"]),
            aside=[str(sentence) for sentence in record["aside"]], withdrawn=int(record.get("withdrawn", 0)),
            renewed=int(record.get("renewed", 0)),
        )
