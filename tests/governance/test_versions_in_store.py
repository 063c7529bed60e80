"""Versions, the directory's history and differences on a real store, on both engines."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from uuid import uuid4

import pytest

from exchange.errors import InputError, SettingError
from exchange.feed.page import objects_page
from exchange.feed.query import read_query
from exchange.governance.change import PolicyChanges
from exchange.governance.difference import World, difference
from exchange.governance.in_force import PolicyInForce
from exchange.model.description import read_description
from exchange.model.policy_version import Stage, Step
from exchange.policy.packtext import packs_of, texts_of
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.directory_history import directory_at
from exchange.store.engine import read, write
from exchange.store.migrations import migrate
from exchange.store.versions import add_steps, add_version, load_steps
from exchange.wiring import Exchange
from tests.intake.test_push import AMBER, GREEN, MEMBERS, indicator

NOW = 1_795_000_000_000_000
DAY = 86_400_000_000
SHIPPED = texts_of()
HARMLESS = {**SHIPPED, "programme.toml": SHIPPED["programme.toml"].replace('title = "Programme"', 'title = "Other"')}


def describe(exchange: Exchange, text: str, at: int) -> None:
    with read(exchange.engine) as connection:
        known = load_directory(connection)
    with write(exchange.engine) as connection:
        apply(connection, read_description(tomllib.loads(text), known, {}, source="members"), clock=lambda: at)


@pytest.fixture
def exchange(migrated_url: str) -> Iterator[Exchange]:
    made = Exchange(Settings(database_url=migrated_url), clock=lambda: NOW)
    migrate(made.engine)
    describe(made, MEMBERS, NOW - 9 * DAY)
    made.policy.begin(NOW - 8 * DAY)
    yield made
    made.engine.dispose()


def test_the_first_start_makes_the_folders_packs_the_active_version_once(exchange: Exchange) -> None:
    assert exchange.policy.begin(NOW) == ""
    exchange.directory()
    assert [(s.stage, s.digest) for s in exchange.policy.steps.steps] == [(Stage.ACTIVE, exchange.policy.folder.digest)]
    assert exchange.packs.digest == exchange.policy.folder.digest


def test_packs_whose_own_cases_fail_never_become_the_first_version(database_url: str) -> None:
    made = Exchange(Settings(database_url=database_url), clock=lambda: NOW)
    migrate(made.engine)
    pap = texts_of()["pap.toml"].replace('decision = "allow"', 'decision = "deny"', 1)
    with pytest.raises(SettingError, match=r"pap.toml: case 'PAP:RED lets logs be searched': it is allow"):
        PolicyInForce(made.engine, {**texts_of(), "pap.toml": pap}).begin(NOW)
    with read(made.engine) as connection:
        assert load_steps(connection).steps == ()
    made.engine.dispose()


def test_another_process_notices_a_new_version_at_its_next_request(exchange: Exchange, migrated_url: str) -> None:
    other = Exchange(Settings(database_url=migrated_url), clock=lambda: NOW)
    before = other.packs.digest
    changes = exchange.policy_changes()
    digest = changes.propose(HARMLESS, "Ana", "other words").digest
    assert other.packs.digest == before
    assert changes.advance(digest[:8], Stage.ACTIVE, "Ana", "nobody gains").steps[-1].digest == digest
    assert other.packs.digest == digest != before
    assert other.policy.at("org-alpha", NOW - DAY) == other.policy.version(before)
    assert other.policy.at("org-alpha", NOW - 9 * DAY) is None
    other.engine.dispose()


def test_labels_are_not_made_anew_by_a_version_and_grants_follow_it(exchange: Exchange) -> None:
    directory = exchange.directory()
    plain = next(c for c in directory.collections.values() if c.alias == "plain")
    bodies = [json.dumps(indicator()).encode() for _ in range(3)]
    exchange.add(directory.organisations["org-alpha"], directory.credentials["alpha"], plain, bodies, NOW)

    def count(table: str) -> int:
        with read(exchange.engine) as connection:
            return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar_one())

    def seen() -> int:
        present = exchange.directory()
        reader = exchange.reader(present, present.organisations["org-beta"], present.credentials["beta"], None, NOW)
        page = exchange.page(objects_page, plain, reader, "test", read_query([], allowed=frozenset(), page_size=100))
        return len(json.loads(page.body).get("objects", []))

    assert seen() == 3
    labels = count("label")
    digest = exchange.policy_changes().propose(HARMLESS, "Ana", "other words").digest
    exchange.policy_changes().advance(digest, Stage.ACTIVE, "Ana", "nobody gains")
    more = exchange.directory().organisations["org-alpha"]
    exchange.add(more, directory.credentials["alpha"], plain, [json.dumps(indicator()).encode()], NOW)
    assert count("label") == labels
    assert seen() == 4
    assert exchange.policy_changes().roll_back("Ana", "back").digest != digest
    assert seen() == 4


def test_the_directory_is_known_as_it_was(exchange: Exchange) -> None:
    describe(exchange, '[[membership]]\norg = "org-beta"\ngroup = "club"\nstatus = "ended"\n', NOW - 3 * DAY)
    with read(exchange.engine) as connection:
        present = load_directory(connection)
        before = directory_at(connection, NOW - 4 * DAY)
        after = directory_at(connection, NOW)
        assert directory_at(connection, NOW - 10 * DAY) is None
        at_once = directory_at(connection, NOW - 3 * DAY)
    assert before is not None
    assert after is not None
    assert at_once is not None
    assert before.organisations["org-beta"].memberships[0].status == "active"
    assert at_once.organisations["org-beta"].memberships[0].status == "ended"
    assert after.organisations == present.organisations
    assert after.collections == present.collections
    assert {c.digest for c in after.credentials.values()} == {"-"}
    assert {c.digest for c in present.credentials.values()} != {"-"}


def test_a_difference_counts_what_each_member_sees_more_or_less_of(exchange: Exchange) -> None:
    directory = exchange.directory()
    plain = next(c for c in directory.collections.values() if c.alias == "plain")
    objects = [indicator(object_marking_refs=[mark]) for mark in (GREEN, GREEN, AMBER)]
    raws = [json.dumps(one).encode() for one in objects]
    exchange.add(directory.organisations["org-alpha"], directory.credentials["alpha"], plain, raws, NOW)

    def pulled(org: str) -> set[str]:
        present = exchange.directory()
        key = present.credentials[org.removeprefix("org-")]
        reader = exchange.reader(present, present.organisations[org], key, None, NOW)
        page = exchange.page(objects_page, plain, reader, uuid4().hex,
                             read_query([], allowed=frozenset(), page_size=100))
        return {one["id"] for one in json.loads(page.body).get("objects", [])}

    orgs = ("org-alpha", "org-beta", "org-gamma")
    before = exchange.directory()
    seen = {org: pulled(org) for org in orgs}
    describe(exchange, '[[agreement]]\norg = "org-beta"\nid = "base"\nstatus = "ended"\n'
                       '[[membership]]\norg = "org-gamma"\ngroup = "club"\nstatus = "ended"\n', NOW)
    after = exchange.directory()
    then = {"org-alpha": pulled("org-alpha"), "org-beta": pulled("org-beta"), "org-gamma": set()}
    with read(exchange.engine) as connection:
        there = World(before, exchange.policy.of), World(after, exchange.policy.of)
        found = {one.org: (one.gained, one.lost) for one in difference(connection, *there, NOW)}
        back = {one.org: (one.gained, one.lost) for one in difference(connection, *reversed(there), NOW)}
    expected = {org: (len(then[org] - seen[org]), len(seen[org] - then[org])) for org in orgs if then[org] != seen[org]}
    assert expected
    assert found == expected
    assert back == {org: (lost, gained) for org, (gained, lost) in expected.items()}


def test_an_active_version_that_this_release_cannot_read_stops_with_a_sentence(
    exchange: Exchange, migrated_url: str
) -> None:
    with write(exchange.engine) as connection:
        add_version(connection, "f" * 64, {"tlp.toml": "[pack]\n"})
        add_steps(connection, [Step("f" * 64, Stage.ACTIVE, NOW, "Ana", "made by another release")])
    with pytest.raises(SettingError, match="can't be read by this release"):
        exchange.directory()


def test_texts_are_kept_word_for_word() -> None:
    assert packs_of(HARMLESS).digest != packs_of(texts_of()).digest
    assert packs_of(dict(HARMLESS)).digest == packs_of(HARMLESS).digest


WEAKENED = [
    # file, old, new
    ("versions.toml", "days = 7", "days = 0"),
    ("obligations.toml", "suspend = true", "suspend = false"),
    ("cases.toml", 'id = "answer-hours"\nvalue = 336', 'id = "answer-hours"\nvalue = 1'),
    ("lawful_bases/eu_gdpr.toml", 'evidence = ["consent"]\ncitation = "GDPR Art. 6(1)(a), 7"', ""),
]


@pytest.mark.parametrize(("file", "old", "new"), WEAKENED)
def test_weaker_duties_need_two_people_and_the_shadow_period_in_force(
    exchange: Exchange, file: str, old: str, new: str
) -> None:
    assert old in SHIPPED[file]
    changes = exchange.policy_changes()
    digest = changes.propose({**SHIPPED, file: SHIPPED[file].replace(old, new)}, "Ana", "weaker").digest
    with pytest.raises(InputError, match="isn't only a narrowing, and Ana proposed it: another person"):
        changes.advance(digest, Stage.ACTIVE, "Ana", "alone")
    with pytest.raises(InputError, match="was not in shadow"):
        changes.advance(digest, Stage.CANARY, "Ben", "at once", ("org-beta",))
    changes.advance(digest, Stage.SHADOW, "Ana", "count")
    with pytest.raises(InputError, match="shadow period has 24 hours to go"):
        PolicyChanges(exchange.engine, exchange.policy, exchange.directory(), NOW + 6 * DAY).advance(
            digest, Stage.ACTIVE, "Ben", "too early")
    later = PolicyChanges(exchange.engine, exchange.policy, exchange.directory(), NOW + 7 * DAY)
    assert later.advance(digest, Stage.ACTIVE, "Ben", "after seven days").steps[-1].digest == digest


def test_a_candidate_with_a_longer_shadow_period_waits_its_own(exchange: Exchange) -> None:
    text = SHIPPED["versions.toml"].replace("days = 7", "days = 9")
    changes = exchange.policy_changes()
    digest = changes.propose({**SHIPPED, "versions.toml": text}, "Ana", "longer").digest
    changes.advance(digest, Stage.SHADOW, "Ana", "count")
    with pytest.raises(InputError, match="24 hours to go"):
        PolicyChanges(exchange.engine, exchange.policy, exchange.directory(), NOW + 8 * DAY).advance(
            digest, Stage.ACTIVE, "Ben", "early")
