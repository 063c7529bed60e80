"""The questions asked of the platform: the only statements of a run, beside comparators, that read its large tables.

Each is one statement that reads tables of the platform (``everyone``, ``links``, ``acts``, ``pictures``, ``derived``)
and a small local one, and adds what it finds to a local table: what values do these accounts hold, who holds these
values, who are these accounts, what did they do. What was asked once is not asked again (``answers``).
"""

from __future__ import annotations

from exchange.matcher.compare.picture import words_sql
from exchange.matcher.engine import Engine
from exchange.matcher.entities import Entities
from exchange.matcher.platform.answers import open_answers
from exchange.matcher.rhythm import RHYTHMS
from exchange.matcher.traces import derive, has_wording, traces_sql, value_sql, windows_sql
from exchange.matcher.values import LINK_KINDS, real, shown_sql
from exchange.matcher.wording import add_wording

_SURELY = 2
"""What is surely held by too many: so many times the limit by an estimate that is some per cent wrong. What isn't is
counted exactly."""


def prepare_questions(engine: Engine, there: Entities) -> None:
    """Make what questions of values rest on: ``derived``, and ``holdings`` (account_id, kind, key, first_seen,
    last_seen, holders), empty unless kept."""
    told = told_kinds(engine)
    open_answers(engine, there.account_type, repr(sorted(engine.rows("SELECT kind, cap FROM kinds WHERE company"))))
    derive(engine, there, told)


def told_kinds(engine: Engine) -> frozenset[str]:
    """Kinds of which company tells."""
    return frozenset(kind for kind, in engine.rows("SELECT kind FROM kinds WHERE company"))


def _of_asked(table: str) -> str:
    return f"(SELECT t.* FROM {table} t JOIN asked q ON q.account_id = t.account_id)"


def ask_holders(engine: Engine, there: Entities) -> None:
    """Add to ``holdings`` all holdings of the values of the accounts in ``voices``, as far as they aren't there: of
    values that at least two accounts hold, and few enough for their kind to say anything."""
    told = told_kinds(engine)
    engine.run("BEGIN")
    engine.run("""CREATE OR REPLACE TEMP TABLE asked AS SELECT account_id FROM voices v
        WHERE NOT EXISTS (SELECT 1 FROM ground.asked_accounts a WHERE a.account_id = v.account_id)""")
    if not engine.one("SELECT count(*) FROM asked")[0]:
        engine.run("COMMIT")
        return
    engine.run("INSERT INTO ground.asked_accounts SELECT account_id FROM asked")
    if has_wording(there, told):
        add_wording(engine)
    engine.run(f"CREATE OR REPLACE TEMP TABLE values_held AS SELECT DISTINCT kind, key FROM"
               f" ({traces_sql(there, told, _of_asked)})")
    engine.here("values_held")
    engine.run("""CREATE OR REPLACE TEMP TABLE new_values AS SELECT v.kind, v.key,
            CAST(row_number() OVER () AS INTEGER) AS number, 3 * k.cap AS most
        FROM values_held v JOIN kinds k ON k.kind = v.kind
        WHERE NOT EXISTS (SELECT 1 FROM ground.asked_values a WHERE a.kind = v.kind AND a.key = v.key)""")
    engine.run("INSERT INTO ground.asked_values SELECT kind, key FROM new_values")
    new = {kind for kind, in engine.rows("SELECT DISTINCT kind FROM new_values")}
    if new.intersection(LINK_KINDS):  # links are asked by the key alone
        new.update(LINK_KINDS)
    engine.run(f"CREATE OR REPLACE TEMP TABLE matching AS {traces_sql(there, told & new, held_by='new_values')}")
    engine.run("""CREATE OR REPLACE TEMP TABLE counted AS SELECT n.number, n.times, v.most FROM (
            SELECT number, count(*) AS times FROM matching GROUP BY number HAVING count(*) > 1) n
        JOIN new_values v ON v.number = n.number""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE few AS SELECT number FROM counted WHERE times < most
        UNION ALL SELECT number FROM (
            SELECT t.number, approx_count_distinct(t.account_id) AS about, any_value(v.most) AS most
            FROM matching t JOIN (SELECT * FROM counted WHERE times >= most) v ON v.number = t.number
            GROUP BY t.number) n WHERE about < {_SURELY} * most""")
    engine.run("""CREATE OR REPLACE TEMP TABLE found AS
        SELECT t.account_id, t.number, min(t.first_seen) AS first_seen, max(t.last_seen) AS last_seen
        FROM matching t JOIN few v ON v.number = t.number GROUP BY t.account_id, t.number""")
    engine.run("""INSERT INTO ground.holdings BY NAME
        SELECT f.account_id, h.kind, h.key, f.first_seen, f.last_seen, h.holders FROM found f JOIN (
            SELECT n.number, v.kind, v.key, n.holders
            FROM (SELECT number, count(*) AS holders FROM found GROUP BY number) n
            JOIN new_values v ON v.number = n.number WHERE n.holders > 1 AND n.holders < v.most) h
        ON h.number = f.number SEMI JOIN everyone e ON e.account_id = f.account_id""")
    engine.run("COMMIT")
    for table in ("found", "few", "counted", "matching", "values_held", "new_values"):
        engine.run(f"DROP TABLE {table}")


