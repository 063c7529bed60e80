"""A real exchange in this process with members who push, pull, judge and run it, for tests of cases."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from exchange.cases.contest import Actor
from exchange.cases.contests import Opening
from exchange.feed.page import objects_page
from exchange.feed.query import read_query
from exchange.model.description import read_description
from exchange.model.mailbox import mailbox_id
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import read, write
from exchange.store.migrations import migrate
from exchange.wiring import Exchange
from tests.fakes.club import collection

NOW = 1_795_000_000_000_000  # 18 November 2026
DAY = 86_400_000_000
HOUR = 3_600_000_000
HOME = "aaaaaaaa-0000-4000-8000-000000000001"
AWAY = "aaaaaaaa-0000-4000-8000-000000000002"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
STRICT = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"
_MEMBERS = {
    # organisation: kind, further lines, (key, person, scopes)
    "alpha": ("platform", "", ()),
    "beta": ("platform", 'facts = { platforms = ["twitter"] }', ()),
    "gamma": ("ai-lab", "", ()),
    "delta": ("researcher", "", ()),
    "puppet": ("platform", 'facts = { ownership_group = "holding" }', ()),
    "puppet2": ("platform", 'facts = { ownership_group = "holding" }', ()),
    "agency": ("government", "", ()),
    "outside": ("platform", "", ()),
    "runner": ("operator", "", (("runner-eva", "eva", ["read", "operate", "emergency"]),)),
    "court": ("civil-society", "", (("court-rita", "rita", ["read", "review"]),
                                    ("court-ada", "ada", ["read", "audit"]))),
}


def description() -> str:
    """The members as ``cibx apply`` reads them."""
    parts = ['[[group]]\nid = "club"\ntitle = "Club"\n[[community]]\nid = "c"\ntitle = "C"\ngroup = "club"\n',
             collection(HOME, "home"), collection(AWAY, "away")]
    for name, (kind, more, people) in _MEMBERS.items():
        groups = "[]" if name == "outside" else '["club"]'
        parts.append(f"""
[[organisation]]
id = "org-{name}"
name = "{name}"
kind = "{kind}"
jurisdiction = "IE"
controller_arrangement = "art26"
clearance = "TLP:RED"
groups = {groups}
{more}
[[organisation.agreement]]
id = "base"
version = 1
purposes = ["cib-detection"]
[[organisation.credential]]
id = "{name}"
purpose = "cib-detection"
""")
        for key, person, scopes in people:
            parts.append(f'[[organisation.credential]]\nid = "{key}"\nperson = "{person}"\nscopes = {scopes!r}\n'
                         'purpose = "cib-detection"\n')
    return "".join(parts)


@dataclass
class Circle:
    """The exchange, and what its members do; every step comes a second after the last one."""

    exchange: Exchange
    now: int = NOW
    told: list[Any] = field(default_factory=list)

    def tick(self, by: int = 1_000_000) -> int:
        self.now += by
        return self.now

    def push(self, org: str, *objects: dict[str, Any], alias: str = "home") -> list[str]:
        """The state of each object."""
        directory = self.exchange.directory()
        collection = next(c for c in directory.collections.values() if c.alias == alias and c.community == "c")
        raws = [json.dumps(o).encode() for o in objects]
        told = self.exchange.add(directory.organisations[f"org-{org}"], directory.credentials[org], collection, raws,
                                 self.tick())
        assert [t.outcome.message for t in told if t.outcome.state == "refused"] == []
        return [t.outcome.state for t in told]

    def reader(self, key: str) -> Any:
        directory = self.exchange.directory()
        credential = directory.credentials[key]
        return self.exchange.reader(directory, directory.organisations[credential.org], credential, None, self.tick())

    def pull(self, org: str, collection: str = HOME) -> list[dict[str, Any]]:
        """Everything of a collection that the organisation sees, as its feed gives it."""
        directory = self.exchange.directory()
        asked = read_query([], page_size=1_000, allowed=frozenset())
        page = self.exchange.page(objects_page, directory.collections[collection], self.reader(org), "test", asked)
        return list(json.loads(page.body).get("objects", []))

    def ids(self, org: str, collection: str = HOME) -> set[str]:
        return {obj["id"] for obj in self.pull(org, collection) if "disputed" not in obj.get("labels", ())}

    def flags(self, org: str) -> list[dict[str, Any]]:
        """The exchange's own notes on disputed objects, that still hold."""
        return [o for o in self.pull(org) if "disputed" in o.get("labels", ()) and not o.get("revoked")]

    def notices(self, org: str) -> list[tuple[str, str, tuple[str, ...]]]:
        """(kind, obligation, ids) of each notice to an organisation, oldest first, as its mailbox has them."""
        found = []
        for note in self.pull(org, mailbox_id(f"org-{org}")):
            for said in note.get("extensions", {}).values():
                found.append((said["kind"], said["obligation"], tuple(o["id"] for o in said["objects"])))
        return found

    def actor(self, key: str) -> Actor:
        return self.exchange.cases.members().actor(self.exchange.directory().credentials[key])

    def contest(self, key: str, *ids: str, collection: str = HOME, **more: Any) -> str:
        opening = Opening(collection, tuple(ids), more.pop("grounds", "It is a fan club."), **more)
        reader = self.reader(key)
        return self.exchange.cases.open_contest(self.actor(key), opening, reader, self.now)

    def take(self, key: str, case: str, step: Any, **more: Any) -> dict[str, Any]:
        self.exchange.cases.contests.take(self.actor(key), case, step, "Because.", self.tick(), **more)
        self.exchange.publish_records()
        return self.show(key, case)

    def show(self, key: str, case: str) -> dict[str, Any]:
        return self.exchange.cases.contests.show(self.actor(key), case, self.now)

    def standing(self, org: str, stix_id: str, collections: Sequence[str] = (HOME, AWAY)) -> dict[str, Any]:
        reader = self.reader(org)
        return self.exchange.cases.standing(stix_id, collections, reader, self.now)


def make_circle(database_url: str) -> Circle:
    exchange = Exchange(Settings(database_url=database_url), clock=lambda: circle.now)
    circle = Circle(exchange)
    migrate(exchange.engine)
    exchange.policy.begin(NOW)
    with read(exchange.engine) as connection:
        known = load_directory(connection)
    wanted = read_description(tomllib.loads(description()), known, {}, source="members")
    with write(exchange.engine) as connection:
        apply(connection, wanted)
    return circle


def indicator(value: str = "a.example", **change: Any) -> dict[str, Any]:
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z",
        "pattern": f"[domain-name:value = '{value}']", "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
    } | change


def opinion(about: str, word: str = "disagree", **change: Any) -> dict[str, Any]:
    return {
        "type": "opinion", "spec_version": "2.1", "id": f"opinion--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z",
        "opinion": word, "object_refs": [about],
    } | change


def sighting(of: str, **change: Any) -> dict[str, Any]:
    return {
        "type": "sighting", "spec_version": "2.1", "id": f"sighting--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "sighting_of_ref": of,
    } | change
