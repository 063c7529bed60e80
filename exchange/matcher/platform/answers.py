"""Answers that are kept: what accounts hold which values, as far as anybody asked, in the ground's file.

``ground.holdings`` (account_id, kind, key, first_seen, last_seen, holders) has all holders of each value in
``ground.asked_values``; ``ground.asked_accounts`` are those whose every value is in there. ``ground.wording``
(account_id, key, value, first_seen, last_seen) has the runs of words among them that two accounts have. They stay true
while the parts do: what a part that comes, goes or changes touches is taken out and asked again.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.rhythm import RHYTHMS
from exchange.matcher.values import quoted


def open_answers(engine: Engine, account_type: str, kinds: str) -> None:
    """Make the tables, or use those that are there; other kinds or caps of theirs begin anew."""
    engine.run("CREATE TABLE IF NOT EXISTS ground.marks (name VARCHAR, mark VARCHAR)")
    if mark_of(engine, "answers") != kinds:
        _begin_anew(engine, account_type, kinds)
    engine.run("CREATE OR REPLACE TEMP VIEW wording AS SELECT * FROM ground.wording")


def _begin_anew(engine: Engine, account_type: str, kinds: str) -> None:
    engine.run(f"""BEGIN; CREATE OR REPLACE TABLE ground.holdings (account_id {account_type}, kind VARCHAR, key BIGINT,
        first_seen BIGINT, last_seen BIGINT, holders BIGINT)""")
    engine.run(f"CREATE OR REPLACE TABLE ground.asked_accounts (account_id {account_type})")
    engine.run("CREATE OR REPLACE TABLE ground.asked_values (kind VARCHAR, key BIGINT)")
    engine.run(f"""CREATE OR REPLACE TABLE ground.wording (account_id {account_type}, key BIGINT, value VARCHAR,
        first_seen BIGINT, last_seen BIGINT)""")
    set_mark(engine, "answers", kinds)
    engine.run("COMMIT")


def mark_of(engine: Engine, name: str) -> str | None:
    """What a kept table was made of; None where it isn't there."""
    found = engine.rows(f"SELECT mark FROM ground.marks WHERE name = {quoted(name)}")
    return found[0][0] if found else None


def set_mark(engine: Engine, name: str, mark: str) -> None:
    """Note what a kept table was made of."""
    engine.run(f"DELETE FROM ground.marks WHERE name = {quoted(name)}")
    engine.run(f"INSERT INTO ground.marks VALUES ({quoted(name)}, {quoted(mark)})")


def forget_touched(engine: Engine, table: str, part: int) -> None:
    """Take out what was answered of values that rows of a part tell of, before those rows go or after they came.

    Whom an account's values are asked of again is everybody: they are few, and to ask is cheap. Who is new among the
    accounts makes all known that it holds, so a part of accounts begins anew, as does one that changes what is derived.
    """
    links = " UNION ALL ".join(f"SELECT CAST(kind AS VARCHAR) AS kind, key FROM ground.{name} WHERE part = {part}"
                               for name in ("links", "written"))
    rows = {"links": links, "posts": f"""{links} UNION
                SELECT CASE act WHEN 4 THEN 'tag' ELSE 'share' END, key FROM ground.doings WHERE part = {part}"""}
    if table == "handles":
        return
    engine.run("DELETE FROM ground.asked_accounts")
    if table not in rows:
        engine.run("DELETE FROM ground.asked_values; DELETE FROM ground.holdings; DELETE FROM ground.wording")
        return
    engine.run(f"CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT kind, key FROM ({rows[table]})")
    for answers in ("asked_values", "holdings"):
        engine.run(f"""DELETE FROM ground.{answers} a USING touched t WHERE t.key = a.key AND t.kind = a.kind""")
    if table == "posts":
        engine.run(f"DELETE FROM ground.asked_values WHERE kind IN ({_derived_kinds()})")
        engine.run(f"DELETE FROM ground.holdings WHERE kind IN ({_derived_kinds()})")
        engine.run("DELETE FROM ground.wording")
    engine.run("DROP TABLE touched")


def _derived_kinds() -> str:
    """The kinds that are derived, as SQL."""
    return ", ".join(quoted(kind) for kind in ("wording", *RHYTHMS))
