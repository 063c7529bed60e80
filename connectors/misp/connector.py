"""The connector ``misp``: events from files, feeds and servers, one at a time.

An event whose stamp is known is passed over; within an event a run goes on at the batch where it stopped. A row's file
is the event's document, ``NAME#2`` for the second event of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import chain
from typing import Any, ClassVar

import msgspec

from connectors.misp import documents, feed, remembered, server
from connectors.misp.context import Made, Settings
from connectors.misp.documents import Found
from connectors.misp.event import Event, withdrawn_ids
from connectors.misp.record import Record
from connectors.misp.remembered import At, Memory
from connectors.misp.tags import read_catalogue
from connectors.misp.terms import read_audiences
from connectors.misp.warninglists import read_lists
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.source import Option, Source
from exchange.errors import ForbiddenError, InputError
from exchange.model.identifiers.keyring import read_ring
from exchange.model.misp.words import NAME

_BATCH = 500
_MOST_MISSING = 0.1
"""Share of the known events that may vanish at once; more is taken for a fault of the list."""
_FLAGS = {"yes": True, "no": False}


class Misp(Connector):
    """The connector for MISP."""

    name = NAME
    title = "MISP: event JSON, feeds (folder or address), servers by REST"
    options: ClassVar[Mapping[str, Option]] = {
        "audience": Option("Who MISP's levels are here: community=group:NAME,SHARING GROUP=org:ID,…"
                           " (levels organisation, community, connected; else nobody but you gets them)"),
        "warninglists": Option("File or folder of misp-warninglists: what is on one is no indicator"),
        "galaxies": Option("File or folder of misp-galaxy clusters, for events that carry tags only"),
        "unpublished": Option("yes or no: take events that their organisation hasn't published"
                              " (else yes for files that you name, no for feeds and servers)"),
        "accounts": Option("yes: accounts of social objects are indicators though nothing is flagged to_ids", "no"),
        "missing": Option("withdraw: events that the list doesn't have any more are withdrawn; keep", "keep"),
    }
    secrets: ClassVar[Mapping[str, str]] = {
        "key": "Authorization key of the MISP server (a URL without it is read as a feed)",
        "keyring": "Ring of keys (TOML): e-mails, phones, payment numbers, cookies and devices become keyed hashes",
    }
    lasting = True
    stale_after = timedelta(days=2)

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Batches of about 500 objects with their rows; a lasting checkpoint of stamps.

        Raises InputError where the source, an option or the list of events can't be read, and as ``Web.request``.
        """
        settings, memory = _settings(source), remembered.read(checkpoint)
        if source.option("missing") not in ("", "keep", "withdraw"):
            raise InputError("The option missing is withdraw or keep.")
        found = _documents(source)
        single = not source.is_url and not source.path.is_dir() and not feed.is_feed(source.path)
        names = [one.name for one in found]
        first = names.index(memory.at.name) if memory.at.name in names else 0
        for number, one in enumerate(found):
            progress = (number, len(found))
            if one.stamp and memory.stamp(one.key) == _version(one.stamp, source):
                continue
            if one.stamp or number >= first:
                yield from _document(one, source, settings, memory, progress, strict=single)
        memory.at = At()
        gone = _gone(source, memory, found)
        yield Batch(checkpoint=memory.record(), progress=1.0, withdrawn=tuple(gone))


def _documents(source: Source) -> list[Found]:
    if source.is_url:
        return list(server.listed(source) if source.secrets.get("key") and not _is_document(source.url)
                    else feed.at_address(source))  # fmt: skip
    if not source.path.exists():
        raise InputError(f"There is no file or folder {source.path}.", fix="Name a MISP event, or a feed's folder.")
    return list(feed.in_folder(source.path) if feed.is_feed(source.path) else documents.listed(source.path))


def _is_document(url: str) -> bool:
    return url.lower().endswith(".json")


def _settings(source: Source) -> Settings:
    ring = source.secrets.get("keyring", "")
    key = read_ring(ring, {}).current(source.now().date()) if ring else None
    return Settings(
        read_audiences(source.option("audience")), read_lists(source.option("warninglists")),
        read_catalogue(source.option("galaxies")), key, _chosen(source, "unpublished", unsaid=_handed_over(source)),
        _chosen(source, "accounts"),
    )  # fmt: skip


