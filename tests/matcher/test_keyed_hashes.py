"""Keyed hashes of a feed meet local hashes, and local values in the clear where the member holds the group's keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.ailab.convert import to_stix
from exchange.matcher import hashed, keys, values
from exchange.matcher.compare import token as token_compare
from exchange.matcher.engine import open_engine
from exchange.matcher.entities import Entities
from exchange.matcher.indicators import Terms, collect, read_indicators
from exchange.matcher.report import Report
from exchange.matcher.run import load_indicators
from exchange.matcher.stream import Event, Index
from exchange.matcher.weighing import load_weights
from exchange.model.identifiers.keyed import Key, Token, token
from exchange.model.identifiers.keyring import Ring, Term
from exchange.model.identifiers.kinds import KINDS
from exchange.stix.extensions import ACCOUNT, RELATIONSHIP
from tests.fakes.lab_reports import SMALL

TODAY = date(2026, 6, 1)
AT = 1_780_272_000
OURS, OLD, THEIRS = Key("grp-2", b"o" * 32), Key("grp-1", b"p" * 32), Key("lab", b"t" * 32)
RING = Ring((Term(OLD, TODAY - timedelta(200), TODAY), Term(OURS, TODAY - timedelta(20), TODAY + timedelta(20))))
MAIL, PHONE, DEVICE = "Info@Lorem.example", "+49 30 23125 102", "6d92078a-8246-4ba4-ae5b-76104861e7dc"
CAMPAIGN = "campaign--5d5ab2d1-3f2e-4f0f-9f8f-1b6f1c1d2e3f"
ALPHA = "identity--1d5ab2d1-3f2e-4f0f-9f8f-1b6f1c1d2e3f"
ACCOUNT_ID = "user-account--2d5ab2d1-3f2e-5f0f-9f8f-1b6f1c1d2e3f"


def hash_of(kind: str, text: str, key: Key = OURS, fold: str = "") -> Token:
    return token(KINDS[kind], text, key, fold)


def account(*tokens: Token, name: str = ACCOUNT_ID, **more: Any) -> dict[str, Any]:
    says = {"extension_type": "property-extension", "hashed_identifiers": [one.stated() | more for one in tokens]}
    return {"type": "user-account", "spec_version": "2.1", "id": name, "account_type": "ai-service", "user_id": "1",
            "extensions": {ACCOUNT: says}}


def operated(relation: str | None = "operated", **given: Any) -> dict[str, Any]:
    says = {"extensions": {RELATIONSHIP: {"extension_type": "property-extension", "relation": relation}}} if relation else {}
    return {"type": "relationship", "spec_version": "2.1", "id": "relationship--3d5ab2d1-3f2e-4f0f-9f8f-1b6f1c1d2e3f",
            "created": "2026-05-31T00:00:00Z", "modified": "2026-05-31T00:00:00Z", "created_by_ref": ALPHA, "confidence": 90,
            "relationship_type": "related-to", "source_ref": CAMPAIGN, "target_ref": ACCOUNT_ID, **says, **given}


@dataclass
class Links:
    """Local links, of one kind; accounts are a0, a1…"""

    folder: Path
    kind: str
    values: tuple[str, ...]

    def meet(self, feed: list[dict[str, Any]], ring: Ring | None = None) -> tuple[list[str], Report]:
        """Which accounts the feed's hashes and values meet, and the report."""
        report = Report()
        found = read_indicators(collect(feed, report), Terms(AT, 0.5, 0.5), report)
        with open_engine(self.folder, threads=1) as engine:
            engine.run("CREATE TEMP TABLE texts (account_id VARCHAR, value VARCHAR)")
            engine.load("texts", ({"account_id": f"a{n}", "value": value} for n, value in enumerate(self.values)))
            number = values.address_sql("value") if self.kind == "ip4" else values.token_sql(self.kind, "value", False)
            engine.run(f"""CREATE TEMP TABLE links AS SELECT account_id, '{self.kind}' AS kind, value, 0::BIGINT AS first_seen,
                xor({number}, {values.salt(self.kind)}) AS key, 0::BIGINT AS last_seen FROM texts""")
            met = keys.meet_hashes(engine, found, ring, AT, report)
            load_indicators(engine, met, load_weights(), Entities("VARCHAR", frozenset({"links"})), 1_000_000)
            token_compare.compare(engine)
            return [name for name, in engine.rows("SELECT account_id FROM hits ORDER BY ALL")], report


@pytest.fixture
def links(tmp_path: Path) -> Callable[..., Links]:
    return lambda kind, *values: Links(tmp_path, kind, values)


