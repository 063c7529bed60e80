"""Why an account has its score: every contribution, for and against, read back from a run's results."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import orjson

from exchange.errors import InputError
from exchange.matcher.case.again import without_strongest
from exchange.matcher.rescore import MEANING
from exchange.matcher.results.seeds import SEEDS
from exchange.matcher.run import ACCOUNTS, EVIDENCE, REPORT
from exchange.matcher.values import quoted
from exchange.words import counted

_FACTORS = {"record": "source record"}
_ADDRESSES = frozenset({"ip4", "ip_range"})
_LAST_ADDRESS = 2**32 - 1


@dataclass(frozen=True)
class Contribution:
    """One row of the evidence table."""

    step: str
    """prior, direct, company, objection, account, together or limit."""
    kind: str
    nats: float
    """Above 0 speaks for membership of an operation, below 0 against."""
    local_value: str | None = None
    shared_value: str | None = None
    indicator_id: str | None = None
    source_name: str | None = None
    campaign: str | None = None
    observed: int | None = None
    first_seen: int | None = None
    last_seen: int | None = None
    holders: int | None = None
    strength: float | None = None
    confidence: float | None = None
    rarity: float | None = None
    decay: float | None = None
    similarity: float | None = None
    repeated: float | None = None
    record: float | None = None
    """What the source's record, and disputes, leave of its word."""
    fitted: float | None = None
    """What the scorecard makes of a nat of it, here."""
    note: str | None = None
    tlp: str | None = None
    """Of the shared object, where it is TLP:RED: whoever reads this must not pass it on."""

    def line(self) -> str:
        """One line for people."""
        return self._line() + (f" [{self.tlp}: for you alone]" if self.tlp else "")

    def _line(self) -> str:
        if self.step == "direct":
            because = f" ({self.note})" if self.note else ""
            return f"{self.nats:+7.2f}  {self.kind}: {self._met()}; {self._weight()}{because}"
        if self.step == "company":
            return f"{self.nats:+7.2f}  {self.kind} {self._local()}: {self.note}; {self._weight()}"
        if self.step in ("account", "together"):
            return f"{self.nats:+7.2f}  {self.note}: {float(self.local_value or 'nan'):g}"
        return f"{self.nats:+7.2f}  {self.note}"

    def _met(self) -> str:
        told = f"{self.source_name}'s {self.campaign or self.indicator_id}"
        seen = f", seen here {_day(self.first_seen)} to {_day(self.last_seen)}" if self.last_seen else ""
        return f"{self._local()} met {self.shared_value} of {told} ({_day(self.observed)}{seen})"

    def _local(self) -> str:
        """The value; an address that the tables hold as a number in dots."""
        value = self.local_value or ""
        if self.kind in _ADDRESSES and value.isdecimal() and int(value) <= _LAST_ADDRESS:
            return str(IPv4Address(int(value)))
        return value

    def _weight(self) -> str:
        parts = [f"strength {self.strength:.1f}" if self.strength is not None else ""]
        for name in ("confidence", "rarity", "decay", "similarity", "repeated", "record", "fitted"):
            value = getattr(self, name)
            if value is not None and not (name in ("similarity", "repeated", "record", "fitted") and value == 1):
                parts.append(f"{_FACTORS.get(name, name)} {value:.2f}")
        parts.append(counted(self.holders, "holder") if self.holders else "")
        return " × ".join(part for part in parts[:-1] if part) + (f", {parts[-1]}" if parts[-1] else "")


@dataclass(frozen=True)
class Explanation:
    """The whole of what makes one account's score."""

    account_id: str
    score: float
    log_odds: float
    contributions: tuple[Contribution, ...]
    """Largest first; their nats add up to the log-odds (no row at all: the score is the prior)."""
    weights: str
    """Version of the weights."""
    sources: int
    signals: int
    likely_from: float = 0.5
    """Probability from which an account of its cluster's class counts as likely."""
    campaign_class: str | None = None
    left: float | None = None
    """Log-odds without its strongest piece of evidence (see ``rescore.MEANING``); None where it is in no cluster."""

    @property
    def speaking_for(self) -> tuple[Contribution, ...]:
        """What raises the score, largest first."""
        return tuple(row for row in self.contributions if row.nats > 0)

    @property
    def speaking_against(self) -> tuple[Contribution, ...]:
        """What lowers it, largest first, without the prior."""
        return tuple(row for row in reversed(self.contributions) if row.nats < 0 and row.step != "prior")

    def text(self) -> str:
        """The explanation for people, some lines long."""
        prior = sum(row.nats for row in self.contributions if row.step == "prior")
        lines = [f"Account {self.account_id}: probability {self.score:.3f} that it belongs to a covert operation"
                 f" (log-odds {self.log_odds:+.2f}; weights {self.weights})."]
        if not self.contributions:
            return f"{lines[0]}\nNothing shared met it: this is the prior of any account."
        lines.append(f"{prior:+7.2f}  before any evidence")
        for title, rows in (("For:", self.speaking_for), ("Against:", self.speaking_against)):
            lines.append(title)
            lines.extend(row.line() for row in rows)
            if not rows:
                lines.append("         nothing")
        lines.append(f"{self.log_odds:+7.2f}  in sum, from {counted(self.sources, 'source')} and"
                     f" {counted(self.signals, 'kind')} of evidence"
                     f" (what the platform itself saw may be a source). {_standing(self)}")
        if self.left is not None:
            lines.append(f"{self.left:+7.2f}  would be left without its strongest piece of evidence: probability"
                         f" {1 / (1 + math.exp(-self.left)):.3f} ({MEANING}).")
        return "\n".join(lines)