def _handed_over(source: Source) -> bool:
    """Whether somebody named a file or folder of events; a feed or server lists also what isn't finished."""
    return not source.is_url and not feed.is_feed(source.path)


def _chosen(source: Source, name: str, *, unsaid: bool = False) -> bool:
    value = source.option(name).strip().lower()
    if not value:
        return unsaid
    if value not in _FLAGS:
        raise InputError(f"The option {name} is yes or no.")
    return _FLAGS[value]


def _document(
    found: Found, source: Source, settings: Settings, memory: Memory, progress: tuple[int, int], *, strict: bool,
) -> Iterator[Batch]:
    """The events of one document. ``strict``: it is the whole source, so that a fault is the run's."""
    resume = memory.at
    try:
        items = found.read()
    except (InputError, ForbiddenError) as error:
        if strict:
            raise
        memory.at = At(found.name, 1)
        row = Row(found.name, 1, "quarantined", reason=str(error))
        yield Batch((), (row,), memory.record(), progress[0] / progress[1])
        return
    done = resume.number if resume.name == found.name and not found.stamp else 0
    for number, item in enumerate(items):
        if number < done:
            continue
        name = found.name if len(items) == 1 else f"{found.name}#{number + 1}"
        event = Event(item, name, settings)
        event.known = memory.known(event.key)
        version = _version(found.stamp or _digest(item), source)
        if memory.stamp(event.key) == version:
            continue
        same = resume.name == found.name and resume.number == number and resume.stamp == version
        skip = resume.batches if same else 0
        for count, made in enumerate(_steps(event), 1):
            if count > skip:
                memory.at = At(found.name, number, version, count)
                share = (progress[0] + number / len(items)) / progress[1]
                yield Batch(tuple(made.objects), tuple(made.rows), memory.record(), share, tuple(made.withdrawn))
        memory.remember(event, version)
        memory.at = At(found.name, number + 1)
        yield Batch(checkpoint=memory.record(), progress=(progress[0] + (number + 1) / len(items)) / progress[1])


def _steps(event: Event) -> Iterator[Made]:
    """The event in steps of about ``_BATCH`` objects; the same event always has the same steps."""
    step = Made()
    for made in chain(event.steps(), [None]):
        if made is not None:
            step.add(made)
        if (made is None and (step.rows or step.objects)) or len(step.objects) >= _BATCH or len(step.rows) >= _BATCH:
            yield step
            step = Made()


def _gone(source: Source, memory: Memory, found: list[Found]) -> list[str]:
    """Ids of everything that events made which aren't listed any more, where the person wants that withdrawn."""
    if source.option("missing") != "withdraw" or not any(one.stamp for one in found):
        return []
    listed = {one.key for one in found}
    missing = [key for key in memory.events if key not in listed]
    if len(missing) > max(1, int(len(memory.events) * _MOST_MISSING)):
        raise InputError(
            f"{len(missing):,} of {len(memory.events):,} known events aren't listed any more: nothing was withdrawn.",
            why="That many at once is more likely a fault of the list.",
            fix="Check the source; withdraw them with cibx revoke, or run with the option missing=keep.",
        )
    ids = []
    for key in missing:
        known = memory.known(key)
        ids += withdrawn_ids(key, known.keys if known else ())
        memory.forget(key)
    return ids


def _version(stamp: str, source: Source) -> str:
    """A stamp together with what the person chose: other options read the same event anew."""
    chosen = sorted((name, value) for name, value in source.options.items() if name != "missing")
    chosen.append(("keyring", str(bool(source.secrets.get("keyring")))))
    return f"{stamp} {hashlib.blake2b(repr(chosen).encode(), digest_size=4).hexdigest()}"


def _digest(item: Record) -> str:
    return hashlib.blake2b(msgspec.json.encode(item, order="sorted"), digest_size=12).hexdigest()


CONNECTOR = Misp()
