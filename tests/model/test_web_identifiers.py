"""Domains, URLs, IP and e-mail addresses, hashtags and image fingerprints: what is one, and its one form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.identifiers import domain, email, hashtag, image_hash, ip, shared_host, url
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.refang import refang


@pytest.mark.parametrize(
    ("defanged", "plain"),
    [
        ("hxxps://lorem[.]example[.]org/a", "https://lorem.example.org/a"),
        ("hXXp://lorem(.)org", "http://lorem.org"),
        ("https[:]//lorem[.]org", "https://lorem.org"),
        ("http{:}//lorem{.}org", "http://lorem.org"),
        ("hxxps[://]lorem[.]org", "https://lorem.org"),
        ("[h]ttps://lorem.org", "https://lorem.org"),
        ("h**p://lorem.org", "http://lorem.org"),
        ("https:\\\\lorem.org", "https://lorem.org"),
        ("lorem[dot]org", "lorem.org"),
        ("lorem[ . ]org", "lorem.org"),
        ("lorem\\.org", "lorem.org"),
        ("info[at]lorem[.]org", "info@lorem.org"),
        ("info [@] lorem[.org", "info@lorem.org"),
        ("[www].lorem.org", "www.lorem.org"),
        ("lorem.org[/]a", "lorem.org/a"),
        ("https://lorem.org/a_(b)", "https://lorem.org/a_(b)"),
        ("They met at a dot in [brackets]", "They met at a dot in [brackets]"),
        ("\ufeff lorem\u200b.org\u00a0", "lorem.org"),
    ],
)
def test_every_defanging_style_is_undone(defanged: str, plain: str) -> None:
    assert refang(defanged) == plain
    assert refang(plain) == plain


Normaliser = Callable[[str], str]

CANONICAL: list[tuple[Normaliser, str, str]] = [
    (domain.normalise, "Lorem-Ipsum[.]ORG", "lorem-ipsum.org"),
    (domain.normalise, "lorem[.]co[.]uk.", "lorem.co.uk"),
    (domain.normalise, "fa\u00df.de", "xn--fa-hia.de"),
    (domain.normalise, "\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "xn--e1afmkfd.xn--p1ai"),
    (domain.normalise, "lorem.eu.com", "lorem.eu.com"),
    (domain.normalise, "lorem[.]blogspot.com/", "lorem.blogspot.com"),
    (url.normalise, "hxxp://Lorem[.]ORG/A?b=1#c", "http://lorem.org/A?b=1"),
    (url.normalise, "lorem.org/a b".replace(" ", "%20"), "http://lorem.org/a%20b"),
    (url.normalise, "lorem.org/\u0142?x=\u00fc", "http://lorem.org/%C5%82?x=%C3%BC"),
    (url.normalise, "https://lorem.org:443/%c3%bc", "https://lorem.org/%C3%BC"),
    (url.normalise, "https://user:pw@lorem.org./?", "https://lorem.org/"),
    (url.normalise, "http://0x7f.1/a", "http://127.0.0.1/a"),
    (ip.normalise, "203[.]0[.]113[.]7", "203.0.113.7"),
    (ip.normalise, "203.0.113.7/24", "203.0.113.0/24"),
    (ip.normalise, "2001:DB8::0:1", "2001:db8::1"),
    (email.normalise, "Info[at]Lorem[.]ORG", "Info@lorem.org"),
    (email.normalise, "mailto:a+b@fa\u00df.de", "a+b@xn--fa-hia.de"),
    (hashtag.normalise, "#Lorem_9", "lorem_9"),
    (hashtag.normalise, "\uff03\u30ed\u30ec\u30e0", "\u30ed\u30ec\u30e0"),
    (image_hash.normalise, "PDQ:" + "Ab" * 32, "ab" * 32),
]


@pytest.mark.parametrize(("normalise", "text", "canonical"), CANONICAL)
def test_values_have_one_form_that_is_stable(normalise: Normaliser, text: str, canonical: str) -> None:
    assert normalise(text) == canonical
    assert normalise("#" + canonical if normalise is hashtag.normalise else canonical) == canonical


REFUSED: list[tuple[Normaliser, str]] = [
    (domain.normalise, "lorem"),
    (domain.normalise, "lorem.notasuffix"),
    (domain.normalise, "co.uk"),
    (domain.normalise, "63 accounts"),
    (domain.normalise, "1.2.3.4"),
    (domain.normalise, "https://lorem.org/a"),
    (domain.normalise, "-lorem.org"),
    (domain.normalise, "a" * 64 + ".org"),
    (domain.normalise, "lorem..org"),
    (url.normalise, "ftp://lorem.org/a"),
    (url.normalise, "javascript://lorem.org/a"),
    (url.normalise, "http://lorem/a"),
    (url.normalise, "http://lorem.org/a b"),
    (url.normalise, ""),
    (url.normalise, "http://lorem.org/" + "a" * 3000),
    (ip.normalise, "300.1.1.1"),
    (ip.normalise, "1.2.3"),
    (ip.normalise, "01.2.3.4"),
    (ip.normalise, "lorem.org"),
    (email.normalise, "lorem.org"),
    (email.normalise, "@lorem"),
    (email.normalise, "a@b"),
    (email.normalise, "a..b@lorem.org"),
    (email.normalise, "lo rem@lorem.org"),
    (hashtag.normalise, "#123"),
    (hashtag.normalise, "lorem"),
    (hashtag.normalise, "#lo rem"),
    (image_hash.normalise, "0" * 64),
    (image_hash.normalise, "ab" * 31),
]


@pytest.mark.parametrize(("normalise", "text"), REFUSED)
def test_what_is_none_is_refused_with_a_sentence(normalise: Normaliser, text: str) -> None:
    with pytest.raises(IdentifierError, match=" is "):
        normalise(text)


@pytest.mark.parametrize(
    "normalise",
    [domain.normalise, url.normalise, ip.normalise, email.normalise, hashtag.normalise, image_hash.normalise],
)
@given(text=st.text(max_size=60))
def test_any_text_is_normalised_or_refused(normalise: Normaliser, text: str) -> None:
    try:
        found = normalise(text)
    except IdentifierError:
        return
    assert found


@given(st.text(max_size=60))
def test_refanging_twice_changes_nothing(text: str) -> None:
    assert refang(refang(refang(text))) == refang(refang(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://www.lorem.org/a/", "https://lorem.org/a"),
        ("https://lorem.org/a?utm_source=x&b=1", "https://lorem.org/a?b=1"),
        ("https://lorem.org/a?c=2&b=1", "https://lorem.org/a?b=1&c=2"),
        ("https://lorem.org/a?fbclid=zz", "https://lorem.org/a"),
    ],
)
def test_tellings_of_one_page_share_a_key(one: str, other: str) -> None:
    assert url.key(url.normalise(one)) == url.key(url.normalise(other))


def test_pages_that_differ_keep_different_keys() -> None:
    pages = [
        "https://lorem.org/a",
        "https://lorem.org/A",
        "https://lorem.org/a?b=1",
        "https://lorem.org/a?b=2",
    ]
    assert len({url.key(url.normalise(page)) for page in pages}) == len(pages)


def test_a_gmail_address_is_folded_only_where_gmail_does_so() -> None:
    assert email.gmail_fold("Lo.Rem+x@gmail.com") == "lorem@gmail.com"
    assert email.gmail_fold("Lo.Rem+x@lorem.org") == "lo.rem+x@lorem.org"


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("9.9.9.9", True),
        ("10.0.0.1", False),
        ("127.0.0.1", False),
        ("203.0.113.7", False),
        ("2001:db8::/32", False),
    ],
)
def test_only_public_addresses_name_somebody(text: str, public: bool) -> None:
    assert ip.is_public(ip.parse(text)) is public


@pytest.mark.parametrize(
    ("host", "sharing"),
    [
        ("t.me", "platform"),
        ("www.tumblr.com", "platform"),
        ("tilda.ws", "tenants"),
        ("cutt.ly", "shortener"),
        ("change.org", "platform"),
        ("news.bbc.co.uk", "publisher"),
        ("mail.google.com", "everybody"),
        ("lorem.tilda.ws", None),
        ("lorem.medium.com", None),
        ("lorem.org", None),
        ("bbc.co.uk.lorem.org", None),
        ("notgoogle.com", None),
        ("lorem.eu.com", None),
    ],
)
def test_shared_hosts_are_known_and_tenants_are_their_own(host: str, sharing: str | None) -> None:
    assert shared_host.shared(host) == sharing


def test_a_tenant_names_its_site_builder() -> None:
    assert shared_host.tenant_parent("lorem.tilda.ws") == "tilda.ws"
    assert shared_host.tenant_parent("lorem.org") == ""


def test_the_registrable_part_and_the_bare_host() -> None:
    assert domain.registrable("a.b.lorem.co.uk") == "lorem.co.uk"
    assert domain.bare("www.lorem.org") == "lorem.org"
    assert domain.bare("www.org") == "www.org"


def test_pictures_differ_by_bits() -> None:
    one = "f" * 63 + "e"
    assert image_hash.distance(one, "f" * 64) == 1
    assert hashtag.only_tags("#lorem, #Ipsum") == ["lorem", "ipsum"]
    assert hashtag.only_tags("like #lorem") == []
