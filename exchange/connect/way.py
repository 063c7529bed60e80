"""For whom a source is brought in, and which way: into this machine's database, or to a server with a token.

Where a machine keeps what connectors need (``journal``) follows from the way, unless a person names a folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from exchange.client.taxii import Client
from exchange.connect.journal import Journal
from exchange.connect.local_sink import local_sink
from exchange.connect.runner import Sink
from exchange.connect.server_sink import ServerSink
from exchange.errors import InputError
from exchange.policy.packs import load
from exchange.settings import Settings
from exchange.wiring import packs_in_force

FOLDER = "cibx-connectors"


@dataclass(frozen=True)
class Way:
    """A way into an exchange; exactly one of ``org`` and ``server`` is set."""

    settings: Settings
    org: str = ""
    """The contributing organisation, for this machine's database."""
    server: str = ""
    """URL of a TAXII server, API root or collection."""
    token: str = field(default="", repr=False)
    collection: str | None = None
    state: Path | None = None
    """Folder to keep things in; None: the usual one."""

    @property
    def whose(self) -> str:
        """By which the journal keeps things apart."""
        return self.org or " ".join(filter(None, (self.server, self.collection)))

    @property
    def folder(self) -> Path:
        """Beside the SQLite file where the way leads to one, else in the current folder."""
        if self.state is not None:
            return self.state
        url = self.settings.database_url
        if not self.server and url.startswith("sqlite:///"):
            return Path(url.removeprefix("sqlite:///")).parent / FOLDER
        return Path(FOLDER)

    def journal(self) -> Journal:
        """The journal of this way; raises InputError where its folder can't be used."""
        return Journal(self.folder, self.whose)

    def terms(self, pack: str, *, dry_run: bool = False) -> Mapping[str, Any]:
        """A pack's terms: of the policy version in force, or (to a server, or in a dry run) of the configured folder.

        Raises SettingError that lists the packs for an unknown one.
        """
        if self.org and not dry_run:
            return packs_in_force(self.settings, self.org).terms(pack)
        return load(Path(self.settings.policies) if self.settings.policies else None).terms(pack)

    @contextmanager
    def sink(self, terms: Mapping[str, Any], journal: Journal) -> Iterator[Sink]:
        """The sink, as long as it is needed; raises InputError or NotFoundError where there is no such collection."""
        if self.org:
            with closing(local_sink(self.settings, org=self.org, collection=self.collection, terms=terms)) as sink:
                sink.keep_aside(journal)
                yield sink
            return
        if urlsplit(self.server).scheme not in ("http", "https"):
            raise InputError(f"{self.server!r} is no server.", fix="Give its URL: https://…")
        far = ServerSink(Client(self.server, token=self.token), self.collection, journal)
        far.keep_aside(journal)
        yield far
