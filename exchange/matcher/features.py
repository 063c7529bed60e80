"""The feature table: what the scorecard weighs of an account, as one number each.

``direct.S`` and ``company.S`` sum the evidence of a signal S in nats before the scorecard; ``against.F`` is company
that speaks against, by family; ``objection.S`` words that values are benign, weighed as their signal is; the columns of
accounts stand for themselves; ``sources`` and ``kinds`` count who and what speaks at all, and ``seconded`` sums what
all sources but the loudest one say of infrastructure; ``infrastructure`` is the sum that gates everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher import circle, claims, nearness, pools
from exchange.matcher.engine import Engine
from exchange.matcher.values import quoted
from exchange.matcher.weighing import ACCOUNT_COLUMNS, Weights
from exchange.matcher.witness import WITNESSING

Floats = NDArray[np.float64]

OBJECTION = "objection."
_ECHO = 0.05
"""Nats from which a shared post counts as shared with suspects."""
COUNTS = ("sources", "kinds", "infrastructure", "seconded", "echo", "devotion", "devoted", "aloof", *circle.MEASURES,
          *claims.MEASURES, *pools.MEASURES)


@dataclass(frozen=True)
class Features:
    """Accounts in a fixed order and their features; NaN is a figure that the platform doesn't have."""

    accounts: NDArray[Any]
    columns: dict[str, Floats]
    firm: Floats
    """Independent sources: those that name infrastructure, and those of the company."""


def names(weights: Weights) -> list[str]:
    """All features that the table of kinds makes."""
    kinds = weights.kinds.values()
    signals = sorted({kind.signal for kind in kinds if kind.direct})
    heard = sorted({kind.signal for kind in kinds if kind.company})
    families = sorted({kind.family for kind in kinds if kind.company})
    return [*(f"direct.{s}" for s in signals), *(f"company.{s}" for s in heard), *(f"against.{f}" for f in families),
            *(f"{OBJECTION}{s}" for s in signals), *ACCOUNT_COLUMNS, *COUNTS]


def families(weights: Weights) -> dict[str, str]:
    """Family of each feature that speaks for."""
    kinds = weights.kinds.values()
    return {f"{part}.{kind.signal}": kind.family for kind in kinds for part in ("direct", "company")}


def read_features(engine: Engine, weights: Weights) -> Features:
    """The features of every account with evidence, from direct, company, objections and accounts."""
    _count(engine, weights)
    columns = ", ".join(f"a.{name}" for name in ACCOUNT_COLUMNS)
    table = _columns(engine, f"""SELECT t.account_id, {columns},
        bit_count(t.sources)::DOUBLE AS sources, bit_count(t.signals)::DOUBLE AS kinds,
        bit_count(t.firm)::DOUBLE AS firm, COALESCE(w.seconded, 0) AS seconded, ln(1 + COALESCE(e.n, 0)) AS echo,
        COALESCE(least(1, e.n / o.n), 0)::DOUBLE AS devotion, -- 1 too where nothing was shared: made-5 was fitted so
        COALESCE(least(1, e.n / NULLIF(o.n, 0)) * (e.n > 0)::INTEGER, 0)::DOUBLE AS devoted,
        {", ".join(f"COALESCE(c.{name}, 0) AS {name}" for name in circle.MEASURES)},
        {", ".join(f"COALESCE(m.{name}, 0) AS {name}" for name in claims.MEASURES)},
        {", ".join(f"COALESCE(b.{name}, 0) AS {name}" for name in pools.MEASURES)}
        FROM standing t JOIN accounts a USING (account_id) LEFT JOIN circle c USING (account_id)
        LEFT JOIN claims m USING (account_id)
        LEFT JOIN (SELECT account_id, sum(nats) - max(nats) AS seconded FROM (SELECT account_id, source,
            sum(nats) AS nats FROM direct WHERE witness AND {WITNESSING} GROUP BY ALL) GROUP BY account_id) w
        USING (account_id) LEFT JOIN ({pools.pools_sql()}) b USING (account_id)
        LEFT JOIN (SELECT account_id, count(*) AS n FROM company WHERE kind = 'share' AND nats / repeated >= {_ECHO}
            GROUP BY 1) e USING (account_id) LEFT JOIN doing o USING (account_id) ORDER BY t.account_id""")
    accounts, firm = table.pop("account_id"), table.pop("firm").astype(np.float64)
    found = {name: column.astype(np.float64) for name, column in table.items()}
    summed = [name for name in names(weights) if name not in found and name not in COUNTS]
    listed = ", ".join(map(quoted, summed))
    long = _columns(engine, f"""SELECT row_number, enum_code(TRY_CAST(feature AS ENUM ({listed})))::INTEGER AS place, x
        FROM (
            SELECT account_id, 'direct.' || signal AS feature, sum(nats) AS x FROM direct GROUP BY ALL
            UNION ALL SELECT account_id, feature, sum(nats) FROM company GROUP BY ALL
            UNION ALL SELECT account_id, '{OBJECTION}' || signal, sum(nats) FROM objections GROUP BY ALL)
        JOIN (SELECT account_id, row_number() OVER (ORDER BY account_id) - 1 AS row_number FROM standing)
        USING (account_id) WHERE feature IN ({listed})""")
    sums = np.zeros((len(summed), len(accounts)))
    sums[long["place"], long["row_number"]] = long["x"]
    infrastructure = np.zeros(len(accounts))
    there = {kind.signal for kind in weights.kinds.values() if kind.family == "infrastructure"}
    for name, column in zip(summed, sums, strict=True):
        found[name] = column
        if name.partition(".")[2] in there and not name.startswith(("against", OBJECTION)):
            infrastructure += column
    found["infrastructure"] = infrastructure
    found["aloof"] = aloof(found, weights)
    found |= nearness.columns(engine, weights.learned, accounts, found)
    return Features(accounts, found, firm)


