"""What becomes visible to a member later than it was pushed reaches it however it reads: once, and nobody else hears.

One table of ways to become visible late, each asked by every way of reading.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from exchange.client.completeness import compare
from exchange.client.follow import Pace
from exchange.client.session import Client
from exchange.stix.timestamp import microseconds
from tests.e2e.exchange_process import ExchangeProcess, new_database, serving
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import SECRETS
from tests.e2e.outsider import LATER, exact
from tests.e2e.stix_objects import DAY, TLP, campaign, domain, fixed_id, handling, indicator

MARKS = {"green": TLP["GREEN"], "amber": TLP["AMBER"]}
Objects = list[dict[str, Any]]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def exchange(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """A server with two workers on either engine."""
    url = ""
    if request.param == "postgres":
        url = new_database(request.getfixturevalue("postgres_server"), "late")
    with serving(tmp_path_factory.mktemp("late"), database_url=url, workers=2) as running:
        yield running


def link(word: object, source: str, target: str) -> dict[str, Any]:
    return {"type": "relationship", "spec_version": "2.1", "id": fixed_id("relationship", word), "created": DAY,
            "modified": DAY, "relationship_type": "related-to", "source_ref": source, "target_ref": target}


@dataclass
class Scene:
    """One collection, gamma who is to see something late, and delta who never is."""

    exchange: ExchangeProcess
    lane: str
    words: Iterator[int] = field(default_factory=itertools.count)

    def push(self, *objects: dict[str, Any], key: str = "alpha") -> None:
        told = self.exchange.caller(key).push(self.lane + "objects/", list(objects)).json
        assert told["success_count"] == len(objects), told

    def new(self, *marks: str, **more: Any) -> dict[str, Any]:
        marked = {"object_marking_refs": list(marks)} if marks else {}
        return indicator(f"{self.lane} {next(self.words)}", **marked, **more)

    def under(self, tlp: str, **terms: Any) -> Objects:
        marking = handling(f"{self.lane} {next(self.words)}", audience=terms.pop("audience", {}) | {
            "exclude_orgs": ["org-delta"]}, **terms)
        return [marking, self.new(MARKS[tlp], marking["id"]), self.new(MARKS[tlp], marking["id"])]


Ends = Callable[[], None]
Way = Callable[[Scene], tuple[Objects, Ends]]


def an_embargo_ends(scene: Scene) -> tuple[Objects, Ends]:
    end = datetime.now(UTC) + timedelta(seconds=4)
    hidden = scene.under("green", not_before=end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
    scene.push(*hidden)
    return hidden, lambda: time.sleep(max(0.0, (end - datetime.now(UTC)).total_seconds()) + 0.01)


def it_joins_a_group(scene: Scene) -> tuple[Objects, Ends]:
    hidden = scene.under("amber", audience={"sharing_groups": ["inner"]})
    scene.push(*hidden)
    scene.exchange.apply('[[membership]]\norg = "org-gamma"\ngroup = "inner"\nstatus = "ended"\n')
    return hidden, lambda: _done(scene.exchange.apply(
        '[[membership]]\norg = "org-gamma"\ngroup = "inner"\nstatus = "active"\n'))


def it_signs_an_agreement(scene: Scene) -> tuple[Objects, Ends]:
    hidden = scene.under("green", requires_agreements=[{"id": "second", "min_version": 1}])
    text = '[[agreement]]\norg = "org-{}"\nid = "second"\nversion = 1\npurposes = ["cib-detection"]\nsince = 2026-01-01\n'
    scene.exchange.apply(text.format("alpha"))
    scene.push(*hidden)
    return hidden, lambda: _done(scene.exchange.apply(text.format("gamma")))


def a_restriction_is_lifted(scene: Scene) -> tuple[Objects, Ends]:
    marking, one, _ = scene.under("green")
    scene.push(marking, one)
    scene.exchange.cibx("state", "restrict", one["id"], "--of", "org-alpha", "--reason", "a test", "--by", "Ana")
    lift = ("state", "lift", one["id"], "--of", "org-alpha", "--reason", "a test", "--by", "Ana")
    return [one], lambda: _done(scene.exchange.cibx(*lift))


def its_terms_are_widened(scene: Scene) -> tuple[Objects, Ends]:
    """A campaign is shared wider; a relationship and a note that were pushed before speak of it."""
    marking, _, _ = scene.under("green")
    green = [MARKS["green"], marking["id"]]
    secret = campaign(scene.lane, object_marking_refs=[MARKS["amber"]])
    shown = scene.new(*green)
    by = link(scene.lane, shown["id"], secret["id"]) | {"object_marking_refs": green}
    note = {"type": "note", "spec_version": "2.1", "id": fixed_id("note", scene.lane), "created": DAY,
            "modified": DAY, "content": "words", "object_refs": [by["id"]], "object_marking_refs": green}
    scene.push(marking, shown, secret, by, note)
    wider = secret | {"modified": LATER, "object_marking_refs": green}
    return [wider, by, note], lambda: scene.push(wider)


def another_shows_what_it_refers_to(scene: Scene) -> tuple[Objects, Ends]:
    marking, _, _ = scene.under("green")
    green = [MARKS["green"], marking["id"]]
    secret = domain(f"{scene.lane.split('/')[4]}.example", object_marking_refs=[MARKS["amber"]])
    shown = scene.new(*green)
    by = link(scene.lane, shown["id"], secret["id"]) | {"object_marking_refs": green}
    scene.push(marking, shown, secret, by)
    other = handling(f"{scene.lane} of beta", audience={"exclude_orgs": ["org-delta"]})
    open_one = secret | {"object_marking_refs": [MARKS["green"], other["id"]]}
    return [open_one, other, by], lambda: scene.push(other, open_one, key="beta")


WAYS: list[Way] = [an_embargo_ends, it_joins_a_group, it_signs_an_agreement, a_restriction_is_lifted,
                   its_terms_are_widened, another_shows_what_it_refers_to]


def only_on_sqlite(exchange: ExchangeProcess) -> None:
    """Commands take seconds, and PostgreSQL does the same as where a group is joined (and tests/store/test_arrivals)."""
    if not exchange.environment["CIBX_DATABASE_URL"].startswith("sqlite"):
        pytest.skip("its statements are tested on PostgreSQL without commands")


def _done(_said: str) -> None:
    """What a command printed doesn't matter."""


