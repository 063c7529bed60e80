"""A connector's way into an exchange on another machine, with nothing but a token: TAXII, and a folder for itself.

What the server can't be told beside the objects, their terms, travels as markings (``stated_terms``). Checkpoints are
kept in the folder, since the server knows of no connectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import quote, urljoin

import msgspec

from exchange.client.push import Fate, Pushing
from exchange.client.taxii import Client
from exchange.connect.journal import Journal
from exchange.connect.quarantine import Quarantine
from exchange.connect.stated_terms import TermsWriter
from exchange.errors import ExchangeError, ForbiddenError, NotFoundError
from exchange.model.pushed import PushOutcome
from exchange.obligations.put_aside import wipe
from exchange.stix.canonical import canonical

_CODED = re.compile(r"([a-z][a-z-]{2,60}): (.+)", re.DOTALL)
UNCHANGED = "unchanged"
"""Begins the message of an object that our server had already."""


class Checkpoints(Protocol):
    """Where checkpoints are kept (``exchange.connect.journal``)."""

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        """What was saved last for the pair."""
        ...

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        """Keep JSON values for the pair, durably; None forgets it."""
        ...


class ServerSink:
    """One member's way into one collection of a server: a ``Sink``."""

    def __init__(self, client: Client, collection: str | None, checkpoints: Checkpoints) -> None:
        """Raises NotFoundError where the token may write to no such collection, or to several."""
        self._client = client
        self._pushing = Pushing(client, collection)
        self._checkpoints = checkpoints
        self._writers: dict[str, TermsWriter] = {}
        self._sent: set[bytes] = set()
        """Markings that the server has. One that it refused counts in its own envelope alone: it goes along again."""

    @property
    def url(self) -> str:
        """The collection's."""
        return self._pushing.url

    def keep_aside(self, journal: Journal) -> None:
        """Wipe from a journal's rows what the member's notices call erased; a server without notices has none."""
        if Quarantine(journal).count():
            with suppress(ExchangeError):
                wipe(journal.database, journal.whose, self._client.notices().erased())

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        """Push with the terms that the objects leave open; an answered object is durable there."""
        key = canonical(dict(terms))
        writer = self._writers.setdefault(key, TermsWriter(terms)) if terms else None
        written: list[bytes] = []
        needed: dict[bytes, None] = {}
        for raw in objects:
            body, markings = writer.write(raw) if writer else (raw, [])
            written.append(body)
            needed.update(dict.fromkeys(marking for marking in markings if marking not in self._sent))
        fates = list(self._pushing.push([*needed, *written])) if written else []
        refused = {fate.id for fate in fates if fate.refused}
        self._sent.update(marking for marking in needed if msgspec.json.decode(marking)["id"] not in refused)
        told = _Told(fates)
        return [told.of(raw) for raw in written]

    def held(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """The last versions that the token may read; raises ForbiddenError where it may read none."""
        return {str(item["id"]): msgspec.json.encode(item)
                for page in self._client.pages(self.url, ids=ids) for item in page.objects}

    def erased(self, ids: Sequence[str]) -> Iterable[str]:
        """Those that the exchange calls erased; a server that tells no states erases nothing."""
        notices, found = self._client.notices(), []
        for one in ids:
            with suppress(NotFoundError, ForbiddenError):
                found += [one] if notices.is_erased(one) else []
        return found

    def delete(self, identifier: str) -> None:
        """Ask for its deletion; what isn't there, or is somebody else's, or is held, is no fault."""
        with suppress(NotFoundError, ForbiddenError):
            self._client.delete(urljoin(self.url, f"objects/{quote(identifier, safe='')}/?match[version]=all"))

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        """From the folder."""
        return self._checkpoints.load_checkpoint(connector, source_key)

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        """Into the folder."""
        self._checkpoints.save_checkpoint(connector, source_key, checkpoint)


class _Told:
    """A status resource, asked object by object: it names successes and failures apart, by id and version."""

    def __init__(self, fates: Sequence[Fate]) -> None:
        self._fates: dict[tuple[str, str], list[Fate]] = {}
        for fate in fates:
            self._fates.setdefault((fate.id, fate.version), []).append(fate)
            self._fates.setdefault((fate.id, ""), []).append(fate)

    def of(self, raw: bytes) -> PushOutcome:
        """What became of an object; it counts as refused where the server doesn't tell."""
        head = msgspec.json.decode(raw)
        identifier = str(head.get("id", ""))
        version = str(head.get("modified") or head.get("created") or "")
        found = self._fates.get((identifier, version)) or self._fates.get((identifier, "")) or self._fates.get(
            ("unknown", "")) or []
        if not found:
            return PushOutcome(identifier, "refused", "not-told", "The server doesn't say what became of it.")
        fate = found.pop(0) if len(found) > 1 else found[0]
        if not fate.refused:
            return PushOutcome(identifier, "unchanged" if fate.message.startswith(UNCHANGED) else "added")
        coded = _CODED.fullmatch(fate.message)
        code, sentence = (coded[1], coded[2]) if coded else ("refused", fate.message or "No reason was given.")
        return PushOutcome(identifier, "refused", code, sentence)
