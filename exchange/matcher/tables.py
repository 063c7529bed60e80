"""Entity tables of a folder, checked and brought to one form as views of the engine.

After ``read_entities`` the engine has: ``accounts`` (one row per account), and where the table is there ``links``
(account_id, kind, key, value, first_seen, last_seen), ``hosts`` (links and posts in the clear that name a domain
or URL), ``avatars``, ``posts`` (texts) and ``handles``. Rows that can't be used are counted with a reason.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from exchange.errors import InputError
from exchange.matcher.engine import Engine
from exchange.matcher.mapping import TableMapping
from exchange.matcher.report import Report, TableCount
from exchange.matcher.shapes import SHAPES, Column, Shape
from exchange.matcher.values import INTEGERS, LINK_KINDS, quoted, real, time_sql
from exchange.words import counted, verb

_ENDINGS = (".parquet", ".csv", ".tsv", ".csv.gz", ".tsv.gz")
_KNOWN_ELSE = ("indicators", "truth")


@dataclass(frozen=True)
class Source:
    """One table as found: how to scan it, its columns and types under our names."""

    shape: Shape
    place: str
    """For people: the file's name."""
    scan: str
    """What stands after FROM."""
    types: dict[str, str]
    """Our name of a column that is there to its type in the file."""
    columns: dict[str, str]
    """Our name to the quoted name in the file."""
    kinds: dict[str, str]
    from_text: bool = False
    """Whether the file is CSV: its types are guesses."""
    seconds: frozenset[str] = frozenset()
    """Columns of times that are whole seconds throughout."""
    rows: int = 0

    def has(self, name: str) -> bool:
        """Whether the file has the column."""
        return name in self.types

    def is_number(self, name: str) -> bool:
        """Whether the column holds whole numbers."""
        return self.types.get(name) in INTEGERS


def find_sources(engine: Engine, folder: Path, mapping: dict[str, TableMapping], report: Report) -> dict[str, Source]:
    """The entity tables in a folder. Raises InputError when the folder or the accounts table can't be read."""
    if not folder.is_dir():
        raise InputError(f"The entities' folder {folder} is not there.",
                         fix="Name a folder with accounts.parquet (or .csv) and the other entity tables.")
    sources = {}
    for name, shape in SHAPES.items():
        given = mapping.get(name, TableMapping())
        path = _locate(folder, name, given, report)
        source = open_source(engine, shape, path, given, report) if path else None
        if path and not source:
            report.tables_left_out.append(name)
        if source:
            sources[name] = source
        elif shape.needed:
            raise no_table(folder, name, report)
    _name_unknown(folder, mapping, report)
    return sources


def find_files(folder: Path, mapping: dict[str, TableMapping], report: Report) -> dict[str, list[Path]]:
    """The files of each entity table in a folder; a table may lie in a folder of parts. Raises InputError as
    ``find_sources`` does where the folder or any file of accounts is missing."""
    if not folder.is_dir():
        raise InputError(f"The entities' folder {folder} is not there.",
                         fix="Name a folder with accounts.parquet (or .csv) and the other entity tables.")
    found: dict[str, list[Path]] = {}
    for name, shape in SHAPES.items():
        path = _locate(folder, name, mapping.get(name, TableMapping()), report)
        if path is not None:
            found[name] = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        elif shape.needed:
            raise no_table(folder, name, report)
    _name_unknown(folder, mapping, report)
    return found


def no_table(folder: Path, name: str, report: Report) -> InputError:
    """What is said when a table that is needed isn't there."""
    return InputError(f"The entities' folder {folder} has no {name} table that can be read.",
                      why=" ".join(report.problems[-1:]),
                      fix=f"Add {name}.parquet or {name}.csv, or name its file in a mapping file.")