KIND_OF = {kind.hashed_as: kind.name for kind in reversed(KINDS.values()) if kind.tokenisable}


@pytest.mark.parametrize(("of", "itype", "text", "other"), [
    ("email", "email", MAIL, "other@lorem.example"), ("phone", "phone", PHONE, "+49 30 23125 103"),
    ("device", "device", DEVICE, DEVICE[::-1]), ("browser-fingerprint", "device", "9f3c5a7e1b2d", "9f3c5a7e1b2e"),
    ("cookie", "cookie", "sid=8f3a77b0c1d2", "sid=8f3a77b0c1d3"), ("payment-instrument", "payment", "4111111111111111", "x"),
    ("email-domain", "email_domain", "lorem.example", "ipsum.example"), ("ip", "ip4", "203.0.113.7", "203.0.113.9"),
])
def test_a_local_value_in_the_clear_is_met_with_the_groups_key_alone(links, of, itype, text, other) -> None:
    local = links(itype, text, other)
    feed = [account(hash_of(KIND_OF[of], text)), operated()]
    assert local.meet(feed, RING)[0] == ["a0"]
    assert local.meet(feed)[0] == []


def test_local_hashes_are_met_without_any_key(links) -> None:
    local = links("email", hash_of("email", MAIL).user_id, hash_of("email", "other@lorem.example").user_id)
    assert local.meet([account(hash_of("email", MAIL)), operated()])[0] == ["a0"]


def test_a_value_that_the_feed_names_in_the_clear_meets_local_hashes_of_a_known_key(links, platform) -> None:
    local = links("email", hash_of("email", MAIL).user_id, hash_of("email", MAIL, THEIRS).user_id)
    feed = [platform.indicator(f"[email-addr:value = '{MAIL}']")]
    assert local.meet(feed, RING)[0] == ["a0"]
    assert local.meet(feed)[0] == []


@pytest.mark.parametrize(("one", "other"), [
    (hash_of("email", MAIL), hash_of("email", MAIL, THEIRS)),  # another key
    (hash_of("email", "lorem.ipsum@gmail.com"), hash_of("email", "lorem.ipsum@gmail.com", fold="gmail-fold-1")),
    (hash_of("email", MAIL), hash_of(KIND_OF["email-domain"], "lorem.example")),
])
def test_hashes_of_another_key_normalisation_or_kind_never_meet(links, one: Token, other: Token) -> None:
    assert links("email", one.user_id).meet([account(other), operated()], RING)[0] == []


def test_a_fold_that_the_feed_names_is_applied_to_local_values(links) -> None:
    local = links("email", "loremipsum@gmail.com", "Lorem.Ipsum+x@gmail.com", "lorem@gmail.com")
    feed = [account(hash_of("email", "lorem.ipsum@gmail.com", fold="gmail-fold-1")), operated()]
    assert local.meet(feed, RING)[0] == ["a0", "a1"]


@pytest.mark.parametrize(("under", "ring", "remedy"), [
    (OLD, RING, "The ring has no key of that name that is valid on 2026-06-01"), (THEIRS, RING, "The ring has no key of that name"),
    (OURS, None, "Name the group's ring of keys with --keys"),
])
def test_hashes_under_a_key_that_nothing_local_has_are_told_with_what_to_do(links, under, ring, remedy) -> None:
    met, report = links("email", MAIL).meet([account(hash_of("email", MAIL, under)), operated()], ring)
    assert met == []
    problem, = report.problems
    assert f"1 keyed hash under the key {under.id}" in problem
    assert remedy in problem


@pytest.mark.parametrize(("link", "reason"), [
    (operated("targeted"), hashed.UNNAMED), (operated("impersonated"), hashed.UNNAMED), (operated("unknown"), hashed.UNNAMED),
    (operated(revoked=True), hashed.UNNAMED), (operated(None), hashed.UNNAMED),
    (operated(target_ref="user-account--4d5ab2d1-3f2e-5f0f-9f8f-1b6f1c1d2e3f"), hashed.UNNAMED),
    (operated(start_time="2026-07-01T00:00:00Z"), "not valid yet"),
    (operated(modified="soon"), "valid_from or valid_until is missing or no timestamp"),
    (operated(), None), (operated(None, relationship_type="consists-of"), None),
    (operated(source_ref=ACCOUNT_ID, target_ref=CAMPAIGN), None),
])
def test_only_a_network_that_operates_the_account_makes_it_looked_for(links, link, reason) -> None:
    met, report = links("email", MAIL).meet([account(hash_of("email", MAIL)), link], RING)
    assert met == (["a0"] if reason is None else [])
    assert reason is None or report.not_used[reason] == 1


