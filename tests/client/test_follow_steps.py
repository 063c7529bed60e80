"""A follower takes each page once it was gone through, waits for a server that is gone, and answers each notice once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.client import Client as Session
from exchange.client.change import Change
from exchange.client.follow import Follower, Pace
from exchange.client.taxii import Client
from exchange.errors import ExchangeError, ForbiddenError, NotFoundError, UnauthorizedError, UnavailableError
from tests.fakes.taxii_peer import MEDIA, TaxiiPeer, domain, held, stamp
from tests.fakes.web_peer import Answer, Asked

ONCE = Pace(once=True)


class Ended(Exception):  # noqa: N818 - no error
    """The test saw enough."""


@pytest.fixture(scope="module")
def running() -> Iterator[TaxiiPeer]:
    with TaxiiPeer([]) as peer:
        yield peer


@pytest.fixture
def peer(running: TaxiiPeer) -> TaxiiPeer:
    """The same server for each test, as it was at its start."""
    running.held, running.page_size, running.token, running.headers = [], 2, "", True
    running.web.routes = {}
    running.web.fallback = running._answer
    running.web.asked.clear()
    return running


def follower(peer: TaxiiPeer, place: Path, pace: Pace = ONCE, **more: Any) -> Follower:
    more = {"reconnect": lambda: Client(peer.collection_url, token="t"), "notices": False, **more}
    return Follower(collection=None, checkpoint=place / "follow.json", pace=pace, **more)


def ids(batches: list[Any]) -> list[list[str]]:
    return [[one.id for one in batch] for batch in batches]


def all_ids(following: Follower) -> list[str]:
    return [one.id for batch in following.batches() for one in batch]


def numbered(*numbers: int) -> list[str]:
    return [domain(number)["id"] for number in numbers]


def test_pages_come_in_their_order_and_a_second_look_gives_what_is_new(peer: TaxiiPeer, tmp_path: Path) -> None:
    peer.held = held([1, 2, 3])
    assert ids(list(follower(peer, tmp_path).batches())) == [numbered(0, 1), numbered(2)]
    assert list(follower(peer, tmp_path).batches()) == []
    peer.held += [(stamp(4), domain(7))]
    assert ids(list(follower(peer, tmp_path).batches())) == [numbered(7)]


@pytest.mark.parametrize(("taken", "again"), [(1, [0, 1, 2, 3, 4]), (2, [2, 3, 4]), (3, [4])])
def test_the_batch_under_way_at_a_death_comes_again_and_none_before_it(
    peer: TaxiiPeer, tmp_path: Path, taken: int, again: list[int]
) -> None:
    peer.held = held([1, 2, 3, 4, 5])
    dying = follower(peer, tmp_path).batches()
    for _ in range(taken):
        next(dying)
    dying.close()  # type: ignore[attr-defined] # it is a generator
    assert all_ids(follower(peer, tmp_path)) == numbered(*again)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dates=st.lists(st.integers(0, 3), max_size=8).map(sorted), page=st.integers(1, 3), deaths=st.lists(st.integers(1, 3), max_size=2))
def test_nothing_is_missed_whatever_shares_a_date_and_whenever_it_dies(
    peer: TaxiiPeer, tmp_path: Path, dates: list[int], page: int, deaths: list[int]
) -> None:
    peer.held, peer.page_size = held(dates), page
    (tmp_path / "follow.json").unlink(missing_ok=True)
    seen: list[str] = []
    for most in deaths:
        dying = follower(peer, tmp_path).batches()
        for batch, _ in zip(dying, range(most), strict=False):
            seen += [one.id for one in batch]
        dying.close()  # type: ignore[attr-defined]
    rest = all_ids(follower(peer, tmp_path))
    assert set(seen) | set(rest) == set(numbered(*range(len(dates))))
    assert len(rest) == len(set(rest))
    assert list(follower(peer, tmp_path).batches()) == []


def test_what_is_added_late_under_the_last_date_is_not_missed(peer: TaxiiPeer, tmp_path: Path) -> None:
    peer.held = held([1, 2])
    list(follower(peer, tmp_path).batches())
    peer.held += [(stamp(2), domain(8))]
    peer.inclusive = True
    try:
        assert ids(list(follower(peer, tmp_path).batches())) == [numbered(8)]
    finally:
        peer.inclusive = False


def test_a_new_version_is_another_change_and_a_revoked_one_is_told_as_that(peer: TaxiiPeer, tmp_path: Path) -> None:
    first = {"type": "indicator", "id": "indicator--1", "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"}
    peer.held = [(stamp(1), first), (stamp(2), {**first, "modified": "2026-01-02T00:00:00Z", "revoked": True})]
    (batch,) = follower(peer, tmp_path).batches()
    assert [one.kind for one in batch] == ["object", "revoked"]
    assert [one.object["modified"] for one in batch] == ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]


def test_a_server_that_tells_no_dates_cannot_be_followed(peer: TaxiiPeer, tmp_path: Path) -> None:
    peer.held, peer.headers = held([1]), False
    with pytest.raises(NotFoundError, match=r"doesn't say when it added .*X-TAXII-Date-Added-Last"):
        list(follower(peer, tmp_path).batches())
    peer.headers = True
    assert ids(list(follower(peer, tmp_path).batches())) == [numbered(0)]


def gone_for(peer: TaxiiPeer, times: int) -> None:
    """The next answers are 503, then it is well."""
    left = [times]

    def answer(asked: Asked) -> Answer:
        left[0] -= 1
        return peer._answer(asked) if left[0] < 0 else Answer(503, b"{}", {"Content-Type": MEDIA})

    peer.web.fallback = answer


def pausing(most: int, then: Callable[[int], None] = lambda number: None) -> tuple[Pace, list[float]]:
    """A pace whose pauses are noted, and that ends at the last of them; ``then`` is told each one's number."""
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        then(len(pauses))
        if len(pauses) == most:
            raise Ended

    return Pace(poll=10.0, sleep=sleep), pauses