def _locate(folder: Path, name: str, given: TableMapping, report: Report) -> Path | None:
    if given.file is not None:
        path = folder / given.file
        if not path.exists():
            report.problems.append(f"The mapping file says that {name} is in {given.file}, which is not in the"
                                   f" entities' folder; {name} are left out.")
            report.tables_left_out.append(name)
            return None
        return path
    found = [folder / f"{name}{ending}" for ending in _ENDINGS if (folder / f"{name}{ending}").is_file()]
    if (folder / name).is_dir() and any((folder / name).glob("*.parquet")):
        found.append(folder / name)
    if len(found) > 1:
        report.problems.append(f"{name} is there more than once; {found[0].name} is used and"
                               f" {', '.join(path.name for path in found[1:])} left out. Keep one of them.")
    return found[0] if found else None


def _scan(path: Path) -> str:
    if path.is_dir():
        return f"read_parquet({quoted(str(path / '*.parquet'))}, union_by_name = true)"
    if path.suffix == ".parquet":
        return f"read_parquet({quoted(str(path))})"
    tab = ", delim = '\t'" if ".tsv" in path.name else ""
    return (f"read_csv({quoted(str(path))}, header = true, all_varchar = true, null_padding = true,"
            f" ignore_errors = true, store_rejects = true{tab})")


def open_source(engine: Engine, shape: Shape, path: Path, given: TableMapping, report: Report,
                place: str = "") -> Source | None:
    """One file (or folder of parts) as a table; None, and why in the report, where it can't be one.

    ``place`` is what people are told it is called (default: the file's name).
    """
    import duckdb  # noqa: PLC0415 - as in engine

    scan, place = _scan(path), place or path.name
    try:
        if "read_csv" in scan:
            scan = _keep_csv(engine, shape, path, scan, report)
        there = {row[0]: row[1] for row in engine.rows(f"DESCRIBE SELECT * FROM {scan}")}
        rows = engine.one(f"SELECT count(*) FROM {scan}")[0]
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        report.problems.append(f"{place} can't be read ({first}); it is left out. Write the file anew.")
        return None
    lower = {name.strip().lower(): name for name in there}
    columns, types = {}, {}
    for column in shape.columns:
        theirs = given.columns.get(column.name, column.name)
        actual = theirs if theirs in there else lower.get(theirs.strip().lower())
        if actual is not None:
            columns[column.name], types[column.name] = '"' + actual.replace('"', '""') + '"', there[actual]
        elif column.needed and _is_utf16(path):
            report.problems.append(f"{place} is UTF-16; the table is left out. Save it as UTF-8.")
            return None
        elif column.needed:
            report.problems.append(f"{place} has no column {theirs!r}; the table is left out. Add the column,"
                                   f" or say in a mapping file what it is called.")
            return None
        elif column.missing:
            report.problems.append(f"{place} has no column {theirs!r}; without it {column.missing}.")
    from_text = path.is_file() and path.suffix != ".parquet"
    return Source(shape, place, scan, types, columns, dict(given.kinds), from_text, rows=rows)


