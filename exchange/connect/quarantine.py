"""Which rows the exchange's refusals put into quarantine.

A row is in quarantine when anything that was made of it was refused: a job that sees no quarantined row may
trust that all of its source went in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from exchange.connect.contract import Row


def settle(row: Row, refused: Mapping[str, str]) -> Row:
    """The row as the exchange's answers leave it.

    ``refused`` maps an object's id to "code: sentence". The ids that did go in stay on the row.
    """
    hit = [identifier for identifier in row.ids if identifier in refused] if refused else []
    if not hit:
        return row
    reason = refused[hit[0]]
    if len(row.ids) > 1:
        reason = f"{len(hit)} of {len(row.ids)} objects were refused; {hit[0]}: {reason}"
    if row.reason:
        reason = f"{reason} ({row.reason})"
    kept = tuple(identifier for identifier in row.ids if identifier not in refused)
    return replace(row, outcome="quarantined", ids=kept, reason=reason)
