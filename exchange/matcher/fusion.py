"""Fusion: intercept, evidence as the scorecard weighs it, and guards add up to the log-odds.

Every summand is a row of evidence and every row lies on a grid, so the sum is exact. Guards stand after the card and
hold whatever was fitted: content and behaviour beside too little infrastructure (the gate), the account's own record
and words of benign against two strong kinds, and what rests on one source or one signal alone, which stays provisional.
What reviews taught comes last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exchange.matcher import circle, pools
from exchange.matcher.company import OWN as OWN_BIT
from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.features import COUNTS, OBJECTION, Features
from exchange.matcher.learned import OWN, PREFIX
from exchange.matcher.scorecard import Card, Floats
from exchange.matcher.values import quoted
from exchange.matcher.weighing import ACCOUNT_COLUMNS, Weights
from exchange.matcher.witness import limit_word, observe

GUARDS = {
    "gate": "content and behaviour count fully only beside infrastructure",
    "against": "the account's own record and words that values are benign can take away no more",
    "open": "an account that an agency runs in the open is covert only on two strong kinds of its own",
    "word": "one source alone can make others suspect only so much of an account",
    "provisional": "one source or one kind of evidence alone stays provisional",
    OWN: "people reviewed this account before",
}
_OPEN = (-3.0, -1.4)
"""Log-odds where squeezing of openly run accounts begins, and which they never reach."""
_TOGETHER = {
    "sources": "sources that speak of it", "kinds": "kinds of evidence that speak of it",
    "infrastructure": "nats of infrastructure in all", "echo": "posts shared when suspects shared them (logarithm)",
    "devotion": "share of its shares that suspects shared at that time",
    "devoted": "share of its shares that suspects shared at that time; 0 where it shared nothing of theirs",
    "aloof": "likely accounts in its circle (logarithm), like none of whom it acts",
    "seconded": "nats of infrastructure that all sources but the loudest one name of it",
    "circle_mass": "likely accounts in its circle (logarithm)", "circle_mean": "mean probability in its circle",
    "circle_sources": "sources that name at least two of its circle",
    "circle_bound": "likely accounts to which a chain of identifiers binds it (logarithm)",
    "vouched": "share of what the same campaign names besides it that other sources bear out",
    "knit": "share of what the same campaign names besides it that infrastructure ties to suspects",
    "unsaid": "nats of infrastructure held together with suspects that no source names",
    "pool": "suspects that hold one value with it (logarithm), by their share of its holders",
}


@dataclass(frozen=True)
class Weighed:
    """The nats of each account by feature and guard; ``own``: what the platform itself saw is a witness."""

    features: Features
    nats: dict[str, Floats]
    guards: dict[str, Floats]
    log_odds: Floats
    own: NDArray[np.bool_]


def weigh(features: Features, card: Card, weights: Weights) -> Weighed:
    """Read the card and apply the guards."""
    nats, last = card.read(features.columns), card in weights.cards[-1:]
    nats |= {name: _objections(name, features.columns, nats) for name in features.columns if name.startswith(OBJECTION)}
    guards: dict[str, Floats] = {}
    infrastructure, content, against = (
        _total(nats, weights, part) for part in ("infrastructure", "content", "against"))
    gate, rules, provisional = weights.gate, weights.against, weights.provisional
    closed = (infrastructure < gate.infrastructure_floor) & (content > gate.content_limit)
    word, echo = limit_word(features.columns, nats, features.firm, weights)
    guards["word"] = np.zeros_like(word) if last else word  # what others hear; of itself it stays provisional
    guards["gate"] = np.where(closed, gate.content_limit - content, 0.0)
    strong = sum(((features.columns[name] >= rules.strong).astype(int) for name in nats
                  if name.startswith("direct.") and _family(name, weights) == "infrastructure"),
                 np.zeros(len(features.accounts), dtype=int))
    limit = np.where((strong >= 2) & (features.firm >= 2), rules.limit_two_strong, rules.limit)
    guards["against"] = np.where(against < limit, limit - against, 0.0)
    total = card.intercept + sum(nats.values(), np.zeros(len(features.accounts))) + sum(guards.values())
    openly = (np.nan_to_num(features.columns["disclosed"]) > 0) & (strong < 2)
    guards["open"] = np.where(openly & (total > _OPEN[0]), squeeze(total, *_OPEN) - total, 0.0)
    total = total + guards["open"]
    own, corroborated = observe(features.columns, weights)
    own &= ~echo
    alone = ((features.firm < 2) & ~own) | ((features.columns["kinds"] < 2) & ~corroborated)
    squeezed = squeeze(total, provisional.from_log_odds, provisional.to_log_odds)
    guards["provisional"] = np.where(alone & (total > provisional.from_log_odds), squeezed - total, 0.0)
    total = total + guards["provisional"]
    guards |= (reviews := weights.learned.correct(features.columns, total, whole=last))
    return Weighed(features, nats, guards, sum(reviews.values(), total), own)


def _objections(name: str, columns: dict[str, Floats], nats: dict[str, Floats]) -> Floats:
    """Words of benign weigh as the evidence does of which they speak, so they never take more than a share of it."""
    about = "direct." + name.removeprefix(OBJECTION)
    if about not in nats:
        return np.zeros_like(columns[name])
    return columns[name] * np.divide(nats[about], columns[about], out=np.zeros_like(columns[name]),
                                     where=columns[about] != 0)


def squeeze(x: Floats, start: float, end: float) -> Floats:
    """Log-odds above ``start`` pressed together so that they never reach ``end`` and keep their order."""
    return start + (end - start) * (1 - np.exp(-np.maximum(0, x - start) / (end - start)))


def _family(feature: str, weights: Weights) -> str:
    part, _, signal = feature.partition(".")
    if part in ("direct", "company"):
        return next(kind.family for kind in weights.kinds.values() if kind.signal == signal)
    if feature in ("echo", "devotion", "devoted", "aloof", *circle.MEASURES):
        return "behaviour"  # a crowd is a circle too: without infrastructure it counts as acts do
    if feature in pools.MEASURES:
        return "infrastructure"
    return "account" if feature in ACCOUNT_COLUMNS else part


def _total(nats: dict[str, Floats], weights: Weights, part: str) -> Floats:
    """Sum of a family's nats; ``against`` is what the account's record and objections take away."""
    found: Floats = sum((np.minimum(0, x) if part == "against" else x for name, x in nats.items()
                         if _part(_family(name, weights)) == part), np.zeros(len(next(iter(nats.values())))))
    return found


def _part(family: str) -> str:
    return {"behaviour": "content", "account": "against", "objection": "against"}.get(family, family)


def keep_state(engine: Engine, weighed: Weighed) -> None:
    """Make table ``state``: account_id, log_odds, score, and as bits sources, firm (independent ones) and signals;
    ``heard`` is the mean with the round before, so that two accounts that hear each other don't swing."""
    engine.table("weighed", {"account_id": weighed.features.accounts, "log_odds": weighed.log_odds,
                             "own": weighed.own})
    engine.run("CREATE TEMP TABLE IF NOT EXISTS state AS SELECT account_id, 0.0::DOUBLE AS score FROM weighed LIMIT 0")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE state AS SELECT account_id, log_odds,
        1 / (1 + exp(-log_odds)) AS score, (1 / (1 + exp(-log_odds)) + COALESCE(p.score, 1 / (1 + exp(-log_odds)))) / 2
            AS heard, s.sources, s.firm | CASE WHEN own THEN {OWN_BIT} ELSE 0 END AS firm, s.signals
        FROM weighed JOIN standing s USING (account_id) LEFT JOIN (SELECT account_id, score FROM state) p
        USING (account_id)""")


def _long(engine: Engine, name: str, accounts: NDArray[np.generic], columns: dict[str, Floats], *,
          also: dict[str, Floats] | None = None, where: dict[str, Floats] | None = None) -> None:
    """Make a table account_id, feature, x (and seen) of all figures but those where ``where`` (or x itself) is 0."""
    names = list(columns)
    rows = [np.flatnonzero((where or columns)[feature]) for feature in names]
    none = np.zeros(0)
    table: dict[str, NDArray[np.generic]] = {
        "account_id": np.concatenate([accounts[:0], *(accounts[there] for there in rows)]),
        "number": np.repeat(np.arange(len(names)), [len(there) for there in rows]),
        "x": np.concatenate([none, *(columns[feature][there] for feature, there in zip(names, rows, strict=True))])}
    if also is not None:
        table["seen"] = np.concatenate(
            [none, *(also[feature][there] for feature, there in zip(names, rows, strict=True))])
    engine.table(f"{name}_rows", table)
    listed = ", ".join(map(quoted, names))
    engine.run(f"""CREATE OR REPLACE TEMP TABLE {name} AS
        SELECT * EXCLUDE (number), list_extract([{listed}]::VARCHAR[], number + 1) AS feature FROM {name}_rows""")


def write_evidence(engine: Engine, weighed: Weighed, card: Card) -> None:
    """Make table ``evidence`` of all rows and bring ``state`` to their exact sums."""
    columns = weighed.features.columns
    shared = {name: np.divide(nats, columns[name], out=np.zeros_like(nats), where=columns[name] != 0)
              for name, nats in weighed.nats.items() if "." in name}
    _long(engine, "scales", weighed.features.accounts, shared, where=columns)
    whole = {name: nats for name, nats in weighed.nats.items() if name not in shared}
    _long(engine, "wholes", weighed.features.accounts, whole, also=columns)
    _long(engine, "guards", weighed.features.accounts, weighed.guards)
    rows = _EVIDENCE.replace("<intercept>", grid(repr(card.intercept)))
    engine.run(f"CREATE OR REPLACE TEMP TABLE evidence AS {rows}")
    engine.run("""CREATE OR REPLACE TEMP TABLE state AS SELECT s.account_id, e.log_odds,
        1 / (1 + exp(-e.log_odds)) AS score, s.sources, s.firm, s.signals
        FROM state s JOIN (SELECT account_id, sum(nats) AS log_odds FROM evidence GROUP BY 1) e USING (account_id)""")


def _words(column: str, words: dict[str, str]) -> str:
    return f"CASE {column} " + " ".join(f"WHEN {quoted(k)} THEN {quoted(v)}" for k, v in words.items()) + " END"


_EMPTY = {name: f"NULL AS {name}" for name in (
    "local_value", "shared_value", "indicator_id", "source", "source_name", "campaign", "observed",
    "first_seen", "last_seen", "holders", "strength", "confidence", "rarity", "decay", "similarity", "repeated",
    "record", "fitted", "raw")}
_FULL = ", ".join(f"d.{name}" for name in _EMPTY if name not in ("fitted", "raw"))
_EVIDENCE = f"""SELECT s.account_id, 'prior' AS step, 'prior' AS kind, NULL AS signal, NULL AS family,
        {', '.join(_EMPTY.values())}, <intercept> AS nats, 'before any evidence' AS note FROM state s
    UNION ALL SELECT d.account_id, d.step, d.kind, d.signal, d.family, {_FULL}, x AS fitted, d.nats AS raw,
            {grid('d.nats * x')}, d.note
        FROM direct d JOIN scales s ON s.account_id = d.account_id AND s.feature = 'direct.' || d.signal
    UNION ALL SELECT d.account_id, 'company', d.kind, d.signal, d.family, d.value, d.value, NULL, NULL, NULL, NULL,
            NULL, d.first_seen, d.last_seen, d.holders, d.strength, NULL, d.rarity, d.decay, d.told, d.repeated, NULL,
            x, d.nats, {grid('d.nats * x')}, format(
                CASE d.holders WHEN 2 THEN '{{:d}} other account holds it' ELSE '{{:d}} other accounts hold it' END
                || '; suspicion of {{:.2f}} among {{:.2f}} recent ones', d.holders - 1, d.others_ws, d.others_w)
        FROM company d JOIN scales s ON s.account_id = d.account_id AND s.feature = d.feature
    UNION ALL SELECT d.account_id, 'objection', d.kind, d.signal, d.family, d.local_value, d.shared_value, d.statement,
            d.source, d.names, NULL, NULL, NULL, NULL, NULL, d.strength, NULL, NULL, NULL, NULL, NULL, NULL, x, d.nats,
            {grid('d.nats * x')}, d.kind || ' ' || d.local_value || ' is benign, says ' || d.names
        FROM objections d JOIN scales s ON s.account_id = d.account_id AND s.feature = '{OBJECTION}' || d.signal
    UNION ALL SELECT account_id, CASE WHEN feature IN ({', '.join(quoted(name) for name in COUNTS)}) THEN 'together'
            ELSE 'account' END, feature, feature, 'account', CAST(seen AS VARCHAR),
            {', '.join(list(_EMPTY.values())[1:])}, {grid('x')}, COALESCE({_words('feature', _TOGETHER)}, feature)
        FROM wholes
    UNION ALL SELECT account_id, CASE WHEN starts_with(feature, {quoted(OWN)}) THEN 'review' ELSE 'limit' END, feature,
            NULL, NULL, {', '.join(_EMPTY.values())}, {grid('x')}, CASE WHEN starts_with(feature, {quoted(PREFIX)})
            THEN 'it is like accounts that reviewers overturned' ELSE {_words('feature', GUARDS)} END FROM guards"""
