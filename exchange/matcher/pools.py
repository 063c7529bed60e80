"""Pools: whether one value is in the hands of many suspects and of few others.

A home holds its things among two to five, and a café among a hundred guests of whom few are suspects. A machine or a
mail domain that a dozen suspects hold and nobody else is an operation's, and the more they are the surer: what
``company`` says of a value hardly grows with their number, because it asks for their share.
"""

from __future__ import annotations

from exchange.matcher.direct import grid

MEASURES = ("pool",)


def pools_sql() -> str:
    """SELECT of account_id and the measure, over ``company``: ln(1 + suspects among the others) x their share, for the
    value of infrastructure of which that is most (the hour of a sign-up apart)."""
    return f"""SELECT account_id, max({grid("ln(1 + others_ws) * others_ws / (others_w + 0.5)")}) AS pool
        FROM company WHERE family = 'infrastructure' AND signal <> 'signup' AND nats > 0 GROUP BY account_id"""
