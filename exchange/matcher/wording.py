"""Wording as a trace: five words in a row that accounts have in common, so that near-duplicate texts meet.

Which runs of words a platform has is more than is ever asked for. So each post's runs are kept as quick hashes
(``hashes``), which tell who may have a run of the accounts that are asked for; only their posts are written out.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.values import run_hashes_sql, text_key_sql

WORDS = 5
"""Length of a run of words; shorter texts say too little."""


def hash_posts(engine: Engine, table: str) -> None:
    """Make a table (account_id, hashed) of all runs of all posts."""
    engine.run(f"CREATE OR REPLACE {table} AS {run_hashes_sql('account_id', 'posts', WORDS)}")


def add_wording(engine: Engine) -> None:
    """Add to ``wording`` the runs that accounts in ``asked`` have in common with anybody, of all who have them, as far
    as they weren't asked for before."""
    engine.run("""CREATE OR REPLACE TEMP TABLE heard AS SELECT DISTINCT h.hashed FROM hashes h
        JOIN asked q ON q.account_id = h.account_id""")
    engine.run("""CREATE OR REPLACE TEMP TABLE writers AS SELECT DISTINCT h.account_id FROM hashes h
        JOIN heard a ON a.hashed = h.hashed""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE repeating AS SELECT account_id, form, first_seen, last_seen FROM (
            {run_hashes_sql('account_id, form, first_seen, last_seen',
                            '(SELECT p.* FROM posts p JOIN writers w ON w.account_id = p.account_id)', WORDS)}) h
        SEMI JOIN heard USING (hashed) GROUP BY ALL""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE worded AS SELECT account_id, key, min(run) AS value,
            min(first_seen) AS first_seen, max(last_seen) AS last_seen
        FROM (SELECT account_id, {text_key_sql('run')} AS key, run, first_seen, last_seen FROM (
            SELECT account_id, first_seen, last_seen, unnest({runs_sql('form')}) AS run FROM repeating) r) k
        GROUP BY account_id, key""")
    engine.here("worded")
    engine.run("""INSERT INTO ground.wording SELECT w.* FROM worded w SEMI JOIN (
            SELECT a.key FROM worded a SEMI JOIN asked USING (account_id)) n ON n.key = w.key
        ANTI JOIN (SELECT key FROM ground.asked_values WHERE kind = 'wording') k ON k.key = w.key
        SEMI JOIN (SELECT key FROM worded GROUP BY key HAVING count(*) > 1) t ON t.key = w.key""")
    for table in ("heard", "writers", "repeating", "worded"):
        engine.run(f"DROP TABLE {table}")


def runs_sql(form: str) -> str:
    """All runs of words of a normalised text, as a list of texts."""
    words = f"string_split({form}, ' ')"
    return (f"list_transform(range(1, len({words}) - {WORDS - 2}),"
            f" lambda i: array_to_string({words}[i:i + {WORDS - 1}], ' '))")