def aloof(columns: dict[str, Floats], weights: Weights) -> Floats:
    """How large the circle is among which an account stands without doing what they do: ``circle_mass`` where nothing
    that it does, writes or shows is like any of theirs, less where something is.

    People whose things are named by mistake stand among an operation's members like that, and their homes with them.
    """
    families = {f"company.{kind.signal}": kind.family for kind in weights.kinds.values() if kind.company}
    alike = sum(columns[name] for name, family in families.items() if family != "infrastructure")
    found: Floats = columns["circle_mass"] * np.clip(1 - alike, 0, 1)
    return found


def _columns(engine: Engine, sql: str) -> dict[str, NDArray[Any]]:
    """A query's columns as plain arrays; NULL in a column of reals is NaN."""
    fetched = engine.connection.execute(sql).fetchnumpy()
    return {name: np.ma.filled(column.astype(np.float64), np.nan) if np.ma.isMaskedArray(column) and column.mask.any()
            else np.asarray(column) for name, column in fetched.items()}


def _count(engine: Engine, weights: Weights) -> None:
    """Make table ``standing``: per account the sources and signals that count as present, as bits; ``firm`` are sources
    that name infrastructure or speak through company of infrastructure (``witness``): content and acts alone make no
    independent witness (a crowd acts together), nor does a source with a bad record or a disputed indicator."""
    least = weights.provisional.counts_from
    engine.run(f"""CREATE OR REPLACE TEMP TABLE standing AS
        SELECT account_id, bit_or(source_bits) AS sources, bit_or(signal_bits) AS signals, bit_or(firm_bits) AS firm
        FROM (
            SELECT account_id, bit_or(s.bits) AS source_bits, 0::BIGINT AS signal_bits,
                bit_or(CASE WHEN firm >= {least} THEN s.bits ELSE 0 END) AS firm_bits
            FROM (SELECT account_id, source, sum(CASE WHEN {WITNESSING} THEN nats ELSE 0 END) AS firm
                FROM direct WHERE witness GROUP BY ALL HAVING sum(nats) >= {least})
            JOIN source_bits s USING (source) GROUP BY account_id
          UNION ALL
            SELECT account_id, bit_or(sources), 0,
                bit_or(CASE WHEN nats >= {least} AND {WITNESSING} THEN sources ELSE 0 END)
            FROM company WHERE nats >= {least / 2} GROUP BY account_id
          UNION ALL
            SELECT account_id, 0, bit_or(bits), 0 FROM (
                SELECT account_id, signal FROM (SELECT account_id, signal, nats FROM direct UNION ALL
                    SELECT account_id, signal, nats FROM company WHERE nats > 0)
                GROUP BY ALL HAVING sum(nats) >= {least}) JOIN signal_bits USING (signal) GROUP BY account_id
          UNION ALL
            SELECT account_id, 0, 0, 0 FROM direct UNION ALL SELECT account_id, 0, 0, 0 FROM company)
        GROUP BY account_id""")
