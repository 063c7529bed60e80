"""Reads the archive of information operations that Twitter published: files of users and of tweets, CSV.

Each data set is a campaign, by the name of its files. A row of users becomes an account, and an indicator where
Twitter named it; the tweets of a file become one observation and one note of figures. Files are streamed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from connectors.x_archive.accounts import Account, Object, account
from connectors.x_archive.dataset import DataSet, of_file
from connectors.x_archive.tweets import Summary
from exchange.connect.asset import head, relationship
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.files_left import files_left
from exchange.connect.lines import lines
from exchange.connect.procedures import FIXED
from exchange.connect.prose import without_payment_numbers
from exchange.connect.records import Record, records
from exchange.connect.source import Option, Source
from exchange.connect.unread import HEAD, why_unread
from exchange.errors import InputError
from exchange.model.identifiers.fault import IdentifierError
from exchange.stix import extensions
from exchange.stix.ids import derived_id
from exchange.stix.timestamp import version_key

NAME = "x-archive"
FORMAT = 1
BATCH = 500
_MOST_KNOWN = 20_000
_MOST_REFS = 1_000
"""Accounts that an observation of tweets names."""
_TWITTER = derived_id("identity", NAME, "Twitter")
_USERS = frozenset({"userid", "user_screen_name"})
_TWEETS = frozenset({"tweetid", "userid"})
_SOURCE = "Twitter's archive of state-linked information operations"
_HASHED = "Twitter hashed it: kept as an account that no handle is compared with."


class XArchive(Connector):
    """The connector ``x-archive``."""

    name = NAME
    title = "X/Twitter information-operations archive: users and tweets (CSV)"
    options: ClassVar[Mapping[str, Option]] = {
        "name": Option("what the data set is called, where its files' names don't say it"),
        "date": Option("the day of its release, where its files' names don't say it: 2021-12-01"),
    }

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Batches of 500 rows, a file after the other; a row is a record, 1 = the header.

        Raises InputError where there is nothing to read, and for a single file that isn't of the archive; such a
        file in a folder is one quarantined row.
        """
        place = source.path
        stated = source.option("date")
        if stated and not _is_day(stated):
            raise InputError(f"The option date is {stated!r}.", fix="Write it like 2021-12-01.")
        single = not place.is_dir()
        found = [place] if single else _listed(place)
        mark = checkpoint if checkpoint and checkpoint.get("format") == FORMAT else {}
        for left in files_left(place, found, mark):
            known = of_file(left.path.stem)
            dataset = DataSet(source.option("name") or known.name, stated or known.day)
            try:
                yield from _read(left.path, left.name, dataset, left.mark, left.share)
            except _ForeignError as error:
                if single:
                    raise InputError(error.what, why=error.why, fix=error.fix) from error
                if left.mark.get("digest") == "":
                    continue  # it was told before the run was interrupted
                row = Row(left.name, 1, "quarantined", reason=str(error))
                yield Batch((), (row,), {"format": FORMAT, "file": left.name, "digest": "", "done": 1}, sum(left.share))


CONNECTOR = XArchive()


class _ForeignError(InputError):
    """A file that isn't of the archive: of a folder it is only one."""


def _is_day(text: str) -> bool:
    try:
        version_key(f"{text}T00:00:00Z")
    except ValueError:
        return False
    return True


