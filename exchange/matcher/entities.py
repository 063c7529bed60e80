"""The views over the entity tables that every comparator reads (see ``tables`` for how files are found)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exchange.matcher.compare.picture import words_sql
from exchange.matcher.engine import Engine
from exchange.matcher.figures import check_figures
from exchange.matcher.mapping import TableMapping
from exchange.matcher.report import Report
from exchange.matcher.rhythm import act_sql
from exchange.matcher.shapes import POST_KINDS, REMOVED_KINDS, SHAPES
from exchange.matcher.tables import Check, Source, account_type, column_sql, find_sources
from exchange.matcher.values import (
    LINK_KINDS,
    address_sql,
    host_sql,
    is_domain_token_sql,
    quoted,
    salt,
    text_key_sql,
    text_sql,
    token_sql,
)
from exchange.words import counted, verb

NO_ACCOUNT = "no account_id"


@dataclass(frozen=True)
class Entities:
    """Which views there are."""

    account_type: str
    tables: frozenset[str]
    """Of links, hosts, avatars, posts, acts, handles."""


def read_entities(engine: Engine, folder: Path, mapping: dict[str, TableMapping], at: int, report: Report) -> Entities:
    """Make the views straight over the files, ``everyone`` (one row per account) among them.

    Raises InputError when there is no accounts table to start from.
    """
    sources = find_sources(engine, folder, mapping, report)
    kind = account_type(engine, sources["accounts"])
    made, checks = make_views(engine, sources, kind, at, report)
    for check in checks:
        check.count(engine, report)
    know_everyone(engine, at, sources["accounts"].place, report)
    return Entities(kind, made)


def know_everyone(engine: Engine, at: int, place: str, report: Report) -> None:
    """Make ``everyone`` from ``people``: one row per account, with its age; rows that repeat one are reported."""
    report.accounts = engine.one("SELECT count(DISTINCT account_id) FROM people")[0]
    table, order = report.tables["accounts"], ", ".join(column.name for column in SHAPES["accounts"].columns[1:])
    once = "SELECT * FROM people"
    if twice := table.used - report.accounts:
        table.skipped["the account_id stands in an earlier row"] += twice
        report.problems.append(f"{place}: {counted(twice, 'row')} {verb(twice, 'repeats', 'repeat')} an account_id;"
                               " one row of each is used.")
        once = f"""SELECT * EXCLUDE (place) FROM (SELECT *, row_number() OVER (PARTITION BY account_id ORDER BY {order})
            AS place FROM people) WHERE place = 1"""
    engine.run(f"CREATE VIEW everyone AS SELECT *, ({at} - created) / 86400e0 AS age_days FROM ({once})")


def make_views(engine: Engine, sources: dict[str, Source], kind: str, at: int, report: Report,
               kinds: str = "VARCHAR") -> tuple[frozenset[str], list[Check]]:
    """Make the views over what was found, ``people`` (rows of accounts) among them; returns which others there are, and
    what is still to be counted of the rows that they leave out. ``kinds`` is the type of a link's kind."""
    sources = {name: check_figures(engine, source, report) for name, source in sources.items()}
    made: set[str] = set()
    checks: list[Check] = []
    links: list[str] = []
    hosts: list[str] = []
    if "accounts" in sources:
        checks.append(_people(engine, sources["accounts"], kind))
    if "links" in sources:
        checks.append(_links(engine, sources["links"], kind, kinds, links, hosts))
    if "posts" in sources:
        checks.append(_posts(engine, sources["posts"], kind, links, hosts, made))
    for name, make in (("avatars", _avatars), ("handles", _handles)):
        if name in sources:
            checks.append(make(engine, sources[name], kind))
            made.add(name)
    if "removed" in sources:
        checks.append(_removed(engine, sources["removed"], kind, at))
        made.add("removed")
    for name, parts in (("links", links), ("hosts", hosts)):
        if parts:
            engine.run(f"CREATE VIEW {name} AS " + " UNION ALL ".join(parts))
            made.add(name)
    return frozenset(made), checks


def _base(source: Source, kind: str) -> dict[str, str]:
    return {column.name: column_sql(source, column, kind if column.role == "account" else "VARCHAR")
            for column in source.shape.columns}


def _people(engine: Engine, source: Source, kind: str) -> Check:
    form = _base(source, kind)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in form.items())
    engine.run(f"CREATE VIEW people AS SELECT {columns} FROM {source.scan} WHERE {form['account_id']} IS NOT NULL")
    return Check(source, {NO_ACCOUNT: f"{form['account_id']} IS NULL"})


def _kind_sql(source: Source, form: dict[str, str]) -> str:
    if not source.kinds:
        return form["itype"]
    cases = " ".join(f"WHEN {quoted(theirs)} THEN {quoted(ours)}" for theirs, ours in source.kinds.items())
    return f"CASE {form['itype']} {cases} ELSE {form['itype']} END"


