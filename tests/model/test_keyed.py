"""Keyed hashes: the published vectors, who is one and who isn't, and keys over time."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import date
from importlib.resources import files
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.keyed import Key, Token, hash_input, token, user_id
from exchange.model.identifiers.keyring import read_ring
from exchange.model.identifiers.kinds import KINDS
from exchange.stix import extensions
from exchange.stix.ids import sco_id
from exchange.stix.validate import check

PUBLISHED = json.loads(files("exchange.model.identifiers").joinpath("test_vectors.json").read_text("utf-8"))
VECTORS: list[dict[str, str]] = PUBLISHED["vectors"]
KEY = Key("grp-1", b"k" * 32)
OTHER = Key("grp-2", b"l" * 32)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']} {vector['seen'][:30]}")
def test_a_published_vector_is_reproduced(vector: dict[str, str]) -> None:
    key = Key(vector["key_id"], bytes.fromhex(PUBLISHED["keys"][vector["key_id"]]))
    found = token(KINDS[vector["kind"]], vector["seen"], key, vector.get("fold", ""))
    assert found == Token(vector["of"], vector["key_id"], vector["norm"], vector["value"])


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['kind']} {vector['seen'][:30]}")
def test_a_published_vector_can_be_computed_without_this_program(vector: dict[str, str]) -> None:
    secret = bytes.fromhex(PUBLISHED["keys"][vector["key_id"]])
    assert hmac.new(secret, vector["input"].encode(), hashlib.sha256).hexdigest() == vector["value"]
    assert vector["input"].split("\n")[:2] == [vector["norm"], vector["of"]]
    assert vector["input"].count("\n") == 2


def test_at_least_twenty_vectors_are_published_for_every_word_and_two_keys() -> None:
    assert len(VECTORS) >= 20
    assert {one["of"] for one in VECTORS} == {kind.hashed_as for kind in KINDS.values() if kind.tokenisable}
    assert len({one["key_id"] for one in VECTORS}) == 2


SIX_WAYS = [
    ("account", "twitter.com/Lorem_Ipsum9"),
    ("account", "x:@LOREM_IPSUM9"),
    ("account", "Twitter: lorem_ipsum9"),
    ("account", "hxxps://x[.]com/lorem_ipsum9/media"),
    ("account", "x[.]com/lorem_ipsum9"),
    ("account", "https://mobile.twitter.com/lorem_ipsum9/status/12?s=20"),
]


def test_one_account_told_in_six_ways_has_one_token_and_one_id() -> None:
    assert len({token(KINDS[name], text, KEY) for name, text in SIX_WAYS}) == 1
    said = [{path.partition(":")[2]: value for path, value in KINDS[name].stix(KINDS[name].normalise(text)).items()}
            for name, text in SIX_WAYS]  # fmt: skip
    assert len({sco_id("user-account", one) for one in said}) == 1


def hashed_account(tokens: list[Token], *scope: str) -> dict[str, Any]:
    properties = {"account_type": "x", "user_id": user_id(tokens, *scope)}
    stated = {"extension_type": "property-extension", "hashed_identifiers": [one.stated() for one in tokens]}
    return {"type": "user-account", "spec_version": "2.1", "id": sco_id("user-account", properties), **properties,
            "extensions": {extensions.ACCOUNT: stated}}  # fmt: skip


def tokens(device: str, account: str = "") -> list[Token]:
    found = [token(KINDS["device"], device, KEY)]
    return [*found, token(KINDS["account"], account, KEY)] if account else found


STRANGERS = {
    "known by their own ids": (hashed_account(tokens("shared-phone", "exlab:u1")), hashed_account(tokens("shared-phone", "exlab:u2"))),
    "on one device, in one report": (hashed_account(tokens("shared-phone"), "lab", "r1", "1"), hashed_account(tokens("shared-phone"), "lab", "r1", "2")),
    "on one device, in two reports": (hashed_account(tokens("shared-phone"), "lab", "r1", "1"), hashed_account(tokens("shared-phone"), "lab", "r2", "1")),
    "with parts that join to one text": (hashed_account(tokens("shared-phone"), "lab", "r1\n1", "1"), hashed_account(tokens("shared-phone"), "lab", "r1", "1\n1")),
}


@pytest.mark.parametrize(("one", "other"), STRANGERS.values(), ids=STRANGERS)
def test_two_hashed_strangers_never_become_one(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["id"] != other["id"]
    assert check(one) is None
    assert check(other) is None


def test_an_account_hashed_in_two_reports_is_one() -> None:
    assert hashed_account(tokens("a-device-of-two", "exlab:u1"))["id"] == hashed_account(tokens("another-device", "exlab:u1"))["id"]


def test_an_account_that_nothing_names_is_refused() -> None:
    with pytest.raises(ValueError, match="report and subject"):
        user_id(tokens("shared-phone"))


@given(st.lists(st.sampled_from([
    ("email", "a@lorem.org"), ("email", "A@lorem.org"), ("email", "b@lorem.org"), ("account", "x:lorem"), ("account", "tiktok:lorem"),
    ("handle", "lorem"), ("phone", "+12025550123"), ("phone", "+12025550124"), ("email-domain", "lorem.org"), ("ipv4", "9.1.2.3"),
    ("device", "2025550123"), ("cookie", "sid=2025550123"),
]), min_size=2, max_size=12, unique=True))  # fmt: skip
def test_tokens_of_different_identifiers_kinds_keys_and_normalisations_differ(chosen: list[tuple[str, str]]) -> None:
    made = [token(KINDS[name], text, key) for name, text in chosen for key in (KEY, OTHER)]
    made += [token(KINDS[name], text, KEY, "gmail-fold-1") for name, text in chosen if name == "email" and text.islower()]
    assert all(one.value != other.value for one, other in combinations(made, 2))


@pytest.mark.parametrize(
    ("name", "text", "fold", "why"),
    [
        ("domain", "lorem.org", "", "no keyed hash"),
        ("hashtag", "#lorem", "", "no keyed hash"),
        ("sha256", "ab" * 32, "", "no keyed hash"),
        ("email", "lorem", "", "no e-mail"),
        ("email", "a@lorem.org", "fold-2", "no normalisation"),
        ("phone", "+12025550123", "gmail-fold-1", "no normalisation"),
    ],
)
def test_what_no_hash_stands_for_is_refused(name: str, text: str, fold: str, why: str) -> None:
    with pytest.raises(IdentifierError, match=why):
        hash_input(KINDS[name], text, fold)


@pytest.mark.parametrize(("identifier", "secret"), [("a:b", b"k" * 32), ("", b"k" * 32), ("grp", b"k" * 31)])
def test_a_key_has_a_plain_id_and_32_bytes(identifier: str, secret: bytes) -> None:
    with pytest.raises(ValueError, match="key"):
        Key(identifier, secret)


def test_a_key_never_shows_its_secret() -> None:
    assert "kkkk" not in repr(KEY)


def entry(identifier: str, since: str, until: str, secret: str = "") -> str:
    return f'[[key]]\nid = "{identifier}"\nsecret = "{secret or hashlib.sha256(identifier.encode()).hexdigest()}"\nsince = {since}\nuntil = {until}\n'


RING = entry("q1", "2026-01-01", "2026-05-01") + entry("q2", "2026-04-01", "2026-08-01")


@pytest.mark.parametrize(
    ("day", "accepted"),
    [
        (date(2025, 12, 31), []),
        (date(2026, 1, 1), ["q1"]),
        (date(2026, 3, 31), ["q1"]),
        (date(2026, 4, 1), ["q2", "q1"]),
        (date(2026, 4, 30), ["q2", "q1"]),
        (date(2026, 5, 1), ["q2"]),
        (date(2026, 8, 1), []),
    ],
)
def test_keys_rotate_with_an_overlap(day: date, accepted: list[str]) -> None:
    ring = read_ring(RING, {})
    assert [key.id for key in ring.accepted(day)] == accepted
    if accepted:
        assert ring.current(day).id == accepted[0]
    else:
        with pytest.raises(InputError, match="No key"):
            ring.current(day)


def test_a_secret_may_stand_in_the_environment() -> None:
    text = '[[key]]\nid = "q1"\nsecret_env = "GROUP_KEY"\nsince = 2026-01-01\nuntil = 2026-05-01\n'
    assert read_ring(text, {"GROUP_KEY": "ab" * 32}).current(date(2026, 1, 1)).secret == bytes.fromhex("ab" * 32)
    with pytest.raises(InputError, match="GROUP_KEY"):
        read_ring(text, {})


FAULTY = {
    "no TOML": ("[[key]\n", "no TOML"),
    "a secret without quotes": ("[[key]]\nsecret = abcdef0123\n", "no TOML"),
    "no key": ("", r"no \[\[key\]\]"),
    "a key that is no table": ('key = ["a"]', r"no \[\[key\]\]"),
    "a short secret": (entry("q1", "2026-01-01", "2026-05-01", "abcdef0123"), "32 bytes"),
    "a secret that isn't hex": (entry("q1", "2026-01-01", "2026-05-01", "xyz"), "can't be read"),
    "an odd id": (entry("q 1", "2026-01-01", "2026-05-01"), "key id"),
    "days the wrong way round": (entry("q1", "2026-05-01", "2026-01-01"), "since before until"),
    "a time for a day": (entry("q1", "2026-05-01T00:00:00Z", "2026-06-01"), "the days"),
    "one id twice": (entry("q1", "2026-01-01", "2026-05-01") + entry("q1", "2026-02-01", "2026-05-01", "cd" * 32), "one id"),
    "one secret twice": (entry("q1", "2026-01-01", "2026-05-01", "ab" * 32) + entry("q2", "2026-02-01", "2026-05-01", "ab" * 32), "one secret"),
    "two that begin on one day": (entry("q1", "2026-01-01", "2026-05-01") + entry("q2", "2026-01-01", "2026-06-01"), "one day"),
    "an unknown field": (RING + "note = 1\n", "unknown field 'note'"),
    "no secret": ('[[key]]\nid = "q1"\nsince = 2026-01-01\nuntil = 2026-05-01\n', "either secret"),
}


@pytest.mark.parametrize(("text", "why"), FAULTY.values(), ids=FAULTY)
def test_a_faulty_ring_is_refused_and_no_secret_told(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as caught:
        read_ring(text, {})
    assert "abcdef0123" not in str(caught.value)
    assert "ab" * 32 not in str(caught.value)