@pytest.mark.parametrize("url", ["collection_url", "root"])
def test_a_server_that_is_gone_is_asked_ever_more_seldom_and_told_of_once(peer: TaxiiPeer, tmp_path: Path, url: str) -> None:
    peer.held = held([1])
    gone_for(peer, 8)
    pace, pauses = pausing(9)
    told: list[str] = []
    place = getattr(peer, url)
    following = Follower(lambda: Client(place, token="t"), "lorem", tmp_path / "f.json", pace, False, told.append).batches()
    assert [one.id for one in next(following)] == numbered(0)
    with pytest.raises(Ended):
        next(following)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 10]
    assert told[0].endswith("503: no reason given. Trying again until it answers.")
    assert told[1:] == ([f"{place} answers again."] if url == "collection_url" else [])


def test_after_it_was_there_again_the_pauses_begin_anew(peer: TaxiiPeer, tmp_path: Path) -> None:
    pace, pauses = pausing(6, lambda number: gone_for(peer, 2) if number in {1, 4} else None)
    told: list[str] = []
    with pytest.raises(Ended):
        list(follower(peer, tmp_path, pace, tell=told.append).batches())
    assert pauses == [10, 1, 2, 10, 1, 2]
    assert [sentence.endswith("answers again.") for sentence in told] == [False, True, False]


def test_one_failure_is_told_already(peer: TaxiiPeer, tmp_path: Path) -> None:
    gone_for(peer, 1)
    pace, pauses = pausing(2)
    told: list[str] = []
    with pytest.raises(Ended):
        list(follower(peer, tmp_path, pace, tell=told.append).batches())
    assert pauses == [1, 10]
    assert len(told) == 2


@pytest.mark.parametrize("url", ["collection_url", "root"])
def test_once_a_server_that_is_gone_is_an_error(peer: TaxiiPeer, tmp_path: Path, url: str) -> None:
    gone_for(peer, 1)
    client = Client(getattr(peer, url), token="t")
    with pytest.raises(UnavailableError, match="answered 503"):
        list(Follower(lambda: client, "lorem", tmp_path / "f.json", ONCE, False).batches())


@pytest.mark.parametrize(("status", "kind"), [(403, ForbiddenError), (404, NotFoundError)])
def test_a_refusal_ends_a_follower_that_would_go_on_for_ever(peer: TaxiiPeer, tmp_path: Path, status: int, kind: type[ExchangeError]) -> None:
    peer.web.fallback = lambda asked: Answer(status, b"{}", {"Content-Type": MEDIA})
    pace, pauses = pausing(1)
    with pytest.raises(kind):
        list(follower(peer, tmp_path, pace).batches())
    assert pauses == []


def test_a_credential_that_is_not_accepted_is_read_anew_once_each_time(peer: TaxiiPeer, tmp_path: Path) -> None:
    peer.held, peer.token = held([1]), "second"
    tokens = iter(["first", "second", "third"])
    pace, pauses = pausing(2, lambda number: setattr(peer, "token", "third"))
    with pytest.raises(Ended):
        list(follower(peer, tmp_path, pace, reconnect=lambda: Client(peer.collection_url, token=next(tokens))).batches())
    assert pauses == [10, 10]
    assert next(tokens, "all used") == "all used"


def test_a_credential_that_stays_refused_ends_it_with_where_it_goes_on(peer: TaxiiPeer, tmp_path: Path) -> None:
    peer.token = "another"
    asked: list[int] = []

    def reconnect() -> Client:
        asked.append(1)
        return Client(peer.collection_url, token="t")

    with pytest.raises(UnauthorizedError, match=r"any more.*Get a new one .*goes on from .*follow\.json"):
        list(follower(peer, tmp_path, reconnect=reconnect).batches())
    assert len(asked) == 2


