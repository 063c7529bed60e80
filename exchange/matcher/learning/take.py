"""Takes reviews of accounts and clusters of a run: looks up what was decided and what it rested on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from exchange.errors import InputError
from exchange.matcher.change.kept import FEATURES, FOLDER, Kept
from exchange.matcher.learning.reviews import CONFIRMED, OVERTURNED, Decision, Review
from exchange.matcher.run import ACCOUNTS, EVIDENCE
from exchange.matcher.values import quoted
from exchange.matcher.weighing import Weights

DAY = 86_400


@dataclass(frozen=True)
class Word:
    """What a person says, before it is looked up."""

    verdict: str
    reviewer: str
    time: str
    reason: str = ""
    account: str | None = None
    cluster: str | None = None
    signals: tuple[str, ...] = ()
    place: str = ""
    """For people: where it was said, such as a line of a file."""


def read_words(rows: Iterable[dict[str, Any]], *, reviewer: str, time: str) -> tuple[list[Word], list[str]]:
    """Words from rows of a file (account or cluster, verdict, reason, signals, reviewer, time) and what is wrong."""
    words, wrong = [], []
    for number, row in enumerate(rows, 1):
        place = str(row.get("_place") or f"Row {number}")
        try:
            words.append(_word(row, reviewer, time, place))
        except ValueError as error:
            wrong.append(f"{place}: {error}")
    return words, wrong


def _word(row: dict[str, Any], reviewer: str, time: str, place: str) -> Word:
    given = {str(name).strip().lower(): value for name, value in row.items() if value not in (None, "")}
    account, cluster = given.get("account", given.get("account_id")), given.get("cluster")
    if (account is None) == (cluster is None):
        raise ValueError("a review names either an account or a cluster.")
    verdict = str(given.get("verdict", "")).strip().lower()
    if verdict not in (CONFIRMED, OVERTURNED):
        raise ValueError(f"the verdict is {verdict!r}; write {CONFIRMED} or {OVERTURNED}.")
    moment = str(given.get("time", time))
    try:
        datetime.fromisoformat(moment)
    except ValueError as error:
        raise ValueError(f"the time {moment!r} is none; write such as 2026-06-01T12:00:00Z.") from error
    signals = given.get("signals", given.get("signal", ""))
    parts = signals if isinstance(signals, list) else str(signals).replace(",", ";").split(";")
    return Word(verdict, str(given.get("reviewer", reviewer)), moment, str(given.get("reason", "")),
                None if account is None else str(account), None if cluster is None else str(cluster),
                tuple(str(part).strip() for part in parts if str(part).strip()), place)


def take(kept: Kept, words: Iterable[Word]) -> tuple[list[Review], list[str]]:
    """Reviews of the accounts that the words speak of, in the words' order, and sentences on what can't be taken."""
    import duckdb  # noqa: PLC0415 - slow to load

    reviews: list[Review] = []
    wrong: list[str] = []
    with duckdb.connect(":memory:") as connection:
        for name, path in (("accounts", ACCOUNTS), ("evidence", EVIDENCE), ("features", f"{FOLDER}/{FEATURES}")):
            if not (kept.out / path).is_file():
                raise InputError(f"{kept.out / path} is not there.", fix="Run cibx match --out there again.")
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({quoted(str(kept.out / path))})")
        told = list(words)
        found = _found(connection, told)
        asked = [(word, *_accounts(found, kept, word)) for word in told]
        wanted = list(dict.fromkeys(account for _, accounts, _ in asked for account in accounts))
        decisions = _decisions(connection, kept, wanted)
    for word, accounts, complaint in asked:
        wrong += [complaint] if complaint else _strange(word, kept)
        if not complaint and not _strange(word, kept):
            reviews += [Review(account, word.verdict, word.reviewer, word.time, word.reason, decisions[account],
                               word.signals, word.cluster, len(accounts)) for account in accounts]
    return reviews, wrong


def _found(connection: Any, words: list[Word]) -> dict[tuple[str, str], list[str]]:
    """The accounts of all accounts and clusters that are named, looked up at once."""
    connection.execute("CREATE TABLE named (what VARCHAR, name VARCHAR)")
    for what, names in (("account_id", {one.account for one in words}), ("cluster", {one.cluster for one in words})):
        connection.execute("INSERT INTO named SELECT ?, unnest(?::VARCHAR[])", [what, sorted(filter(None, names))])
    found: dict[tuple[str, str], list[str]] = {}
    for what in ("account_id", "cluster"):
        rows = connection.execute(f"""SELECT n.name, CAST(a.account_id AS VARCHAR) FROM accounts a JOIN named n
            ON n.what = '{what}' AND n.name = CAST(a.{what} AS VARCHAR) ORDER BY a.account_id""").fetchall()
        for name, account in rows:
            found.setdefault((what, name), []).append(account)
    return found


def _accounts(found: dict[tuple[str, str], list[str]], kept: Kept, word: Word) -> tuple[list[str], str]:
    """The accounts of a word, or why there is none."""
    column, given = ("account_id", word.account) if word.account is not None else ("cluster", word.cluster)
    accounts = found.get((column, given or ""), [])
    start = f"{word.place}: there" if word.place else "There"
    complaint = "" if accounts else (f"{start} is no {column.removesuffix('_id')} {given} in {kept.out / ACCOUNTS};"
                                     f" name one of its column {column}.")
    return accounts, complaint


def _strange(word: Word, kept: Kept) -> list[str]:
    known = meanings(kept.weights)
    return [f"{word.place or 'The review'}: {name!r} is no signal or kind of the weights {kept.weights.version}; known:"
            f" {', '.join(sorted(known))}." for name in word.signals if name not in known]


def meanings(weights: Weights) -> dict[str, set[str]]:
    """What a reviewer may name as wrong: a kind, a signal or a feature, and the features that it means."""
    lines = {line.feature for line in weights.cards[-1].lines}
    known: dict[str, set[str]] = {name: {name} for name in lines}
    for kind in weights.kinds.values():
        for name in (kind.name, kind.signal):
            known.setdefault(name, set()).update(f"{part}.{kind.signal}" for part in ("direct", "company")
                                                 if f"{part}.{kind.signal}" in lines)
    return {name: found for name, found in known.items() if found}


def _decisions(connection: Any, kept: Kept, accounts: list[str]) -> dict[str, Decision]:
    connection.execute("CREATE TABLE wanted (account VARCHAR)")
    if accounts:
        connection.execute("INSERT INTO wanted SELECT unnest(?::VARCHAR[])", [accounts])
    found = {name: _by_account(connection, name) for name in ("accounts", "features", "evidence")}
    decisions = {}
    for account in accounts:
        row = found["accounts"][account][0]
        read = next(iter(found["features"].get(account, [])), {})
        features = {name: None if isinstance(x, float) and math.isnan(x) else x for name, x in read.items()
                    if name != "firm"}
        age = features.get("age_days")
        decisions[account] = Decision(
            kept.name, kept.weights.version, kept.digest, int(kept.run["at"]), row["score"], row["log_odds"],
            row["cluster"], row["class"], None if age is None else round(kept.run["at"] - age * DAY), features,
            float(read.get("firm", 0.0)), [{name: x for name, x in one.items() if x is not None}
                                           for one in found["evidence"].get(account, [])])
    return decisions


def _by_account(connection: Any, table: str) -> dict[str, list[dict[str, Any]]]:
    order = "step, kind, local_value, indicator_id, nats" if table == "evidence" else "account_id"
    done = connection.execute(f"""SELECT w.account AS account, t.* FROM {table} t JOIN wanted w
        ON w.account = CAST(t.account_id AS VARCHAR) ORDER BY {order}""")
    names = [column[0] for column in done.description]
    found: dict[str, list[dict[str, Any]]] = {}
    for values in done.fetchall():
        row = dict(zip(names, values, strict=True))
        row.pop("account_id")
        found.setdefault(row.pop("account"), []).append(row)
    return found
