"""What a run of the matcher read, used and left out: nothing is dropped without a count and a reason here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from exchange.matcher.action.pack import ActionPack


@dataclass
class TableCount:
    """Rows of one entity table; a skipped row has a reason."""

    read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def used(self) -> int:
        """Rows that went on."""
        return self.read - self.skipped.total()


@dataclass
class Report:
    """The whole account of a run, written as report.json beside the results."""

    weights: str = ""
    at: int = 0
    """Unix seconds of the moment the run speaks of."""
    purpose: str | None = None
    tables: dict[str, TableCount] = field(default_factory=dict)
    tables_left_out: list[str] = field(default_factory=list)
    """Entity tables that are there, or that the mapping names, and couldn't be used at all; why is in ``problems``."""
    objects: Counter[str] = field(default_factory=Counter)
    """Objects of the feed by STIX type."""
    indicators_used: int = 0
    values_used: Counter[str] = field(default_factory=Counter)
    """Matchable values by kind."""
    not_used: Counter[str] = field(default_factory=Counter)
    """Indicators, or parts of their patterns, left out, by reason."""
    examples: dict[str, str] = field(default_factory=dict)
    """For each reason in ``not_used`` the first object it concerned."""
    values_objected: int = 0
    """Values that are looked for although another source says that they are benign; that word counts against."""
    disputed: int = 0
    """Indicators that the exchange or several sources dispute: they keep a part of their weight."""
    records: int = 0
    """Contributors whose records were known."""
    hits: Counter[str] = field(default_factory=Counter)
    """Meetings of a local row with a shared value, by kind."""
    too_common: Counter[str] = field(default_factory=Counter)
    """Shared values that so many accounts hold that they weigh nothing, by kind."""
    accounts: int = 0
    accounts_with_evidence: int = 0
    accounts_likely: int = 0
    """Accounts with a score from which one of their cluster's class counts as likely (one half where none is told)."""
    state: dict[str, Any] = field(default_factory=dict)
    """What of the kept state was used again, and why what wasn't."""
    clusters: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    """Accounts by recommended action."""
    action_pack: str = ""
    """Digest of the policy pack that recommended."""
    engine: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """Sentences for people: what was wrong, where, and how to mend it."""

    def leave_out(self, reason: str, example: str, count: int = 1) -> None:
        """Count something that isn't used."""
        self.not_used[reason] += count
        self.examples.setdefault(reason, example)

    def take_tables(self, read: Report) -> None:
        """Take over what a report of their own says of the entity tables."""
        self.tables, self.accounts = read.tables, read.accounts
        self.tables_left_out += read.tables_left_out
        self.state |= read.state
        self.problems += read.problems

    def recommend(self, pack: ActionPack, at: int, counts: Iterable[tuple[str, int]]) -> None:
        """Note what was recommended, and by which pack."""
        self.action_pack = pack.digest
        self.actions.update(dict(counts))
        day = datetime.fromtimestamp(at, UTC).date()
        if not pack.in_force(day):
            self.problems.append(f"{pack.file}: the policy pack of actions is not in force on {day}, the day the run"
                                 " speaks of; name one that is with --actions.")

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values, in a fixed order."""
        tables = {
            name: {"rows_read": t.read, "rows_used": t.used, "rows_skipped": dict(sorted(t.skipped.items()))}
            for name, t in sorted(self.tables.items())
        }
        return {
            "weights": self.weights, "at": self.at, "purpose": self.purpose, "tables": tables,
            "tables_left_out": self.tables_left_out,
            "objects": dict(sorted(self.objects.items())),
            "indicators_used": self.indicators_used, "values_used": dict(sorted(self.values_used.items())),
            "values_objected": self.values_objected, "disputed": self.disputed, "records": self.records,
            "not_used": [{"reason": r, "count": n, "example": self.examples.get(r, "")}
                         for r, n in sorted(self.not_used.items())],
            "hits": dict(sorted(self.hits.items())), "too_common": dict(sorted(self.too_common.items())),
            "state": self.state, "accounts": self.accounts, "accounts_with_evidence": self.accounts_with_evidence,
            "accounts_likely": self.accounts_likely, "clusters": self.clusters,
            "actions": dict(sorted(self.actions.items())), "action_pack": self.action_pack, "engine": self.engine,
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "problems": self.problems,
        }
