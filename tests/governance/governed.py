"""An exchange with three members whose policy is changed, on SQLite: packs narrower and wider than those it began with."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from exchange.feed.page import objects_page
from exchange.feed.query import read_query
from exchange.governance.change import PolicyChanges
from exchange.model.description import read_description
from exchange.model.mailbox import mailbox_id
from exchange.policy.check import run_cases
from exchange.policy.packtext import packs_of, texts_of
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import read, write
from exchange.store.ledger import Delivery, Receiver
from exchange.store.runs import encode_runs
from exchange.store.states import find_owned
from exchange.wiring import Exchange
from tests.fakes.empty_store import lay_empty
from tests.intake.test_push import FULL, GREEN, MEMBERS, handling, indicator

NOW = 1_795_000_000_000_000
DAY = 86_400_000_000
PLAIN = "aaaaaaaa-0000-4000-8000-000000000002"


@cache
def narrow() -> Mapping[str, str]:
    """The shipped packs, but legitimate interests need a record of consent too; cases that say otherwise are left out."""
    law = "lawful_bases/eu_gdpr.toml"
    shipped = texts_of()
    assert 'evidence = ["lia"]' in shipped[law]
    texts = {**shipped, law: shipped[law].replace('evidence = ["lia"]', 'evidence = ["lia", "consent"]')}
    for case in [case for case in run_cases(packs_of(texts)) if case.fault]:
        head, *cases = texts[case.file].split("[[cases]]")
        texts[case.file] = "[[cases]]".join([head, *(one for one in cases if f'name = "{case.name}"' not in one)])
    return texts


@dataclass
class Governed:
    """The exchange, at ``now``; ``noted`` is what the list outside of the database was told."""

    exchange: Exchange
    now: int = NOW
    noted: list[Any] = field(default_factory=list)

    def changes(self, days: float = 0) -> PolicyChanges:
        """Steps taken so many days later."""
        self.now += int(days * DAY)
        return PolicyChanges(self.exchange.engine, self.exchange.policy, self.exchange.directory(), self.now,
                             lambda connection, *noted: self.noted.extend(noted))

    def describe(self, text: str) -> None:
        with read(self.exchange.engine) as connection:
            known = load_directory(connection)
        with write(self.exchange.engine) as connection:
            apply(connection, read_description(tomllib.loads(text), known, {}, source="members"), clock=lambda: self.now)

    def push(self, *objects: dict[str, Any], alias: str = "plain") -> None:
        directory = self.exchange.directory()
        where = next(c for c in directory.collections.values() if c.alias == alias)
        told = self.exchange.add(directory.organisations["org-alpha"], directory.credentials["alpha"], where,
                                 [json.dumps(one).encode() for one in objects], self.now)
        assert [(t.outcome.state, t.outcome.code) for t in told] == [("added", "")] * len(objects)

    def sees(self, org: str, collection: str = PLAIN) -> list[dict[str, Any]]:
        directory = self.exchange.directory()
        who, key = directory.organisations[f"org-{org}"], directory.credentials[org]
        mailbox = collection == mailbox_id(f"org-{org}")
        reader = (self.exchange.mailbox_reader(directory, who, key, self.now) if mailbox
                  else self.exchange.reader(directory, who, key, None, self.now))
        page = self.exchange.page(objects_page, directory.collections[collection], reader, "test",
                                  read_query([], allowed=frozenset(), page_size=100))
        found: list[dict[str, Any]] = json.loads(page.body).get("objects", [])
        return found

    def receive(self, org: str, stix_id: str) -> None:
        """Note that a page with the object left for the organisation."""
        with read(self.exchange.engine) as connection:
            owned = find_owned(connection, stix_id, collection=PLAIN)[0]
        seqs = sorted(version.seq for version in owned.versions)
        number = self.exchange._numbers.contributor(f"org-{org}")
        self.exchange.ledger.note(
            Receiver(number, org, "cib-detection", 1, "policy"),
            Delivery(self.now, owned.feed, seqs[0], seqs[-1], len(seqs), encode_runs(seqs), hashlib.sha256().digest()),
        )

    def recalled(self, org: str) -> list[str]:
        """Ids of the objects that recalls in the organisation's mailbox name."""
        notes = [one for one in self.sees(org, mailbox_id(f"org-{org}")) if one["type"] == "note"]
        return [ref for note in notes for ref in note["object_refs"]]


def governed(folder: Path, texts: Mapping[str, str] | None = None) -> Governed:
    """A new exchange whose first version are the shipped packs, or these."""
    made = Governed(Exchange(Settings(database_url=lay_empty(folder / "cibx.db")), clock=lambda: made.now))
    if texts is not None:
        made.exchange.policy.folder = packs_of(texts)
        made.exchange.policy._texts = texts
    made.describe(MEMBERS)
    made.exchange.policy.begin(NOW - 9 * DAY)
    return made


def personal(*numbers: int) -> list[dict[str, Any]]:
    """A marking that says that data are personal on the ground of legitimate interests, and indicators that bear it."""
    terms = {name: value for name, value in FULL.items() if name != "special_basis"}
    marking = handling(**terms, data={"personal": "yes", "categories": ["Username"]})
    return [marking, *(indicator(object_marking_refs=[GREEN, marking["id"]], name=f"lorem {n}") for n in numbers)]
