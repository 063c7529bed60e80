"""The ground: a platform's tables in normal form, in a DuckDB file that is loaded part by part.

A part is a file of an entity table. A file that is there as it was when it was loaded is not read again; one that is
gone or has changed is taken out with all its rows. Each part is one transaction, so a killed run leaves whole parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from exchange.matcher.change.fingerprint import of_file
from exchange.matcher.compare.picture import digits_sql
from exchange.matcher.engine import Engine
from exchange.matcher.entities import Entities, act_views, know_everyone, make_views
from exchange.matcher.mapping import TableMapping
from exchange.matcher.platform.answers import forget_touched, mark_of, set_mark
from exchange.matcher.report import Report, TableCount
from exchange.matcher.shapes import SHAPES
from exchange.matcher.tables import Source, account_type, find_files, no_table, open_source
from exchange.matcher.values import LINK_KINDS, quoted

FORM = "ground-3"
"""Version of the normal form: another one is loaded anew."""
_NUMBERS = ", ".join(f"{column.name} DOUBLE" for column in SHAPES["accounts"].columns if column.role == "number")
_KIND = f"ENUM({', '.join(map(quoted, LINK_KINDS))})"
"""Of a link: a byte in memory, where a text takes sixteen."""
TABLES = {
    "people": f"account_id <id>, created BIGINT, {_NUMBERS}",
    "links": f"account_id <id>, kind {_KIND}, key BIGINT, first_seen BIGINT, last_seen BIGINT",
    "written": f"account_id <id>, kind {_KIND}, key BIGINT, value VARCHAR, first_seen BIGINT, last_seen BIGINT",
    "hosts": "account_id <id>, value VARCHAR, host VARCHAR, first_seen BIGINT, last_seen BIGINT",
    "doings": "account_id <id>, act TINYINT, key BIGINT, ts BIGINT",
    "texts": "account_id <id>, text VARCHAR, form VARCHAR, ts BIGINT",
    "pictures": "account_id <id>, w0 BIGINT, w1 BIGINT, w2 BIGINT, w3 BIGINT",
    "handles": "account_id <id>, platform VARCHAR, handle VARCHAR, profile_url VARCHAR",
}
"""Columns of each table after ``part``. Links whose key says their value are in ``links``, the others in ``written``; a
text is NULL where it is its form."""
_NOT_KEPT = ("removed",)
"""Small tables that are read from their files every time."""


@dataclass
class Part:
    """One file of a table: what it was when it was loaded, and what was said of it."""

    number: int
    table: str
    place: str
    print: str
    note: dict[str, Any] = field(default_factory=dict)

    def tell(self, report: Report) -> None:
        """Say in the report of this run what was found when the part was loaded."""
        for name, count in self.note["tables"].items():
            told = report.tables.setdefault(name, TableCount())
            told.read += count["read"]
            told.skipped.update(count["skipped"])
        report.problems += [text for text in self.note["problems"] if text not in report.problems]


def lay(engine: Engine, folder: Path, mapping: dict[str, TableMapping], at: int, report: Report,
        say: Callable[[str], None] = lambda step: None) -> Entities:
    """Bring the ground to what the files in ``folder`` are, make the views over it, and say what was used again.

    Raises InputError when there is no accounts table to start from.
    """
    files = find_files(folder, mapping, report)
    ground = _Ground(engine, folder, mapping, at, report, say)
    ground.begin(files["accounts"])
    for name, paths in files.items():
        if name not in _NOT_KEPT:
            ground.take(name, paths)
    ground.forget_others()
    ground.settle()
    made = ground.views(files["accounts"][0].name)
    if "removed" in files:
        made |= ground.read_again("removed", files["removed"][0])
    return Entities(ground.kind, made)


class _Ground:
    """The ground while it is brought up to date."""

    def __init__(self, engine: Engine, folder: Path, mapping: dict[str, TableMapping], at: int, report: Report,
                 say: Callable[[str], None]) -> None:
        self._engine, self._folder, self._mapping, self._at = engine, folder, mapping, at
        self._report, self._say = report, say
        self._parts: dict[tuple[str, str], Part] = {}
        self._seen: dict[tuple[str, str], Part] = {}
        self._sources: dict[Path, Source | None] = {}
        self.kind = "BIGINT"

    def begin(self, accounts: list[Path]) -> None:
        """Read what is there, and decide of which type account_id is; another type or form begins anew."""
        run = self._engine.run
        run("CREATE TABLE IF NOT EXISTS ground.parts (number INTEGER, tab VARCHAR, place VARCHAR, print VARCHAR,"
            " note VARCHAR)")
        run("CREATE TABLE IF NOT EXISTS ground.form (form VARCHAR)")
        run("CREATE TABLE IF NOT EXISTS ground.marks (name VARCHAR, mark VARCHAR)")
        for number, table, place, mark, note in self._engine.rows("SELECT * FROM ground.parts"):
            self._parts[table, place] = Part(number, table, place, mark, orjson.loads(note))
        kinds = {self._account_kind(path) for path in accounts} - {None}
        if not kinds:
            raise no_table(self._folder, "accounts", self._report)
        self.kind = "VARCHAR" if "VARCHAR" in kinds else "BIGINT"
        form = f"{FORM} {self.kind} DuckDB {self._engine.settings['duckdb']}"
        there = self._engine.rows("SELECT form FROM ground.form")
        if there != [(form,)]:
            if there:
                self._report.state["anew"] = f"the state was made as {there[0][0]}, this run needs {form}"
            self._clear(form)

    def _clear(self, form: str) -> None:
        run = self._engine.run
        run("BEGIN")
        for name, columns in TABLES.items():
            run(f"CREATE OR REPLACE TABLE ground.{name} (part INTEGER, {columns.replace('<id>', self.kind)})")
        run("DELETE FROM ground.marks; DELETE FROM ground.parts; DELETE FROM ground.form")
        run(f"INSERT INTO ground.form VALUES ({quoted(form)})")
        run("COMMIT")
        self._parts = {}

    def _account_kind(self, path: Path) -> str | None:
        known = self._known("accounts", path)
        if known:
            return str(known.note["kind"])
        source = self._open("accounts", path, self._report)
        return account_type(self._engine, source) if source else None

    def _known(self, table: str, path: Path) -> Part | None:
        part = self._parts.get((table, self._place(path)))
        return part if part and part.print == self._print(table, path) else None

    def _open(self, table: str, path: Path, report: Report) -> Source | None:
        if path not in self._sources:
            self._sources[path] = open_source(self._engine, SHAPES[table], path, self._given(table), report,
                                              self._place(path))
        return self._sources[path]

    def _given(self, table: str) -> TableMapping:
        return self._mapping.get(table, TableMapping())

    def _place(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix() if path.is_relative_to(self._folder) else str(path)

    def _print(self, table: str, path: Path) -> str:
        given = self._given(table)
        return f"{of_file(path)['sha256']} {sorted(given.columns.items())} {sorted(given.kinds.items())}"

    def take(self, table: str, paths: list[Path]) -> None:
        """Use parts of a table that are known, and load those that aren't."""
        for path in paths:
            part = self._known(table, path)
            if part is None:
                part = self._load(table, path)
                self._report.state["loaded"] = self._report.state.get("loaded", 0) + (part is not None)
            else:
                self._report.state["used_again"] = self._report.state.get("used_again", 0) + 1
            if part is None:
                self._report.tables_left_out.append(table)
            else:
                self._seen[table, part.place] = part
                part.tell(self._report)

    def _load(self, table: str, path: Path) -> Part | None:
        run, place, found = self._engine.run, self._place(path), Report()
        source = self._open(table, path, found)
        if source is None:
            self._report.problems += found.problems
            return None
        self._say(f"reading {place} ({source.rows:,} rows)")
        number = 1 + max((part.number for part in (*self._parts.values(), *self._seen.values())), default=0)
        run("CREATE SCHEMA reading; SET schema = 'reading'")
        made, (check,) = make_views(self._engine, {table: source}, self.kind, self._at, found, _KIND)
        run("SET schema = 'main'; BEGIN")
        if old := self._parts.get((table, place)):
            self._remove(old)
        if table == "posts":
            run("DELETE FROM ground.marks WHERE name = 'posts'")
        loaded = {name: self._engine.one(sql)[0] for name, sql in _inserts(table, source, made, number).items()}
        if sum(loaded.get(name, 0) for name in _ONE_EACH[table]) == source.rows:
            check.pass_all(found)
        else:
            check.count(self._engine, found)
        note = {"made": sorted(made), "problems": found.problems,
                "kind": account_type(self._engine, source) if table == "accounts" else "",
                "tables": {name: {"read": n.read, "skipped": n.skipped} for name, n in found.tables.items()}}
        self._touch(table, number)
        part = Part(number, table, place, self._print(table, path), note)
        run(f"""INSERT INTO ground.parts VALUES ({number}, {quoted(table)}, {quoted(place)}, {quoted(part.print)},
            {quoted(orjson.dumps(note).decode())})""")
        run("COMMIT; DROP SCHEMA reading CASCADE")
        self._parts[table, place] = part
        return part

    def _touch(self, table: str, number: int) -> None:
        """Take out kept answers of which a part that is in the ground may change anything."""
        if self._engine.rows("SELECT 1 FROM ground.marks WHERE name = 'answers'"):
            forget_touched(self._engine, table, number)

    def settle(self) -> None:
        """Say which posts there are, for what is derived from all of them."""
        posts = sorted((part.place, part.print) for (table, _), part in self._seen.items() if table == "posts")
        if mark_of(self._engine, "posts") != repr(posts):
            set_mark(self._engine, "posts", repr(posts))

    def _remove(self, part: Part) -> None:
        self._touch(part.table, part.number)
        for name in TABLES:
            self._engine.run(f"DELETE FROM ground.{name} WHERE part = {part.number}")
        self._engine.run(f"DELETE FROM ground.parts WHERE number = {part.number}")
        if part.table == "posts":
            self._engine.run("DELETE FROM ground.marks WHERE name = 'posts'")

    def forget_others(self) -> None:
        """Take out parts whose files are gone."""
        for key, part in list(self._parts.items()):
            if key not in self._seen:
                self._engine.run("BEGIN")
                self._remove(part)
                self._engine.run("COMMIT")
                self._report.state["taken_out"] = self._report.state.get("taken_out", 0) + 1
                del self._parts[key]

    def views(self, place: str) -> frozenset[str]:
        """Make the views over the kept tables; returns which of them there are."""
        made = frozenset(name for part in self._seen.values() for name in part.note["made"])
        run = self._engine.run
        for name, select in _VIEWS.items():
            if name == "links" and self._engine.rows("SELECT 1 FROM ground.written LIMIT 1"):
                select += f" UNION ALL {_WRITTEN}"  # noqa: PLW2901
            if name == "people" or _MADE_WITH.get(name, name) in made:
                run(f"CREATE VIEW {name} AS {select}")
        if "acts" in made:
            act_views(self._engine)
        know_everyone(self._engine, self._at, place, self._report)
        return made

    def read_again(self, table: str, path: Path) -> frozenset[str]:
        """Make the views of a table that isn't kept."""
        source = self._open(table, path, self._report)
        if source is None:
            self._report.tables_left_out.append(table)
            return frozenset()
        made, (check,) = make_views(self._engine, {table: source}, self.kind, self._at, self._report)
        check.count(self._engine, self._report)
        return made