def _links(engine: Engine, source: Source, kind: str, kinds: str, links: list[str], hosts: list[str]) -> Check:
    form = _base(source, kind)
    itype, text = _kind_sql(source, form), form["value"]
    numeric = source.is_number("value")
    token = source.columns["value"] if numeric else _text_tokens(engine, source, itype, text)
    known = ", ".join(quoted(name) for name in LINK_KINDS)
    host = "false" if numeric else f"{itype} = 'domain' AND NOT {is_domain_token_sql(text)}"
    faults = {
        NO_ACCOUNT: f"{form['account_id']} IS NULL",
        "no itype": f"{itype} IS NULL",
        "the itype is unknown": f"{itype} NOT IN ({known})",
        "no value": f"{text} IS NULL",
        "the value is not of its kind": f"NOT ({host}) AND {token} IS NULL",
    }
    times = (f"least({form['first_seen']}, {form['last_seen']}) AS first_seen,"
             f" greatest({form['first_seen']}, {form['last_seen']}) AS last_seen")
    salts = " ".join(f"WHEN {quoted(name)} THEN {salt(name)}" for name in LINK_KINDS)
    shown = source.columns["value"]
    links.append(f"""SELECT account_id, kind, xor(token, CASE kind {salts} END) AS key, value, first_seen, last_seen
        FROM (SELECT {form['account_id']} AS account_id, CAST({itype} AS {kinds}) AS kind, {token} AS token,
                CAST({shown} AS VARCHAR) AS value, {times}
            FROM {source.scan} WHERE {form['account_id']} IS NOT NULL AND {itype} IN ({known}) AND NOT ({host})) l
        WHERE token IS NOT NULL""")
    if not numeric:
        hosts.append(f"""SELECT {form['account_id']} AS account_id, {text} AS value, {host_sql(text)} AS
                host, {times}
            FROM {source.scan} WHERE {form['account_id']} IS NOT NULL AND {host}""")
    return Check(source, faults, (itype, LINK_KINDS))


def _text_tokens(engine: Engine, source: Source, itype: str, text: str) -> str:
    """Tokens of a text column. A kind whose bare numbers are longer than any phone number holds tokens."""
    numbers = {row[0] for row in engine.rows(f"""SELECT itype FROM (
            SELECT {itype} AS itype, regexp_full_match({text}, '[0-9]{{1,19}}') AS bare, length({text}) > 15 AS long
            FROM {source.scan} WHERE {text} IS NOT NULL)
        GROUP BY itype HAVING bool_and(bare) AND bool_or(long)""")}
    numbers.add("domain")
    cases = " ".join(
        f"WHEN {quoted(name)} THEN {address_sql(text) if name == 'ip4' else token_sql(name, text, name in numbers)}"
        for name in LINK_KINDS)
    return f"(CASE {itype} {cases} END)"


def _posts(engine: Engine, source: Source, kind: str, links: list[str], hosts: list[str], made: set[str]) -> Check:
    form = _base(source, kind)
    word = form["kind"] if source.has("kind") else "'link'"
    known = ", ".join(quoted(name) for name in POST_KINDS)
    there = f"{form['account_id']} IS NOT NULL"
    if source.has("object"):
        grouped = "min(ts) AS first_seen, max(ts) AS last_seen"
        numeric, text = source.is_number("object"), form["object"]
        token = source.columns["object"] if numeric else token_sql("domain", text, True)
        written = "true" if numeric else is_domain_token_sql(text)
        links.append(f"""SELECT account_id, 'domain' AS kind, key, min(value) AS value, {grouped} FROM (
            SELECT {form['account_id']} AS account_id, xor({token}, {salt('domain')}) AS key,
                CAST({text} AS VARCHAR) AS value, {form['ts']} AS ts
            FROM {source.scan} WHERE {there} AND {word} = 'link' AND {written} AND {token} IS NOT NULL)
            GROUP BY account_id, key""")
        if not numeric:
            hosts.append(f"""SELECT account_id, value, min(host) AS host, {grouped} FROM (
                SELECT {form['account_id']} AS account_id, {text} AS value, {host_sql(text)} AS host,
                    {form['ts']} AS ts
                FROM {source.scan} WHERE {there} AND {word} = 'link' AND NOT {written})
                GROUP BY account_id, value""")
        _acts(engine, source, form, there, word)
        made.add("acts")
    if source.has("text"):
        engine.run(f"""CREATE VIEW posts AS SELECT {form['account_id']} AS account_id, {form['text']} AS text,
            {text_sql(form['text'])} AS form, {form['ts']} AS first_seen, {form['ts']} AS last_seen
            FROM {source.scan} WHERE {there} AND {form['text']} <> ''""")
        made.add("posts")
    return Check(source, {
        NO_ACCOUNT: f"{form['account_id']} IS NULL",
        "the kind of post is unknown": f"COALESCE({word} NOT IN ({known}), true)",
    })


