"""The TAXII connector against a real exchange: everything that another member pushed, once, and then what is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from connectors.taxii import CONNECTOR
from exchange.connect.contract import Batch
from exchange.connect.source import Source
from exchange.errors import NotFoundError, UnauthorizedError
from exchange.outbound.web import Web
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import domain, indicator

SETTINGS = {"CIBX_PAGE_SIZE": "7"}


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web(allow=("127.0.0.0/8",)) as way:
        yield way


def pull(web: Web, place: str, checkpoint: Mapping[str, Any] | None = None, key: str = "beta", **options: str
         ) -> list[Batch]:
    secrets = {"user": key, "password": SECRETS.get(key, "none")}
    return list(CONNECTOR.fetch(Source(place, {"limit": "5", **options}, secrets, web), checkpoint))


def ids(batches: list[Batch]) -> list[str]:
    return sorted(item["id"] for batch in batches for item in batch.upserts)


@pytest.mark.parametrize("place", ["/taxii2/", "/taxii2/lanes/"])
def test_what_a_member_pushed_comes_once_then_what_is_new_and_what_is_revoked(
    exchange: ExchangeProcess, alpha: HttpCaller, web: Web, place: str
) -> None:
    lane = exchange.next_lane()
    pushed = [indicator(f"{lane} {number}") for number in range(12)] + [domain(f"{place[8:-1]}{n}.example") for n in range(11)]
    assert alpha.push(lane + "objects/", pushed).json["failure_count"] == 0
    named = {"collection": lane.rstrip("/").rpartition("/")[2]}
    first = pull(web, exchange.url + place, **named)
    assert sorted(one["id"] for one in pushed) == [one for one in ids(first) if not one.startswith(("marking", "extension", "identity"))]
    mark = first[-1].checkpoint
    again = pull(web, exchange.url + place, mark, **named)
    assert ids(again) == []
    changed = {**pushed[3], "modified": "2026-03-01T00:00:00.000Z", "revoked": True}
    more = [indicator(f"{lane} late {number}") for number in range(9)]
    assert alpha.push(lane + "objects/", [changed, *more]).json["failure_count"] == 0
    then = pull(web, exchange.url + place, again[-1].checkpoint if again else mark, **named)
    assert sorted(one["id"] for one in [changed, *more]) == ids(then)
    taken_back = [item for batch in then for item in batch.upserts if item["id"] == changed["id"]]
    assert [item["revoked"] for item in taken_back] == [True]


def test_a_walk_that_was_cut_goes_on_at_the_next_page(exchange: ExchangeProcess, alpha: HttpCaller, web: Web) -> None:
    lane = exchange.next_lane()
    alpha.push(lane + "objects/", [indicator(f"{lane} {number}") for number in range(23)])
    whole = pull(web, exchange.url + lane)
    for cut in range(1, len(whole)):
        rest = pull(web, exchange.url + lane, whole[cut - 1].checkpoint)
        assert ids(whole) == sorted([*ids(whole[:cut]), *ids(rest)])


def test_nobody_and_a_collection_that_is_not_there_are_told(exchange: ExchangeProcess, web: Web) -> None:
    with pytest.raises(UnauthorizedError):
        pull(web, exchange.url + "/taxii2/lanes/", key="nobody", collection="lane-000")
    with pytest.raises(NotFoundError, match="no collection 'lane-999'"):
        pull(web, exchange.url + "/taxii2/lanes/", collection="lane-999")
