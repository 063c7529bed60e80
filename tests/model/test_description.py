"""A description becomes wanted rows, or every fault of it is told with its place, cause and remedy."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.credential import digest
from exchange.model.description import DescriptionError, Wanted, read_description
from exchange.model.description_tables import TABLES
from exchange.model.party import Collection, Community, Credential, Directory, Organisation

EMPTY = Directory(version=1, organisations={}, groups={}, communities={}, collections={}, credentials={})
OTHER_ID = "00000000-0000-4000-8000-000000000001"
PRESENT = Directory(
    version=3,
    organisations={"org-old": Organisation(id="org-old", name="Old", kind="platform", jurisdiction="IE")},
    groups={"grp-old": "Old group"},
    communities={"old": Community(id="old", title="Old", group="grp-old")},
    collections={OTHER_ID: Collection(id=OTHER_ID, community="old", title="Taken", alias="taken")},
    credentials={
        "key-old": Credential(id="key-old", org="org-old", digest="d", purpose="cib-detection"),
        "key-revoked": Credential(id="key-revoked", org="org-old", digest="d", purpose="p", revoked=True),
    },
)
ORG = '[[organisation]]\nid = "a"\nname = "A"\nkind = "platform"\njurisdiction = "IE"\n'
KEY = '[[credential]]\nid = "k"\norg = "org-old"\npurpose = "cib-detection"\n'


def read(
    text: str, known: Directory = PRESENT, environment: Mapping[str, str] | None = None, alone: bool = False
) -> Wanted:
    return read_description(tomllib.loads(text), known, environment or {}, source="members.toml", alone=alone)


def faults(text: str, **options: Any) -> tuple[str, ...]:
    with pytest.raises(DescriptionError) as refused:
        read(text, **options)
    return refused.value.faults


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("[[organization]]", r"\[\[organization\]\]: There is no such table. Did you mean 'organisation'\?"),
        ("organisation = 3", r"no list of tables"),
        ('[organisation]\nid = "a"', r"Begin each organisation with \[\[organisation\]\]"),
        ('group = ["x"]', r"\[\[group\]\] no. 1: It is no table"),
        (
            ORG + 'clearence = "TLP:RED"',
            r"\[\[organisation\]\] 'a', key 'clearence': There is no such key. Did you mean 'clearance'",
        ),
        (
            ORG.replace("platform", "platfrm"),
            r"key 'kind': 'platfrm' is not known here. Did you mean 'platform'\? Use one of",
        ),
        (ORG + 'clearance = "red"', r"key 'clearance'.*TLP:AMBER\+STRICT"),
        (ORG.replace('name = "A"\n', ""), r"key 'name': It is missing"),
        (ORG.replace('id = "a"\n', ""), r"\[\[organisation\]\] no. 1, key 'id': It is missing"),
        (ORG.replace('"A"', '"  "'), r"key 'name'.*1 to 4000 characters"),
        (ORG.replace('"A"', "7"), r"key 'name': It is 7, which is no text"),
        (ORG.replace('"A"', r'"A\u0007"'), r"control character"),
        (ORG.replace('"A"', r'"A\nB"'), r"key 'name': 'A\\nB' holds a line break or control character. Write it on one"),
        (ORG.replace('"A"', r'"A\tB"'), r"key 'name'.*line break or control character"),
        (ORG.replace('"A"', r'"A\u0085B"'), r"key 'name'.*line break or control character"),
        (ORG.replace('"A"', r'"A\u2028B"'), r"key 'name'.*line break or control character"),
        ('[[group]]\nid = "g"\ntitle = "G\\n+ organisation b"', r"key 'title'.*line break"),
        (
            '[[community]]\nid = "c"\ngroup = "grp-old"\ntitle = "C\\n"\n[[community.collection]]\nalias = "d"\n'
            'title = "D"',
            r"key 'title'.*line break",
        ),
        (KEY + 'person = "p\\nq"', r"key 'person'.*line break"),
        (ORG.replace('"a"', '"a b"'), r"key 'id': 'a b' can't stand here. Write a name of letters"),
        (ORG.replace("IE", "Ireland"), r"key 'jurisdiction': 'Ireland' can't stand here. Write a country code"),
        (ORG + 'active = "yes"', r"key 'active': It is 'yes'. Write true or false"),
        (ORG + 'identity = "identity--1"', r"no id of a STIX identity"),
        (ORG + ORG, r"key 'id': a is described twice"),
        (ORG + 'groups = ["grp-old", "grp-old"]', r"'grp-old' is in the list twice"),
        (ORG + 'groups = "grp-old"', r"no list"),
        (
            ORG + 'groups = ["grp-odl"]',
            r"'a', key 'groups': There is no group 'grp-odl'. Did you mean 'grp-old'",
        ),
        (ORG + 'client_of = ["org-x"]', r"There is no organisation 'org-x'"),
        (ORG + "facts = { goverment = true }", r"'goverment' is no key of it. Did you mean 'government'"),
        (ORG + 'facts = { transfer = [{ tia = "x" }] }', r"'id' is missing in it"),
        (ORG + "facts = 3", r"which is no table"),
        (ORG.replace('"a"', '"grp-old"'), r"organisation and group 'grp-old'.*Both have the same id"),
        ('[[membership]]\norg = "org-x"\ngroup = "grp-old"', r"key 'org': There is no organisation 'org-x'"),
        ('[[membership]]\norg = "org-old"\ngroup = "g"', r"There is no group 'g'"),
        (
            '[[membership]]\norg = "org-old"\ngroup = "grp-old"\nsince = "yesterday"',
            r"key 'since': 'yesterday' is no date. Write 2026-01-31",
        ),
        (
            '[[membership]]\norg = "org-old"\ngroup = "grp-old"\nsince = 2026-01-01T00:00:00',
            r"doesn't say in which time zone",
        ),
        ('[[membership]]\norg = "org-old"\ngroup = "grp-old"\nsince = 2026', r"no date"),
        (
            '[[membership]]\norg = "org-old"\ngroup = "grp-old"\nsince = "0001-01-01T00:00:00+05:00"',
            r"out of range",
        ),
        (
            '[[membership]]\norg = "org-old"\ngroup = "grp-old"\nsince = 2026-02-01\nuntil = 2026-02-01',
            r"key 'until'.*not after since",
        ),
        (
            '[[agreement]]\norg = "org-old"\nid = "base"\nversion = 0',
            r"key 'version': It is 0. Write a whole number",
        ),
        ('[[agreement]]\norg = "org-old"\nid = "base"\nversion = true', r"It is True"),
        ('[[agreement]]\norg = "org-old"\nid = "base"\nstatus = "on"', r"active, suspended, ended"),
        (
            '[[agreement]]\norg = "org-old"\nid = "base"\ndefault_terms = { tlp = "TLP:GREN", regim = "US" }',
            r"'tlp': 'TLP:GREN' is not known here.*'regim' is no key of it. Did you mean 'regime'",
        ),
        (
            '[[agreement]]\norg = "org-old"\nid = "base"\ndefault_terms = { refs = { lia = 3 } }',
            r"table of texts",
        ),
        (
            '[[agreement]]\norg = "org-old"\nid = "base"\ndefault_terms = { requires_agreements = ["base"] }',
            r"no table",
        ),
        (
            '[[agreement]]\norg = "org-old"\nid = "base"\ndefault_terms = { named_orgs = ["x"] }',
            r"key 'default_terms.named_orgs': There is no organisation 'x'",
        ),
        ('[[community]]\nid = "new"\ntitle = "New"\ngroup = "grp-new"', r"There is no group 'grp-new'"),
        ('[[community]]\nid = "New"\ntitle = "New"\ngroup = "grp-old"', r"fits in a URL"),
        ('[[community]]\nid = "taxii2"\ntitle = "New"\ngroup = "grp-old"', r"used by the server itself"),
        (
            '[[collection]]\ncommunity = "odl"\nalias = "x"\ntitle = "X"',
            r"no community 'odl'. Did you mean 'old'",
        ),
        ('[[collection]]\ncommunity = "old"\nalias = "x y"\ntitle = "X"', r"alias that fits in a URL"),
        ('[[collection]]\ncommunity = "old"\nalias = "x/y"\ntitle = "X"', r"alias that fits in a URL"),
        (f'[[collection]]\ncommunity = "old"\nalias = "{OTHER_ID}"\ntitle = "X"', r"looks like an id"),
        (
            '[[collection]]\ncommunity = "old"\nid = "indicators"\ntitle = "X"',
            r"key 'id': 'indicators' is no UUID",
        ),
        ('[[collection]]\ncommunity = "old"\ntitle = "X"', r"neither id nor alias"),
        (
            '[[collection]]\ncommunity = "old"\nalias = "x"\ntitle = "X"\nreaders = ["nobody"]',
            r"There is no organisation or group 'nobody'",
        ),
        ('[[collection]]\ncommunity = "old"\nalias = "x"\ntitle = "X"\nreaders = [""]', r"key 'readers'"),
        (
            f'[[collection]]\ncommunity = "old"\nalias = "taken"\nid = "{OTHER_ID[:-1]}2"\ntitle = "X"',
            r"'taken' is the alias of collection 00000000-0000-4000-8000-000000000001 already",
        ),
        (KEY.replace('"k"', '"k:1"'), r"Write a key id"),
        (
            KEY.replace('purpose = "cib-detection"\n', ""),
            r"key 'purpose': A credential that reads needs a purpose",
        ),
        (KEY + 'scopes = ["read", "own"]', r"'own' is not known here"),
        (KEY.replace("org-old", "org-x"), r"There is no organisation 'org-x'"),
        (KEY + 'secret_env = "NOT_SET"', r"key 'secret_env': The environment variable NOT_SET is not set"),
        (KEY + 'secret_env = "EMPTY"', r"The environment variable EMPTY is not set"),
        (KEY + 'secret_env = "SHORT"', r"The secret in SHORT can't be used: it has 5 characters. Use 16"),
        (KEY + 'secret_env = "a-b"', r"Write the name of an environment variable"),
        (KEY.replace('"k"', '"key-old"').replace("org-old", "a") + ORG, r"The key 'key-old' is of 'org-old'"),
        (KEY.replace('"k"', '"key-revoked"') + "revoked = false", r"It was revoked, which is final"),
    ],
)
def test_a_fault_is_told_with_place_cause_and_remedy(text: str, pattern: str) -> None:
    told = faults(text, environment={"EMPTY": "", "SHORT": "short"})
    assert len(told) == 1, told
    assert told[0].startswith("members.toml: ")
    assert re.search(pattern, told[0]), told[0]


def test_all_faults_are_told_at_once_and_none_twice() -> None:
    text = (
        ORG.replace("IE", "xx").replace("platform", "x")
        + ORG.replace('"a"', '"b"')
        + 'groups = ["g"]\n'
        + '[[credential]]\nid = "k"\norg = "a"\npurpose = "p"\n'
    )
    told = faults(text, known=EMPTY)
    assert [re.search(r"key '(\w+)'", fault).group(1) for fault in told] == ["kind", "jurisdiction", "groups"]  # type: ignore[union-attr]


def test_the_error_counts_the_faults_and_says_that_nothing_changed() -> None:
    with pytest.raises(DescriptionError) as refused:
        read("[[x]]\n[[y]]\n")
    assert str(refused.value).splitlines()[0] == "members.toml has 2 faults; nothing was changed."
    assert refused.value.exit_code == 2


def test_a_secret_is_never_in_a_message_or_a_row() -> None:
    secret = "short-secret"
    told = faults(KEY + 'secret_env = "S"', environment={"S": secret})
    assert secret not in " ".join(told)
    wanted = read(KEY + 'secret_env = "S"', environment={"S": secret + secret})
    assert wanted["credential"]["k",] == {
        "id": "k",
        "org": "org-old",
        "purpose": "cib-detection",
        "digest": digest(secret + secret),
    }


def test_standing_alone_a_description_must_hold_what_it_refers_to() -> None:
    text = '[[membership]]\norg = "org-old"\ngroup = "grp-old"'
    assert read(text)["membership"]
    assert len(faults(text, alone=True)) == 2


@pytest.mark.parametrize(
    ("country", "expected"), [("IE", "EEA"), ("NO", "EEA"), ("GB", "UK"), ("US", "third"), ("CH", "third")]
)
def test_the_class_of_jurisdiction_follows_from_the_country(country: str, expected: str) -> None:
    row = read(ORG.replace("IE", country))["organisation"]["a",]
    assert row["jurisdiction_class"] == expected
    stated = read(ORG.replace("IE", country) + 'jurisdiction_class = "adequate"')["organisation"]["a",]
    assert stated["jurisdiction_class"] == "adequate"


@pytest.mark.parametrize(
    ("kind", "facts", "expected"),
    [
        ("government", "", {"government": True, "public_authority": True}),
        ("regulator", "facts = { government = false }", {"government": False, "public_authority": True}),
        (
            "regulator",
            "facts = { led_competent_authority = true }",
            {"government": True, "public_authority": True, "led_competent_authority": True},
        ),
        ("platform", "", None),
        ("researcher", "facts = { public_authority = true }", {"public_authority": True}),
    ],
)
def test_state_bodies_are_public_authorities_unless_stated(
    kind: str, facts: str, expected: dict[str, bool] | None
) -> None:
    assert read(ORG.replace("platform", kind) + facts)["organisation"]["a",].get("facts") == expected


def test_nested_tables_belong_to_their_parent() -> None:
    wanted = read(
        ORG
        + """
        groups = ["grp-old"]
        [[organisation.membership]]
        group = "second"
        since = 2026-01-01
        [[organisation.agreement]]
        id = "base"
        [[organisation.credential]]
        id = "k"
        purpose = "p"
        [[group]]
        id = "second"
        [[community]]
        id = "c"
        title = "C"
        group = "second"
        [[community.collection]]
        alias = "x"
        title = "X"
        writers = ["*", "a"]
    """
    )
    assert set(wanted["membership"]) == {("a", "grp-old"), ("a", "second")}
    assert wanted["membership"]["a", "second"]["since"] == "2026-01-01T00:00:00Z"
    assert set(wanted["agreement"]) == {("a", "base")}
    assert wanted["credential"]["k",]["org"] == "a"
    [collection] = wanted["collection"].values()
    assert collection["community"] == "c"
    assert collection["writers"] == ["*", "a"]


def test_a_nested_fault_names_the_whole_way() -> None:
    [told] = faults(ORG + '[[organisation.agreement]]\nid = "base"\nversion = "1"')
    assert told.startswith("members.toml: [[organisation]] 'a' > [[organisation.agreement]] 'base', key 'version': ")


def test_a_collection_without_id_has_one_that_never_changes() -> None:
    text = '[[collection]]\ncommunity = "old"\nalias = "new"\ntitle = "X"'
    [(one,)], [(other,)] = read(text)["collection"], read(text)["collection"]
    assert one == other == "6a294931-e8ad-5598-8ead-99f987550c1b"
    assert UUID(one).version == 5


def test_an_alias_that_exists_keeps_its_id() -> None:
    assert list(read('[[collection]]\ncommunity = "old"\nalias = "taken"\ntitle = "X"')["collection"]) == [(OTHER_ID,)]


@pytest.mark.parametrize(
    ("given_time", "stored"),
    [
        ("2026-01-31", "2026-01-31T00:00:00Z"),
        ('"2026-01-31"', "2026-01-31T00:00:00Z"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00Z"),
        ('"2026-01-31T12:00:00.25Z"', "2026-01-31T12:00:00.250000Z"),
    ],
)
def test_times_are_stored_in_utc(given_time: str, stored: str) -> None:
    row = read(KEY + f"until = {given_time}")["credential"]["k",]
    assert row["until"] == stored


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates() | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("id", "org", "tlp", "x")), inner, max_size=3)
    ),
    max_leaves=8,
)
_KEYS = sorted({key for table in TABLES.values() for key in (*table.keys, *table.nested)})


@given(
    st.dictionaries(
        st.sampled_from((*TABLES, "x")),
        st.lists(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=5), max_size=3) | _VALUES,
    )
)
def test_whatever_is_given_is_read_or_refused(document: dict[str, Any]) -> None:
    with contextlib.suppress(DescriptionError):
        read_description(document, PRESENT, {}, source="any")
