"""Reads cases back from a run's results: nothing but its files goes in, so a case can be made again at any time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from exchange.errors import InputError
from exchange.matcher.action.decide import decide
from exchange.matcher.action.facts import NAMES, Facts
from exchange.matcher.action.pack import ActionPack
from exchange.matcher.case.again import Again, score_again, sentences
from exchange.matcher.case.masking import shown
from exchange.matcher.case.material import LEAST, Against, Case, ClassReason, Edge, Member, Seed, Value, Weight
from exchange.matcher.networks import CLASSES, CLUSTERS, MEMBERSHIPS
from exchange.matcher.results.seeds import SEEDS, strictest
from exchange.matcher.run import ACCOUNTS, ACTIONS, EVIDENCE, REPORT, TIMELINE
from exchange.matcher.values import quoted

LISTED = 40
"""Contributions of an account that a case lists; the rest is summed."""
FULL = 400
"""Members, likeliest first, whose contributions are listed and of whom it is said what would change it."""
EDGES = 20_000
WITHHELD = "withheld (TLP:RED)"
"""Stands for a statement, its campaign and its source where its TLP lets only the person who received it read them: a
case is read by others (R60, P3). What the source shared under a wider TLP names it."""
_RED = "COALESCE(s.tlp, '') = 'TLP:RED'"
_WITHHELD = ("e.* REPLACE (" + ", ".join(
    f"CASE WHEN {_RED} THEN '{WITHHELD}' ELSE e.{name} END AS {name}"
    for name in ("indicator_id", "campaign", "source_name")) + "), COALESCE(s.tlp, '') AS tlp")
_VALUED = ("direct", "company", "objection")
_WORDS = {
    "age_days": "age of the account", "verified": "verification", "assurance": "identity assurance",
    "strikes": "strikes before", "followers": "followers", "audience_quality": "quality of the audience",
    "payment_months": "months of payments", "geo_spread": "spread of places", "reach_90d": "reach",
    "disclosed": "disclosed as run by an agency", "sources": "number of sources", "kinds": "number of kinds",
    "infrastructure": "infrastructure in all", "gate": "limit: content needs infrastructure beside it",
    "against": "limit of what speaks against", "provisional": "limit: provisional, one source or kind",
    "open": "limit: openly run", "echo": "posts shared when suspects shared them",
    "devotion": "share of its shares that suspects shared", "devoted": "share of its shares that suspects shared",
    "aloof": "likely accounts in its circle, with whom it does and holds nothing",
    "circle_mass": "likely accounts in its circle",
    "circle_bound": "likely accounts bound to it by identifiers", "unsaid": "held with suspects, named by nobody",
    "circle_mean": "mean probability in its circle", "circle_sources": "sources that name others of its circle",
    "vouched": "others named with it that other sources bear out", "knit": "others named with it that suspects know",
}
_SIGN_WORDS = {
    "taken": "members that look taken from their owners", "burst": "sign-ups within one day",
    "idle": "members who did nothing in public", "linking": "links to sites among all acts",
    "writing": "own posts among all acts", "paying": "members with a card in evidence",
    "media": "members with a picture or camera in evidence",
}


def read_cases(out: Path, pack: ActionPack) -> Iterator[Case]:
    """The case of each cluster in which something is recommended, by name. Raises InputError without results."""
    if missing := [name for name in (ACCOUNTS, EVIDENCE, ACTIONS, CLUSTERS, CLASSES, TIMELINE, REPORT, SEEDS)
                   if not (out / name).is_file()]:
        raise InputError(f"{out} lacks {missing[0]}, so no cases can be made.", fix="Run cibx match --out there first.")
    import duckdb  # noqa: PLC0415 - slow to load

    report = orjson.loads((out / REPORT).read_bytes())
    with duckdb.connect(":memory:") as connection:
        for name in (ACCOUNTS, ACTIONS, MEMBERSHIPS, TIMELINE, CLUSTERS, CLASSES):
            connection.execute(f"CREATE VIEW {name.removesuffix('.parquet')} AS"
                               f" SELECT * FROM read_parquet({quoted(str(out / name))})")
        connection.execute(f"""CREATE TABLE evidence AS SELECT a.cluster, {_WITHHELD}
            FROM read_parquet({quoted(str(out / EVIDENCE))}) e JOIN accounts a USING (account_id)
            LEFT JOIN read_parquet({quoted(str(out / SEEDS))}) s ON s.indicator_id = e.indicator_id
            WHERE a.cluster IN (SELECT cluster_name FROM actions WHERE action <> 'none') ORDER BY a.cluster""")
        names = connection.execute("""SELECT DISTINCT cluster_name FROM actions
            WHERE cluster_name IS NOT NULL AND action <> 'none' ORDER BY 1""").fetchall()
        again = _score_again(connection, out, report)
        for (name,) in names:
            yield _Reader(connection, name, pack, report, again).read()


def _score_again(connection: Any, out: Path, report: dict[str, Any]) -> Again:
    sources, kinds = ([name for name, in connection.execute(f"""SELECT {column} FROM evidence
        WHERE nats > 0 AND {column} IS NOT NULL AND step IN ({steps}) GROUP BY 1
        ORDER BY count(DISTINCT account_id) DESC, 1""").fetchall()] for column, steps in (
            ("source_name", "'direct'"), ("signal", "'direct', 'company'")))
    return score_again(out, [name for name in sources if name != WITHHELD], kinds, report["at"])


class _Reader:
    """Puts one case together."""

    def __init__(self, connection: Any, name: str, pack: ActionPack, report: dict[str, Any], again: Again) -> None:
        self._connection, self._name, self._pack, self._report, self._again = connection, name, pack, report, again
        self._least = 0.0
        self._values: dict[tuple[str, str], Value] = {}

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        done = self._connection.execute(sql, [self._name])
        names = [column[0] for column in done.description]
        return [dict(zip(names, row, strict=True)) for row in done.fetchall()]

    def read(self) -> Case:
        """The case of this cluster, from the tables of the connection alone."""
        self._values = self._read_values()
        about = next(iter(self._rows("SELECT * FROM clusters WHERE cluster = ?")), {})
        bound = about.get("likely_from", 0.5)
        self._least = math.log(bound / (1 - bound))
        accounts = self._rows("""SELECT a.account_id, a.score, a.log_odds, a.role, a.class, a.sources AS all_sources,
            f.* EXCLUDE (account_id, score, role) FROM accounts a LEFT JOIN actions f USING (account_id)
            WHERE a.cluster = ? ORDER BY a.score DESC, a.account_id""")
        weights = self._weights([row["account_id"] for row in accounts[:FULL]])
        members = tuple(self._member(row, weights.get(row["account_id"], []), told=number < FULL)
                        for number, row in enumerate(accounts))
        edges, left_out = self._edges()
        seeds = self._seeds()
        left = self._again.of_cluster([(row["account_id"], row["log_odds"]) for row in accounts], self._least)
        return Case(
            name=self._name, at=self._report["at"], weights=self._report["weights"], pack=self._pack.digest,
            campaign_class=about.get("class"), members=members,
            values=tuple(self._values.values()), edges=edges, edges_left_out=left_out, days=self._days(), seeds=seeds,
            against=self._against(), changes=sentences(left, bound, self._again.missing), likely_from=bound,
            class_probability=about.get("class_probability", 0.0), class_reasons=self._class_reasons(), without=left,
            overlaps=self._overlaps(), marking=self._marking())

    def _marking(self) -> str:
        return strictest([LEAST, *(row["tlp"] for row in self._rows(
            "SELECT DISTINCT tlp FROM evidence WHERE cluster = ? AND tlp <> ''"))])

    def _read_values(self) -> dict[tuple[str, str], Value]:
        rows = self._rows("""SELECT kind, local_value, count(DISTINCT account_id) AS holders,
                bool_or(step = 'direct') AS seed, sum(nats) AS nats
            FROM evidence WHERE cluster = ? AND step IN ('direct', 'company') AND local_value IS NOT NULL AND nats > 0
            GROUP BY kind, local_value ORDER BY nats DESC, kind, local_value""")
        return {(row["kind"], row["local_value"]): Value(
            f"v{number}", row["kind"], shown(row["kind"], row["local_value"]), row["holders"], row["seed"])
            for number, row in enumerate(rows, 1)}

    def _weights(self, accounts: list[Any]) -> dict[Any, list[dict[str, Any]]]:
        wanted, found = set(accounts), defaultdict(list)
        for row in self._rows("""SELECT account_id, step, kind, nats, note, local_value, indicator_id, source_name,
                campaign FROM evidence WHERE cluster = ? AND nats <> 0
                ORDER BY abs(nats) DESC, step, kind, local_value, indicator_id"""):
            if row["account_id"] in wanted:
                found[row["account_id"]].append(row)
        return found

    def _member(self, row: dict[str, Any], rows: list[dict[str, Any]], *, told: bool) -> Member:
        facts = (Facts(**{name: row[name] for name in NAMES if name in row}) if row["sources"] is not None
                 else Facts(row["score"], sources=row["all_sources"] or 0, role=row["role"]))
        listed = tuple(self._weight(one) for one in rows[:LISTED])
        return Member(
            account=str(row["account_id"]), score=row["score"], log_odds=row["log_odds"], role=row["role"],
            facts=facts, recommendation=decide(facts, self._pack, changes=told), weights=listed,
            rest=row["log_odds"] - sum(weight.nats for weight in listed), rest_count=max(0, len(rows) - LISTED),
            without=self._again.of_member(row["account_id"], row["log_odds"], self._least) if told else ())

    def _weight(self, row: dict[str, Any]) -> Weight:
        step, kind = row["step"], row["kind"]
        value = self._values.get((kind, row["local_value"])) if step in _VALUED else None
        kind_words = kind.replace("_", " ")
        words = {
            "prior": "before any evidence", "direct": f"{kind_words} that {row['source_name']} shared",
            "company": f"{kind_words} in common with {'suspects' if row['nats'] > 0 else 'ordinary accounts'}",
            "objection": f"{kind_words} called benign by {row['source_name']}",
        }.get(step, _WORDS.get(kind, kind_words))
        return Weight(step, kind, row["nats"], words, value.id if value else None, row["indicator_id"],
                      row["source_name"] if step != "company" else None, row["campaign"])

    def _edges(self) -> tuple[tuple[Edge, ...], int]:
        rows = self._rows("""SELECT account_id, kind, local_value, sum(nats) AS nats, min(first_seen) AS first_seen,
                max(last_seen) AS last_seen FROM evidence
            WHERE cluster = ? AND step IN ('direct', 'company') AND local_value IS NOT NULL AND nats > 0
            GROUP BY ALL ORDER BY nats DESC, account_id, kind, local_value""")
        return tuple(Edge(str(row["account_id"]), self._values[row["kind"], row["local_value"]].id, row["nats"],
                          row["first_seen"], row["last_seen"]) for row in rows[:EDGES]), max(0, len(rows) - EDGES)

    def _days(self) -> tuple[tuple[int, str, int], ...]:
        rows = self._rows("SELECT day, what, n FROM timeline WHERE cluster = ? ORDER BY day, what")
        return tuple((row["day"], row["what"], row["n"]) for row in rows)

    def _seeds(self) -> tuple[Seed, ...]:
        return tuple(Seed(**row) for row in self._rows("""SELECT indicator_id AS indicator, source_name AS source,
                nullif(any_value(campaign), '') AS campaign, kind, any_value(observed) AS observed,
                any_value(confidence) AS confidence, count(DISTINCT account_id) AS accounts, sum(nats) AS nats
            FROM evidence WHERE cluster = ? AND step = 'direct' GROUP BY indicator_id, source_name, kind
            ORDER BY accounts DESC, nats DESC, indicator_id, kind"""))

    def _against(self) -> tuple[Against, ...]:
        rows = self._rows("""SELECT step, kind, string_agg(DISTINCT source_name, ', ' ORDER BY source_name) AS who,
                count(DISTINCT account_id) AS accounts, sum(nats) AS nats FROM evidence
            WHERE cluster = ? AND nats < -0.05 AND step <> 'prior' GROUP BY step, kind ORDER BY nats, step, kind""")
        found = []
        for row in rows:
            kind = row["kind"].replace("_", " ")
            what = {"company": f"{kind} in common with ordinary accounts",
                    "objection": f"{kind} called benign by {row['who']}",
                    }.get(row["step"], _WORDS.get(row["kind"], kind))
            found.append(Against(what, row["accounts"], row["nats"]))
        return tuple(found)

    def _class_reasons(self) -> tuple[ClassReason, ...]:
        rows = self._rows(f"""SELECT class, nats, what, value, CASE WHEN source_name IS NULL OR source_name IN (
                SELECT e.source_name FROM evidence e WHERE e.cluster = c.cluster) THEN source_name ELSE '{WITHHELD}' END
                AS source_name FROM classes c WHERE cluster = ?""")
        return tuple(ClassReason(row["class"], row["nats"], (
            f"{row['source_name']} states it ({row['value']:.0%} of what it shared of any class)" if row["source_name"]
            else f"{_SIGN_WORDS[row['what']]}: {row['value']:.0%}")) for row in rows)

    def _overlaps(self) -> dict[str, int]:
        return {row["cluster"]: row["n"] for row in self._rows("""SELECT m.cluster, count(*) AS n FROM memberships m
            JOIN accounts a USING (account_id) WHERE a.cluster = ? AND m.cluster <> a.cluster
            GROUP BY 1 ORDER BY n DESC, 1""")}
