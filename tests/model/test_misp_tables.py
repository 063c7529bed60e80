"""The tables of MISP: every type is treated in one way, kinds exist, words are read as they are written."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.identifiers.kinds import KINDS
from exchange.model.misp import words
from exchange.model.misp.templates import out_templates, template
from exchange.model.misp.types import SSDEEP, attribute_type, out_types

RAW = tomllib.loads(files("exchange.model.misp").joinpath("types.toml").read_text("utf-8"))
PERSON = ("first-name", "last-name", "date-of-birth", "passport-number", "visa-number", "identity-card-number",
          "payment-details", "whois-registrant-name", "target-user", "place-of-birth", "primary-residence")  # fmt: skip
# Types of MISP's describeTypes that say identifiers of R51.
IDENTIFIERS = (
    "domain", "hostname", "hostname|port", "domain|ip", "url", "uri", "link", "email", "email-src", "email-dst",
    "email-reply-to", "whois-registrant-email", "phone-number", "whois-registrant-phone", "ip-src", "ip-dst", "ip-src|port",
    "ip-dst|port", "AS", "btc", "xmr", "iban", "cc-number", "bank-account-nr", "twitter-id", "github-username", "jabber-id",
    "cookie", "md5", "sha1", "sha256", "sha512", "tlsh", "ssdeep", "filename|md5", "filename|sha1", "filename|sha256",
)  # fmt: skip


def test_a_type_stands_in_one_list_only_but_targets() -> None:
    named = [*RAW["identifier"], *RAW["pattern"], *RAW["text"]["types"], *chain.from_iterable(RAW["refused"].values())]
    assert len(named) == len(set(named))
    assert set(RAW["platform"]) <= set(RAW["identifier"])
    assert set(RAW["why"]) == set(RAW["refused"])
    assert {attribute_type(name).targeted for name in RAW["target"]["types"]} == {True}


def test_every_part_has_a_kind_that_is_known() -> None:
    kinds = set(chain.from_iterable(RAW["identifier"].values()))
    assert kinds <= {*KINDS, "", "any", "ip", "ssdeep"}
    assert all(len(one) == name.count("|") + 1 for name, one in RAW["identifier"].items())
    assert set(out_types()) <= {*KINDS, "text", "link", "ssdeep"}


@pytest.mark.parametrize("name", IDENTIFIERS)
def test_what_says_an_identifier_is_read_as_one(name: str) -> None:
    assert attribute_type(name).treatment == "identifier"


@pytest.mark.parametrize("name", PERSON)
def test_what_says_who_a_person_is_is_refused_with_a_reason(name: str) -> None:
    found = attribute_type(name)
    assert found.treatment == "refused"
    assert found.why.endswith(".")


def test_ssdeep_is_a_kind_like_the_others() -> None:
    assert all(SSDEEP.normalise(text) == value for text, value in SSDEEP.examples.items())
    assert not any(SSDEEP.valid(text) for text in SSDEEP.non_examples)


def test_a_template_that_isnt_in_the_table_is_read_by_its_ending() -> None:
    assert [(one.platform, one.accounts[0].kind) for one in map(template, ("tiktok-account", "vk-group"))] == [
        ("tiktok", "profile"), ("vk", "group")]
    assert template("lorem-account").accounts == ()


def test_there_is_a_template_for_every_account_on_the_way_out() -> None:
    found = out_templates()
    assert {("", "profile"), ("", "group"), ("x", "profile"), ("facebook", "page"), ("youtube", "channel")} <= set(found)
    assert all(one.uuid and one.version for one in found.values())


@given(st.dictionaries(st.from_regex(r"[a-z_-]{1,12}", fullmatch=True), st.text(min_size=1)))
def test_labels_say_again_what_was_said(said: dict[str, str]) -> None:
    obj = {"labels": ["tlp:green", *words.labels(said)]}
    assert words.said(obj) == said
    assert words.tags(obj) == ["tlp:green"]


@pytest.mark.parametrize(("groups", "level", "group"), [
    (["misp:organisation"], "0", ""), (["misp:community", "grp-a"], "1", ""), (["grp-a", "misp:connected"], "2", ""),
    (["misp:group:u-1", "grp-b"], "4", "u-1"), (["grp-a"], "", ""), ([], "", ""),
])  # fmt: skip
def test_an_audience_gives_its_level_back(groups: list[str], level: str, group: str) -> None:
    assert (words.distribution(groups), words.sharing_group(groups)) == (level, group)
