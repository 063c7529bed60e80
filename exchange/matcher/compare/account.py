"""Account names: one account told as a handle, with or without @, or as any form of its profile's URL is one key.

Only local names that hold a word of some indicated key are brought to the key, in Python.
"""

from __future__ import annotations

from exchange.matcher import names
from exchange.matcher.engine import Engine

NEEDS = "handles"
HOW = ("account",)


def compare(engine: Engine, at: int) -> None:
    """Fill ``hits`` from handles; an account is taken to bear its name from its creation until ``at``."""
    words = "unnest(regexp_extract_all(lower({0}), '[^\\s/:@?&=#]+')) AS word"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE named_words AS
        SELECT DISTINCT {words.format('text')} FROM probes WHERE how = 'account'""")
    local = engine.rows(f"""SELECT DISTINCT platform, handle, profile_url FROM (
            SELECT platform, handle, profile_url, {words.format("concat_ws(' ', handle, profile_url)")} FROM
                handles) h
        SEMI JOIN named_words n ON n.word = h.word ORDER BY platform, handle, profile_url""")
    columns = ", ".join(f"{name} VARCHAR" for name in ("platform", "handle", "profile_url", "name"))
    engine.run(f"CREATE OR REPLACE TEMP TABLE keys ({columns})")
    engine.load("keys", (
        {"platform": platform, "handle": handle, "profile_url": url, "name": name}
        for platform, handle, url in local for name in sorted(_keys(platform, handle, url))))
    engine.run(f"""INSERT INTO hits
        SELECT h.account_id, p.ix, 'account', max(p.similarity), min(COALESCE(h.handle, h.profile_url)),
            p.shared,
            min(a.created), {at}, any_value(holders) FROM (
            SELECT h.*, k.name, count(DISTINCT account_id) OVER (PARTITION BY k.name) AS holders
            FROM handles h JOIN keys k ON h.platform IS NOT DISTINCT FROM k.platform
             AND h.handle IS NOT DISTINCT FROM k.handle AND h.profile_url IS NOT DISTINCT FROM k.profile_url)
                 h
        JOIN probes p ON p.text = h.name LEFT JOIN everyone a ON a.account_id = h.account_id
        WHERE p.how = 'account' GROUP BY h.account_id, p.ix, p.shared, h.name""")


def _keys(platform: str | None, handle: str | None, url: str | None) -> set[str]:
    """All keys that a local row tells: by its URL, and by its handle on its platform."""
    told = {names.account(None, url) if url else None, names.account(platform, handle) if handle else None}
    return {key for key in told if key is not None}
