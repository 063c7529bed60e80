"""TAXII 2.1, 4 and 5.1-5.2: discovery, API roots, collections; media types, HEAD, gzip, health."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any
from uuid import UUID

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import TAXII, HttpCaller, assert_taxii_error, target
from tests.e2e.members import collection_id
from tests.e2e.stix_objects import domain, indicator

SETTINGS = {
    "CIBX_MAX_CONTENT_LENGTH": "300000",
    "CIBX_TITLE": "Exchange under test",
    "CIBX_CONTACT": "nobody@exchange.example",
}
MAIN = "/taxii2/main/collections/"
INDICATORS = MAIN + "indicators/"


@pytest.fixture(scope="module")
def stored(alpha: HttpCaller) -> dict[str, Any]:
    """One indicator in the collection ``indicators``, and the status of its push."""
    one = indicator("resources")
    answer = alpha.push(INDICATORS + "objects/", [one, *(domain(f"d{n}.example") for n in range(40))])
    assert answer.status == 202, answer.body
    assert answer.json["failure_count"] == 0, answer.body
    return {"object": one, "status": answer.json}


def get_paths(stored: dict[str, Any]) -> dict[str, str]:
    """Every GET endpoint of TAXII 2.1 by its section."""
    object_path = f"{INDICATORS}objects/{stored['object']['id']}/"
    return {
        "4.1": "/taxii2/",
        "4.2": "/taxii2/main/",
        "4.3": f"/taxii2/main/status/{stored['status']['id']}/",
        "5.1": MAIN,
        "5.2": INDICATORS,
        "5.3": INDICATORS + "manifest/",
        "5.4": INDICATORS + "objects/",
        "5.6": object_path,
        "5.8": object_path + "versions/",
    }


SECTIONS = ("4.1", "4.2", "4.3", "5.1", "5.2", "5.3", "5.4", "5.6", "5.8")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_get_endpoint_answers_with_taxii_media_type(alpha: HttpCaller, stored: Any, section: str) -> None:
    answer = alpha.get(get_paths(stored)[section])
    assert answer.status == 200
    assert answer.headers["content-type"] == TAXII
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert isinstance(answer.json, dict)


@pytest.mark.parametrize("section", SECTIONS)
def test_head_answers_as_get_without_a_body(alpha: HttpCaller, stored: Any, section: str) -> None:
    path = get_paths(stored)[section]
    get, head = alpha.get(path), alpha.ask("HEAD", path)
    assert head.status == 200
    assert head.body == b""
    assert "cibx-receipt" not in head.headers, "nothing was delivered"
    varying = {"date", "connection", "cibx-receipt"}
    assert {p for p in head.pairs if p[0] not in varying} == {p for p in get.pairs if p[0] not in varying}


@pytest.mark.parametrize("section", SECTIONS)
def test_every_get_endpoint_demands_authentication(nobody: HttpCaller, stored: Any, section: str) -> None:
    answer = nobody.get(get_paths(stored)[section])
    assert_taxii_error(answer, 401)
    assert any(n == "www-authenticate" and "Basic" in v for n, v in answer.pairs)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_path_without_final_slash_is_never_a_redirect_to_html(alpha: HttpCaller, stored: Any, section: str) -> None:
    answer = alpha.get(get_paths(stored)[section].rstrip("/"))
    if answer.status != 200:
        assert_taxii_error(answer, 404)
    assert answer.headers["content-type"] == TAXII


def test_discovery_names_the_roots_that_the_caller_may_know(exchange: ExchangeProcess, alpha: HttpCaller) -> None:
    found = alpha.get("/taxii2/").json
    assert found["title"] == "Exchange under test"
    assert found["contact"] == "nobody@exchange.example"
    assert found["default"] in found["api_roots"]
    for community in ("main", "lanes", "closed"):
        assert f"{exchange.url}/taxii2/{community}/" in found["api_roots"]
    assert len(set(found["api_roots"])) == len(found["api_roots"])


def test_discovery_leaves_out_what_others_may_not_know(exchange: ExchangeProcess, gamma: HttpCaller) -> None:
    roots = gamma.get("/taxii2/").json["api_roots"]
    assert f"{exchange.url}/taxii2/main/" in roots
    assert f"{exchange.url}/taxii2/closed/" not in roots


def test_every_root_in_discovery_answers(alpha: HttpCaller, exchange: ExchangeProcess) -> None:
    for root in alpha.get("/taxii2/").json["api_roots"]:
        assert alpha.get(root.removeprefix(exchange.url)).status == 200
        assert alpha.get(root.removeprefix(exchange.url) + "collections/").status == 200


def test_api_root_tells_versions_and_the_largest_content(alpha: HttpCaller) -> None:
    root = alpha.get("/taxii2/main/").json
    assert root["title"] == "Community main"
    assert root["description"] == "For tests"
    assert TAXII in root["versions"]
    assert root["max_content_length"] == 300_000


def test_collections_have_what_the_specification_requires(alpha: HttpCaller) -> None:
    found = alpha.get(MAIN).json["collections"]
    assert {c["alias"] for c in found} >= {"indicators", "read-only", "drop-box", "alpha-only", "no-terms"}
    for one in found:
        assert str(UUID(one["id"])) == one["id"]
        assert isinstance(one["title"], str)
        assert isinstance(one["can_read"], bool)
        assert isinstance(one["can_write"], bool)
        assert one.get("media_types", ["application/stix+json;version=2.1"]) == ["application/stix+json;version=2.1"]
        assert None not in one.values()
    assert len({c["id"] for c in found}) == len(found)


# key, collection, can_read, can_write; None: the caller may not know of it
PERMISSIONS = [
    ("alpha", "indicators", True, True),
    ("alpha", "read-only", True, False),
    ("alpha", "drop-box", True, True),
    ("alpha", "alpha-only", True, True),
    ("beta", "drop-box", False, True),
    ("beta", "alpha-only", None, None),
    ("gamma", "indicators", True, True),
    ("reader", "indicators", True, False),
    ("writer", "indicators", False, True),
    ("reader", "drop-box", None, None),
    ("writer", "drop-box", False, True),
    ("writer", "read-only", None, None),
    ("outside", "indicators", None, None),
]


@pytest.mark.parametrize(("key", "alias", "can_read", "can_write"), PERMISSIONS)
def test_permissions_are_those_of_the_caller(
    exchange: ExchangeProcess, key: str, alias: str, can_read: bool | None, can_write: bool | None
) -> None:
    caller = exchange.caller(key)
    answer = caller.get(f"{MAIN}{alias}/")
    if can_read is None:
        assert_taxii_error(answer, 404)
    else:
        assert (answer.json["can_read"], answer.json["can_write"]) == (can_read, can_write)
    listed = caller.get(MAIN)
    if listed.status == 200:
        aliases = [c["alias"] for c in listed.json.get("collections", [])]
        assert (alias in aliases) == (can_read is not None)
    caller.close()


@pytest.mark.parametrize(("key", "alias", "can_read", "can_write"), PERMISSIONS)
@pytest.mark.parametrize(
    "endpoint", ["objects/", "manifest/", "objects/indicator--x/", "objects/indicator--x/versions/"]
)
def test_reading_obeys_the_permissions(
    exchange: ExchangeProcess,
    key: str,
    alias: str,
    can_read: bool | None,
    can_write: bool | None,
    endpoint: str,
) -> None:
    caller = exchange.caller(key)
    answer = caller.get(f"{MAIN}{alias}/{endpoint}")
    caller.close()
    if can_read is None:
        assert_taxii_error(answer, 404)
    elif not can_read:
        assert_taxii_error(answer, 403, 404)
    elif "--x" in endpoint:
        assert_taxii_error(answer, 404)
    else:
        assert answer.status == 200


@pytest.mark.parametrize(("key", "alias", "can_read", "can_write"), PERMISSIONS)
def test_writing_obeys_the_permissions_before_the_body_is_read(
    exchange: ExchangeProcess, key: str, alias: str, can_read: bool | None, can_write: bool | None
) -> None:
    caller = exchange.caller(key)
    path = f"{MAIN}{alias}/objects/"
    pushed = caller.post(path, b"this is no JSON")
    deleted = caller.delete(f"{path}indicator--0/")
    caller.close()
    if can_write is None:
        assert_taxii_error(pushed, 404)
        assert_taxii_error(deleted, 404)
    elif not can_write:
        assert_taxii_error(pushed, 403)
        assert_taxii_error(deleted, 403)
    else:
        assert_taxii_error(pushed, 400, 422)
        assert_taxii_error(deleted, 403, 404)


def test_a_collection_is_reached_by_id_and_by_alias(alpha: HttpCaller, stored: Any) -> None:
    for rest in ("", "objects/", "manifest/", f"objects/{stored['object']['id']}/"):
        by_alias = alpha.get(INDICATORS + rest)
        by_id = alpha.get(f"{MAIN}{collection_id('indicators')}/{rest}")
        assert by_alias.status == by_id.status == 200
        assert by_alias.body == by_id.body


HIDDEN_AND_ABSENT = [
    ("/taxii2/closed/", "/taxii2/absent/"),
    ("/taxii2/closed/collections/", "/taxii2/absent/collections/"),
    ("/taxii2/closed/collections/inner-only/", "/taxii2/closed/collections/absent/"),
    ("/taxii2/closed/collections/inner-only/objects/", "/taxii2/absent/collections/inner-only/objects/"),
    (f"{MAIN}alpha-only/", f"{MAIN}absent/"),
    (f"{MAIN}{collection_id('alpha-only')}/", f"{MAIN}{collection_id('absent')}/"),
    (f"{MAIN}alpha-only/objects/", f"{MAIN}absent/objects/"),
    (f"{MAIN}alpha-only/manifest/", f"{MAIN}absent/manifest/"),
    (f"{MAIN}alpha-only/objects/indicator--1/", f"{MAIN}absent/objects/indicator--1/"),
    (f"/taxii2/lanes/collections/{collection_id('indicators')}/", "/taxii2/lanes/collections/absent/"),
    (
        f"/taxii2/lanes/collections/{collection_id('indicators')}/objects/",
        "/taxii2/lanes/collections/x/objects/",
    ),
]


@pytest.mark.parametrize(("hidden", "absent"), HIDDEN_AND_ABSENT)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "PUT"])
def test_hidden_and_absent_look_alike(gamma: HttpCaller, hidden: str, absent: str, method: str) -> None:
    headers = {"Content-Type": TAXII} if method == "POST" else {}
    body = b"{}" if method == "POST" else None
    one = gamma.ask(method, hidden, headers=headers, body=body)
    other = gamma.ask(method, absent, headers=headers, body=body)
    assert one.status in {404, 405}
    assert (one.status, one.body) == (other.status, other.body)
    assert {p for p in one.pairs if p[0] != "date"} == {p for p in other.pairs if p[0] != "date"}


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5", "*", "GZIP"])
def test_gzip_is_used_where_it_is_accepted(alpha: HttpCaller, stored: Any, accepted: str) -> None:
    plain = alpha.get(INDICATORS + "objects/")
    packed = alpha.get(INDICATORS + "objects/", headers={"Accept-Encoding": accepted})
    assert plain.headers.get("content-encoding") is None
    if accepted == "*" and "content-encoding" not in packed.headers:
        assert packed.body == plain.body
        return
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "accept-encoding" in packed.headers["vary"].lower()


@pytest.mark.parametrize("accepted", ["identity", "gzip;q=0", "br", "gzip;q=0.0, *;q=0", "x-other"])
def test_gzip_is_not_used_where_it_is_not_accepted(alpha: HttpCaller, stored: Any, accepted: str) -> None:
    answer = alpha.get(INDICATORS + "objects/", headers={"Accept-Encoding": accepted})
    assert answer.status == 200
    assert answer.headers.get("content-encoding") is None
    assert answer.objects


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_open_and_says_little(nobody: HttpCaller, path: str) -> None:
    answer = nobody.get(path, accept=None)
    assert answer.status == 200
    assert answer.json == {"status": "ok"}


@pytest.mark.parametrize("header", ["server", "x-powered-by", "set-cookie"])
def test_no_header_tells_what_the_server_is_made_of(alpha: HttpCaller, header: str) -> None:
    value = alpha.get("/taxii2/").headers.get(header, "")
    assert not re.search(r"(?i)python|werkzeug|flask|[0-9]+\.[0-9]+", value)


def test_a_status_is_seen_by_its_pusher_alone(exchange: ExchangeProcess, stored: Any) -> None:
    path = f"/taxii2/main/status/{stored['status']['id']}/"
    assert exchange.caller("alpha").get(path).json == stored["status"]
    absent = "/taxii2/main/status/11111111-1111-4111-8111-111111111111/"
    for key in ("beta", "gamma", "reader"):
        caller = exchange.caller(key)
        answer = caller.get(path)
        assert_taxii_error(answer, 404)
        assert answer.body == caller.get(absent).body
    assert_taxii_error(exchange.caller("outside").get(path), 404)
    assert_taxii_error(exchange.caller("alpha").get(path.replace("main", "lanes")), 404)


@pytest.mark.parametrize(
    "status_id",
    [
        "1",
        "not-a-uuid",
        "11111111-1111-4111-8111-11111111111",
        "..",
        "%00",
        "'; DROP TABLE status; --",
        "11111111111141118111111111111111",
        "%7B11111111-1111-4111-8111-111111111111%7D",
        "ü",
        "null",
    ],
)
def test_a_status_that_does_not_exist_is_404(alpha: HttpCaller, status_id: str) -> None:
    path = "/taxii2/main/status/" + status_id.replace("'", "%27").replace(" ", "%20").replace("ü", "%C3%BC")
    assert_taxii_error(alpha.get(target(path + "/")), 404)


def test_the_published_extensions_can_be_read_by_every_member(alpha: HttpCaller, exchange: ExchangeProcess) -> None:
    seen = []
    for root in alpha.get("/taxii2/").json["api_roots"]:
        path = root.removeprefix(exchange.url)
        for collection in alpha.get(path + "collections/").json.get("collections", []):
            if collection["can_read"] and not collection["can_write"]:
                answer = alpha.get(
                    f"{path}collections/{collection['id']}/objects/", {"match[type]": "extension-definition"}
                )
                seen += answer.objects
    assert len({one["id"] for one in seen}) >= 5
    assert all(json.loads(one["schema"]) if one["schema"].startswith("{") else one["schema"] for one in seen)
