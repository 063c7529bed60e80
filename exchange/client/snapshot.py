"""A snapshot of a collection for newcomers: all that a member may have now, in files, with a place to follow from.

It is pulled over TAXII as any member pulls, so that policy, redaction and the ledger are those of a pull. Then the
server's manifest up to the last date tells what was withdrawn or revised meanwhile, and its count and root that the
rest is all. The description is written last: a snapshot without one isn't whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from exchange.client.follow_place import Place, PlaceFile
from exchange.client.snapshot_files import PARQUET_SCHEMA, digest_of, write_bundle, write_parquet, write_whole
from exchange.client.snapshot_stage import Head, Stage
from exchange.client.taxii import Client
from exchange.errors import InputError, UnavailableError

Format = Literal["parquet", "bundle", "both"]
FORMAT = 1
_TRIES = 5
_TOLD = 10
"""Pages between two sentences on how far it is."""
_AT_ONCE = 100
"""Ids asked for in one request."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What ``snapshot.json`` says."""

    format: int = FORMAT
    collection: str
    """URL of the collection."""
    member: str
    """Key id of the credential, where it is known."""
    cursor: str
    """Date of the last object: who follows goes on behind it. Empty where the collection was empty."""
    count: int
    root: str
    """Of ``exchange.stix.tally``, as ``/api/v1/collections/ID/tally?until=CURSOR`` had it."""
    proved: bool
    """The server told the same count and root; it doesn't where the collection changed at each try."""
    made_at: str
    files: Mapping[str, str]
    """Name of each file beside this one to its SHA-256."""
    parquet_schema: str = PARQUET_SCHEMA


class _Head(msgspec.Struct):
    id: str = ""
    type: str = ""
    modified: str = ""


class _Envelope(msgspec.Struct):
    objects: list[msgspec.Raw] = []
    more: bool = False
    next: str = ""


@dataclass(frozen=True)
class Target:
    """Where a snapshot goes: a folder, or one file (``.parquet``, ``.json``) with its description beside it."""

    parquet: Path | None
    bundle: Path | None
    description: Path

    @property
    def stage(self) -> Path:
        """What was pulled so far."""
        return self.description.with_name(f".{self.description.name}.part")

    def check_free(self) -> None:
        """Raise InputError where the snapshot is there, or a file that isn't an unfinished one's."""
        found = [path for path in (self.parquet, self.bundle) if path is not None and path.exists()]
        if self.description.exists() or (found and not self.stage.exists()):
            there = self.description if self.description.exists() else found[0]
            raise InputError(f"{there} exists.", fix="Name another place with --out, or remove it.")


def target(out: Path, form: Format | None) -> Target:
    """Where things go; raises InputError for a file name and a format that don't go together."""
    suffix = out.suffix.lower()
    if suffix in (".parquet", ".json"):
        kind = "parquet" if suffix == ".parquet" else "bundle"
        if form not in (None, kind):
            raise InputError(f"{out} is the name of one file, and not of a {form}.", fix="Name a folder with --out.")
        beside = out.with_name(f"{out.stem}.snapshot.json")
        return Target(out if kind == "parquet" else None, out if kind == "bundle" else None, beside)
    form = form or "both"
    return Target(None if form == "bundle" else out / "objects.parquet",
                  None if form == "parquet" else out / "bundle.json", out / "snapshot.json")


def take_snapshot(
    client: Client, collection: str | None, out: Path, form: Format | None = None, *,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Snapshot:
    """Pull everything into files; run again after a kill or a lost connection it goes on where it was.

    Raises InputError for what stands in the way at ``out``, NotFoundError, UnauthorizedError, UnavailableError.
    """
    where = target(out, form)
    where.check_free()
    url = client.collection_url(collection)
    try:
        where.description.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{where.description.parent} can't be made: {error.strerror}.",
                         fix="Name another place with --out.") from None
    with Stage(where.stage, url) as stage:
        held, root, proved = _pulled(client, url, stage, tell)
        if where.bundle is not None:
            write_bundle(where.bundle, stage.objects, root)
        if where.parquet is not None:
            write_parquet(where.parquet, stage.objects)
        made = Snapshot(
            collection=url, member=client.member, cursor=stage.kept("cursor"), count=held, root=root, proved=proved,
            made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            files={path.name: digest_of(path) for path in (where.parquet, where.bundle) if path is not None},
        )
        write_whole(where.description, msgspec.json.format(msgspec.json.encode(made)) + b"\n")
        stage.drop()
    return made