_VIEWS = {
    "people": "SELECT * EXCLUDE (part) FROM ground.people",
    "links": """SELECT account_id, CAST(kind AS VARCHAR) AS kind, key, NULL::VARCHAR AS value, first_seen, last_seen
        FROM ground.links""",
    "hosts": "SELECT * EXCLUDE (part) FROM ground.hosts",
    "doings": "SELECT * EXCLUDE (part) FROM ground.doings",
    "posts": """SELECT account_id, COALESCE(text, form) AS text, form, ts AS first_seen, ts AS last_seen
        FROM ground.texts""",
    "pictures": "SELECT * EXCLUDE (part) FROM ground.pictures",
    "avatars": f"SELECT account_id, {digits_sql('p')} AS pdq FROM ground.pictures p",
    "handles": "SELECT * EXCLUDE (part) FROM ground.handles",
}


_WRITTEN = """SELECT account_id, CAST(kind AS VARCHAR) AS kind, key, value, first_seen, last_seen FROM ground.written"""
_MADE_WITH = {"doings": "acts", "pictures": "avatars"}


_ONE_EACH = {"accounts": ("people",), "links": ("links", "hosts"), "posts": ("acts",), "avatars": ("avatars",),
             "handles": ("handles",)}
"""The views of a table that have one row, between them, for each of its rows that isn't left out."""


def _inserts(table: str, source: Source, made: frozenset[str], part: int) -> dict[str, str]:
    """Statements that load the views of one source, by view."""
    bare = source.is_number("object" if table == "posts" else "value")
    found = {
        "people": "account_id, created, " + ", ".join(
            column.name for column in SHAPES["accounts"].columns if column.role == "number") + " FROM reading.people",
        "links": f"account_id, kind, key, {'' if bare else 'value, '}first_seen, last_seen FROM reading.links",
        "hosts": "account_id, value, host, first_seen, last_seen FROM reading.hosts",
        "acts": "account_id, act, key, ts FROM reading.doings",
        "posts": "account_id, NULLIF(text, form), form, first_seen FROM reading.posts",
        "avatars": "account_id, w0, w1, w2, w3 FROM reading.pictures",
        "handles": "account_id, platform, handle, profile_url FROM reading.handles",
    }
    into = {"links": "links" if bare else "written", "acts": "doings", "posts": "texts", "avatars": "pictures"}
    return {name: f"INSERT INTO ground.{into.get(name, name)} SELECT {part}, {select}"
            for name, select in found.items() if name in made or (name, table) == ("people", "accounts")}