def _is_utf16(path: Path) -> bool:
    """Whether a file begins with UTF-16's mark, as some spreadsheets write text."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def _keep_csv(engine: Engine, shape: Shape, path: Path, scan: str, report: Report) -> str:
    """Read a text file once into the work folder as Parquet; count the lines that are no rows of it."""
    kept = engine.work / f"{shape.name}.read.parquet"
    engine.run(f"COPY (SELECT * FROM {scan}) TO {quoted(str(kept))} (FORMAT parquet)")
    rejected = engine.rows("SELECT count(DISTINCT line), min(line) FROM reject_errors")[0]
    if rejected[0]:
        count = report.tables.setdefault(shape.name, TableCount())
        count.read += rejected[0]
        count.skipped["the line is not a row of the table"] += rejected[0]
        report.problems.append(f"{path.name}: {counted(rejected[0], 'line')}"
                               f" {verb(rejected[0], 'is no row', 'are no rows')} of the table (the first is line"
                               f" {rejected[1]}) and left out. Mend quotes and separators there, and what isn't UTF-8.")
    engine.run("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    return f"read_parquet({quoted(str(kept))})"


def _name_unknown(folder: Path, mapping: dict[str, TableMapping], report: Report) -> None:
    named = {Path(given.file).parts[0] for given in mapping.values() if given.file}
    for path in sorted(folder.iterdir()):
        stem = path.name.split(".")[0]
        if path.is_file() and not path.name.endswith(_ENDINGS):
            continue
        if path.name.startswith(".") or path.name in named or stem in SHAPES or stem in _KNOWN_ELSE:
            continue
        report.problems.append(f"{path.name} is no entity table that is known; it is left out."
                               " Name it in a mapping file if it is one under another name.")


def account_type(engine: Engine, source: Source) -> str:
    """Type of account_id all through the run: whole numbers where the accounts table has nothing else, else text."""
    if source.is_number("account_id"):
        return "BIGINT"
    name = source.columns["account_id"]
    written, = engine.one(f"""SELECT bool_and(written) FROM (
            SELECT regexp_full_match(CAST({name} AS VARCHAR), '0|[1-9][0-9]{{0,17}}') AS written
            FROM {source.scan} WHERE {name} IS NOT NULL)""")
    return "BIGINT" if written and source.from_text else "VARCHAR"


def column_sql(source: Source, column: Column, wanted: str) -> str:
    """A column in our form, NULL where it is absent or isn't what it should be."""
    if not source.has(column.name):
        return "NULL"
    name, kind = source.columns[column.name], source.types[column.name]
    if column.role == "time":
        return f"CAST({name} AS BIGINT)" if column.name in source.seconds else time_sql(name, kind)
    if column.role == "number":
        number = f"TRY_CAST({name} AS DOUBLE)"
        return f"CASE WHEN {number} BETWEEN 0 AND {real(column.most)} THEN {number} END"
    return f"TRY_CAST({name} AS {wanted})"


@dataclass(frozen=True)
class Check:
    """What can be wrong with rows of a table: the first reason whose predicate holds counts."""

    source: Source
    faults: dict[str, str]
    """Reason to the predicate of rows that it leaves out."""
    kinds: tuple[str, tuple[str, ...]] | None = None
    """Expression of the kind of a row, and the kinds that are known."""

    def pass_all(self, report: Report) -> None:
        """Count the rows of a table of which all were used."""
        report.tables.setdefault(self.source.shape.name, TableCount()).read += self.source.rows

    def count(self, engine: Engine, report: Report) -> None:
        """Look at each row, and count those that are left out by reason."""
        cases = " ".join(f"WHEN {predicate} THEN {quoted(reason)}" for reason, predicate in self.faults.items())
        count = report.tables.setdefault(self.source.shape.name, TableCount())
        for reason, rows in engine.rows(f"""SELECT reason, count(*) FROM (
                SELECT CASE {cases} ELSE '' END AS reason FROM {self.source.scan}) GROUP BY 1"""):
            count.read += rows
            if reason:
                count.skipped[reason] += rows
        if self.kinds and count.skipped:
            self._name_unknown_kinds(engine, report, *self.kinds)

    def _name_unknown_kinds(self, engine: Engine, report: Report, kind: str, known: tuple[str, ...]) -> None:
        listed = ", ".join(map(quoted, known))
        unknown = engine.rows(f"""SELECT kind, count(*) FROM (
                SELECT {kind} AS kind FROM {self.source.scan} WHERE {kind} NOT IN ({listed}))
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5""")
        for name, rows in unknown:
            report.problems.append(
                f"{self.source.place}: {counted(rows, 'row')} {verb(rows, 'has', 'have')} the unknown itype {name!r}"
                f" and {verb(rows, 'is', 'are')} left out. Known: {', '.join(LINK_KINDS)}; a mapping can rename them.")
