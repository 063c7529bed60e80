"""Voices: how many independent sources stand behind what a feed names here (R29).

Whoever wants to harm people finds a stranger who says it too. So a source is a voice of its own only where what it says
in the smallest company is borne out by something else than its being said: the platform itself sees the account in a
chain of identifiers that is larger than a home, not run in the open, and reaches likely accounts which those who say it
never named; or a proven source of another company names something else of the account. What others publish too proves
nobody who repeats it: each set of sources that name the same values (a *company*) is judged by itself, and a source
by all its smallest ones, so words added to repeated ones are judged alone. All unproven sources are one voice, however
many they are; of a source that says nothing without another, the two are one.

share = (borne out + 0.5) / (findings + 5), a finding being an account that a company names by infrastructure that is no
stranger's. A record of confirmed objects (``contributors``) counts as up to five findings that are borne out. Where
nobody is proven, as on a small platform, only who has five findings and still no share is unproven.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from exchange.matcher.circle import chain
from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.weighing import Weights
from exchange.matcher.witness import WITNESSING

UNPROVEN = "unproven"
"""The voice that all unproven sources share; no STIX id."""
_PRIOR, _AMONG = 0.5, 5.0
"""Findings that a source of which nothing is known counts as having had borne out, among so many."""
ENOUGH = 5
"""Findings from which one can tell where nobody is proven, and that a record can stand for."""
_ECHO = 10
"""Findings from which a source that says nothing without a certain other one is its echo."""
_OPENLY = 0.25
"""Share of a chain's accounts that an agency runs in the open, from which it shows nothing covert."""
_BITS = 62

Company = frozenset[str]
"""Sources that name the same values."""


@dataclass(frozen=True)
class Finding:
    """An account that a company names."""

    account: object
    company: Company
    seen: bool
    """Whether the platform's own sight bears it out."""


def hear_voices(engine: Engine, weights: Weights) -> None:
    """Bring ``source_bits`` (source, bits, voice) and the repetitions in ``direct`` to what sources are proven now, by
    ``shared`` and ``state`` as the round before left them. Only for tables with ``proven_from``."""
    findings = _findings(engine, weights)
    recorded = {source: min(ENOUGH, confirmed) for source, confirmed in engine.rows(
        "SELECT source, max(confirmed) FROM indicators WHERE witness GROUP BY source")}
    voices = tell_voices(findings, recorded, weights.sources.proven_from)
    numbers = {voice: number for number, voice in enumerate(sorted(set(voices.values())))}
    engine.run("CREATE OR REPLACE TEMP TABLE source_bits (source VARCHAR, bits BIGINT, voice VARCHAR)")
    engine.load("source_bits", ({"source": source, "bits": 1 << numbers[voice] % _BITS, "voice": voice}
                                for source, voice in sorted(voices.items())))
    count_voices(engine, weights)


def tell_voices(findings: Collection[Finding], recorded: Mapping[str, int], least: float) -> dict[str, str]:
    """The voice of each source in ``recorded``: itself, ``UNPROVEN``, or the source that it is an echo of.

    ``recorded`` has for each source the findings that its record stands for; ``least`` is the share to reach.
    """
    by_account: dict[object, list[Company]] = {}
    for one in findings:
        by_account.setdefault(one.account, []).append(one.company)
    theirs: dict[str, dict[Company, list[Finding]]] = {source: {} for source in recorded}
    for one in findings:
        for source in one.company:
            theirs[source].setdefault(one.company, []).append(one)
    judged = {source: [found for company, found in words.items() if not any(other < company for other in words)]
              for source, words in theirs.items()}
    proven: set[str] = set()
    while new := {source for source, parts in judged.items() if source not in proven and all(
            _share(part, by_account, proven, recorded[source]) >= least for part in parts or [[]])}:
        proven |= new
    if not proven:
        proven = {source for source, parts in judged.items() if sum(map(len, parts)) < ENOUGH}
    return {source: _echoed(source, theirs, proven) if source in proven else UNPROVEN for source in recorded}


def _share(part: list[Finding], by_account: Mapping[object, list[Company]], proven: Collection[str], recorded: int
           ) -> float:
    borne = sum(one.seen or any(one.company.isdisjoint(other) and not other.isdisjoint(proven)
                                for other in by_account[one.account]) for one in part)
    return (borne + recorded + _PRIOR) / (len(part) + recorded + _AMONG)