def _pulled(client: Client, url: str, stage: Stage, tell: Callable[[str], None]) -> tuple[int, str, bool]:
    """Bring the stage up to date; gives count and root, and whether the server's are the same."""
    for _ in range(_TRIES):
        _pull(client, url, stage, tell)
        _settle(client, url, stage)
        mine = stage.tally()
        said = _said(client, url, stage.kept("cursor"))
        if (said["count"], said["root"]) == (mine.count, mine.root):
            return mine.count, mine.root, True
    tell("The collection changed at each try: the snapshot is as it was between them.")
    return mine.count, mine.root, False


def _pull(client: Client, url: str, stage: Stage, tell: Callable[[str], None]) -> None:
    after, token, pulled = stage.kept("cursor"), "", 0
    for number in count(1):
        query = {"next": token} if token else {"added_after": after} if after else {}
        body, last = client.page(urljoin(url, "objects/"), query)
        envelope = msgspec.json.decode(body, type=_Envelope)
        if envelope.objects:
            if not last:
                raise UnavailableError(f"{url} doesn't say when it added what it sends: it can't be followed.",
                                       fix="Ask who runs it for X-TAXII-Date-Added-Last, which TAXII 2.1 demands.")
            stage.add(((_head(raw), bytes(raw)) for raw in envelope.objects), last)
            pulled += len(envelope.objects)
            if number % _TOLD == 0:
                tell(f"{pulled:,} objects pulled, up to {last}.")
        if not envelope.more:
            return
        after, token = last or after, envelope.next


def _head(raw: msgspec.Raw) -> Head:
    found = msgspec.json.decode(raw, type=_Head)
    return Head(found.id, "" if found.type == "marking-definition" else found.modified)


def _settle(client: Client, url: str, stage: Stage) -> None:
    """Let the stage hold what the manifest has up to its cursor; what lies behind that is for who follows."""
    until = stage.kept("cursor")
    for page in client.manifest(url):
        stage.take_manifest((str(one["id"]), _version(one), str(one["date_added"])) for one in page
                            if str(one["date_added"]) <= until)
    missing = stage.settle()
    for at in range(0, len(missing), _AT_ONCE):
        body, _ = client.page(urljoin(url, "objects/"), {"match[id]": ",".join(missing[at : at + _AT_ONCE])})
        stage.add((_head(raw), bytes(raw)) for raw in msgspec.json.decode(body, type=_Envelope).objects)
    stage.date()


def _version(record: Mapping[str, Any]) -> str:
    plain = record["version"] == record["date_added"] or str(record["id"]).startswith("marking-definition--")
    return "" if plain else str(record["version"])


def _said(client: Client, url: str, until: str) -> dict[str, Any]:
    """The server's tally up to a date."""
    name = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    asked = f"?until={quote(until)}" if until else "?until=1970-01-01T00:00:00Z"
    return client.plain_json(f"/api/v1/collections/{quote(name, safe='')}/tally{asked}")


def read_snapshot(path: Path) -> Snapshot:
    """A snapshot's description; ``path`` is that file or its folder. Raises InputError."""
    path = path / "snapshot.json" if path.is_dir() else path
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Snapshot)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(f"{path} can't be read as the description of a snapshot: {error}.",
                         fix="Name the snapshot.json that cibx snapshot wrote.") from None
    if found.format != FORMAT:
        raise InputError(f"{path} has format {found.format}, and this release knows {FORMAT}.",
                         fix="Use a newer release, or make the snapshot anew.")
    return found


def check_snapshot(client: Client, collection: str | None, path: Path) -> list[str]:
    """What is wrong with a snapshot, in sentences: its files, and its count and root by the server as it is now."""
    path = path / "snapshot.json" if path.is_dir() else path
    made, url = read_snapshot(path), client.collection_url(collection)
    _check_same(made, url, path)
    wrong = [f"{name} isn't as it was written." for name, digest in made.files.items()
             if digest_of(path.parent / name) != digest]
    said = _said(client, url, made.cursor)
    if (said["count"], said["root"]) != (made.count, made.root):
        wrong.append(f"The server has {said['count']:,} objects up to {made.cursor or 'its beginning'}, the snapshot"
                     f" {made.count:,}: some were revised, withdrawn or shown later since {made.made_at}.")
    return wrong


def begin_follower(path: Path, url: str, checkpoint: Path) -> None:
    """Let a follower of the collection at ``url`` that has no checkpoint yet begin behind a snapshot.

    Raises InputError for a snapshot of another collection or server.
    """
    made = read_snapshot(path)
    _check_same(made, url, path)
    with PlaceFile(checkpoint, url) as file:
        if not checkpoint.exists() and made.cursor:
            file.save(Place(made.cursor, made.cursor))


def _check_same(made: Snapshot, url: str, path: Path) -> None:
    if made.collection != url:
        raise InputError(f"{path} is a snapshot of {made.collection}, and not of {url}.",
                         fix="Name that collection and server, or a snapshot of this one.")