def _listed(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*.[cC][sS][vV]") if path.is_file())
    if not found:
        raise InputError(f"The folder {folder} holds no .csv file.", fix="Name the folder of the archive's files.")
    return found


@dataclass
class _File:
    """One file under way."""

    name: str
    dataset: DataSet
    digest: str
    share: tuple[float, float]
    file: BinaryIO
    size: int
    done: int
    columns: tuple[str, ...] = ()
    accounts: int = 0
    hashed: int = 0
    languages: Counter[str] = field(default_factory=Counter)
    summary: Summary = field(default_factory=Summary)
    observed: dict[str, Object] = field(default_factory=dict)
    """The first accounts that tweeted."""
    known: set[str] = field(default_factory=set)
    """Ids of accounts that were read."""

    @cached_property
    def observation(self) -> str:
        """Id of what its tweets come to."""
        return self.id("observed-data", self.base)

    @property
    def stamp(self) -> str:
        """``created`` of everything that the data set tells."""
        return f"{self.dataset.day}T00:00:00.000Z" if self.dataset.day else FIXED

    @property
    def base(self) -> str:
        """Its name without folders: the same wherever it lies."""
        return self.name.rpartition("/")[2]

    @property
    def is_tweets(self) -> bool:
        """Whether it is a file of tweets."""
        return set(self.columns) >= _TWEETS

    def id(self, kind: str, *keys: str) -> str:
        """The id of something that the data set has one of."""
        return derived_id(kind, NAME, self.dataset.key, *keys)

    def head(self, kind: str, *keys: str, later: bool = False) -> Object:
        """What it begins with; ``later``: a version that knows the file's end."""
        changed = self.stamp.replace(".000Z", ".001Z") if later else ""
        return head(kind, self.id(kind, *keys), self.stamp, changed, by=_TWITTER)

    def batch(self, objects: list[Object], rows: list[Row], row: int) -> Batch:
        """What was read since the last one."""
        mark = {"format": FORMAT, "file": self.name, "digest": self.digest, "done": row}
        part = self.share[0] + self.share[1] * min(self.file.tell() / max(self.size, 1), 1.0)
        return Batch(tuple(objects), tuple(rows), mark, part)


def _read(path: Path, name: str, dataset: DataSet, mark: Mapping[str, Any], share: tuple[float, float]
          ) -> Iterator[Batch]:  # fmt: skip
    with _opened(path) as file:
        start = file.read(HEAD)
        file.seek(0)
        size = path.stat().st_size
        digest = f"{size}-{hashlib.sha256(start).hexdigest()}"
        done = mark.get("done") if mark.get("digest") == digest else 0
        at = _File(name, dataset, digest, share, file, size, done if type(done) is int else 0)
        rows = records(lines(file), "csv", ",")
        header = next(rows, None)
        at.columns = tuple(cell.strip().casefold() for cell in header.cells) if header is not None else ()
        if not set(at.columns) >= _USERS and not at.is_tweets:
            raise _ForeignError(f"{path} is no file of the archive: it has no columns userid and user_screen_name.",
                                fix="Name a file of its users or tweets, or read it with the connector table.")
        yield from _batches(at, rows)


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():
            raise _ForeignError(f"{path} is not a file.", fix="Name a file or the folder of the archive's files.")
        file = path.open("rb")
    except OSError as error:
        raise _ForeignError(f"{path} can't be read.", why=f"{error.strerror}.", fix="Check the path.") from error
    other = why_unread(file.read(HEAD))
    file.seek(0)
    if other is not None:
        file.close()
        raise _ForeignError(f"{path} is {other[0]}.", fix=other[1])
    return file


def _batches(at: _File, rows: Iterator[Record]) -> Iterator[Batch]:
    """What is done is looked at again on resuming, so that the figures at the end are those of the whole file."""
    objects = [_twitter(), _campaign(at), *([] if at.is_tweets else _infrastructure(at))]
    told = [Row(at.name, 1, "blank", (), "The header.")] if at.done < 1 else []
    row = 1
    for record in rows:
        row = record.row
        made, line = _record(at, record)
        if row > at.done:
            objects += made
            told.append(line)
        if row % BATCH == 0 and told:
            yield at.batch(objects, told, row)
            objects, told = [], []
    yield at.batch(objects + _end(at), told, row)


def _record(at: _File, record: Record) -> tuple[list[Object], Row]:
    if record.fault:
        return [], Row(at.name, record.row, "quarantined", (), record.fault)
    if record.blank:
        return [], Row(at.name, record.row, "blank")
    cells = dict(zip(at.columns, record.cells, strict=False))
    try:
        return _tweet(at, cells, record) if at.is_tweets else _user(at, account(cells), cells, record)
    except IdentifierError as error:
        return [], Row(at.name, record.row, "quarantined", (), f"{error}.", without_payment_numbers(record.raw))


def _tweet(at: _File, cells: Mapping[str, str], record: Record) -> tuple[list[Object], Row]:
    """Count a tweet; raises IdentifierError where it names no account."""
    who = cells.get("userid", "")
    if who not in at.known:
        found = account(cells)
        if len(at.known) < _MOST_KNOWN:
            at.known.add(who)
        if len(at.observed) < _MOST_REFS:
            at.observed.setdefault(found.observed["id"], found.observed)
    at.summary.add(cells)
    return [], Row(at.name, record.row, "note", (at.observation,))


def _user(at: _File, found: Account, cells: Mapping[str, str], record: Record) -> tuple[list[Object], Row]:
    at.accounts += 1
    at.hashed += not found.is_named
    if cells.get("account_language", "").strip():
        at.languages[cells["account_language"].strip()[:20]] += 1
    observed = found.observed
    opened = at.head("relationship", "consists-of", observed["id"])
    objects = [observed, relationship(opened, "consists-of", at.id("infrastructure"), observed["id"],
                                      says={"relation": "operated"})]  # fmt: skip
    if not found.is_named:
        return objects, Row(at.name, record.row, "note", (observed["id"],), _HASHED)
    made = at.head("indicator", found.key) | {
        "name": found.title, "indicator_types": ["attribution"], "pattern": found.pattern, "pattern_type": "stix",
        "valid_from": at.stamp,
    }  # fmt: skip
    linked = relationship(at.head("relationship", "indicates", found.key), "indicates", made["id"],
                          at.id("campaign"), says={"relation": "operated"})  # fmt: skip
    return [*objects, made, linked], Row(at.name, record.row, "indicator", (made["id"], observed["id"]))


def _twitter() -> Object:
    return head("identity", _TWITTER, FIXED) | {
        "name": "Twitter", "identity_class": "organization", "sectors": ["technology"]}


def _campaign(at: _File, accounts: int = 0) -> Object:
    says: Object = {
        "extension_type": "property-extension", "source_type": "platform-takedown", "platforms": ["x"],
        "dataset_boundary": {"statement": f"What {_SOURCE} holds of it; small accounts are hashed."},
    }  # fmt: skip
    if accounts:
        says["assets_actioned"] = [{"platform": "x", "asset_type": "account", "count": accounts, "action": "removed"}]
    return at.head("campaign", later=bool(accounts)) | {
        "name": f"X archive: {at.dataset.name}", "description": f"A data set of {_SOURCE}.",
        "extensions": {extensions.CAMPAIGN: says},
    }  # fmt: skip


def _infrastructure(at: _File) -> list[Object]:
    name = f"X archive: {at.dataset.name}: accounts"
    return [
        at.head("infrastructure") | {"name": name, "infrastructure_types": ["unknown"]},
        relationship(at.head("relationship", "uses"), "uses", at.id("campaign"), at.id("infrastructure"),
                     says={"relation": "operated"}),
    ]  # fmt: skip


def _end(at: _File) -> list[Object]:
    """What only the file's end tells: counts of users, or the observation of tweets."""
    if not at.is_tweets:
        if not at.accounts:
            return []
        told = f"{at.accounts:,} accounts, of them {at.hashed:,} hashed."
        languages = sorted(at.languages.items(), key=lambda one: (-one[1], one[0]))[:20]
        if languages:
            told += " Languages: " + ", ".join(f"{word} {count:,}" for word, count in languages) + "."
        return [_campaign(at, at.accounts), _note(at, told)]
    summary = at.summary
    if not at.observed:
        return []
    note = _note(at, summary.told())
    prints = summary.fingerprints()
    if prints:
        note["extensions"] = {extensions.EVIDENCE: {"extension_type": "property-extension", "fingerprints": prints}}
    first = summary.first or at.stamp
    observed = at.head("observed-data", at.base) | {
        "first_observed": first, "last_observed": summary.last or first,
        "number_observed": min(summary.tweets, 999_999_999), "object_refs": list(at.observed),
    }  # fmt: skip
    return [*at.observed.values(), observed, note]


def _note(at: _File, told: str) -> Object:
    return at.head("note", at.base) | {"abstract": f"Figures of {at.base}"[:200], "content": told,
                                       "object_refs": [at.id("campaign")]}  # fmt: skip
