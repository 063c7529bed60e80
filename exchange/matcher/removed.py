"""Recidivism: the member's own removed networks as indicators of its own, each network one of a source of its own.

They meet accounts as any indicator does: rare, recent values say much, what everybody holds says nothing. The source is
one witness, never two, however many networks were removed; nothing of it goes back to the exchange.
"""

from __future__ import annotations

from collections.abc import Iterator

from exchange.matcher.engine import Engine
from exchange.matcher.indicators import Indicator
from exchange.matcher.patterns import Unit, Unusable
from exchange.matcher.probes import Probe, probes
from exchange.matcher.report import Report
from exchange.matcher.values import real, shown_sql

SOURCE, SOURCE_NAME = "own-removed", "own removed networks"
CONFIDENCE = 0.9
"""Of a row that states none: the member's people decided, and may have erred."""
_ELSEWHERE = (("avatars", "picture", "pdq"), ("hosts", "domain", "host"))
"""View, kind and column of what an account holds beside ``links``."""
_PATHS = {
    "domain": "domain-name:value", "picture": "x-cib-media:pdq", "text": "x-cib-post:text", "url": "url:value",
    "account": "user-account:x_misp_url", "ip_range": "ipv4-addr:value",
}


def read_removed(engine: Engine, tables: frozenset[str], sibling: float, report: Report) -> list[Indicator]:
    """One indicator per network, day of removal and confidence, of the view ``removed``; by network.

    ``sibling`` as in ``probes``. Values that name nobody are counted in the report with the reason.
    """
    found: dict[tuple[str, int, float], dict[tuple[str, int, str, int], Probe]] = {}
    for network, removed_at, confidence, probe in _probes(engine, tables, sibling, report):
        values = found.setdefault((network, removed_at, confidence), {})
        known = values.get(probe.value)
        if known is None or probe.similarity > known.similarity:
            values[probe.value] = probe
    made = [Indicator(f"removed: {network}", SOURCE, SOURCE_NAME, network, removed_at, confidence,
                      tuple(values.values()))
            for (network, removed_at, confidence), values in sorted(found.items())]
    report.indicators_used += len(made)
    for indicator in made:
        report.values_used.update(probe.kind for probe in indicator.probes)
    return made


def _probes(
    engine: Engine, tables: frozenset[str], sibling: float, report: Report
) -> Iterator[tuple[str, int, float, Probe]]:
    engine.run(f"""CREATE OR REPLACE TEMP TABLE removals AS SELECT DISTINCT network, removed_at, account_id, kind, key,
            value, CASE WHEN confidence BETWEEN 0 AND 1 THEN confidence ELSE {real(CONFIDENCE)} END
            AS confidence FROM removed""")
    engine.here("removals")
    columns = "DISTINCT network, removed_at, confidence"
    yield from _tokens(engine, f"SELECT {columns}, kind, key, value FROM removals WHERE key IS NOT NULL")
    if "links" in tables:
        yield from _tokens(engine, f"SELECT {columns}, l.kind, l.key, {shown_sql('l')} AS value FROM links l"
                                   " JOIN removals r ON r.account_id = l.account_id")
    parts = [f"SELECT {columns}, kind, value FROM removals WHERE key IS NULL AND kind IS NOT NULL AND"
             " value IS NOT NULL"]
    parts += [f"SELECT {columns}, '{kind}', t.{column} FROM {table} t JOIN removals r ON r.account_id = t.account_id"
              for table, kind, column in _ELSEWHERE if table in tables]
    for network, removed_at, confidence, kind, value in engine.rows(" UNION ".join(parts) + " ORDER BY ALL"):
        path = _PATHS.get(kind)
        made = probes(Unit(((path, value),)), sibling) if path else Unusable("the value is not of its kind")
        if isinstance(made, Unusable):
            report.leave_out(f"removed: {made.reason}", f"{network}: {kind} {value}"[:100])
            continue
        yield from ((network, removed_at, confidence, probe) for probe in made)
    engine.run("DROP TABLE removals")


def _tokens(engine: Engine, sql: str) -> Iterator[tuple[str, int, float, Probe]]:
    for network, removed_at, confidence, kind, key, value in engine.rows(f"{sql} ORDER BY ALL"):
        yield network, removed_at, confidence, Probe(kind, "token", value, key)
