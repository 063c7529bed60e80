"""Rhythm: what accounts do at the same time, in the same order and with the same pauses (R54), as traces.

- ``wave``: the same post shared (or written) within the same window after its trigger, its first act: 5, 15, 45 and 135
  minutes. Later shares tell nothing of timing; they remain a ``share``.
- ``joint``: the same page linked or the same tag used within one half hour, where at least three times as many do so
  as the thing's use over the whole time lets expect: what is popular anyway is no coincidence.
- ``sequence``: two things done one after the other within an hour (this post shared, then that tag used).
- ``cadence``: three acts in a row by their kinds and pauses (in steps of one half more), the last two within an hour,
  whatever they are about.

Each function gives a SELECT of account_id, kind, key, value, first_seen, last_seen over the view ``steps`` (account_id,
act, key, ts: every post with a time; act is its kind's place in ``ACTS``), the last two over what ``following_sql``
gives as a table ``following``. Plain SQL and whole numbers only, so that other engines say the same.
"""

from __future__ import annotations

ACTS = ("", "original", "share", "link", "tag")
TRIGGER_WINDOWS = (300, 900, 2_700, 8_100)
"""Ends of the windows after a trigger, in seconds."""
JOINT_WINDOW = 1_800
BEYOND = 3
"""How many times its expected use a window must hold to be a coincidence."""
FOLLOWING = 3_600
"""Seconds within which one step follows another."""
FOLLOWED = ("sequence", "cadence")
"""The kinds that read ``following``."""
_DAY = 86_400
_STEP = 1.5
_PRIMES = (2_147_483_647, 2_147_483_629)
_FACTORS = (1_103_515_245, 747_796_405)


def mix_sql(*parts: str) -> str:
    """One whole number below 2**62 of several that aren't negative; two residues, so that no product leaves 63 bits."""
    residues = []
    for prime, factor in zip(_PRIMES, _FACTORS, strict=True):
        mixed = "CAST(0 AS BIGINT)"
        for number, part in enumerate(parts, 1):
            mixed = f"(({mixed} * {factor} + ({part}) % {prime} + {number}) % {prime})"
        residues.append(mixed)
    return f"({residues[0]} * 2147483648 + {residues[1]})"


def act_sql(kind: str) -> str:
    """A kind of post as its place in ``ACTS``."""
    return f"CASE {kind} " + " ".join(f"WHEN '{name}' THEN {n}" for n, name in enumerate(ACTS) if name) + " ELSE 0 END"


def _word(act: str) -> str:
    return f"CASE {act} " + " ".join(f"WHEN {n} THEN '{name}'" for n, name in enumerate(ACTS) if name) + " END"


def wave_sql() -> str:
    """Shares within a window after the trigger."""
    delay = "s.ts - t.begun"
    number = "CASE " + " ".join(f"WHEN {delay} < {end} THEN {n}" for n, end in enumerate(TRIGGER_WINDOWS)) + " END"
    words = "CASE " + " ".join(
        f"WHEN {delay} < {end} THEN ' within {end // 60} minutes of its first'" for end in TRIGGER_WINDOWS) + " END"
    return f"""SELECT s.account_id, 'wave' AS kind, {mix_sql('5', 's.key', number)} AS key,
            CAST(s.key AS VARCHAR) || {words} AS value, s.ts AS first_seen, s.ts AS last_seen
        FROM steps s JOIN (SELECT key, min(ts) AS begun FROM steps WHERE act <= 2 GROUP BY key HAVING count(*) > 1) t
            ON t.key = s.key
        WHERE s.act <= 2 AND {delay} < {TRIGGER_WINDOWS[-1]}"""


def joint_sql() -> str:
    """Pages and tags used within one half hour, more than their popularity explains."""
    window = f"ts // {JOINT_WINDOW}"
    return f"""SELECT s.account_id, 'joint' AS kind, {mix_sql('6', 's.act', 's.key', f's.{window}')} AS key,
            {_word('s.act')} || ' ' || CAST(s.key AS VARCHAR) || ' within half an hour' AS value, s.ts AS first_seen,
            s.ts AS last_seen
        FROM steps s JOIN (
            SELECT act, key, part, count(*) AS uses FROM (
                SELECT account_id, act, key, {window} AS part FROM steps WHERE act >= 3) d
            GROUP BY act, key, part HAVING min(account_id) <> max(account_id)) h
            ON h.key = s.key AND h.act = s.act AND h.part = s.{window}
        JOIN (SELECT act, key, count(*) AS uses FROM steps WHERE act >= 3 GROUP BY act, key HAVING count(*) > 1) o
            ON o.key = s.key AND o.act = s.act
        CROSS JOIN (SELECT max(ts) - min(ts) + 1 AS span FROM steps) p
        WHERE s.act >= 3 AND h.uses * p.span >= {BEYOND * JOINT_WINDOW} * (o.uses - h.uses)"""


def following_sql() -> str:
    """Steps within an hour of the account's step before, with that one (1) and the one before it (2)."""
    return f"""SELECT * FROM (
            SELECT account_id, act, key, ts, lag(act) OVER w AS act1, lag(key) OVER w AS key1, lag(ts) OVER w AS ts1,
                lag(act, 2) OVER w AS act2, lag(ts, 2) OVER w AS ts2
            FROM steps WINDOW w AS (PARTITION BY account_id ORDER BY ts, act, key)) s
        WHERE ts - ts1 < {FOLLOWING}"""


def sequence_sql() -> str:
    """Two things in a row; of words of one's own only that there were some."""
    def thing(act: str, key: str) -> str:
        """SQL of what was shared, linked or tagged; words of one's own are alike."""
        return f"CASE {act} WHEN 1 THEN 0 ELSE {key} END"

    def words(act: str, key: str) -> str:
        """SQL of how an act and its thing are told to people."""
        return f"CASE {act} WHEN 1 THEN 'own words' ELSE {_word(act)} || ' ' || CAST({key} AS VARCHAR) END"

    key = mix_sql("7", "act1", thing("act1", "key1"), "act", thing("act", "key"))
    return f"""SELECT account_id, 'sequence' AS kind, {key} AS key,
            {words('act1', 'key1')} || ', then ' || {words('act', 'key')} AS value, ts1 AS first_seen, ts AS last_seen
        FROM following WHERE NOT (act = 1 AND act1 = 1)"""


def cadence_sql() -> str:
    """Three acts in a row by kind and pause."""
    def step(pause: str) -> str:
        """SQL of a pause as a whole number of steps on its logarithm."""
        return f"CAST(floor(ln(1 + {pause}) / ln({_STEP})) AS BIGINT)"

    def least(pause: str) -> str:
        """SQL of the shortest pause of the same step, told in seconds."""
        return f"CAST(CAST(floor(pow({_STEP}, {step(pause)})) - 1 AS BIGINT) AS VARCHAR) || ' s+, '"

    key = mix_sql("8", "act2", step("ts1 - ts2"), "act1", step("ts - ts1"), "act")
    return f"""SELECT account_id, 'cadence' AS kind, {key} AS key,
            {_word('act2')} || ', ' || {least('(ts1 - ts2)')} || {_word('act1')} || ', ' || {least('(ts - ts1)')}
                || {_word('act')} AS value, ts2 AS first_seen, ts AS last_seen
        FROM following WHERE ts1 - ts2 < {_DAY}"""


RHYTHMS = {"wave": wave_sql, "joint": joint_sql, "sequence": sequence_sql, "cadence": cadence_sql}