def open_accounts(engine: Engine, there: Entities) -> None:
    """Make the tables of accounts that came up, empty so far: ``accounts`` as ``everyone``, ``acts_here`` as ``acts``,
    and ``doing``, how many posts each of them shared."""
    engine.run("CREATE OR REPLACE TEMP TABLE accounts AS SELECT * FROM everyone LIMIT 0")
    engine.here("accounts")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE acts_here (account_id {there.account_type}, kind VARCHAR, key BIGINT,
        ts BIGINT, wrote BOOLEAN)""")
    engine.run("""CREATE OR REPLACE TEMP VIEW doing AS SELECT account_id, count(DISTINCT key) AS n FROM acts_here
        WHERE kind = 'share' AND NOT wrote GROUP BY account_id""")


def bring_accounts(engine: Engine, there: Entities, which: str) -> None:
    """Add those whom a query names and who aren't there yet to ``accounts``, and what they did to ``acts_here``."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE asked AS SELECT DISTINCT account_id FROM ({which}) w
        WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.account_id = w.account_id)""")
    engine.run("INSERT INTO accounts SELECT e.* FROM everyone e JOIN asked q ON q.account_id = e.account_id")
    if "acts" in there.tables:
        engine.run("INSERT INTO acts_here SELECT t.* FROM acts t JOIN asked q ON q.account_id = t.account_id")


def describe(engine: Engine, there: Entities, which: str = "true") -> None:
    """Write out the values of ``company``: most say themselves, the others are looked up. ``which``: a condition on its
    rows; those of which it isn't true keep no value."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE asked AS SELECT account_id, kind, key FROM company c
        WHERE kind NOT IN ('signup', 'share', 'tag') AND {which}""")
    kinds = {kind for kind, in engine.rows("SELECT DISTINCT kind FROM asked")}
    engine.run(f"""CREATE OR REPLACE TEMP TABLE described (account_id {there.account_type}, kind VARCHAR, key BIGINT,
        value VARCHAR)""")
    same = "q.account_id = t.account_id AND q.key = t.key"
    if "wording" in kinds:
        engine.run(f"""INSERT INTO described SELECT t.account_id, 'wording', t.key, t.value FROM wording t
            JOIN asked q ON {same} WHERE q.kind = 'wording'""")
    if kinds.intersection(RHYTHMS):
        engine.run(f"""INSERT INTO described SELECT t.account_id, t.kind, t.key, min(t.value) FROM derived t
            JOIN asked q ON {same} AND q.kind = t.kind GROUP BY ALL""")
    if "links" in there.tables and kinds.intersection(LINK_KINDS):
        engine.run(f"""INSERT INTO described SELECT t.account_id, t.kind, t.key, min(t.value) FROM links t
            JOIN asked q ON {same} AND q.kind = t.kind WHERE t.value IS NOT NULL GROUP BY ALL""")
    if "avatars" in there.tables and "likeness" in kinds:
        engine.run("""CREATE OR REPLACE TEMP TABLE faces AS SELECT t.account_id, t.pdq FROM avatars t
            JOIN (SELECT DISTINCT account_id FROM asked WHERE kind = 'likeness') q ON q.account_id = t.account_id""")
        engine.here("faces")
        engine.run(f"""INSERT INTO described SELECT t.account_id, 'likeness', t.key, min(f.pdq)
            FROM ({windows_sql(f"(SELECT DISTINCT pdq AS account_id, {words_sql('pdq')} FROM faces)")}) w
            JOIN faces f ON f.pdq = w.account_id JOIN asked t ON t.account_id = f.account_id AND t.key = w.key
            WHERE t.kind = 'likeness' GROUP BY ALL""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE company AS
        SELECT c.* REPLACE (CASE WHEN {which} THEN COALESCE(d.value, {value_sql('c')}) END AS value)
        FROM company c LEFT JOIN described d ON d.account_id = c.account_id AND d.kind = c.kind AND d.key = c.key""")


def leave_platform(engine: Engine) -> None:
    """Let go of what nobody asks once the last round is over, since evidence takes as much room."""
    engine.let_go("texts", "hashes", "wording", "derived", "pictures", "doings", "hosts", "handles", "holdings")


def bring_members(engine: Engine, there: Entities, least: float) -> None:
    """From here on ``acts`` are what those did who have evidence, and ``links`` what those hold who score at least as
    much as a member of a cluster can (``least``): rows of their own instead of the platform's."""
    if "acts" in there.tables:
        engine.forget("acts")
        engine.run("CREATE OR REPLACE TEMP TABLE acts AS SELECT * FROM acts_here")
    if "links" in there.tables:
        engine.run(f"""CREATE OR REPLACE TEMP TABLE links_here AS SELECT t.* FROM links t
            JOIN (SELECT account_id FROM state WHERE score >= {real(least)}) s ON s.account_id = t.account_id""")
        engine.here("links_here")
        engine.forget("links")
        engine.run(f"""CREATE OR REPLACE TEMP TABLE links AS
            SELECT account_id, kind, key, min(value) AS value, min(first_seen) AS first_seen,
                max(last_seen) AS last_seen
            FROM (SELECT account_id, kind, key, {shown_sql('t')} AS value, first_seen, last_seen FROM links_here t)
            GROUP BY account_id, kind, key""")
        engine.let_go("links", "written")