class Desk:
    """The exchange's notices: which are awaited, and what was answered."""

    def __init__(self, peer: TaxiiPeer, *awaited: str, status: int = 200) -> None:
        self.answers: list[tuple[str, Any]] = []
        self.status = status
        listed = [{"id": name, "obligation": "delete", "objects": [{"id": "a--1"}, "b--2"]} for name in awaited]
        peer.web.routes["/api/v1/notices"] = lambda _: Answer(status, json.dumps({"notices": listed}).encode())
        for name in awaited:
            peer.web.routes[f"/api/v1/notices/{name}/acknowledgement"] = lambda asked, name=name: self._take(name, asked)  # type: ignore[misc]
        self.accepts = 200

    def _take(self, name: str, asked: Asked) -> Answer:
        self.answers.append((name, json.loads(asked.body)))
        return Answer(self.accepts, b'{"title": "lorem"}')


def test_notices_come_after_the_objects_the_oldest_first_and_are_answered_when_taken(peer: TaxiiPeer, tmp_path: Path) -> None:
    peer.held, desk = held([1]), Desk(peer, "n2", "n1")
    following = follower(peer, tmp_path, notices=True).batches()
    assert [one.id for one in next(following)] == numbered(0)
    (first,) = next(following)
    assert (first.kind, first.id, first.obligation, first.concerned) == ("notice", "n1", "delete", ("a--1", "b--2"))
    assert desk.answers == []
    first.done, first.statement = False, "lorem ipsum"
    (second,) = next(following)
    assert desk.answers == [("n1", {"done": False, "statement": "lorem ipsum"})]
    second.done = False
    assert list(following) == []
    assert desk.answers[1:] == [("n2", {"done": False, "statement": "It couldn't be applied."})]


def test_a_notice_that_is_still_listed_is_not_answered_again(peer: TaxiiPeer, tmp_path: Path) -> None:
    desk = Desk(peer, "n1")
    pace, _ = pausing(3)
    with pytest.raises(Ended):
        list(follower(peer, tmp_path, pace, notices=True).batches())
    assert desk.answers == [("n1", {"done": True, "statement": "Applied by the follower."})]


def test_a_notice_that_was_lifted_meanwhile_is_done_with(peer: TaxiiPeer, tmp_path: Path) -> None:
    desk = Desk(peer, "n2", "n1")
    desk.accepts = 404
    assert ids(list(follower(peer, tmp_path, notices=True).batches())) == [["n1"], ["n2"]]
    assert [name for name, _ in desk.answers] == ["n1", "n2"]


@pytest.mark.parametrize("status", [403, 503])
def test_a_notice_whose_answer_is_not_taken_comes_again(peer: TaxiiPeer, tmp_path: Path, status: int) -> None:
    desk = Desk(peer, "n1")
    desk.accepts = status
    with pytest.raises(UnavailableError, match=rf"answered {status}"):
        list(follower(peer, tmp_path, notices=True).batches())
    pace, pauses = pausing(2, lambda number: setattr(desk, "accepts", 200))
    with pytest.raises(Ended):
        list(follower(peer, tmp_path, pace, notices=True).batches())
    assert pauses == [1, 10]
    assert [name for name, _ in desk.answers] == ["n1"] * 3


@pytest.mark.parametrize(("status", "awaited"), [(200, [["n1"]]), (403, []), (404, [])])
def test_a_server_without_notices_is_followed_all_the_same(
    peer: TaxiiPeer, tmp_path: Path, status: int, awaited: list[list[str]]
) -> None:
    peer.held = held([1])
    Desk(peer, "n1", status=status)
    assert ids(list(follower(peer, tmp_path, notices=True).batches())) == [numbered(0), *awaited]


def test_who_does_not_want_notices_gets_and_answers_none(peer: TaxiiPeer, tmp_path: Path) -> None:
    desk = Desk(peer, "n1")
    assert list(follower(peer, tmp_path, notices=False).batches()) == []
    assert desk.answers == []


def test_the_session_follows_change_by_change(peer: TaxiiPeer, tmp_path: Path) -> None:
    peer.held, desk = held([1, 2, 3]), Desk(peer, "n1")
    session = Session(peer.discovery, token="t")
    pulled = [one["id"] for one in session.pull("Lorem")]
    found = list(session.follow("lorem", checkpoint=tmp_path / "f.json", pace=ONCE))
    assert [one.id for one in found] == [*pulled, "n1"] == [*numbered(0, 1, 2), "n1"]
    assert [name for name, _ in desk.answers] == ["n1"]
    assert found[0].stated() == {"change": "object", "id": domain(0)["id"], "object": domain(0)}
    assert found[-1].stated()["notice"]["id"] == "n1"
    assert Change("object", "x").obligation == ""
    assert Change("object", "x").concerned == ()
