"""TAXII 2.1, 1.6.8 and RFC 9110, 12.5.1: which Accept and Content-Type values are served."""

from __future__ import annotations

import pytest

from tests.e2e.http_caller import TAXII, HttpCaller, assert_taxii_error
from tests.e2e.stix_objects import indicator

SERVED = [
    None,
    TAXII,
    "application/taxii+json; version=2.1",
    "application/taxii+json",
    "*/*",
    "application/*",
    "APPLICATION/TAXII+JSON;VERSION=2.1",
    "Application/Taxii+Json",
    'application/taxii+json;version="2.1"',
    "text/html, application/taxii+json;version=2.1",
    "application/taxii+json;version=2.1, text/html",
    "application/taxii+json;version=2.1;q=0.1",
    "application/taxii+json;q=0.001",
    "text/html;q=1, */*;q=0.1",
    "application/taxii+json;version=2.0, application/taxii+json;version=2.1;q=0.5",
    "application/taxii+json;version=2.0;q=0, application/taxii+json;version=2.1",
    "application/taxii+json ; version=2.1 ; q=0.7",
    "application/taxii+json;\tversion=2.1",
    ", application/taxii+json;version=2.1",
    "application/taxii+json;version=2.1,",
    "application/taxii+json;version=2.1;q=1.000",
    "application/json, */*",
    "text/*;q=0, application/*",
    "application/vnd.oasis.taxii+json;version=2.0, application/taxii+json;version=2.1",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "application/taxii+json;version=3.0, application/taxii+json",
]
UNSERVABLE = [
    "application/json",
    "text/html",
    "text/*",
    "image/png",
    "application/stix+json;version=2.1",
    "application/taxii+json;version=2.0",
    "application/taxii+json;version=3.0",
    "application/taxii+json;version=2",
    "application/taxii+json;version=2.10",
    "application/vnd.oasis.taxii+json;version=2.0",
    "application/taxii+jsonx",
    "application/taxii",
    "garbage",
    "application/taxii+json;version=2.1;q=0",
    "application/taxii+json;version=2.1;q=0.000",
    "*/*;q=0",
    "application/*;q=0, */*",
    "application/taxii+json;q=0, */*",
    "application/taxii+json;version=2.1;q=0, application/json",
    "application/taxii+json;version=2.0, text/html",
    'text/html;note=",application/taxii+json;version=2.1"',
]
ENDPOINTS = [
    "/taxii2/",
    "/taxii2/main/",
    "/taxii2/main/collections/",
    "/taxii2/main/collections/indicators/",
    "/taxii2/main/collections/indicators/objects/",
    "/taxii2/main/collections/indicators/manifest/",
]


@pytest.mark.parametrize("accept", SERVED)
def test_an_accept_header_that_admits_taxii_is_served(alpha: HttpCaller, accept: str | None) -> None:
    for endpoint in ENDPOINTS:
        answer = alpha.get(endpoint, accept=accept)
        assert answer.status == 200
        assert answer.headers["content-type"] == TAXII


@pytest.mark.parametrize("accept", UNSERVABLE)
def test_an_accept_header_without_anything_acceptable_is_406(alpha: HttpCaller, accept: str) -> None:
    for endpoint in ENDPOINTS:
        assert_taxii_error(alpha.get(endpoint, accept=accept), 406)


def test_several_accept_lines_count_as_one_list(alpha: HttpCaller) -> None:
    pairs = [("Accept", "text/html"), ("Accept", TAXII)]
    assert alpha.get("/taxii2/", headers=pairs, accept=None).status == 200


@pytest.mark.parametrize("accept", ["application/json", "*/*;q=0"])
def test_406_holds_for_every_endpoint_with_a_body_too(alpha: HttpCaller, lane: str, accept: str) -> None:
    assert_taxii_error(alpha.push(lane + "objects/", [indicator()], accept=accept), 406)
    assert_taxii_error(alpha.get(lane + "objects/indicator--1/", accept=accept), 404, 406)
    assert alpha.get(lane + "objects/").ids == []


PUSHED = [
    TAXII,
    "application/taxii+json",
    "application/taxii+json; version=2.1",
    "APPLICATION/TAXII+JSON; VERSION=2.1",
    'application/taxii+json;version="2.1"',
    "application/taxii+json ;version=2.1",
]
NOT_PUSHED = [
    None,
    "",
    "application/json",
    "text/plain",
    "application/stix+json;version=2.1",
    "application/octet-stream",
    "application/taxii+json;version=2.0",
    "application/taxii+json;version=3.0",
    "application/vnd.oasis.stix+json; version=2.0",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "*/*",
    "application/*",
    "application/taxii+json, text/plain",
    "application/taxii+xml;version=2.1",
    "garbage",
]


@pytest.mark.parametrize("content_type", PUSHED)
def test_a_push_in_taxii_media_type_is_taken(alpha: HttpCaller, lane: str, content_type: str) -> None:
    answer = alpha.push(lane + "objects/", [indicator()], content_type=content_type)
    assert answer.status == 202
    assert answer.headers["content-type"] == TAXII


@pytest.mark.parametrize("content_type", NOT_PUSHED)
def test_a_push_in_another_media_type_is_415(alpha: HttpCaller, lane: str, content_type: str | None) -> None:
    assert_taxii_error(alpha.push(lane + "objects/", [indicator()], content_type=content_type), 415)
    assert alpha.get(lane + "objects/").ids == []