def polled(caller: HttpCaller, lane: str, endpoint: str, after: str | None) -> tuple[list[str], str | None]:
    """Ids in the order in which a poller by the last date meets them, and the last date."""
    seen: list[str] = []
    dates: list[str] = []
    while True:
        query = {"limit": "2"} | ({"added_after": after} if after else {})
        answer = caller.get(lane + endpoint, query)
        assert answer.status == 200, answer
        if not answer.ids:
            assert dates == sorted(set(dates)), "dates rise"
            return seen, after
        seen += answer.ids
        assert answer.first is not None
        assert answer.last is not None
        dates += [answer.first, answer.last] if len(answer.ids) > 1 else [answer.last]
        after = answer.last


def streamed(exchange: ExchangeProcess, lane: str, after: str, count: int) -> list[str]:
    """Ids of so many events after one."""
    url = f"{exchange.url}/api/v1/collections/{lane.split('/')[4]}/stream"
    found: list[str] = []
    with requests.get(url, headers={"Last-Event-ID": after}, auth=("gamma", SECRETS["gamma"]), stream=True, timeout=30) as answer:
        for line in answer.iter_lines(chunk_size=1):
            if line.startswith(b"data: {"):
                found.append(json.loads(line[6:])["id"])
                if len(found) == count:
                    break
    return found


def gamma_client(exchange: ExchangeProcess) -> Client:
    return Client(exchange.url + "/taxii2/", "gamma", SECRETS["gamma"])


def followed(client: Client, lane: str, place: Path) -> list[str]:
    return [one.id for one in client.follow(lane.split("/")[4], checkpoint=place, pace=Pace(once=True), notices=False)]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_reading_meets_it_once_and_the_outsider_hears_nothing(
    exchange: ExchangeProcess, way: Way, tmp_path: Path
) -> None:
    if way is it_signs_an_agreement:
        only_on_sqlite(exchange)
    scene = Scene(exchange, exchange.next_lane())
    lane, gamma, delta, client = scene.lane, exchange.caller("gamma"), exchange.caller("delta"), gamma_client(exchange)
    first = scene.new()
    scene.push(first)
    hidden, ends = way(scene)
    last_one = scene.new()
    scene.push(last_one)
    ids = {one["id"] for one in hidden}
    before, last = polled(gamma, lane, "objects/", None)
    assert before[0] == first["id"]
    assert before[-1] == last_one["id"]
    assert not ids & set(before)
    place = tmp_path / "place.json"
    assert followed(client, lane, place) == before
    outside = exact(delta.get(lane + "objects/")), exact(delta.get(lane + "manifest/"))
    assert last is not None
    ends()
    came, after = polled(gamma, lane, "objects/", last)
    assert sorted(came) == sorted(ids), "each once"
    assert after is not None
    assert after > last
    assert polled(gamma, lane, "manifest/", last) == (came, after)
    assert polled(gamma, lane, "objects/", after) == ([], after)
    behind = gamma.get(lane + "objects/", {"limit": "1"}).last  # where another key of the same seat may stand
    assert polled(exchange.caller("reader"), lane, "objects/", behind) == ([*before[1:], *came], after)
    assert followed(client, lane, place) == came
    assert followed(client, lane, place) == []
    assert streamed(exchange, lane, last, len(came)) == came
    records = {one["id"]: one["date_added"] for one in gamma.get(lane + "manifest/", {"match[version]": "all"}).objects}
    assert [one for one in sorted(records, key=lambda one: records[one]) if one in ids] == came
    assert gamma.get(f"{lane}objects/{came[0]}/").last == records[came[0]]
    url = client.collection_url(lane.split("/")[4])
    held = {one["id"]: str(one.get("modified", "")) for one in client.pull(url)}
    assert compare(client, url, held, after).complete
    assert (exact(delta.get(lane + "objects/")), exact(delta.get(lane + "manifest/"))) == outside
    scene.push(newest := scene.new())
    assert polled(gamma, lane, "objects/", after)[0] == [newest["id"]]
    assert microseconds(after) < microseconds(str(gamma.get(lane + "objects/").last))


def test_what_comes_and_goes_and_comes_again_arrives_again(exchange: ExchangeProcess) -> None:
    only_on_sqlite(exchange)
    scene = Scene(exchange, exchange.next_lane())
    hidden, join = it_joins_a_group(scene)
    gamma, ids = exchange.caller("gamma"), {one["id"] for one in hidden}
    scene.push(scene.new())
    _, last = polled(gamma, scene.lane, "objects/", None)
    for _ in range(2):
        join()
        came, last = polled(gamma, scene.lane, "objects/", last)
        assert set(came) == ids
        exchange.apply('[[membership]]\norg = "org-gamma"\ngroup = "inner"\nstatus = "ended"\n')
        assert polled(gamma, scene.lane, "objects/", last) == ([], last)
