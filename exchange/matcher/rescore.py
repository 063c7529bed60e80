"""What would be left of a score without a part of its evidence: computed by scoring again, never guessed.

A run keeps what the scores of members were made of (``keep_members``); here a part of it is taken away, and hits,
objections, features, card and limits are computed anew by the very functions of a run, to the last bit. Nothing else
changes: what others on the platform are suspected of, the circle and what others bear out of claims stay as they were,
and so do corrections by reviews. So it is the difference that this evidence makes for this account (``MEANING``), not
the platform without it; the two are the same where nobody else's standing hangs on what is taken away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from exchange.errors import InputError
from exchange.matcher import fusion
from exchange.matcher.claims import UNSAID
from exchange.matcher.company import repeated_sql
from exchange.matcher.direct import grid, weigh_hits
from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.features import read_features
from exchange.matcher.learned import Learned
from exchange.matcher.objections import weigh_objections
from exchange.matcher.values import quoted
from exchange.matcher.voices import count_voices
from exchange.matcher.weighing import Weights

MEMBERS = "members.duckdb"
MEANING = "scored again without it, while what others are suspected of stays as it is"
"""What every figure from here is a claim of, for people."""
_OF_MEMBERS = ("hits", "accounts", "company", "circle", "claims", "doing")
_WHOLE = ("kinds", "class_kinds", "source_bits", "signal_bits")


@dataclass(frozen=True)
class Part:
    """A part of the evidence, by what its rows have in common."""

    what: str
    """source, kind, company, strongest (each account's largest row), or nothing (the score as it is)."""
    name: str = ""
    """Of the source, or of the signal."""


NOTHING, COMPANY, STRONGEST = Part("nothing"), Part("company"), Part("strongest")


def keep_members(engine: Engine) -> None:
    """Write what the scores of table ``members`` were made of into the work folder."""
    engine.run(f"ATTACH {quoted(str(engine.work / MEMBERS))} AS kept_members")
    engine.run("BEGIN")
    for name in _OF_MEMBERS:
        engine.run(f"CREATE TABLE kept_members.{name} AS SELECT * FROM {name} SEMI JOIN members USING (account_id)")
    for name in _WHOLE:
        engine.run(f"CREATE TABLE kept_members.{name} AS SELECT * FROM {name}")
    engine.run("""CREATE TABLE kept_members.indicators AS SELECT * FROM indicators
        SEMI JOIN kept_members.hits USING (ix)""")
    engine.run("""CREATE TABLE kept_members.objecting AS SELECT * FROM objecting
        SEMI JOIN kept_members.indicators USING (indicator_id)""")
    engine.run("""CREATE TABLE kept_members.largest AS SELECT account_id, step, kind, local_value, indicator_id
        FROM evidence SEMI JOIN members USING (account_id) WHERE step IN ('direct', 'company') AND nats > 0
        QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY nats DESC, step, kind, local_value,
            indicator_id) = 1""")
    engine.run("""CREATE TABLE kept_members.reviews AS SELECT account_id, sum(nats) AS nats FROM evidence
        SEMI JOIN members USING (account_id) WHERE step = 'review' GROUP BY 1""")
    engine.run("COMMIT")
    engine.run("DETACH kept_members")


@contextmanager
def open_rescorer(path: Path, weights: Weights, at: int, only: str | None = None
                  ) -> Iterator[Callable[[Part], dict[Any, float]]]:
    """A function from a part to each member's log-odds without it; ``only`` names one member, where one will do.

    Raises InputError where the file is missing.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there, so nothing can be scored again.",
                         fix="Run cibx match --out there again.")
    one = only is not None
    with open_engine(path.parent, threads=None if one else 2, small=one) as engine:
        engine.run(f"ATTACH {quoted(str(path))} AS kept_members (READ_ONLY)")
        for name in (*_OF_MEMBERS, *_WHOLE, "indicators", "objecting", "largest", "reviews"):
            whole = "whole_" if name in ("hits", "company", "claims") else ""
            theirs = (f" WHERE CAST(account_id AS VARCHAR) = {quoted(only)}"
                      if only is not None and name in (*_OF_MEMBERS, "largest", "reviews") else "")
            engine.run(f"CREATE TEMP TABLE {whole}{name} AS SELECT * FROM kept_members.{name}{theirs}")
        engine.run("DETACH kept_members")
        # runs under made-4 and older kept neither
        engine.run("ALTER TABLE kinds ADD COLUMN IF NOT EXISTS handover DOUBLE DEFAULT 0")
        engine.run("ALTER TABLE whole_company ADD COLUMN IF NOT EXISTS together_with UBIGINT")
        plain = replace(weights, learned=Learned())
        yield lambda part: _without(engine, plain, at, part)


def _without(engine: Engine, weights: Weights, at: int, part: Part) -> dict[Any, float]:
    engine.run(f"CREATE OR REPLACE TEMP TABLE hits AS SELECT * FROM whole_hits h WHERE NOT ({_of_hits(part)})")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE company AS
        SELECT * EXCLUDE (raw_again, again) REPLACE (again AS repeated, {grid('raw_again * again')} AS nats)
        FROM (SELECT *, nats / repeated AS raw_again,
                {repeated_sql(weights, 'signal', '(nats / repeated)', 'kind, key')} AS again
            FROM whole_company c WHERE NOT ({_of_company(part)}))""")
    weigh_hits(engine, weights, at)
    count_voices(engine, weights)
    weigh_objections(engine, weights)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE claims AS SELECT account_id, vouched, knit, u.unsaid
        FROM whole_claims FULL JOIN ({UNSAID}) u USING (account_id)""")
    card = weights.cards[-1]
    weighed = fusion.weigh(read_features(engine, weights), card, weights)
    fusion.keep_state(engine, weighed)
    fusion.write_evidence(engine, weighed, card)
    return dict(engine.rows(f"""SELECT a.account_id, COALESCE(s.log_odds, {weights.silent}) + COALESCE(r.nats, 0)
        FROM accounts a LEFT JOIN state s USING (account_id) LEFT JOIN reviews r USING (account_id)"""))


def _of_hits(part: Part) -> str:
    """Which rows of ``whole_hits h`` belong to a part."""
    name = quoted(part.name)
    return {
        "source": f"h.ix IN (SELECT ix FROM indicators WHERE source_name = {name})",
        "kind": f"h.kind IN (SELECT kind FROM kinds WHERE signal = {name})",
        "strongest": """(h.account_id, h.kind, h.local, h.ix) IN (SELECT (l.account_id, l.kind, l.local_value, i.ix)
            FROM largest l JOIN indicators i USING (indicator_id) WHERE l.step = 'direct')""",
    }.get(part.what, "false")


def _of_company(part: Part) -> str:
    """Which rows of ``whole_company c`` belong to a part."""
    return {
        "company": "c.nats > 0", "kind": f"c.signal = {quoted(part.name)}",
        "strongest": """(c.account_id, c.kind, c.value) IN (SELECT (l.account_id, l.kind, l.local_value)
            FROM largest l WHERE l.step = 'company')""",
    }.get(part.what, "false")
