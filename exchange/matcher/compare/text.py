"""Texts: the same words, whatever their capitals, punctuation and white space."""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.values import text_sql

NEEDS = "posts"
HOW = ("text",)


def compare(engine: Engine) -> None:
    """Fill ``hits`` from posts; an account that posts a text twice holds it once, over a longer time."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE texts AS
        SELECT ix, shared, similarity, {text_sql('text')} AS form FROM probes WHERE how = 'text'""")
    engine.run("""CREATE OR REPLACE TEMP TABLE met AS
        SELECT account_id, form, min(text) AS local, min(first_seen) AS first_seen, max(last_seen) AS
            last_seen
        FROM posts WHERE form <> '' AND form IN (SELECT form FROM texts) GROUP BY ALL""")
    engine.run("""INSERT INTO hits SELECT account_id, ix, 'text', similarity, local, shared, first_seen,
            last_seen,
            count(DISTINCT account_id) OVER (PARTITION BY form) FROM met JOIN texts USING (form)""")
