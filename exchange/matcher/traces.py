"""Traces: everything that accounts can have in common, in one form, so that company can be told of any of it.

Beside the links of identity these are acts (the same post shared or written, the same tag), wording (five words in a
row, so that near-duplicates meet), pictures (windows of 24 bits of the fingerprint, so that noisy copies meet), the
hour of the sign-up, and rhythm: what is done at one time, in one order, with the same pauses (``rhythm``). Table
``traces``: account_id, kind, key, value, first_seen, last_seen, holders, of values that at least two accounts hold and
few enough for their kind to say anything.
"""

from __future__ import annotations

from exchange.matcher.compare.picture import words_sql
from exchange.matcher.engine import Engine
from exchange.matcher.entities import Entities
from exchange.matcher.rhythm import FOLLOWED, RHYTHMS, following_sql

WORDS = 5
"""Length of a run of words; shorter texts say too little."""
_WINDOW, _STRIDE = 24, 8
_BURST = 3_600


def make_traces(engine: Engine, there: Entities) -> None:
    """Make the table ``traces`` of what tables there are, and ``doing``: how many posts each account shared."""
    parts = [_signups()]
    if "links" in there.tables:
        parts.append("SELECT account_id, kind, key, value, first_seen, last_seen FROM links")
    if "acts" in there.tables:
        parts.append("""SELECT account_id, kind, key, CAST(key AS VARCHAR), min(ts), max(ts) FROM acts
            GROUP BY account_id, kind, key""")
        parts += _rhythms(engine)
    if "posts" in there.tables:
        parts.append(_wording())
    if "avatars" in there.tables:
        parts.append(_pictures())
    engine.run("CREATE VIEW everything AS " + " UNION ALL ".join(parts))
    engine.run("""CREATE OR REPLACE TEMP TABLE holding AS SELECT kind, key, count(*) AS holders FROM (
            SELECT DISTINCT account_id, kind, key FROM everything) GROUP BY kind, key HAVING count(*) > 1""")
    engine.run("""CREATE TEMP TABLE traces AS SELECT e.account_id, e.kind, e.key, min(e.value) AS value,
            min(e.first_seen) AS first_seen, max(e.last_seen) AS last_seen, any_value(h.holders) AS holders
        FROM everything e JOIN (SELECT h.* FROM holding h JOIN kinds k USING (kind)
            WHERE k.company AND holders > 1 AND holders < 3 * k.cap) h ON h.kind = e.kind AND h.key = e.key
        SEMI JOIN accounts a ON a.account_id = e.account_id GROUP BY e.account_id, e.kind, e.key""")
    engine.run("DROP TABLE holding")
    done = "acts WHERE kind = 'share' AND NOT wrote" if "acts" in there.tables else "accounts WHERE false"
    key = "key" if "acts" in there.tables else "account_id"
    engine.run(f"CREATE TEMP TABLE doing AS SELECT account_id, count(DISTINCT {key}) AS n FROM {done} GROUP BY 1")


def _rhythms(engine: Engine) -> list[str]:
    """What the weights know of rhythm."""
    told = {row[0] for row in engine.rows("SELECT kind FROM kinds WHERE company")}
    if told.intersection(FOLLOWED):
        engine.run(f"CREATE TEMP TABLE following AS {following_sql()}")
    return [rhythm() for kind, rhythm in RHYTHMS.items() if kind in told]


def _signups() -> str:
    return f"""SELECT account_id, 'signup' AS kind, created // {_BURST} AS key,
        strftime(to_timestamp(created // {_BURST} * {_BURST}), '%Y-%m-%d %H:00') AS value, created AS first_seen,
        created AS last_seen FROM accounts WHERE created IS NOT NULL"""


def runs_sql(form: str) -> str:
    """All runs of words of a normalised text, as a list of texts."""
    words = f"string_split({form}, ' ')"
    return (f"list_transform(range(1, len({words}) - {WORDS - 2}),"
            f" lambda i: array_to_string({words}[i:i + {WORDS - 1}], ' '))")


def _wording() -> str:
    return f"""SELECT account_id, 'wording', (hash(run) >> 2)::BIGINT, run, min(first_seen), max(last_seen)
        FROM (SELECT account_id, first_seen, last_seen, unnest({runs_sql('form')}) AS run FROM posts)
        GROUP BY account_id, run"""


def _pictures() -> str:
    """Windows that begin at every eighth bit and lie within one or two words of 64 bits."""
    windows = []
    for start in range(0, 256 - _WINDOW + 1, _STRIDE):
        word, bit = divmod(start, 64)
        if bit + _WINDOW <= 64:
            cut = f"(w{word} >> {64 - bit - _WINDOW}) & {2**_WINDOW - 1}"
            windows.append(f"({cut})::BIGINT + {start << _WINDOW}")
    return f"""SELECT account_id, 'likeness', key, pdq, NULL::BIGINT, NULL::BIGINT FROM (
        SELECT account_id, pdq, unnest([{', '.join(windows)}]) AS key FROM (
            SELECT account_id, pdq, {words_sql('pdq')} FROM avatars))"""
