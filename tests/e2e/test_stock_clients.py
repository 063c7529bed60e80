"""Clients that others wrote work unchanged: taxii2-client, stix2's TAXII data stores, cytaxii2, cc-taxii2-client."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stix2
from taxii2client.exceptions import TAXIIServiceException
from taxii2client.v21 import ApiRoot, Collection, Server, Status, as_pages

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.members import SECRETS, collection_id
from tests.e2e.stix_objects import DAY, Object, campaign, domain, fixed_id, indicator

SETTINGS = {"CIBX_PAGE_SIZE": "10"}
LATER = "2026-03-01T00:00:00.000Z"


def at(exchange: ExchangeProcess, lane: str, key: str = "alpha") -> Collection:
    """taxii2-client's collection with a member's credential; that client wants the id in the URL, not the alias."""
    start, alias, end = lane.rpartition(lane.split("/")[-2])
    return Collection(exchange.url + start + collection_id(alias) + end, user=key, password=SECRETS[key])


@pytest.fixture
def filled(exchange: ExchangeProcess, lane: str) -> Collection:
    """A collection of 25 objects, one of them in two versions."""
    collection = at(exchange, lane)
    objects = [indicator(f"client-{n}") for n in range(24)] + [
        indicator("client-0", modified=LATER),
        domain("c.example"),
    ]
    assert collection.add_objects({"objects": objects}).success_count == 26
    return collection


def test_taxii2_client_discovers_the_server_and_its_roots(exchange: ExchangeProcess) -> None:
    server = Server(exchange.url + "/taxii2/", user="alpha", password=SECRETS["alpha"])
    assert server.title
    assert server.default.url in [root.url for root in server.api_roots]
    main = next(root for root in server.api_roots if root.url.endswith("/main/"))
    assert main.title == "Community main"
    assert "application/taxii+json;version=2.1" in main.versions
    assert main.max_content_length > 0
    indicators = next(c for c in main.collections if c.id == collection_id("indicators"))
    assert (indicators.title, indicators.can_read, indicators.can_write) == (
        "Collection indicators",
        True,
        True,
    )


def test_taxii2_client_pushes_and_waits_for_the_status(exchange: ExchangeProcess, lane: str) -> None:
    bad = indicator("bad")
    del bad["pattern"]
    status = at(exchange, lane).add_objects({"objects": [indicator("good"), bad]}, wait_for_completion=True)
    assert (status.status, status.success_count, status.failure_count) == ("complete", 1, 1)
    assert [f["id"] for f in status.failures] == [bad["id"]]
    root = ApiRoot(f"{exchange.url}/taxii2/lanes/", user="alpha", password=SECRETS["alpha"])
    asked = root.get_status(status.id)
    assert isinstance(asked, Status)
    assert asked._raw == status._raw
    asked.refresh()
    assert asked.successes[0]["id"] == indicator("good")["id"]


@pytest.mark.parametrize("per_request", [1, 3, 10, 25, 1_000])
def test_as_pages_ends_on_objects(filled: Collection, per_request: int) -> None:
    pages = list(as_pages(filled.get_objects, per_request=per_request))
    found = [one["id"] for page in pages for one in page.get("objects", [])]
    assert len(found) == len(set(found)) == 25


@pytest.mark.parametrize("per_request", [1, 3, 10, 25, 1_000])
def test_as_pages_ends_on_the_manifest(filled: Collection, per_request: int) -> None:
    pages = list(as_pages(filled.get_manifest, per_request=per_request))
    found = [one["date_added"] for page in pages for one in page.get("objects", [])]
    assert found == sorted(set(found))
    assert len(found) == 25


@pytest.mark.parametrize("per_request", [1, 2])
def test_as_pages_ends_on_versions_and_on_one_object(filled: Collection, per_request: int) -> None:
    many = fixed_id("indicator", "client-0")

    def versions(**query: Any) -> Any:
        return filled.object_versions(many, **query)

    def one_object(**query: Any) -> Any:
        return filled.get_object(many, version="all", **query)

    listed = [v for page in as_pages(versions, per_request=per_request) for v in page.get("versions", [])]
    assert listed == [DAY, LATER]
    objects = [o for page in as_pages(one_object, per_request=per_request) for o in page.get("objects", [])]
    assert [o["modified"] for o in objects] == [DAY, LATER]


def test_as_pages_ends_on_an_empty_collection(exchange: ExchangeProcess, lane: str) -> None:
    collection = at(exchange, lane)
    assert len(list(as_pages(collection.get_objects, per_request=5))) == 1
    assert len(list(as_pages(collection.get_manifest, per_request=5))) == 1


def test_taxii2_client_filters(filled: Collection) -> None:
    assert len(filled.get_objects(type="domain-name")["objects"]) == 1
    many = fixed_id("indicator", "client-0")
    assert len(filled.get_objects(id=many, version="all")["objects"]) == 2
    assert filled.get_objects(id=[many, "indicator--x"], version=["first", "last"])["objects"][1]["modified"] == LATER
    last = filled.get_manifest(limit=5)["objects"][-1]["date_added"]
    assert len(filled.get_objects(added_after=last, limit=3)["objects"]) == 3


def test_taxii2_client_deletes(filled: Collection) -> None:
    many = fixed_id("indicator", "client-0")
    filled.delete_object(many)
    with pytest.raises(Exception, match="404"):
        filled.get_object(many)


def test_taxii2_client_is_told_of_errors(exchange: ExchangeProcess, lane: str) -> None:
    with pytest.raises((TAXIIServiceException, Exception), match="401"):
        Collection(exchange.url + lane, user="nobody-here", password="wrong").get_objects()
    with pytest.raises((TAXIIServiceException, Exception), match="404"):
        at(exchange, "/taxii2/lanes/collections/absent/").get_objects()


# -- stix2 ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def store(exchange: ExchangeProcess, lane: str) -> stix2.TAXIICollectionStore:
    return stix2.TAXIICollectionStore(at(exchange, lane), items_per_page=3)


def test_stix2_store_writes_and_reads_back(store: stix2.TAXIICollectionStore) -> None:
    written = stix2.Indicator(
        pattern="[domain-name:value = 'x.example']",
        pattern_type="stix",
        name="By stix2",
        indicator_types=["malicious-activity"],
        valid_from=DAY,
    )
    observable = stix2.DomainName(value="stix2.example")
    store.add([written, observable])
    assert store.get(written.id) == written
    assert store.get(observable.id).value == "stix2.example"
    newer = written.new_version(name="Another name")
    store.add(newer)
    assert store.get(written.id).name == "Another name"
    assert len(store.all_versions(written.id)) == 2


def test_stix2_source_queries_over_pages(store: stix2.TAXIICollectionStore) -> None:
    store.add([stix2.parse(indicator(f"query-{n}")) for n in range(10)] + [stix2.parse(campaign("query"))])
    assert len(store.query([stix2.Filter("type", "=", "indicator")])) == 10
    assert len(store.query([stix2.Filter("type", "=", "campaign")])) == 1
    named = stix2.Filter("name", "=", "Indicator query-7")
    assert [o.name for o in store.query([stix2.Filter("type", "=", "indicator"), named])] == ["Indicator query-7"]
    assert len(store.query([stix2.Filter("id", "=", fixed_id("indicator", "query-3"))])) == 1


def test_stix2_source_and_sink_stand_alone(exchange: ExchangeProcess, lane: str) -> None:
    sink = stix2.TAXIICollectionSink(at(exchange, lane))
    sink.add(stix2.Bundle(stix2.parse(indicator("bundle-1")), stix2.parse(indicator("bundle-2"))))
    source = stix2.TAXIICollectionSource(at(exchange, lane, "beta"), items_per_page=1)
    assert {o.id for o in source.query()} == {fixed_id("indicator", f"bundle-{n}") for n in (1, 2)}
    assert source.get(fixed_id("indicator", "absent")) is None


# -- others, where they are installed
def test_cytaxii2_discovers_polls_and_pushes(exchange: ExchangeProcess) -> None:
    cytaxii2 = pytest.importorskip("cytaxii2.cytaxii2", reason="cytaxii2 is not installed")
    client = cytaxii2.cytaxii2(discovery_url=exchange.url + "/taxii2/", username="alpha", password=SECRETS["alpha"])
    client.api_root = next(r for r in client.discovery_request()["response"]["api_roots"] if r.endswith("/main/"))
    assert client.root_discovery()["status_code"] == 200
    assert client.collection_request()["response"]["collections"]
    identity = collection_id("strict")
    objects: list[Object] = [indicator(f"cy-{n}") for n in range(15)]
    pushed = client.inbox_request(identity, json.dumps({"objects": objects}))
    assert (pushed["status_code"], pushed["response"]["success_count"]) == (202, 15)
    found, answer = [], client.poll_request(identity, limit=4)
    while True:
        assert answer["status_code"] == 200
        found += answer["response"].get("objects", [])
        if not answer["response"].get("more"):
            break
        answer = client.poll_request(identity, limit=4, next=answer["response"]["next"])
    assert found == objects
    assert client.poll_request(identity, object_type="campaign")["response"].get("objects", []) == []


def test_cc_taxii2_client_follows_pages(exchange: ExchangeProcess) -> None:
    module = pytest.importorskip("cc_taxii2_client", reason="cc-taxii2-client is not installed")
    client = module.CCTaxiiClient("alpha", SECRETS["alpha"])
    client.url = exchange.url + "/taxii2"
    identity = collection_id("alpha-only")
    collection = at(exchange, "/taxii2/main/collections/alpha-only/")
    plain = [
        {
            k: v
            for k, v in indicator(f"cc-{n}", description="x", pattern_version="2.1").items()
            if k != "indicator_types"
        }
        for n in range(12)
    ]
    pushed = collection.add_objects({"objects": plain})
    assert pushed.success_count == 12, pushed.failures
    client.account = "main"  # the client's API root is its account's name, or "api"
    pages = client.get_cc_indicators_generator(collection_id=identity, limit=5, follow_pages=True, private=True)
    assert [one.id for page in pages for one in page] == [one["id"] for one in plain]
