"""How many accounts stand behind each shared object here: counted by distinct accounts, on the member's own machine.

An account counts for an object when what else is known of it makes it likely (its log-odds less the direct evidence of
the object's source, where others who name the same value step up in its place), or when people confirmed it; what
people overturned or disagree on never does. So a source hears back only of accounts that others, or the platform
itself, found: nobody learns from an indicator of his own making whether an innocent person has an account, and no
machine confirms a source by that source's own word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.errors import InputError
from exchange.matcher.learning.reviews import CONFIRMED, OVERTURNED
from exchange.matcher.results.seeds import SEEDS, strictest
from exchange.matcher.run import ACCOUNTS, EVIDENCE
from exchange.matcher.values import quoted


@dataclass(frozen=True)
class Found:
    """What was found of one shared object; the counts never leave as they are."""

    id: str
    """Of the indicator, or of the campaign for all its indicators together."""
    name: str
    """For the member's own people."""
    source: str
    campaign: str
    """Id of the campaign that an indicator indicates; empty for a campaign."""
    tlp: str
    accounts: int
    """Distinct accounts that count (see above)."""
    met: int
    """Distinct accounts that met it at all."""
    confirmed: int
    overturned: int
    first: int | None = None
    """Unix seconds before which ``least`` of the accounts that count were seen with it."""
    last: int | None = None
    """Unix seconds after which so many were."""


def read_found(out: Path, verdicts: Mapping[str, str], least: int) -> list[Found]:
    """All objects that met somebody, indicators and campaigns, by id. ``verdicts``: account to what reviews say.

    Raises InputError where ``out`` holds no results of the matcher, or of an older one.
    """
    for name in (ACCOUNTS, EVIDENCE, SEEDS):
        if not (out / name).is_file():
            raise InputError(f"{out / name} is not there.", fix="Run cibx match --out there first.")
    import duckdb  # noqa: PLC0415 - slow to load

    with duckdb.connect(":memory:") as connection:
        for name in (ACCOUNTS, EVIDENCE, SEEDS):
            connection.execute(f"CREATE VIEW {name.removesuffix('.parquet')} AS"
                               f" SELECT * FROM read_parquet({quoted(str(out / name))})")
        connection.execute("CREATE TABLE verdicts (account VARCHAR, verdict VARCHAR)")
        if verdicts:
            connection.executemany("INSERT INTO verdicts VALUES (?, ?)", list(verdicts.items()))
        connection.execute(_NAMED)
        rows = _rows(connection, _grouped("indicator_id", least)) + _rows(connection, _grouped("campaign_ref", least))
    return sorted((_found(row) for row in rows if row["id"]), key=lambda one: one.id)


_ORDER = "PARTITION BY account_id, signal, local_value ORDER BY repeated DESC, source"
_LOST = f"""SELECT account_id, source, sum(nats - COALESCE(gain, 0)) AS nats FROM (
        SELECT account_id, source, nats, sum(step_up) OVER (
            {_ORDER} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS gain
        FROM (SELECT *, nats * (COALESCE(lag(repeated) OVER ({_ORDER}) / repeated, 1) - 1) AS step_up
              FROM evidence WHERE step = 'direct' AND repeated > 0)) GROUP BY ALL"""
"""What an account's log-odds lose without a source: its nats, less what the sources behind it on the same value gain
when each takes the place (the factor ``repeated``) of the one before."""
_NAMED = f"""CREATE TABLE named AS
    SELECT e.*, s.campaign_ref, s.campaign, s.tlp,
        COALESCE(v.verdict, '') = '{CONFIRMED}' AS confirmed, COALESCE(v.verdict, '') = '{OVERTURNED}' AS overturned,
        COALESCE(v.verdict = '{CONFIRMED}', a.log_odds - w.nats >= ln(a.likely_from / (1 - a.likely_from))) AS counts
    FROM (SELECT account_id, indicator_id, source, any_value(source_name) AS source_name, min(first_seen) AS first_seen,
            max(last_seen) AS last_seen FROM evidence WHERE step = 'direct' AND nats > 0 GROUP BY ALL) e
    JOIN seeds s ON s.indicator_id = e.indicator_id
    JOIN accounts a ON a.account_id = e.account_id
    JOIN ({_LOST}) w
        ON w.account_id = e.account_id AND w.source = e.source
    LEFT JOIN verdicts v ON v.account = CAST(e.account_id AS VARCHAR)"""


def _grouped(column: str, least: int) -> str:
    """Distinct accounts of each object; times as the ``least``-th first and last of those that count."""
    return f"""SELECT {column} AS id, any_value({'source_name' if column == 'indicator_id' else 'campaign'}) AS name,
            list_distinct(flatten(list(sources))) AS sources, list_distinct(flatten(list(tlps))) AS tlps,
            any_value({'campaign_ref' if column == 'indicator_id' else "''"}) AS campaign,
            count(*) FILTER (counts) AS accounts, count(*) AS met, count(*) FILTER (confirmed) AS confirmed,
            count(*) FILTER (overturned) AS overturned,
            list_sort(list(first_seen) FILTER (counts AND first_seen IS NOT NULL))[{int(least)}] AS first,
            list_reverse_sort(list(last_seen) FILTER (counts AND last_seen IS NOT NULL))[{int(least)}] AS last
        FROM (SELECT account_id, {column}, any_value(source_name) AS source_name, any_value(campaign) AS campaign,
                {"any_value(campaign_ref) AS campaign_ref," if column == "indicator_id" else ""}
                list(DISTINCT source) AS sources, list(DISTINCT tlp) AS tlps, bool_or(counts) AS counts,
                bool_or(confirmed) AS confirmed, bool_or(overturned) AS overturned, min(first_seen) AS first_seen,
                max(last_seen) AS last_seen FROM named GROUP BY account_id, {column}) GROUP BY {column}"""


def _rows(connection: Any, sql: str) -> list[dict[str, Any]]:
    done = connection.execute(sql)
    names = [column[0] for column in done.description]
    return [dict(zip(names, row, strict=True)) for row in done.fetchall()]


def _found(row: dict[str, Any]) -> Found:
    sources, tlps = row.pop("sources"), row.pop("tlps")
    return Found(**row, source=sources[0] if len(sources) == 1 else "", tlp=strictest(one for one in tlps if one))
