"""Texts: the same words whatever their capitals, punctuation and white space, or nearly the same.

Two texts are near when they have runs of three words in common: similarity = 2 x common runs / all runs of both (Dice),
from one third on, and three runs at least. A word changed costs up to three runs, so about every fifth may be another.
Runs that as many texts hold as a value may have holders (three caps) are everybody's phrases and count as not common.
Texts too short for three runs must be the same.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.values import real, run_hashes_sql, text_sql

NEEDS = "posts"
HOW = ("text",)
RUN, LEAST, NEAR = 3, 3, 1 / 3
"""Words in a run; fewest runs in common; least similarity."""


def runs_sql(words: str, length: int) -> str:
    """All runs of so many words, as a list of texts; ``words`` is the name of a column that is a list of words."""
    run = " || ' ' || ".join(f"{words}[i + {n}]" if n else f"{words}[i]" for n in range(length))
    return f"list_transform(range(1, len({words}) - {length - 2}), lambda i: {run})"


def compare(engine: Engine) -> None:
    """Fill ``hits`` from posts; an account that writes variations of a text holds it once, over a longer time."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE texts AS
        SELECT DISTINCT form, dense_rank() OVER (ORDER BY form) AS id FROM (
            SELECT {text_sql('text')} AS form FROM probes WHERE how = 'text') t WHERE form <> ''""")
    _find_near(engine)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE met AS
        SELECT account_id, id, similarity, text AS local, first_seen, last_seen FROM (
            SELECT p.account_id, n.id, n.similarity, p.text,
                min(p.first_seen) OVER (PARTITION BY p.account_id, n.id) AS first_seen,
                max(p.last_seen) OVER (PARTITION BY p.account_id, n.id) AS last_seen,
                row_number() OVER (PARTITION BY p.account_id, n.id ORDER BY n.similarity DESC, p.text) AS place
            FROM posts p JOIN (SELECT form, id, {real(1)} AS similarity FROM texts
                UNION ALL SELECT form, id, similarity FROM near) n ON n.form = p.form) m
        WHERE place = 1""")
    engine.here("met")
    engine.run(f"""INSERT INTO hits SELECT m.account_id, p.ix, 'text', p.similarity * m.similarity, m.local, p.shared,
            m.first_seen, m.last_seen, h.holders
        FROM (SELECT ix, shared, similarity, {text_sql('text')} AS form FROM probes WHERE how = 'text') p
        JOIN texts t ON t.form = p.form JOIN met m ON m.id = t.id
        JOIN (SELECT id, count(DISTINCT account_id) AS holders FROM met GROUP BY id) h ON h.id = t.id""")


def _find_near(engine: Engine) -> None:
    """Make table ``near``: local form, indicated text, similarity below 1."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE told_words AS SELECT DISTINCT id, run FROM (
        SELECT id, unnest({runs_sql('words', RUN)}) AS run FROM (
            SELECT id, string_split(form, ' ') AS words FROM texts) t) r""")
    engine.run("""CREATE OR REPLACE TEMP TABLE runs AS
        SELECT run, row_number() OVER (ORDER BY run) AS number FROM (SELECT DISTINCT run FROM told_words) r""")
    engine.run("""CREATE OR REPLACE TEMP TABLE told_runs AS
        SELECT t.id, r.number FROM told_words t JOIN runs r ON r.run = t.run""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE told_hashes AS
        SELECT DISTINCT hashed FROM ({run_hashes_sql('id', 'texts', RUN)}) t""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE nearby AS SELECT DISTINCT l.form FROM
        ({run_hashes_sql('form', 'posts', RUN)}) l SEMI JOIN told_hashes t ON t.hashed = l.hashed""")
    engine.here("nearby")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE local_words AS SELECT DISTINCT l.form, r.number FROM (
            SELECT form, unnest({runs_sql('words', RUN)}) AS run FROM (
                SELECT form, string_split(form, ' ') AS words FROM nearby) p) l
        JOIN runs r ON r.run = l.run""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE forms AS SELECT form, row_number() OVER (ORDER BY form) AS place
        FROM (SELECT form FROM local_words GROUP BY form HAVING count(*) >= {LEAST}) f""")
    engine.run("""CREATE OR REPLACE TEMP TABLE local_runs AS SELECT f.place, l.number FROM local_words l
        JOIN forms f ON f.form = l.form
        JOIN (SELECT number FROM local_words GROUP BY number
              HAVING count(*) < (SELECT 3 * cap FROM kinds WHERE kind = 'text')) r ON r.number = l.number""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE common AS
        SELECT l.place, r.id, count(*) AS common FROM local_runs l JOIN told_runs r ON r.number = l.number
        GROUP BY l.place, r.id HAVING count(*) >= {LEAST}""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE near AS
        SELECT c.form, c.id, {real(2)} * c.common / (c.here + t.there) AS similarity FROM (
            SELECT form, id, common, len(list_distinct({runs_sql('words', RUN)})) AS here FROM (
                SELECT f.form, c.id, c.common, string_split(f.form, ' ') AS words
                FROM common c JOIN forms f ON f.place = c.place) x) c
        JOIN (SELECT id, count(*) AS there FROM told_runs GROUP BY id) t ON t.id = c.id
        WHERE {real(2)} * c.common / (c.here + t.there) >= {real(NEAR)}
            AND NOT EXISTS (SELECT 1 FROM texts s WHERE s.id = c.id AND s.form = c.form)""")
    for table in ("told_words", "runs", "told_runs", "told_hashes", "nearby", "local_words", "forms", "local_runs",
                  "common"):
        engine.run(f"DROP TABLE {table}")
