"""An exchange in this process with four members, an operator and a clock that tests set; deliveries are noted by hand."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from exchange.feed.page import objects_page
from exchange.feed.query import read_query
from exchange.model.description import read_description
from exchange.model.mailbox import mailbox_id
from exchange.model.state import State
from exchange.obligations.desk import Desk
from exchange.obligations.states import Changed
from exchange.obligations.transitions import By, Role
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import read, write
from exchange.store.ledger import Delivery, Receiver
from exchange.store.migrations import migrate
from exchange.store.runs import encode_runs
from exchange.store.states import find_owned
from exchange.wiring import Exchange
from tests.fakes.club import collection

NOW = 1_795_000_000_000_000  # 18 November 2026
DAY = 86_400_000_000
PLAIN = "aaaaaaaa-0000-4000-8000-000000000002"
SECOND = "aaaaaaaa-0000-4000-8000-000000000003"
_MEMBERS = """
[[group]]
id = "club"
title = "Club"
[[community]]
id = "c"
title = "C"
group = "club"
"""
for _alias, _id in (("plain", PLAIN), ("second", SECOND)):
    _MEMBERS += collection(_id, _alias)
for _org, _kind in (("alpha", "platform"), ("beta", "platform"), ("gamma", "ai-lab"), ("delta", "platform"),
                    ("office", "operator")):  # fmt: skip
    _MEMBERS += f"""
[[organisation]]
id = "org-{_org}"
name = "{_org}"
kind = "{_kind}"
jurisdiction = "IE"
clearance = "TLP:RED"
controller_arrangement = "art26"
groups = ["club"]
[[organisation.agreement]]
id = "base"
version = 1
purposes = ["cib-detection"]
[[organisation.credential]]
id = "{_org}"
purpose = "cib-detection"
"""


@dataclass
class Members:
    """The exchange and what its members do; ``now`` is the time that it believes in."""

    exchange: Exchange
    now: int = NOW

    @property
    def desk(self) -> Desk:
        return self.exchange.obligations

    def push(self, org: str, *objects: dict[str, Any], collection: str = PLAIN) -> list[tuple[str, str]]:
        """(state, code) of each object."""
        directory = self.exchange.directory()
        told = self.exchange.add(
            directory.organisations[f"org-{org}"], directory.credentials[org], directory.collections[collection],
            [json.dumps(o).encode() for o in objects], self.now,
        )
        return [(t.outcome.state, t.outcome.code) for t in told]

    def receive(self, org: str, stix_id: str, *, collection: str = PLAIN, only_last: bool = False) -> None:
        """Note that a page with every version of the object left for the organisation."""
        with read(self.exchange.engine) as connection:
            owned = find_owned(connection, stix_id, collection=collection)[0]
        seqs = sorted(version.seq for version in owned.versions)[-1 if only_last else 0 :]
        number = self.exchange._numbers.contributor(f"org-{org}")
        self.exchange.ledger.note(
            Receiver(number, org, "cib-detection", 1, "policy"),
            Delivery(self.now, owned.feed, seqs[0], seqs[-1], len(seqs), encode_runs(seqs), hashlib.sha256().digest()),
        )

    def change(self, stix_id: str, to: State, *, role: Role = "producer", org: str = "org-alpha") -> Changed:
        by = By(org if role == "producer" else "org-office", role, "a key")
        return self.desk.change(stix_id, org, to, reason="As the test asks.", by=by, now=self.now)

    def sees(self, org: str, *, collection: str = PLAIN) -> list[dict[str, Any]]:
        """Every version that the organisation's credential reads."""
        return self._read(org, collection, {"match[version]": "all"})

    def mailbox(self, org: str) -> list[dict[str, Any]]:
        """The notes in the organisation's mailbox."""
        return [o for o in self._read(org, mailbox_id(f"org-{org}"), {}) if o["type"] == "note"]

    def _read(self, org: str, collection: str, query: dict[str, str]) -> list[dict[str, Any]]:
        directory = self.exchange.directory()
        who, key = directory.organisations[f"org-{org}"], directory.credentials[org]
        found = directory.collections[collection]
        if collection == mailbox_id(f"org-{org}"):
            reader = self.exchange.mailbox_reader(directory, who, key, self.now)
        else:
            reader = self.exchange.reader(directory, who, key, None, self.now)
        asked = read_query(list(query.items()), page_size=1_000, allowed=frozenset(query))
        page = self.exchange.page(objects_page, found, reader, "test", asked)
        return list(json.loads(page.body).get("objects", []))


def opened(database_url: str) -> Members:
    """A new exchange with everybody in it."""
    exchange = Exchange(Settings(database_url=database_url))
    found = Members(exchange)
    exchange.clock = lambda: found.now
    migrate(exchange.engine)
    with read(exchange.engine) as connection:
        known = load_directory(connection)
    wanted = read_description(tomllib.loads(_MEMBERS), known, {}, source="members")
    with write(exchange.engine) as connection:
        apply(connection, wanted)
    return found


def indicator(**change: Any) -> dict[str, Any]:
    """A valid indicator of its own."""
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z",
        "pattern": "[domain-name:value = 'a.example']", "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
    } | change
