"""How an object stood at any earlier time: versions, states and holds of its own contributor, and of nobody else's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from exchange.model.state import State
from exchange.obligations.transitions import By
from exchange.store.engine import read, write
from exchange.store.objects import id_key
from exchange.store.standing import Row, has_given, ids_of, is_held, rows_of, was_told
from exchange.store.statuses import drop_expired_statuses, drop_statuses, find_status, save_status
from tests.fakes.empty_store import lay_empty
from tests.obligations.five_members import DAY, NOW, PLAIN, SECOND, Members, indicator, opened

OFFICER = By("org-office", "officer", "a key")


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """Each test has objects of its own, and goes on from where the clock is."""
    found = opened(lay_empty(tmp_path_factory.mktemp("standing") / "cibx.db"))
    yield found
    found.exchange.engine.dispose()


def rows(members: Members, stix_id: str, at: int, feeds: Sequence[int] | None = None) -> list[Row]:
    with read(members.exchange.engine) as connection:
        return rows_of(connection, stix_id, at, feeds)


def pushed(members: Members, org: str = "alpha", **more: str) -> str:
    one = indicator()
    assert members.push(org, one, **more) == [("added", "")]
    return str(one["id"])


def test_its_state_at_a_time_is_that_between_the_changes_around_it(members: Members) -> None:
    one, begun = pushed(members), members.now
    went = [State.RESTRICTED, State.ACTIVE, State.DISPUTED, State.REVOKED]
    for to in went:
        members.now += DAY
        members.change(one, to, role="officer" if to is State.DISPUTED else "producer")
    then = [[row.state for row in rows(members, one, begun + days * DAY + past)] for days in range(5) for past in (-1, 0)]
    assert then[0] == []
    assert then[1:] == [[state] for state in (State.ACTIVE, State.ACTIVE, *(s for s in went[:3] for _ in "12"), State.REVOKED)]
    assert rows(members, one, begun - 1) == []


def test_versions_are_there_from_their_dates_on_the_newest_first(members: Members) -> None:
    one, begun = indicator(), members.now
    members.push("alpha", one)
    members.now += DAY
    members.push("alpha", {**one, "modified": "2026-11-03T00:00:00.000Z"})
    versions = [[row.version for row in rows(members, one["id"], at)] for at in (begun + DAY - 1, members.now)]
    assert versions == [["2026-11-01T00:00:00"], ["2026-11-03T00:00:00", "2026-11-01T00:00:00"]]


def test_a_row_says_whose_it_is_where_it_stands_and_what_it_refers_to(members: Members) -> None:
    first, second = pushed(members), pushed(members)
    note = {"type": "note", "spec_version": "2.1", "id": first.replace("indicator", "note"), "created": "2026-11-01T00:00:00.000Z",
            "modified": "2026-11-01T00:00:00.000Z", "content": "lorem", "object_refs": [second, first]}
    members.push("beta", note, collection=SECOND)
    (row,) = rows(members, note["id"], members.now + DAY)
    assert (row.contributor, row.collection, row.stix_id, row.refs) == ("org-beta", SECOND, note["id"], tuple(sorted([first, second])))
    assert rows(members, note["id"], members.now + DAY, [row.feed]) == [row]
    assert rows(members, note["id"], members.now + DAY, [row.feed + 1, row.feed - 1]) == []


def test_what_another_contributor_or_collection_changes_is_not_its_state(members: Members) -> None:
    one, begun = indicator(), members.now
    members.push("alpha", one)
    members.push("alpha", one, collection=SECOND)
    other = pushed(members)
    members.now += DAY
    members.change(other, State.RESTRICTED)
    changed = rows(members, one["id"], begun + DAY - 1)
    assert [(row.collection, row.state) for row in changed] == [(PLAIN, State.ACTIVE), (SECOND, State.ACTIVE)]
    members.change(one["id"], State.RESTRICTED)
    assert {row.state for row in rows(members, one["id"], members.now)} == {State.RESTRICTED}
    assert {row.state for row in rows(members, one["id"], members.now - 1)} == {State.ACTIVE}


@pytest.mark.parametrize(("until", "released", "days", "held"), [
    (None, None, 0, True), (None, None, 99, True), (2, None, 2 - 1e-9, True), (2, None, 2, False),
    (None, 3, 3 - 1e-9, True), (None, 3, 3, False), (5, 3, 4, False), (None, None, -1e-9, False),
])
def test_a_legal_hold_lasts_from_its_beginning_to_its_end_or_release(
    members: Members, until: int | None, released: int | None, days: float, held: bool
) -> None:
    one = pushed(members)
    other = pushed(members, "beta")
    members.now += DAY
    begun = members.now
    members.desk.hold(one, "org-alpha", reason="Order 12/26.", by=OFFICER, now=begun, until=until and begun + until * DAY)
    if released:
        members.desk.release(one, "org-alpha", by=OFFICER, now=begun + released * DAY)
    with read(members.exchange.engine) as connection:
        at = begun + round(days * DAY)
        assert is_held(connection, one, "org-alpha", at) is held
        assert not is_held(connection, one, "org-beta", at)
        assert not is_held(connection, other, "org-beta", at)
        assert not is_held(connection, "", "org-alpha", at)


def test_who_received_what_is_revoked_since_is_told(members: Members) -> None:
    one, other = indicator(), indicator()
    members.push("alpha", one, other)
    members.receive("beta", one["id"])
    members.now += DAY
    gone = {"modified": "2026-11-03T00:00:00.000Z", "revoked": True}
    assert members.push("alpha", one | gone, other | gone) == [("added", "")] * 2
    first, second = ({row.version: row.number for row in rows(members, made["id"], members.now + DAY)} for made in (one, other))
    with read(members.exchange.engine) as connection:
        told = {(number, org) for number in (*first.values(), *second.values()) for org in ("beta", "gamma")
                if was_told(connection, number, f"org-{org}")}
    assert told == {(first["2026-11-03T00:00:00"], "beta")}


def test_who_gave_an_object_is_known_wherever_it_gave_it(members: Members) -> None:
    one, other = pushed(members, "beta", collection=SECOND), pushed(members, "gamma")
    with read(members.exchange.engine) as connection:
        given = {(stix_id, org): has_given(connection, stix_id, f"org-{org}") for stix_id in (one, other) for org in ("beta", "gamma", "nobody")}
        numbers = [rows_of(connection, stix_id, members.now + DAY)[0].number for stix_id in (other, one)]
        assert ids_of(connection, numbers) == sorted([one, other])
        assert ids_of(connection, numbers[:1]) == [other]
    assert [asked for asked, found in given.items() if found] == [(one, "beta"), (other, "gamma")]
    assert id_key(one) != id_key(other)


SHORT, LONG = b'{"id":"a","successes":[{"id":"x--1"}]}', b'{"successes":[' + b",".join(b'{"id":"x--%d"}' % n for n in range(100)) + b"]}"


@pytest.mark.parametrize("body", [SHORT, LONG, b"{" * 1_000, b"{" * 1_001])
def test_a_status_is_its_pushers_alone_until_it_expires(members: Members, body: bytes) -> None:
    mine = {"status_id": f"s{len(body)}", "community": "c", "org": "org-alpha"}
    with write(members.exchange.engine) as connection:
        save_status(connection, **mine, expires=NOW, body=body)
        assert find_status(connection, **mine, now=NOW - 1) == body
        for change in ({"status_id": "t"}, {"community": "d"}, {"org": "org-beta"}):
            assert find_status(connection, **{**mine, **change}, now=NOW - 1) is None
        assert find_status(connection, **mine, now=NOW) is None
        drop_expired_statuses(connection, NOW - 1)
        assert find_status(connection, **mine, now=NOW - 1) == body
        drop_expired_statuses(connection, NOW)
        assert find_status(connection, **mine, now=NOW - 1) is None


def test_statuses_that_speak_of_an_object_go_and_no_others(members: Members) -> None:
    made = {"one": ("org-alpha", SHORT), "many": ("org-alpha", LONG), "other": ("org-alpha", b'{"id":"y"}'), "theirs": ("org-beta", SHORT)}
    with write(members.exchange.engine) as connection:
        for name, (org, body) in made.items():
            save_status(connection, status_id=name, community="c", org=org, expires=NOW, body=body)
        assert drop_statuses(connection, "org-alpha", "x--1") == 2
        left = [name for name, (org, _) in made.items()
                if find_status(connection, status_id=name, community="c", org=org, now=NOW - 1) is not None]
    assert left == ["other", "theirs"]
