"""The directory reads back as it was put, changes line by line, and every change is seen by its version."""

from __future__ import annotations

import multiprocessing
import tomllib
from collections.abc import Mapping

import pytest
from sqlalchemy import Engine, text

from exchange.errors import InputError
from exchange.model.credential import digest
from exchange.model.description import read_description
from exchange.model.party import Agreement, Credential, Directory, Membership
from exchange.store.directory import directory_version, load_directory, meta_value
from exchange.store.directory_changes import Change, apply, lock_directory
from exchange.store.engine import open_engine, raw, read, write
from tests.fakes.apart import apart

BASE = """
[[group]]
id = "g"
title = "Group"
[[community]]
id = "c"
title = "Community"
group = "g"
[[community.collection]]
id = "00000000-0000-4000-8000-000000000001"
alias = "x"
title = "X"
readers = ["g"]
writers = ["a", "*"]
default_terms = { tlp = "TLP:GREEN", refs = { lia = "L" } }
[[organisation]]
id = "a"
name = "Ä"
kind = "platform"
jurisdiction = "IE"
facts = { research_safeguards = "RS-1" }
[[organisation.membership]]
group = "g"
since = 2026-01-01
until = 2027-01-01
[[organisation.agreement]]
id = "base"
version = 2
purposes = ["p"]
[[organisation.credential]]
id = "k"
purpose = "p"
scopes = ["read"]
"""


def change(
    engine: Engine, description: str, *, prune: bool = False, environment: Mapping[str, str] | None = None
) -> list[Change]:
    with write(engine) as connection:
        lock_directory(connection)
        wanted = read_description(
            tomllib.loads(description),
            load_directory(connection),
            environment or {},
            source="test",
            alone=prune,
        )
        return apply(connection, wanted, prune=prune, entropy=lambda count: b"\x07" * count)


def load(engine: Engine) -> Directory:
    with read(engine) as connection:
        return load_directory(connection)


def lines(changes: list[Change]) -> list[str]:
    return [str(one) for one in changes]


def test_a_new_store_has_an_empty_directory(engine: Engine) -> None:
    directory = load(engine)
    assert directory.version == 1
    assert not any(
        (
            directory.organisations,
            directory.groups,
            directory.communities,
            directory.collections,
            directory.credentials,
        )
    )


def test_what_was_described_is_loaded(engine: Engine) -> None:
    changes = change(engine, BASE)
    directory = load(engine)
    organisation = directory.organisations["a"]
    assert (organisation.name, organisation.jurisdiction_class, organisation.clearance) == (
        "Ä",
        "EEA",
        "TLP:AMBER+STRICT",
    )
    assert organisation.active is True
    assert organisation.facts == {"research_safeguards": "RS-1"}
    assert organisation.memberships == (Membership("g", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),)
    assert organisation.agreements == (Agreement("base", version=2, purposes=("p",)),)
    assert directory.groups == {"g": "Group"}
    assert directory.communities["c"].group == "g"
    collection = directory.collections["00000000-0000-4000-8000-000000000001"]
    assert (collection.readers, collection.writers, collection.strictness) == (("g",), ("a", "*"), "standard")
    assert collection.default_terms == {"tlp": "TLP:GREEN", "refs": {"lia": "L"}}
    [issued] = [one.issued for one in changes if one.issued]
    assert directory.credentials["k"] == Credential("k", "a", issued.digest, purpose="p", scopes=("read",))


def test_the_same_description_again_changes_nothing(engine: Engine) -> None:
    change(engine, BASE)
    before = load(engine)
    assert change(engine, BASE) == []
    assert change(engine, BASE, prune=True) == []
    assert load(engine) == before


def test_any_change_makes_a_new_version(engine: Engine) -> None:
    change(engine, BASE)
    assert load(engine).version == 2
    change(engine, '[[group]]\nid = "h"')
    with read(engine) as connection:
        assert directory_version(connection) == 3


