"""Household shape: a few people who have long lived with the same things and came one by one (R64).

A family shares a device, a card or a line for months, and its members signed up at different times; an operation buys
what it shares for the occasion, or signs up at one go. For each value of identity that 2 to 6 accounts hold the measure
is the time that all of them used it, up to a year, if their sign-ups lie a month apart; an account's ``home`` is the
largest of its values, 0 to 1, in years. It only ever speaks for an account; how much, the scorecard says.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine

LARGEST = 6
"""People in a household."""
_LEAST_DAYS, _YEAR, _APART = 60, 365, 30
_DAY = 86_400
_KINDS = ("device", "payment", "phone", "cookie", "ip4", "upload_fp")


def gather_homes(engine: Engine) -> None:
    """Make table ``homes`` (account_id, home) from ``shared`` (every holder of the suspects' values) and accounts."""
    kinds = ", ".join(f"'{kind}'" for kind in _KINDS)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE homes AS
        SELECT s.account_id, max(least(1.0, h.common / {float(_YEAR * _DAY)})) AS home
        FROM shared s JOIN (
            SELECT t.kind, t.key, min(t.last_seen) - max(t.first_seen) AS common
            FROM shared t JOIN accounts a ON a.account_id = t.account_id
            WHERE t.kind IN ({kinds}) AND t.holders <= {LARGEST} GROUP BY t.kind, t.key
            HAVING count(*) > 1 AND count(*) = max(t.holders) AND count(t.last_seen) = count(*)
                AND min(t.last_seen) - max(t.first_seen) >= {_LEAST_DAYS * _DAY}
                AND max(a.created) - min(a.created) >= {_APART * _DAY}) h ON h.kind = s.kind AND h.key = s.key
        GROUP BY s.account_id""")


def empty(engine: Engine, account_type: str) -> None:
    """Make table ``homes`` without rows: nothing was gathered."""
    engine.run(f"CREATE OR REPLACE TEMP TABLE homes (account_id {account_type}, home DOUBLE)")