@pytest.mark.parametrize("entry", [
    {"alg": "sha256"}, {"value": "ab"}, {"value": "AB" * 32}, {"key_id": ""}, {"key_id": "a b"}, {"of": 7}, {"value": None}, {"norm": 3},
])
def test_an_entry_that_is_no_keyed_hash_is_told_and_the_others_hold(links, entry) -> None:
    both = account(hash_of("email", MAIL))
    both["extensions"][ACCOUNT]["hashed_identifiers"].append({**hash_of("email", "x@lorem.example").stated(), **entry})
    met, report = links("email", MAIL).meet([both, operated()], RING)
    assert met == ["a0"]
    assert report.not_used[hashed.MALFORMED] == 1


def test_what_nothing_local_is_compared_with_is_told(links) -> None:
    own = Token("account-id", "grp-2", "cib-norm-1", "ab" * 32)
    other = Token("email", "grp-2", "norm-x", "cd" * 32)
    told = links("email", MAIL).meet([account(own, other), operated()], RING)[1].not_used
    assert told["nothing local is compared with a keyed hash of account-id"] == 1
    assert told["a keyed hash in the normalisation norm-x, which isn't known here"] == 1


@pytest.mark.parametrize("turned", [False, True])
def test_nobody_adds_hashes_of_strangers_to_an_account_that_another_source_names(links, turned: bool) -> None:
    versions = [account(hash_of("email", MAIL)), account(hash_of("email", MAIL), hash_of("email", "innocent@lorem.example"))]
    local = links("email", MAIL, "innocent@lorem.example")
    met, report = local.meet([*(versions[::-1] if turned else versions), operated()], RING)
    assert met == ["a0"]
    assert report.not_used[hashed.DIFFERENT] == 1


def test_local_values_that_no_hash_can_be_made_of_are_counted(links) -> None:
    met, report = links("phone", "030 23125 102", PHONE).meet([account(hash_of("phone", PHONE)), operated()], RING)
    assert met == ["a1"]
    assert report.not_used[keys.NOT_HASHED] == 1


def test_an_ai_labs_report_is_met_by_a_member_who_holds_the_key_and_one_word_counts_once(platform) -> None:
    made = hash_of("email", MAIL)
    entry = {"of": made.of, "alg": "hmac-sha256", "key_id": made.key_id, "norm": made.norm, "value": made.value, "subject": "s1"}
    objects = [one | ({"created_by_ref": ALPHA} if one["type"] == "relationship" else {})
               for one in to_stix({**SMALL, "published": "2026-05-30T09:00:00Z", "account_identifiers": [entry]})]
    platform.accounts("a0", "a1")
    platform.link("a0", "email", MAIL)
    platform.link("a1", "email", "other@lorem.example")
    outcome = platform.run(objects, ring=RING)
    shown, = outcome.rows("SELECT account_id, local_value, shared_value, campaign <> '' FROM evidence WHERE step = 'direct'")
    assert shown == ("a0", MAIL, made.user_id, True)
    clear = platform.indicator(f"[email-addr:value = '{MAIL}']", created_by_ref=ALPHA, confidence=50)
    assert platform.run([*objects, clear], ring=RING).hits() == [("a0", "email")]


@pytest.mark.parametrize(("kind", "value", "met"), [
    ("email", MAIL, True), ("email", "other@lorem.example", False), ("email", hash_of("email", MAIL).user_id, True),
    ("ip4", "203.0.113.7", True), ("ip4", 3405803783, True), ("ip4", "203.0.113.8", False), ("phone", PHONE, False),
])
def test_an_event_meets_hashes_with_the_groups_key_until_they_are_removed(kind: str, value: str | int, met: bool) -> None:
    feed = [account(hash_of("email", MAIL), hash_of("ipv4", "203.0.113.7")), operated()]
    found = read_indicators(collect(feed, Report()), Terms(AT, 0.5, 0.5), Report())
    index = Index(load_weights(), found, at=AT, keys=RING.accepted(TODAY))
    event = Event("a0", kind, value, seen=AT)
    assert [one.account for one in index.meet(event)] == ["a0"] * met
    assert [one.account for one in Index(load_weights(), found, at=AT).meet(event)] == ["a0"] * (str(value).startswith("hmac"))
    index.remove(found[0].id)
    assert index.meet(event) == []