def _echoed(source: str, theirs: Mapping[str, Mapping[Company, list[Finding]]], proven: Collection[str]) -> str:
    """The least of the proven sources without which this one says nothing; of two that say the same, the lesser."""
    words = theirs[source]
    if sum(map(len, words.values())) < _ECHO:
        return source
    always = frozenset.intersection(*words)
    return min(other for other in always if other in proven)


def _findings(engine: Engine, weights: Weights) -> list[Finding]:
    """Accounts by the company that names them, and whether the platform's own sight bears that out."""
    rules, least = weights.provisional, weights.provisional.counts_from
    chain(engine, weights)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE words AS
        SELECT account_id, kind, local_value, source,
            max({grid('strength * confidence * rarity * decay * similarity * record')}) AS raw
        FROM direct WHERE witness AND {WITNESSING} GROUP BY ALL""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE findings AS
        SELECT account_id, company, sum(raw) AS raw FROM (
            SELECT w.account_id, c.company, max(w.raw) AS raw FROM words w JOIN (
                SELECT kind, local_value, list(source ORDER BY source) AS company
                FROM (SELECT DISTINCT kind, local_value, source FROM words) GROUP BY ALL) c
            ON c.kind = w.kind AND c.local_value = w.local_value
            GROUP BY w.account_id, c.company, w.kind, w.local_value)
        GROUP BY ALL HAVING sum(raw) >= {least}""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE chain_sizes AS
        SELECT chain, sum({grid('score')}) AS mass FROM chains JOIN state USING (account_id)
        JOIN accounts USING (account_id) GROUP BY chain
        HAVING avg(CASE WHEN disclosed > 0 THEN 1.0 ELSE 0.0 END) < {_OPENLY}""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE chain_named AS
        SELECT company, chain, sum({grid('score')}) AS mass FROM (
            SELECT DISTINCT m.company, w.account_id FROM (SELECT DISTINCT company, unnest(company) AS source
                FROM findings) m
            JOIN (SELECT account_id, source FROM words GROUP BY ALL HAVING sum(raw) >= {least}) w USING (source))
        JOIN chains USING (account_id) JOIN state USING (account_id) GROUP BY ALL""")
    return [Finding(account, frozenset(company), seen) for account, company, seen in engine.rows(f"""
        SELECT f.account_id, f.company, COALESCE(z.mass - {grid('s.score')} >= {rules.companions}
            AND z.mass - COALESCE(n.mass, 0) >= {rules.companions / 2}, false)
        FROM findings f LEFT JOIN chains h USING (account_id) LEFT JOIN chain_sizes z USING (chain)
        LEFT JOIN chain_named n ON n.company = f.company AND n.chain = h.chain
        LEFT JOIN state s ON s.account_id = f.account_id""")]


def count_voices(engine: Engine, weights: Weights) -> None:
    """Let each voice count once for a value in ``direct``: of several sources of one voice the strongest, and unproven
    ones or such as are no witness after all others, so that who repeats what others say takes nothing from it. Tables
    without ``proven_from`` leave all as it was."""
    if not weights.sources.proven_from:
        return
    factors = weights.direct
    engine.run(f"""CREATE OR REPLACE TEMP TABLE direct AS
        SELECT * EXCLUDE (raw, later, best, after, by_value, by_voice, voice)
            REPLACE (repeated_now AS repeated, {grid('raw * repeated_now')} AS nats)
        FROM (SELECT *, CASE WHEN after THEN 0.0 ELSE pow({factors.second_source}, by_voice - 1)
                * pow({factors.second_value}, by_value - 1) END AS repeated_now
            FROM (SELECT *,
                    dense_rank() OVER (PARTITION BY account_id, signal ORDER BY best DESC, local_value) AS by_value,
                    row_number() OVER (PARTITION BY account_id, signal, local_value
                                       ORDER BY after, later, raw DESC, source) AS by_voice
                FROM (SELECT *, row_number() OVER (PARTITION BY account_id, signal, local_value, voice, later
                            ORDER BY raw DESC, source) > 1 AS after,
                        max(raw) OVER (PARTITION BY account_id, signal, local_value) AS best
                    FROM (SELECT d.*, strength * confidence * rarity * decay * similarity * d.record AS raw,
                            b.voice, b.voice = {UNPROVEN!r} OR NOT d.witness AS later
                        FROM direct d JOIN source_bits b USING (source)))))""")
