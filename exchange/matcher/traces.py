"""Traces: everything that accounts can have in common, in one form, so that company can be told of any of it.

Beside the links of identity these are acts (the same post shared or written, the same tag), wording (five words in a
row, so that near-duplicates meet), pictures (windows of 24 bits of the fingerprint, so that noisy copies meet), the
hour of the sign-up, and rhythm: what is done at one time, in one order, with the same pauses (``rhythm``).

A trace is a row account_id, kind, key, first_seen, last_seen; an account may have one more than once. They are as many
as the platform is large, so they are never a table but a SELECT over the platform's tables, asked for the few accounts
and values that matter (``platform.questions``). Only what takes a look at all rows to know (``derived``: rhythm) is
computed once, for values that two accounts have, and ``wording`` is written out as far as it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from exchange.matcher.engine import Engine
from exchange.matcher.entities import Entities
from exchange.matcher.platform.answers import mark_of, set_mark
from exchange.matcher.rhythm import FOLLOWED, RHYTHMS, following_sql
from exchange.matcher.values import LINK_KINDS, quoted, shown_sql
from exchange.matcher.wording import hash_posts

_WINDOW, _STRIDE = 24, 8
_BURST = 3_600


def traces_sql(there: Entities, told: frozenset[str], of: Callable[[str], str] = str, *, held_by: str = "") -> str:
    """All traces of the kinds ``told``; ``of`` gives what stands after FROM for a table of the platform. With
    ``held_by``, a table of kind, key and number, only traces of its values, each with the number in place of kind and
    key. Links are first asked by the key alone, many times as fast as by key and kind."""
    def held(rows: str, kind: str = "") -> str:
        """The rows that are traces of a value in ``held_by``, if there is one; ``kind`` where all are of one."""
        if not held_by:
            return rows
        if not kind:
            return f"""SELECT t.account_id, n.number, t.first_seen, t.last_seen FROM (SELECT t.* FROM ({rows}) t
                SEMI JOIN (SELECT key FROM {held_by}) v ON v.key = t.key) t
                JOIN {held_by} n ON n.key = t.key AND n.kind = t.kind"""
        return f"""SELECT t.account_id, n.number, t.first_seen, t.last_seen FROM ({rows}) t
            JOIN (SELECT key, number FROM {held_by} WHERE kind = {quoted(kind)}) n ON n.key = t.key"""

    kinds = ", ".join(quoted(kind) for kind in LINK_KINDS if kind in told)
    parts = []
    if told.intersection(RHYTHMS):
        parts.append(held("SELECT account_id, kind, key, first_seen, last_seen FROM " + of("derived")))
    if has_wording(there, told):
        parts.append(held(f"""SELECT account_id, 'wording' AS kind, key, first_seen, last_seen
            FROM {of('wording')}""", "wording"))
    if "signup" in told:
        parts.append(held(f"""SELECT account_id, 'signup' AS kind, created // {_BURST} AS key, created AS first_seen,
            created AS last_seen FROM {of('everyone')} WHERE created IS NOT NULL""", "signup"))
    if "links" in there.tables and kinds:
        parts.append(held(f"SELECT account_id, kind, key, first_seen, last_seen FROM {of('links')}"
                          + ("" if told.issuperset(LINK_KINDS) else f" WHERE kind IN ({kinds})")))
    if "acts" in there.tables:
        parts += [held(f"SELECT account_id, kind, key, ts AS first_seen, ts AS last_seen FROM {of('acts')}"
                       f" WHERE kind = {quoted(kind)}", kind) for kind in ("share", "tag") if kind in told]
    if "avatars" in there.tables and "likeness" in told:
        parts.append(held(f"""SELECT account_id, 'likeness' AS kind, key, NULL::BIGINT AS first_seen,
            NULL::BIGINT AS last_seen FROM ({windows_sql(of('pictures'))}) w""", "likeness"))
    named = "key AS number" if held_by else "kind, key"
    return " UNION ALL ".join(parts) or f"SELECT account_id, {named}, first_seen, last_seen FROM derived WHERE false"


def derive(engine: Engine, there: Entities, told: frozenset[str]) -> None:
    """Make table ``derived`` (with ``value``, how it is written) of the kinds that take a look at all rows, and what
    wording is found by."""
    posts = mark_of(engine, "posts")
    mark = f"{sorted(told)} {posts}"
    if posts is not None and mark_of(engine, "derived") == mark:
        _view_kept(engine, there, told)
        return
    made = []
    if "acts" in there.tables and told.intersection(RHYTHMS):
        if told.intersection(FOLLOWED):
            engine.run(f"CREATE OR REPLACE TEMP TABLE following AS {following_sql()}")
        for kind, rhythm in RHYTHMS.items():
            if kind in told:
                engine.run(f"CREATE OR REPLACE TEMP TABLE beats AS {rhythm()}")
                engine.run(f"""CREATE OR REPLACE TEMP TABLE derived_{kind} AS SELECT b.* FROM beats b JOIN (SELECT key
                    FROM beats GROUP BY key HAVING min(account_id) <> max(account_id)) t ON t.key = b.key""")
                engine.run("DROP TABLE beats")
                made.append(kind)
        engine.run("DROP TABLE IF EXISTS following")
    none = f"""SELECT NULL::{there.account_type} AS account_id, NULL::VARCHAR AS kind, NULL::BIGINT AS key,
        NULL::VARCHAR AS value, NULL::BIGINT AS first_seen, NULL::BIGINT AS last_seen FROM everyone WHERE false"""
    engine.run("CREATE OR REPLACE TEMP VIEW derived AS " + " UNION ALL ".join((none, *(
        f"SELECT account_id, kind, key, value, first_seen, last_seen FROM derived_{kind}" for kind in made))))
    if posts is None:
        if has_wording(there, told):
            hash_posts(engine, "TEMP TABLE hashes")
        return
    engine.run("BEGIN")
    engine.run("CREATE OR REPLACE TABLE ground.derived AS SELECT * FROM derived")
    if has_wording(there, told):
        hash_posts(engine, "TABLE ground.hashes")
    set_mark(engine, "derived", mark)
    engine.run("COMMIT")
    _view_kept(engine, there, told)
    for kind in made:
        engine.run(f"DROP TABLE derived_{kind}")


def has_wording(there: Entities, told: frozenset[str]) -> bool:
    """Whether wording is told of, and there are posts to have any."""
    return "posts" in there.tables and "wording" in told


def _view_kept(engine: Engine, there: Entities, told: frozenset[str]) -> None:
    """Name what is kept as if it had just been made."""
    for name in ("derived", "hashes") if has_wording(there, told) else ("derived",):
        engine.run(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM ground.{name}")


def windows_sql(pictures: str) -> str:
    """Windows (account_id, key) of rows of four words; they begin at every eighth bit and lie within one word."""
    windows = []
    for start in range(0, 256 - _WINDOW + 1, _STRIDE):
        word, bit = divmod(start, 64)
        if bit + _WINDOW <= 64:
            cut = f"(w{word} >> {64 - bit - _WINDOW}) & {2**_WINDOW - 1}"
            windows.append(f"({cut})::BIGINT + {start << _WINDOW}")
    return f"SELECT account_id, unnest([{', '.join(windows)}]) AS key FROM {pictures}"


def value_sql(row: str) -> str:
    """How a trace is written, where its kind and key say it: sign-ups, acts, links of bare numbers."""
    hour = f"strftime(to_timestamp({row}.key * {_BURST}), '%Y-%m-%d %H:00')"
    known = ", ".join(quoted(kind) for kind in LINK_KINDS)
    return (f"CASE WHEN {row}.kind = 'signup' THEN {hour} WHEN {row}.kind IN ('share', 'tag')"
            f" THEN CAST({row}.key AS VARCHAR) WHEN {row}.kind IN ({known}) THEN {shown_sql(row)} END")
