"""Tells the class of each cluster from what sources state and what members do; whatever can't be told stays untold.

Every source that states a class for indicators which met likely members speaks with at most ``stated`` nats, shared out
over the classes that it states, and less where it met fewer than three accounts; signs in behaviour add theirs. Nats of
a class are log-odds among the classes, all alike before anything is known; one is told from ``told_from`` on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from exchange.matcher.classes.names import CLASSES
from exchange.matcher.classes.signs import measure_signs
from exchange.matcher.classes.table import ClassTable
from exchange.matcher.engine import Engine

_BROAD = 3
"""Accounts that a source's indicators must have met for its word to count in full."""
_OWN = 1.0
"""Nats from which the platform's own observation counts as a source of the class."""


@dataclass(frozen=True)
class Statement:
    """What one source states of a cluster."""

    source: str
    name: str
    campaign_class: str
    share: float
    """Share of its evidence in the cluster, of that which states any class, that states this one."""
    accounts: int
    """Likely members that any of its evidence with a class met."""


@dataclass(frozen=True)
class Reason:
    """One contribution to a cluster's class."""

    campaign_class: str
    nats: float
    source: str
    """Name of the source; empty for what the platform itself saw."""
    what: str
    """The measure, or ``stated``."""
    value: float
    """Of the measure; of a statement, the share of the source's evidence."""


@dataclass(frozen=True)
class Told:
    """The class of a cluster."""

    campaign_class: str | None
    """None: it can't be told."""
    probability: float
    """Of the likeliest class, told or not."""
    sources: int
    """Independent sources of the class, the platform's own observation among them."""
    reasons: tuple[Reason, ...]


def tell_class(statements: Iterable[Statement], signs: Mapping[str, float], table: ClassTable) -> Told:
    """The class of one cluster."""
    reasons = [Reason(said.campaign_class, table.stated * said.share * min(1.0, said.accounts / _BROAD), said.name,
                      "stated", said.share) for said in statements]
    for name, row in table.rows.items():
        reasons += [Reason(name, nats, "", sign.measure, signs[sign.measure]) for sign in row.signs
                    if sign.measure in signs and (nats := sign.read(signs[sign.measure]))]
    sums = [sum(reason.nats for reason in reasons if reason.campaign_class == word) for word in CLASSES]
    odds = [math.exp(nats - max(sums)) for nats in sums]
    best = sums.index(max(sums))
    told = sums[best] > 0 and odds[best] / sum(odds) >= table.told_from
    mine = [reason for reason in reasons if told and reason.campaign_class == CLASSES[best]]
    own = sum(reason.nats for reason in mine if not reason.source) >= _OWN
    return Told(CLASSES[best] if told else None, odds[best] / sum(odds),
                len({reason.source for reason in mine if reason.source}) + own, tuple(sorted(reasons, key=_heaviest)))


def _heaviest(reason: Reason) -> tuple[float, str, str, str]:
    return -abs(reason.nats), reason.campaign_class, reason.source, reason.what


def tell_classes(engine: Engine, table: ClassTable, *, acts: bool, links: bool) -> dict[str, Told]:
    """Make tables ``classes`` (cluster, class, probability, sources, likely_from) of all clusters and
    ``class_reasons``; returns the same by cluster.

    Reads members, state, direct, indicators and what the signs are measured on.
    """
    stated: dict[str, list[Statement]] = {}
    for cluster, *rest in engine.rows("""WITH said AS (
            SELECT m.cluster, d.source, d.source_name, i.campaign_class, d.account_id, d.nats
            FROM members m JOIN direct d USING (account_id) JOIN state s USING (account_id)
            JOIN indicators i ON i.indicator_id = d.indicator_id
            WHERE s.score >= 0.5 AND d.nats > 0 AND i.campaign_class <> '')
        SELECT cluster, source, any_value(source_name), campaign_class, sum(nats) / any_value(whole),
            any_value(accounts)
        FROM said JOIN (SELECT cluster, source, sum(nats) AS whole, count(DISTINCT account_id) AS accounts
            FROM said GROUP BY ALL) USING (cluster, source) GROUP BY cluster, source, campaign_class ORDER BY ALL"""):
        stated.setdefault(cluster, []).append(Statement(*rest))
    signs = measure_signs(engine, acts=acts, links=links)
    found = {name: tell_class(stated.get(name, ()), signs.get(name, {}), table)
             for name, in engine.rows("SELECT DISTINCT cluster FROM members ORDER BY 1")}
    _keep(engine, table, found)
    return found


def _keep(engine: Engine, table: ClassTable, found: Mapping[str, Told]) -> None:
    engine.run("""CREATE OR REPLACE TEMP TABLE classes (cluster VARCHAR, class VARCHAR, probability DOUBLE,
        sources INTEGER, likely_from DOUBLE)""")
    engine.load("classes", ({"cluster": name, "class": told.campaign_class, "probability": told.probability,
                             "sources": told.sources, "likely_from": table.likely_from(told.campaign_class)}
                            for name, told in found.items()))
    engine.run("""CREATE OR REPLACE TEMP TABLE class_reasons (cluster VARCHAR, class VARCHAR, nats DOUBLE,
        source_name VARCHAR, what VARCHAR, value DOUBLE)""")
    engine.load("class_reasons", (
        {"cluster": name, "class": one.campaign_class, "nats": one.nats, "source_name": one.source, "what": one.what,
         "value": one.value} for name, told in found.items() for one in told.reasons))
