"""Voices: how many independent sources stand behind what a feed names here (R29).

Whoever wants to harm people finds a stranger who says it too. So a source is a voice of its own only where what it says
in the smallest company is borne out by something else than its being said: the platform itself sees the account in a
chain of identifiers that isn't run in the open and reaches likely accounts that were not named; or a
source that this sight alone proves, of another company, names something else of the account. What others publish too
proves nobody who repeats it: each set of sources that name the same values (a *company*) is judged by itself, and a
source by all its smallest ones, so words added to repeated ones are judged alone. All unproven sources are one voice,
however many they are, and so is whoever hardly says anything that sources that say less don't say too. What they repeat
after a source of its own voice counts nothing.

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
ECHO, _OWN = 10, 0.1
"""Findings from which a source can be an echo, and the share of them that it must have for itself not to be one."""
_OTHERS, _UNNAMED = 2.0, 0.5
"""Likely accounts (in sum of probability) that a chain must hold besides the account, and that nobody at all has named:
careful operations chain three or four together; who plots names whole homes, and plotters name each other's part. In a
chain of twice as many, larger than a home, four times as many that only the company itself hasn't named do too."""
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
    """The voice of each source in ``recorded``: itself or ``UNPROVEN``.

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
    seen = _proven(judged, by_account, (), recorded, least)
    proven = _proven(judged, by_account, seen, recorded, least)
    if not proven:
        proven = {source for source, parts in judged.items() if sum(map(len, parts)) < ENOUGH}
    return {source: source if source in proven and not _echoes(source, theirs, proven) else UNPROVEN
            for source in recorded}


def _proven(judged: Mapping[str, list[list[Finding]]], by_account: Mapping[object, list[Company]],
            seen: Collection[str], recorded: Mapping[str, int], least: float) -> set[str]:
    """The sources of which something else bears out as much in each of their smallest companies: the platform's own
    sight, or one of those that it has proven (``seen``; who is proven by these alone proves nobody further)."""
    def share(part: list[Finding], record: int) -> float:
        """How much of what was found is borne out, between 0 and 1; what was confirmed before counts with it."""
        borne = sum(one.seen or any(one.company.isdisjoint(other) and not other.isdisjoint(seen)
                                    for other in by_account[one.account]) for one in part)
        return (borne + record + _PRIOR) / (len(part) + record + _AMONG)

    return {source for source, parts in judged.items()
            if all(share(part, recorded[source]) >= least for part in parts or [[]])}


def _echoes(source: str, theirs: Mapping[str, Mapping[Company, list[Finding]]], proven: Collection[str]) -> bool:
    """Whether nearly all that a source says is also said by proven ones that say less (of two that say the same, by the
    lesser name): who repeats two others is their echo, and whom somebody repeats together with others stays himself."""
    size = {other: sum(map(len, words.values())) for other, words in theirs.items()}
    said_too = sum(len(found) for company, found in theirs[source].items()
                   if any(other in proven and (size[other], other) < (size[source], source) for other in company))
    return size[source] >= ECHO and said_too > (1 - _OWN) * size[source]


def _findings(engine: Engine, weights: Weights) -> list[Finding]:
    """Accounts by the company that names them, and whether the platform's own sight bears that out."""
    least = weights.provisional.counts_from
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
        SELECT chain, sum({grid('score')}) AS mass,
            sum(CASE WHEN w.account_id IS NULL THEN {grid('score')} ELSE 0 END) AS unnamed
        FROM chains JOIN state USING (account_id) JOIN accounts USING (account_id)
        LEFT JOIN (SELECT DISTINCT account_id FROM findings) w USING (account_id) GROUP BY chain
        HAVING avg(CASE WHEN disclosed > 0 THEN 1.0 ELSE 0.0 END) < {_OPENLY}""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE chain_named AS
        SELECT company, chain, sum({grid('score')}) AS mass FROM findings JOIN chains USING (account_id)
        JOIN state USING (account_id) GROUP BY ALL""")
    return [Finding(account, frozenset(company), seen) for account, company, seen in engine.rows(f"""
        SELECT f.account_id, f.company, COALESCE(
            z.mass - {grid('s.score')} >= {_OTHERS} AND z.unnamed >= {_UNNAMED}
            OR z.mass - {grid('s.score')} >= {2 * _OTHERS} AND z.mass - COALESCE(n.mass, 0) >= {4 * _UNNAMED}, false)
        FROM findings f LEFT JOIN chains h USING (account_id) LEFT JOIN chain_sizes z USING (chain)
        LEFT JOIN chain_named n ON n.company = f.company AND n.chain = h.chain
        LEFT JOIN state s ON s.account_id = f.account_id""")]


def count_voices(engine: Engine, weights: Weights) -> None:
    """Let each voice count once for a value in ``direct``: of the unproven the strongest, and none where a source of
    its own voice names the value too; who is no witness comes after all others. So who repeats what others say neither
    takes from it nor adds to it. Tables without ``proven_from`` leave all as it was."""
    if not weights.sources.proven_from:
        return
    factors = weights.direct
    engine.run(f"""CREATE OR REPLACE TEMP TABLE direct AS
        SELECT * EXCLUDE (raw, later, best, after, by_value, by_voice, unproven, repeated_now)
            REPLACE (repeated_now AS repeated, {grid('raw * repeated_now')} AS nats)
        FROM (SELECT *, CASE WHEN after THEN 0.0 ELSE pow({factors.second_source}, by_voice - 1)
                * pow({factors.second_value}, by_value - 1) END AS repeated_now
            FROM (SELECT *,
                    dense_rank() OVER (PARTITION BY account_id, signal ORDER BY best DESC, local_value) AS by_value,
                    row_number() OVER (PARTITION BY account_id, signal, local_value
                                       ORDER BY after, later, raw DESC, source) AS by_voice
                FROM (SELECT *, unproven AND (row_number() OVER (PARTITION BY account_id, signal, local_value, unproven
                                ORDER BY raw DESC, source) > 1
                            OR NOT bool_and(later) OVER (PARTITION BY account_id, signal, local_value)) AS after,
                        max(raw) OVER (PARTITION BY account_id, signal, local_value) AS best
                    FROM (SELECT d.*, strength * confidence * rarity * decay * similarity * d.record AS raw,
                            b.voice = {UNPROVEN!r} AS unproven, b.voice = {UNPROVEN!r} OR NOT d.witness AS later
                        FROM direct d JOIN source_bits b USING (source)))))""")