def _standing(explanation: Explanation) -> str:
    if explanation.sources < 2 or explanation.signals < 2:
        return "Provisional at most: one source or one kind of evidence alone condemns nobody."
    bound = f"{explanation.likely_from:g}, the threshold of " + (
        f"class {explanation.campaign_class.replace('_', ' ')}" if explanation.campaign_class else "any class")
    if explanation.score >= explanation.likely_from:
        return f"Likely: above {bound}; a person decides."
    return f"Not likely: below {bound}."


def _day(moment: int | None) -> str:
    return "unknown" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def explain(out: Path, account_id: str | int) -> Explanation:
    """The explanation of one account from the results in ``out``.

    Raises InputError when there are no results, or no such account in them.
    """
    accounts, evidence = out / ACCOUNTS, out / EVIDENCE
    if not accounts.is_file() or not evidence.is_file():
        raise InputError(f"{out} holds no results of the matcher.", fix="Run cibx match --out there first.")
    import duckdb  # noqa: PLC0415 - slow to load

    with duckdb.connect(":memory:") as connection:
        found = _dicts(connection, f"SELECT * FROM {_table(accounts)} WHERE CAST(account_id AS VARCHAR) = ?",
                       str(account_id))
        rows = _dicts(connection, f"""SELECT e.*, s.tlp FROM {_table(evidence)} e LEFT JOIN ({_red(out / SEEDS)}) s
            USING (indicator_id) WHERE CAST(account_id AS VARCHAR) = ?
            ORDER BY nats DESC, step, kind, local_value, indicator_id""", str(account_id))
    if not found:
        raise InputError(f"There is no account {account_id} in {accounts}.", fix="Name an account_id of the table.")
    report = orjson.loads((out / REPORT).read_bytes()) if (out / REPORT).is_file() else {}
    names = Contribution.__dataclass_fields__
    return Explanation(
        str(account_id), found[0]["score"], found[0]["log_odds"],
        tuple(Contribution(**{name: row[name] for name in names}) for row in rows),
        str(report.get("weights", "unknown")), found[0]["sources"], found[0]["signals"],
        found[0].get("likely_from", 0.5), found[0].get("class"),
        without_strongest(out, str(account_id)) if found[0]["cluster"] is not None else None)


def top_accounts(out: Path, count: int) -> list[tuple[str, float]]:
    """The accounts with the highest scores: (account_id, score). Raises InputError as ``explain``."""
    accounts = out / ACCOUNTS
    if not accounts.is_file():
        raise InputError(f"{out} holds no results of the matcher.", fix="Run cibx match --out there first.")
    import duckdb  # noqa: PLC0415 - slow to load

    with duckdb.connect(":memory:") as connection:
        return [(str(row["account_id"]), row["score"]) for row in _dicts(
            connection, f"SELECT account_id, score FROM {_table(accounts)} WHERE has_evidence"
                        f" ORDER BY score DESC, account_id LIMIT {int(count)}")]


def _red(seeds: Path) -> str:
    """Ids of objects that are TLP:RED, of the file of seeds; none where an older run left no such file."""
    if not seeds.is_file():
        return "SELECT NULL::VARCHAR AS indicator_id, NULL::VARCHAR AS tlp LIMIT 0"
    return f"SELECT DISTINCT indicator_id, tlp FROM {_table(seeds)} WHERE tlp = 'TLP:RED'"


def _table(path: Path) -> str:
    return f"read_parquet({quoted(str(path))})"


def _dicts(connection: Any, sql: str, *values: str) -> list[dict[str, Any]]:
    done = connection.execute(sql, list(values))
    names = [column[0] for column in done.description]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]
