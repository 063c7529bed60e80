"""No raw value gets through, wherever in a form it is planted and however it is hidden."""

from __future__ import annotations

import base64
import copy
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.ailab.check import faults
from tests.fakes.lab_reports import FULL, Form, form

MAIL, PHONE, CARD, IBAN = "jane.doe@mail.example", "+44 20 7946 0958", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"
RAW = (MAIL, PHONE, CARD, IBAN)
Hide = Callable[[str], str]
HIDE: dict[str, Hide] = {
    "clear": lambda raw: raw,
    "percent": lambda raw: quote(raw, safe=""),
    "base64": lambda raw: base64.b64encode(raw.encode()).decode(),
    "hex": lambda raw: raw.encode().hex(),
    "full width": lambda raw: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in raw),
    "zero width": "\u200b".join,
}
PLACE: dict[str, Hide] = {
    "instead": lambda raw: raw, "behind": lambda raw: "{} " + raw, "before": lambda raw: raw + " {}",
}  # fmt: skip


def texts(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, str):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, item in items for found in texts(item, (*path, step))]


def holders(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Paths of every object and list."""
    if not isinstance(value, dict | list):
        return []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [path, *(found for step, item in items for found in holders(item, (*path, step)))]


def at(document: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def planted(path: tuple[str | int, ...], text: str) -> Form:
    document = copy.deepcopy(FULL)
    at(document, path[:-1])[path[-1]] = text.replace("{}", str(at(FULL, path)))
    return document


@given(st.sampled_from(texts(FULL)), st.sampled_from(RAW), st.sampled_from(list(HIDE)), st.sampled_from(list(PLACE)))
@settings(max_examples=400)
def test_nothing_planted_in_a_text_gets_through(path: tuple[str | int, ...], raw: str, hide: str, place: str) -> None:
    document = planted(path, PLACE[place](HIDE[hide](raw)))
    found = faults(document)
    assert found
    told = " ".join(map(str, found))
    assert raw not in told
    assert "jane" not in told.lower()


@pytest.mark.parametrize("path", texts(FULL), ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("raw", RAW)
def test_every_text_of_a_form_is_searched(path: tuple[str | int, ...], raw: str) -> None:
    assert "personal-data" in {fault.code for fault in faults(planted(path, "{} " + raw))}


@given(st.sampled_from(holders(FULL)), st.sampled_from(RAW), st.booleans())
def test_nothing_planted_as_a_key_or_in_a_nested_list_gets_through(path: tuple[str | int, ...], raw: str, as_key: bool) -> None:
    document = copy.deepcopy(FULL)
    holder = at(document, path)
    if isinstance(holder, list):
        holder.append([[raw]])
    else:
        holder[raw if as_key else "extra"] = 1 if as_key else {"a": [{"b": [raw]}]}
    assert "personal-data" in {fault.code for fault in faults(document)}


HASHED = {"of": "email", "alg": "hmac-sha256", "key_id": "grp-1", "norm": "cib-norm-1", "value": "0123456789abcdef" * 4}
ASSET = {"type": "url", "value": "https://lorem.example/", "seen_as": "named-in-output"}
PRINT = {"alg": "sha256", "value": "89abcdef01234567" * 4}
ODD: list[tuple[str, Form, str]] = [
    ("an e-mail in a query", form(external_assets=[{**ASSET, "value": "https://lorem.example/?email=jane%40mail.example"}]),
     "external_assets[0].value"),
    ("an e-mail in a fragment", form(external_assets=[{**ASSET, "value": "https://lorem.example/#jane@mail.example"}]),
     "external_assets[0].value"),
    ("mailto", form(external_assets=[{**ASSET, "value": "mailto:jane@mail.example"}]), "external_assets[0].value"),
    ("tel", form(external_assets=[{**ASSET, "value": "tel:+442079460958"}]), "external_assets[0].value"),
    ("userinfo", form(external_assets=[{**ASSET, "value": "https://jane:x@lorem.example/"}]), "external_assets[0].value"),
    ("a messenger's number", form(external_assets=[{**ASSET, "value": "https://wa.me/442079460958"}]), "external_assets[0].value"),
    ("an IP as a site", form(external_assets=[{**ASSET, "type": "domain", "value": "203.0.113.5"}]), "external_assets[0].value"),
    ("an IP in an address", form(external_assets=[{**ASSET, "value": "http://203.0.113.5/a"}]), "external_assets[0].value"),
    ("an e-mail as an account", form(external_assets=[{**ASSET, "type": "account", "platform": "x", "value": MAIL}]),
     "external_assets[0].value"),
    ("an e-mail in a reference", form(references=["https://lorem.example/r?to=jane%40mail.example"]), "references[0]"),
    ("an account in a note", form(cluster__boundary="mostly @lorem_ipsum"), "cluster.boundary"),
    ("a profile in a theme", form(cluster__themes=["https://x.com/lorem_ipsum9"]), "cluster.themes[0]"),
    ("a person's name", form(cluster__names=["Jane Doe"]), "cluster.names[0]"),
    ("a prompt as a note", form(cluster__boundary="Write 10 tweets about lorem in Urdu"), "cluster.boundary"),
    ("a person as contact", form(provider__contact="jane.doe@lorem.example"), "provider.contact"),
    ("a private mailbox as contact", form(provider__appeals_contact="appeals.lorem@gmail.com"), "provider.appeals_contact"),
    ("a hash without a key", form(account_identifiers=[{**HASHED, "key_id": "none"}]), "account_identifiers[0].key_id"),
    ("a hash without a normalisation", form(account_identifiers=[{**HASHED, "norm": "raw"}]), "account_identifiers[0].norm"),
    ("a hash in a note", form(cluster__boundary=hashlib.sha256(MAIL.encode()).hexdigest()), "cluster.boundary"),
    ("a short hash in a note", form(cluster__boundary=hashlib.md5(MAIL.encode()).hexdigest()), "cluster.boundary"),
    ("a hash as key id", form(account_identifiers=[{**HASHED, "key_id": hashlib.md5(MAIL.encode()).hexdigest()}]),
     "account_identifiers[0].key_id"),
    ("the plain hash of an account that is named",
     form(account_identifiers=[{**HASHED, "value": hashlib.sha256(b"https://x.com/lorem_ipsum9").hexdigest()}]),
     "account_identifiers[0].value"),
    ("an e-mail in hexadecimal as a keyed hash",
     form(account_identifiers=[{**HASHED, "value": MAIL.ljust(32, "0").encode().hex()}]), "account_identifiers[0].value"),
    ("an e-mail filled up to a keyed hash", form(account_identifiers=[{**HASHED, "value": MAIL.encode().hex().ljust(64, "7")}]),
     "account_identifiers[0].value"),
    ("an e-mail in a fingerprint", form(content_fingerprints=[{**PRINT, "value": "f0" * 8 + b"jo@lorem.org".hex() + "9c" * 12}]),
     "content_fingerprints[0].value"),
    ("a telephone number as subject", form(account_identifiers=[{**HASHED, "subject": "442079460958"}]),
     "account_identifiers[0].subject"),
    ("an md5 as a sha256 of content", form(content_fingerprints=[{**PRINT, "value": hashlib.md5(MAIL.encode()).hexdigest()}]),
     "content_fingerprints[0].value"),
    ("an e-mail as a watermark", form(content_fingerprints=[{"alg": "watermark-id", "value": MAIL}]), "content_fingerprints[0].value"),
    ("a card as a count", form(cluster__accounts_actioned={"count": 4111111111111111}), "cluster.accounts_actioned.count"),
    ("a telephone number as a measure",
     form(impact={"breakout": 1, "measures": [{"metric": "views", "value": 442079460958}]}), "impact.measures[0].value"),
    ("an address taken apart", form(cluster__languages=["jane", "@mail", ".example"]), "cluster.languages"),
    ("a card taken apart", form(cluster__models=["4111", "1111", "1111", "1111"]), "cluster.models"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "place"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_odd_places_are_searched_too(document: Form, place: str) -> None:
    assert place in {fault.as_json()["path"] for fault in faults(document) if fault.code == "personal-data"}


RIGHT: list[tuple[str, Form]] = [
    ("a mailbox of a role", form(provider__contact="Trust and Safety, trust-safety@lorem.example")),
    ("a web page as contact", form(provider__appeals_contact="https://lorem.example/appeals")),
    ("an account with numbers", form(external_assets=[
        {**ASSET, "type": "account", "value": "https://www.facebook.com/profile.php?id=100012345678901"}])),
    ("an account of the fediverse", form(external_assets=[
        {**ASSET, "type": "account", "platform": "mastodon", "value": "https://mastodon.social/@lorem"}])),
    ("an account on a platform that isn't known", form(external_assets=[
        {**ASSET, "type": "account", "platform": "loremnet", "value": "hxxps://loremnet[.]example/profile/dolor"}])),
    ("an account on a server of the fediverse", form(external_assets=[
        {**ASSET, "type": "account", "platform": "mastodon", "value": "https://social.lorem.example/@dolor"}])),
    ("a post", form(external_assets=[{**ASSET, "value": "https://x.com/lorem_ipsum9/status/1798765432109876543"}])),
    ("a long address", form(external_assets=[{**ASSET, "value": "https://lorem.example/a/5d41402abc4b2a76b9719d911017c592?page=2"}])),
    ("dates and counts in a note", form(cluster__boundary="From 2026-03-02 to 2026-05-28: 23 accounts, 7,704 outputs, 12.5 % seen.")),
    ("a description of prompts", form(cluster__boundary="Operators asked for comments in Urdu; prompts are kept and not shared.")),
    ("many views", form(impact={"breakout": 4, "measures": [{"metric": "views", "value": 12_345_678}]})),
    ("every kind of print", form(content_fingerprints=[
        {"alg": "simhash64", "value": "0123456789abcdef"}, {"alg": "minhash", "value": "01ab" * 64},
        {"alg": "c2pa-manifest-sha256", "value": "0f" * 32}, {"alg": "watermark-id", "value": "wm-lorem-7"}])),
]  # fmt: skip


@pytest.mark.parametrize("document", [row[1] for row in RIGHT], ids=[row[0] for row in RIGHT])
def test_what_a_lab_would_really_send_is_taken(document: Form) -> None:
    assert faults(document) == []
