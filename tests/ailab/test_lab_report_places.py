"""What looks like personal data may stand where it is a public name, an id of a platform or a keyed hash, and nowhere else."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from exchange.ailab.check import faults
from exchange.ailab.fault import PERSONAL
from tests.fakes.lab_reports import FULL, SMALL, Form, form

DIGEST = "89abcdef01234567" * 4
HIDDEN = b"lorem ipsum dolor sit amet conse".hex()
NUMBER = "491701234567"


def asset(kind: str, value: str, **more: str) -> Form:
    return form(SMALL, external_assets=[{"type": kind, "value": value, "seen_as": "named-in-output", **more}])


def identifier(**more: Any) -> Form:
    return form(SMALL, account_identifiers=[{**FULL["account_identifiers"][0], **more}])


def fingerprint(**more: Any) -> Form:
    return form(SMALL, content_fingerprints=[{"alg": "sha256", "value": DIGEST, "modality": "text", **more}])


def reference(url: str) -> Form:
    return form(SMALL, references=[url])


def contact(text: str) -> Form:
    return form(SMALL, provider={"name": "Lorem AI", "contact": text})


def plain(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


VALUE, KEYED, PRINT, CONTACT = "external_assets[0].value", "account_identifiers[0].value", "content_fingerprints[0].value", "provider.contact"
PLACES: list[tuple[Form, str]] = [
    # form, where it holds what it must not (empty: nowhere)
    (reference(f"https://lorem-ipsum.example/posts/{NUMBER}"), ""),
    (reference(f"https://lorem-ipsum.example/{DIGEST}"), ""),
    (reference(f"https://lorem-ipsum.example/a?h={DIGEST}"), "references[0]"),
    (reference("https://lorem-ipsum.example/a?m=dolor@amet.example"), "references[0]"),
    (asset("url", f"https://lorem.example/{DIGEST}"), ""),
    (asset("url", f"https://lorem.example/a?x={DIGEST}"), VALUE),
    (asset("url", "https://lorem.example/?m=dolor@amet.example"), VALUE),
    (asset("account", "https://www.facebook.com/profile.php?id=100012345678901"), ""),
    (asset("account", NUMBER, platform="facebook"), ""), (asset("account", NUMBER, platform=" Facebook "), ""),
    (asset("account", f"vk:{NUMBER}"), ""),
    (asset("account", NUMBER, platform="x"), VALUE),
    (asset("account", "@lorem", platform=NUMBER), "external_assets[0].platform"),
    (asset("ad", "1234567890", platform="facebook"), ""),
    (asset("ad", f"https://www.facebook.com/ads/library/?id={NUMBER}", platform="x"), ""),
    (form(SMALL, cluster__themes=[NUMBER]), "cluster.themes[0]"),
    (asset("account", "@dolor@social.example", platform="mastodon"), ""),
    (asset("account", "@dolor.sit@social.example", platform="mastodon"), ""),
    (asset("account", "@dolor@gmail.com", platform="mastodon"), VALUE),
    (asset("account", "@dolor.sit@gmail.com", platform="mastodon"), VALUE),
    (asset("url", "https://social.example/@dolor@gmail.com"), VALUE),
    (asset("url", "https://social.example/@dolor@other.example"), ""),
    (asset("account", "@dolor.sit@social.example amet@dolor.example", platform="mastodon"), VALUE),
    (asset("domain", "@dolor.sit@social.example"), VALUE),
    (asset("account", "dolor@amet.example", platform="x"), VALUE),
    (identifier(value="0" * 64), ""), (identifier(value="01" * 32), KEYED), (identifier(value=HIDDEN), KEYED),
    (identifier(value="a1b2c3d4" * 6 + "0" * 16), KEYED), (identifier(value="1234567890" * 6 + "1234"), KEYED),
    (identifier(key_id="none"), "account_identifiers[0].key_id"), (identifier(norm="raw"), "account_identifiers[0].norm"),
    (identifier(key_id="1234567"), "account_identifiers[0].key_id"), (identifier(key_id="123456"), ""),
    (identifier(subject="1234567"), "account_identifiers[0].subject"), (identifier(subject="123456"), ""),
    (identifier(value=plain("Lorem AI")), KEYED),
    (form(identifier(value=plain("lorem")), cluster__themes=["lorem"]), KEYED),
    (form(identifier(value=plain("lore")), cluster__themes=["lore"]), ""),  # too short to be told from a count
    (form(identifier(value=plain("lorem")), cluster__themes=["LOREM"]), KEYED),
    (form(identifier(value=plain("lorem")), cluster__themes=["lorem "]), KEYED),
    (fingerprint(value="89abcdef"), PRINT), (fingerprint(value=HIDDEN), PRINT),
    (fingerprint(value=plain("Lorem AI")), PRINT), (fingerprint(value=plain("Lorem AI").upper()), PRINT), (fingerprint(), ""),
    (contact("threat-intel@lorem.example"), ""), (contact("-abuse-@lorem.example"), ""),
    (contact("maria.dolor@lorem.example"), CONTACT), (contact("1234@lorem.example"), CONTACT), (contact("abuse2024@lorem.example"), CONTACT),
    (contact("abuse@gmail.com"), CONTACT), (contact("+49 30 12345678"), CONTACT),
    (form(SMALL, cluster__themes=[["dolor@amet.example"]]), "cluster.themes[0][0]"),
]


@pytest.mark.parametrize(("document", "place"), PLACES)
def test_what_looks_personal_stands_only_where_it_is_not(document: Form, place: str) -> None:
    found = {fault.place for fault in faults(document) if fault.code == PERSONAL}
    assert found == ({place} if place else set())


@pytest.mark.parametrize(("document", "place"), [
    (form(SMALL, account_identifiers=[7]), "account_identifiers[0]"), (form(SMALL, content_fingerprints=[7]), "content_fingerprints[0]"),
    (fingerprint(value=7), PRINT), (form(SMALL, content_fingerprints=7), "content_fingerprints"),
    (form(SMALL, account_identifiers=7), "account_identifiers"), (identifier(key_id=7), "account_identifiers[0].key_id"),
])
def test_what_has_the_wrong_form_is_told_as_that_alone(document: Form, place: str) -> None:
    assert [(fault.place, fault.code) for fault in faults(document)] == [(place, "field-invalid")]


def test_a_name_that_holds_something_personal_is_told_without_it() -> None:
    told = [str(fault) for fault in faults(form(SMALL, **{"dolor@amet.example": 7}))]
    assert told[0] == "(a name that isn't shown): is no field of this form; take it out."
    assert told[1].startswith("(a name that isn't shown): has a name that holds an e-mail address. ")
    assert "dolor" not in "".join(told)
