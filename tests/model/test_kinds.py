"""The contract of every kind of identifier: its own examples and non-examples, and what must hold of all."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.kinds import KINDS
from exchange.model.identifiers.refang import defang
from exchange.stix import extensions
from exchange.stix.pattern import comparisons, parse
from exchange.stix.personal import categories

NAMES = {
    "domain", "url", "email", "email-domain", "phone", "account", "handle", "page", "group", "channel", "ad", "ipv4",
    "ipv6", "ipv4-range", "ipv6-range", "autonomous-system", "payment-card", "iban", "wallet", "device",
    "browser-fingerprint", "cookie", "md5", "sha1", "sha256", "sha512", "image-hash", "text-fingerprint", "hashtag",
    "prompt",
}  # fmt: skip
EXAMPLES = [(kind, seen, value) for kind in KINDS.values() for seen, value in kind.examples.items()]
NON_EXAMPLES = [(kind, text) for kind in KINDS.values() for text in kind.non_examples]
IN_STIX = [kind for kind in KINDS.values() if kind.path]
SECRET = [kind for kind in KINDS.values() if kind.tokenisable and not kind.path and kind.name != "handle"]
MATCHER = {
    "email": "email", "email-domain": "email_domain", "phone": "phone", "account": "account", "device": "device",
    "payment-card": "payment", "iban": "payment", "wallet": "payment", "cookie": "cookie", "sha256": "upload_fp",
    "image-hash": "picture", "text-fingerprint": "text", "ipv4": "ip4", "ipv4-range": "ip_range", "url": "url",
    "domain": "domain", "hashtag": "tag",
}  # fmt: skip
"""Kinds that the matcher compares, and its name for them."""


def by_name(kind: object) -> str:
    return kind.name if isinstance(kind, Kind) else repr(kind)[:40]


@st.composite
def near_misses(draw: st.DrawFn, kind: Kind) -> str:
    """A text of the kind with a part cut out and anything put in its place; or any text."""
    text = draw(st.sampled_from([*kind.examples, *kind.examples.values(), *kind.non_examples, ""]))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, len(text)))
    return text[:start] + draw(st.text(max_size=12)) + text[end:]


def test_every_kind_of_the_profile_is_there_under_its_name() -> None:
    assert set(KINDS) == NAMES
    assert all(name == kind.name for name, kind in KINDS.items())


@pytest.mark.parametrize(("kind", "seen", "value"), EXAMPLES, ids=by_name)
def test_an_example_has_its_canonical_form_which_is_stable(kind: Kind, seen: str, value: str) -> None:
    assert kind.normalise(seen) == value
    assert kind.normalise(value) == value
    assert kind.valid(seen)


@pytest.mark.parametrize(("kind", "text"), NON_EXAMPLES, ids=by_name)
def test_a_non_example_is_refused_in_one_sentence(kind: Kind, text: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        kind.normalise(text)
    assert "\n" not in str(caught.value)
    assert not kind.valid(text)


@pytest.mark.parametrize("kind", KINDS.values(), ids=by_name)
def test_every_kind_has_enough_examples_of_both_sorts(kind: Kind) -> None:
    assert len(kind.examples) >= 2
    assert len(kind.non_examples) >= 4
    assert "" in kind.non_examples


@pytest.mark.parametrize("kind", KINDS.values(), ids=by_name)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_text_is_refused_or_has_one_form_without_control_characters(kind: Kind, data: st.DataObject) -> None:
    text = data.draw(near_misses(kind))
    try:
        value = kind.normalise(text)
    except IdentifierError:
        return
    assert kind.normalise(value) == value
    assert not any(unicodedata.category(letter) == "Cc" for letter in value)
    assert isinstance(kind.nobody(value), str)
    if kind.path:
        parse(kind.pattern(value))


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, _, value in EXAMPLES], ids=by_name)
def test_a_value_that_was_defanged_is_the_same_value(kind: Kind, value: str) -> None:
    if kind.name not in ("cookie", "device"):  # opaque texts aren't addresses: nothing in them is defanged
        assert kind.normalise(defang(value)) == value


@pytest.mark.parametrize("kind", IN_STIX, ids=by_name)
def test_the_pattern_says_the_value_at_its_paths(kind: Kind) -> None:
    for value in kind.examples.values():
        said = kind.stix(value)
        assert kind.path.split(":")[0] in {path.split(":")[0] for path in said}
        found = {path: one for path, _, one, _ in comparisons(parse(kind.pattern(value)))}
        assert {path.replace("'", "") for path in found} == {path.replace("'", "") for path in said}
        assert {str(one) for one in found.values()} == {str(one) for one in said.values()}


@pytest.mark.parametrize("kind", IN_STIX, ids=by_name)
def test_the_policy_sees_the_personal_data_that_a_kind_says_it_is(kind: Kind) -> None:
    for value in kind.examples.values():
        seen = categories({"type": "indicator", "pattern_type": "stix", "pattern": kind.pattern(value)})
        if kind.path != "url:value":  # an address may name an account or hold an e-mail address
            assert seen <= set(kind.personal)
            assert bool(seen) == bool(kind.personal)


@pytest.mark.parametrize("kind", KINDS.values(), ids=by_name)
def test_whatever_is_personal_can_travel_as_a_hash(kind: Kind) -> None:
    words = set(extensions.schema("account")["properties"]["hashed_identifiers"]["items"]["properties"]["of"]["enum"])
    if kind.personal:
        assert kind.tokenisable
    assert kind.hashed_as in words | {""}


@pytest.mark.parametrize("kind", SECRET, ids=by_name)
def test_what_never_travels_in_the_clear_has_no_place_in_stix_and_none_in_messages(kind: Kind) -> None:
    with pytest.raises(IdentifierError, match="in the clear"):
        kind.stix(next(iter(kind.examples.values())))
    for text in kind.non_examples:
        with pytest.raises(IdentifierError) as caught:
            kind.normalise(text)
        assert not re.search(r"\d{6}", str(caught.value))


@pytest.mark.parametrize(("name", "matcher"), MATCHER.items())
def test_weight_and_half_life_are_those_the_matcher_starts_with(name: str, matcher: str) -> None:
    table = tomllib.loads(files("exchange.matcher").joinpath("weights/start-5.toml").read_text("utf-8"))["kind"]
    assert (KINDS[name].weight, KINDS[name].half_life) == (table[matcher]["base"], table[matcher]["half_life"])


NOBODYS = [
    ("domain", "t[.]me", "platform"),
    ("domain", "bit.ly", "shortens"),
    ("domain", "www.bbc.co.uk", "publisher"),
    ("domain", "tilda.ws", "unrelated people"),
    ("domain", "static.tilda.ws", "unrelated people"),
    ("domain", "maps.google.com", "everybody"),
    ("domain", "squarespace.com", "unrelated people"),
    ("url", "https://tinyurl.com/", "shortens"),
    ("url", "https://www.facebook.com/sharer/sharer.php?u=x", "everybody"),
    ("url", "https://x.com/search?q=lorem", "everybody"),
    ("url", "https://youtube.com/channel/", "neither"),
    ("url", "https://lemonde.fr", "publisher"),
    ("url", "http://127.0.0.1/a", "isn't routed"),
    ("email", "lorem@withheldforprivacy.com", "registrants"),
    ("email", "abuse@lorem.org", "office"),
    ("email-domain", "gmail.com", "everybody"),
    ("handle", "@lorem", "strangers"),
    ("ipv4", "10.0.0.1", "isn't routed"),
    ("ipv4", "8.8.8.8", "resolver"),
    ("ipv4", "104.16.1.1", "content network"),
    ("ipv6", "2001:db8::1", "isn't routed"),
    ("ipv4-range", "93.0.0.0/8", "too wide"),
    ("autonomous-system", "AS64500", "customers"),
    ("hashtag", "#lorem", "anybody"),
    ("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "empty file"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "why"), NOBODYS)
def test_what_many_share_is_nobodys_by_itself(name: str, text: str, why: str) -> None:
    kind = KINDS[name]
    assert why in kind.nobody(kind.normalise(text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("domain", "lorem.org"),
        ("domain", "bbc.co.uk.lorem.org"),
        ("domain", "lorem.tilda.ws"),
        ("domain", "lorem.blogspot.com"),
        ("url", "https://cutt.ly/AbCd"),
        ("url", "https://x.com/lorem"),
        ("url", "https://www.linkedin.com/feed/update/urn:li:activity:1"),
        ("url", "https://www.facebook.com/share/p/AbCdEfGh12/"),
        ("url", "https://pastebin.com/AbCdEf"),
        ("url", "https://lorem.tilda.ws/"),
        ("email", "lorem@gmail.com"),
        ("ipv4", "93.184.216.34"),
        ("ipv4-range", "93.184.216.0/24"),
        ("account", "x:lorem"),
        ("sha256", "ab" * 31 + "cd"),
    ],
)
def test_what_is_somebodys_may_be_an_indicator(name: str, text: str) -> None:
    kind = KINDS[name]
    assert kind.nobody(kind.normalise(text)) == ""