def _acts(engine: Engine, source: Source, form: dict[str, str], there: str, word: str) -> None:
    """``doings``: every post of a known kind, its kind as its place in ``rhythm.ACTS``."""
    token = source.columns["object"] if source.is_number("object") else text_key_sql(form["object"])
    engine.run(f"""CREATE VIEW doings AS SELECT {form['account_id']} AS account_id, {act_sql(word)} AS act,
            {token} AS key, {form['ts']} AS ts
        FROM {source.scan} WHERE {there} AND {act_sql(word)} > 0""")
    act_views(engine)


def act_views(engine: Engine) -> None:
    """What accounts did, from ``doings``: shares with the posts that they repeat (the writer among the sharers), and
    tags; and as ``steps`` every post that has a time, one after the other."""
    engine.run("""CREATE VIEW acts AS SELECT account_id, CASE act WHEN 4 THEN 'tag' ELSE 'share' END AS kind, key, ts,
            act = 1 AS wrote FROM doings WHERE act IN (1, 2, 4) AND key IS NOT NULL""")
    engine.run("""CREATE VIEW steps AS SELECT account_id, act, key, ts FROM doings
        WHERE ts IS NOT NULL AND (key IS NOT NULL OR act = 1)""")


def _avatars(engine: Engine, source: Source, kind: str) -> Check:
    form = _base(source, kind)
    right = f"COALESCE(regexp_full_match({form['pdq']}, '[0-9a-fA-F]{{64}}'), false)"
    engine.run(f"""CREATE VIEW avatars AS SELECT {form['account_id']} AS account_id, lower({form['pdq']}) AS
            pdq
        FROM {source.scan} WHERE {form['account_id']} IS NOT NULL AND {right}""")
    engine.run(f"""CREATE VIEW pictures AS SELECT account_id, {words_sql('pdq')} FROM (
            SELECT {form['account_id']} AS account_id, {form['pdq']} AS pdq FROM {source.scan}
            WHERE {form['account_id']} IS NOT NULL AND {right}) p""")
    return Check(source, {
        NO_ACCOUNT: f"{form['account_id']} IS NULL",
        "the pdq is not 64 hex digits": f"NOT {right}",
    })


def _removed(engine: Engine, source: Source, kind: str, at: int) -> Check:
    """The member's own removed networks; key is NULL where the value must still be read as an indicator's is."""
    form = _base(source, kind)
    itype, text = _kind_sql(source, form) if source.has("itype") else "NULL", form["value"]
    known = ", ".join(quoted(name) for name in (*LINK_KINDS, *REMOVED_KINDS))
    when = f"COALESCE({form['removed_at']}, {at} - 86400)"
    valued = f"({itype} IS NOT NULL AND {text} IS NOT NULL)"
    faults = {
        "no network": f"{form['network']} IS NULL",
        "neither an account_id nor an itype with its value": f"{form['account_id']} IS NULL AND NOT {valued}",
        "the itype is unknown": f"{form['account_id']} IS NULL AND {itype} NOT IN ({known})",
        "removed later than the moment of the run": f"{when} > {at}",
    }
    key, kinds = "NULL::BIGINT", None
    if source.has("itype") and source.has("value"):
        kinds = itype, (*LINK_KINDS, *REMOVED_KINDS)
        numeric = source.is_number("value")
        token = source.columns["value"] if numeric else _text_tokens(engine, source, itype, text)
        clear = "false" if numeric else f"{itype} = 'domain' AND NOT {is_domain_token_sql(text)}"
        salts = " ".join(f"WHEN {quoted(name)} THEN {salt(name)}" for name in LINK_KINDS)
        key = f"CASE WHEN {clear} THEN NULL ELSE xor({token}, CASE {itype} {salts} END) END"
    engine.run(f"""CREATE VIEW removed AS SELECT {form['network']} AS network, {when} AS removed_at,
            {form['account_id']} AS account_id, {itype} AS kind, {key} AS key, {text} AS value,
            {form['confidence']} AS confidence
        FROM {source.scan} WHERE {form['network']} IS NOT NULL AND {when} <= {at}
        AND ({form['account_id']} IS NOT NULL OR ({valued} AND {itype} IN ({known})))""")
    return Check(source, faults, kinds)


def _handles(engine: Engine, source: Source, kind: str) -> Check:
    form = _base(source, kind)
    named = f"{form['handle']} IS NOT NULL OR {form['profile_url']} IS NOT NULL"
    engine.run(f"""CREATE VIEW handles AS SELECT {form['account_id']} AS account_id, {form['platform']} AS
            platform,
        {form['handle']} AS handle, {form['profile_url']} AS profile_url
        FROM {source.scan} WHERE {form['account_id']} IS NOT NULL AND ({named})""")
    return Check(source, {
        NO_ACCOUNT: f"{form['account_id']} IS NULL", "neither handle nor profile_url": f"NOT ({named})",
    })
