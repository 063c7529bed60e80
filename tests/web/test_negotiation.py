"""Which Accept and Content-Type headers a TAXII 2.1 server takes."""

from __future__ import annotations

import pytest

from exchange.errors import NotAcceptableError, TooManyRequestsError, UnsupportedMediaError
from exchange.web.auth.limit import GuessLimit
from exchange.web.negotiation import check_accept, check_content_type

TAXII = "application/taxii+json"


@pytest.mark.parametrize("header", [
    None, "", f"{TAXII};version=2.1", f"{TAXII}; version=2.1", TAXII, "*/*", "application/*", TAXII.upper(),
    f'{TAXII};version="2.1"', f"{TAXII};version=2.0, {TAXII};version=2.1", f"text/html, {TAXII};q=0.1",
    f"{TAXII};version=2.1;q=0.5", "text/html, */*;q=0.1", f"{TAXII};version=9.9, */*",
])
def test_what_admits_taxii_is_served(header: str | None) -> None:
    check_accept(header)


@pytest.mark.parametrize("header", [
    "text/html", "application/json", f"{TAXII};version=2.0", f"{TAXII};q=0", f"{TAXII};version=2.1;q=0, */*",
    f"{TAXII};version=3", "application/stix+json;version=2.1", "application/vnd.oasis.taxii+json",
])
def test_what_does_not_admit_taxii_is_refused(header: str) -> None:
    with pytest.raises(NotAcceptableError):
        check_accept(header)


@pytest.mark.parametrize("header", [
    f"{TAXII};version=2.1", f"{TAXII}; version=2.1", TAXII, f'{TAXII};version="2.1"', f"{TAXII.upper()};VERSION=2.1",
    f"{TAXII};version=2.1; charset=utf-8",
])
def test_a_taxii_body_is_taken(header: str) -> None:
    check_content_type(header)


@pytest.mark.parametrize("header", [None, "", "application/json", f"{TAXII};version=2.0", "text/plain",
                                    "application/stix+json;version=2.1", f"{TAXII},{TAXII}"])
def test_another_body_is_refused(header: str | None) -> None:
    with pytest.raises(UnsupportedMediaError):
        check_content_type(header)


def test_wrong_guesses_are_limited_within_twenty_and_the_window_ends() -> None:
    limit = GuessLimit()
    for _ in range(19):
        limit.wrong("alpha", "127.0.0.1", now=0)
    with pytest.raises(TooManyRequestsError) as refused:
        limit.check("alpha", "127.0.0.1", "x", now=0)
    assert refused.value.retry_after > 0
    limit.check("alpha", "127.0.0.1", "x", now=1000)
    limit.check("beta", "127.0.0.1", "x", now=0)


def test_spelling_of_the_account_does_not_dodge_the_limit() -> None:
    limit = GuessLimit()
    for name in ("alpha", "ALPHA", "Alpha", "aLPHA") * 5:
        limit.wrong(name, "127.0.0.1", now=0)
    with pytest.raises(TooManyRequestsError):
        limit.check("alphA", "127.0.0.1", "x", now=0)


def test_who_proved_itself_is_not_locked_out_by_guesses_of_others_at_its_address() -> None:
    limit = GuessLimit()
    limit.right("alpha", "127.0.0.1", "good", now=0)
    for _ in range(50):
        limit.wrong("alpha", "127.0.0.1", now=0)
    limit.check("alpha", "127.0.0.1", "good", now=1)
    with pytest.raises(TooManyRequestsError):
        limit.check("alpha", "127.0.0.1", "bad", now=1)