def test_a_change_is_seen_by_every_process_at_its_next_look(engine: Engine, migrated_url: str) -> None:
    elsewhere = open_engine(migrated_url)
    with raw(elsewhere) as connection:
        seen = connection.execute("SELECT value FROM meta WHERE key = 'directory.version'").fetchone()
        assert seen == ("1",)
        change(engine, BASE)
        seen = connection.execute("SELECT value FROM meta WHERE key = 'directory.version'").fetchone()
        assert seen == ("2",)
    with read(elsewhere) as connection:
        assert directory_version(connection) == 2
    elsewhere.dispose()


ORG = '[[organisation]]\nid = "a"\nname = "Ä"\nkind = "platform"\njurisdiction = "IE"\n'
KEY = '[[credential]]\nid = "k"\norg = "a"\n'


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (ORG + 'clearance = "TLP:RED"', ["~ organisation a: clearance TLP:AMBER+STRICT -> TLP:RED"]),
        (
            ORG + "facts = { government = true }",
            ['~ organisation a: facts {"research_safeguards":"RS-1"} -> {"government":true}'],
        ),
        (ORG, []),
        ('[[group]]\nid = "g"\ntitle = "G2"', ["~ group g: title Group -> G2"]),
        ('[[group]]\nid = "h"', ["+ group h: h"]),
        (
            '[[membership]]\norg = "a"\ngroup = "g"\nuntil = 2026-07-01',
            ["~ membership a/g: until 2027-01-01T00:00:00Z -> 2026-07-01T00:00:00Z"],
        ),
        (
            '[[membership]]\norg = "a"\ngroup = "g"\nstatus = "suspended"',
            ["~ membership a/g: status active -> suspended"],
        ),
        (
            '[[agreement]]\norg = "a"\nid = "base"\nversion = 3\npurposes = ["p", "q"]',
            ['~ agreement a/base: version 2 -> 3, purposes ["p"] -> ["p","q"]'],
        ),
        (
            '[[collection]]\ncommunity = "c"\nalias = "x"\ntitle = "Y"\nreaders = []',
            ['~ collection 00000000-0000-4000-8000-000000000001: title X -> Y, readers ["g"] -> []'],
        ),
        (KEY + "revoked = true", ["~ credential k: revoked no -> yes"]),
        (KEY + "until = 2027-01-01", ["~ credential k: until (none) -> 2027-01-01T00:00:00Z"]),
        (KEY + 'secret_env = "S"', ["~ credential k: secret changed"]),
    ],
)
def test_a_change_is_a_line_and_done_again_none(engine: Engine, description: str, expected: list[str]) -> None:
    change(engine, BASE)
    environment = {"S": "sixteen letters!"}
    assert lines(change(engine, description, environment=environment)) == expected
    assert change(engine, description, environment=environment) == []


def test_a_secret_from_the_environment_is_kept_as_its_digest(engine: Engine) -> None:
    change(engine, BASE)
    [changed] = change(engine, KEY + 'secret_env = "S"', environment={"S": "sixteen letters!"})
    assert changed.issued is None
    assert load(engine).credentials["k"].digest == digest("sixteen letters!")


def test_without_prune_what_is_not_described_stays(engine: Engine) -> None:
    change(engine, BASE)
    assert lines(change(engine, '[[group]]\nid = "h"')) == ["+ group h: h"]
    assert set(load(engine).organisations) == {"a"}


def test_with_prune_it_goes_in_an_order_that_breaks_no_reference(engine: Engine) -> None:
    change(engine, BASE)
    assert lines(change(engine, '[[group]]\nid = "h"', prune=True)) == [
        "+ group h: h",
        "- credential k",
        "- collection 00000000-0000-4000-8000-000000000001: c/x, X",
        "- community c: Community",
        "- agreement a/base",
        "- membership a/g",
        "- organisation a: Ä",
        "- group g: Group",
    ]
    assert load(engine).organisations == {}


def test_with_prune_keys_that_are_not_given_take_their_defaults(engine: Engine) -> None:
    change(engine, BASE)
    change(engine, ORG + 'clearance = "TLP:RED"')
    assert "~ organisation a: clearance TLP:RED -> TLP:AMBER+STRICT" in lines(change(engine, BASE, prune=True))


@pytest.mark.parametrize("prune", [False, True])
def test_silence_lifts_no_suspension_and_no_revocation(engine: Engine, prune: bool) -> None:
    change(engine, BASE)
    change(engine, ORG + "active = false")
    change(engine, KEY + "revoked = true")
    change(engine, '[[agreement]]\norg = "a"\nid = "base"\nstatus = "ended"')
    change(engine, '[[membership]]\norg = "a"\ngroup = "g"\nstatus = "ended"')
    suspended = load(engine)
    assert change(engine, BASE.replace("facts = ", "#"), prune=prune) == ([] if not prune else change_of_facts())
    organisation = load(engine).organisations["a"]
    assert organisation.active is False
    assert organisation.agreements == suspended.organisations["a"].agreements
    assert organisation.memberships == suspended.organisations["a"].memberships
    assert load(engine).credentials == suspended.credentials


def change_of_facts() -> list[Change]:
    return [Change("~", "organisation", "a", 'facts {"research_safeguards":"RS-1"} -> {}')]


def _push_something(engine: Engine) -> None:
    """As the intake would: an object of organisation ``a`` in the collection."""
    with write(engine) as connection:
        for statement in (
            "INSERT INTO feed (number, collection, last_seq) SELECT 1, id, 1 FROM collection",
            "INSERT INTO contributor (number, org) VALUES (1, 'a')",
            "INSERT INTO label (number, digest, facts) VALUES (1, 'd', '{}')",
            "INSERT INTO object (number, feed, seq, claim, contributor, label, id_key, stix_id, type, version,"
            " spec_version, body) VALUES (1, 1, 1, 1, 1, 1, 1, 'x--1', 'x', '', '2.1', '')",
        ):
            connection.execute(text(statement))


def test_a_collection_with_objects_is_never_pruned(engine: Engine) -> None:
    change(engine, BASE)
    _push_something(engine)
    with pytest.raises(InputError, match=r"collection x is not described any more, but it holds 1 object;"):
        change(engine, ORG, prune=True)
    assert load(engine).version == 2
    assert set(load(engine).credentials) == {"k"}


def test_an_organisation_that_contributed_is_suspended_and_not_removed(engine: Engine) -> None:
    change(engine, BASE)
    _push_something(engine)
    kept = "\n".join(BASE.split("[[organisation]]")[:1]).replace('"a", ', "")
    changes = lines(change(engine, kept, prune=True))
    assert "~ organisation a: active yes -> no (not removed: it took part; its keys open its notices alone)" in changes
    assert change(engine, kept, prune=True) == []
    organisation = load(engine).organisations["a"]
    assert (organisation.active, organisation.agreements, organisation.memberships) == (False, (), ())
    assert set(load(engine).credentials) == {"k"}  # it still opens the notices to a


def _apply_many(url: str, worker: int, answers: multiprocessing.SimpleQueue[object]) -> None:
    engine = open_engine(url)
    try:
        for step in range(5):
            change(engine, f'[[group]]\nid = "g{step}"\ntitle = "by {worker}"')
        answers.put("done")
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
        answers.put(repr(error))


def test_several_processes_change_it_at_once_and_none_is_lost(engine: Engine, migrated_url: str) -> None:
    answers = apart().SimpleQueue()
    processes = [apart().Process(target=_apply_many, args=(migrated_url, worker, answers)) for worker in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [answers.get() for _ in processes] == ["done"] * 3
    directory = load(engine)
    assert set(directory.groups) == {f"g{step}" for step in range(5)}
    assert directory.version == 1 + 15  # five added, and each changed by the two who came later


def test_a_fact_of_the_database_that_is_not_there_is_a_key_error(engine: Engine) -> None:
    with read(engine) as connection, pytest.raises(KeyError):
        meta_value(connection, "nothing")
