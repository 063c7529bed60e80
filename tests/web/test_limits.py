"""Limits by the minute: as many as they say, evenly refilled, each member for itself, 0 for none."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from exchange.errors import InputError, TooManyRequestsError
from exchange.model.description import read_description
from exchange.model.party import Credential, Directory, Organisation
from exchange.policy.label import actor_facts
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import read, write
from exchange.web.app import _count
from exchange.web.caller import Caller
from exchange.web.limits import Limits

SETTINGS = Settings(requests_per_minute=60, bytes_per_minute=6_000, objects_per_minute=600)


def _refused(limits: Limits, who: str, now: float, own: dict[str, int] | None = None) -> int | None:
    """Seconds to wait, or None where the request is let in."""
    try:
        limits.ask(who, now, own or {})
    except TooManyRequestsError as refusal:
        return refusal.retry_after
    return None


def test_a_minutes_worth_is_let_in_at_once_and_then_one_by_one() -> None:
    limits = Limits(SETTINGS)
    assert [_refused(limits, "a", 0.0) for _ in range(61)] == [None] * 60 + [1]
    assert _refused(limits, "a", 0.5) == 1
    assert _refused(limits, "a", 1.0) is None
    assert _refused(limits, "a", 1.0) == 1
    assert _refused(limits, "b", 1.0) is None


@given(st.lists(st.floats(0, 20), max_size=300))
def test_nobody_gets_more_than_a_minutes_worth_and_what_was_filled_since(steps: list[float]) -> None:
    limits, now, let_in = Limits(SETTINGS), 0.0, 0
    for step in steps:
        now += step
        wait = _refused(limits, "a", now)
        let_in += wait is None
        if wait is not None:
            assert _refused(limits, "a", now + wait) is None  # Retry-After is true
            now, let_in = now + wait, let_in + 1
    assert let_in <= 60 + now + 1


@pytest.mark.parametrize(("kind", "amount", "wait"), [("bytes", 6_600, 7), ("bytes", 6_000, 1), ("objects", 1_200, 61)])
def test_what_was_sent_beyond_the_limit_is_paid_back(kind: str, amount: int, wait: int) -> None:
    limits = Limits(SETTINGS)
    limits.check_sender("org", 0.0, {})
    limits.take(kind, "org", amount, 0.0, {})
    with pytest.raises(TooManyRequestsError, match=f"{kind} that this organisation sends in a minute") as told:
        limits.check_sender("org", 0.0, {})
    assert told.value.retry_after == wait
    limits.check_sender("org", float(wait), {})
    limits.check_sender("another", 0.0, {})


@pytest.mark.parametrize(("own", "let_in"), [({}, 60), ({"requests": 5}, 5), ({"requests": 0}, 200), ({"bytes": 1}, 60)])
def test_an_organisations_own_amounts_come_first_and_zero_is_no_limit(own: dict[str, int], let_in: int) -> None:
    limits = Limits(SETTINGS)
    assert sum(_refused(limits, "a", 0.0, own) is None for _ in range(200)) == let_in


def test_memory_is_bounded_by_forgetting_who_asked_longest_ago() -> None:
    limits = Limits(replace(SETTINGS, requests_per_minute=1))
    for number in range(20_100):
        assert _refused(limits, f"k{number}", 0.0) is None
    assert len(limits._filled) == 20_000
    assert _refused(limits, "k20099", 0.0) == 60


@pytest.mark.parametrize(("scopes", "let_in"), [(("read",), 60), (("operate",), 200), (("read", "operate"), 200)])
def test_keys_that_run_the_exchange_have_no_limit(scopes: tuple[str, ...], let_in: int) -> None:
    limits = Limits(SETTINGS)
    organisation = Organisation(id="org", name="Org", kind="operator", jurisdiction="IE", jurisdiction_class="EEA")
    directory = Directory(0, {"org": organisation}, {}, {}, {}, {})
    caller = Caller(directory, organisation, Credential(id="k", org="org", digest="", scopes=scopes), None, 0, lambda *_: caller.credential)

    def let() -> bool:
        try:
            _count(limits, caller, "GET")
        except TooManyRequestsError:
            return False
        return True

    assert let_in <= sum(let() for _ in range(200)) <= let_in + 2


_DESCRIBED = """
[[organisation]]
id = "org-a"
name = "A"
kind = "platform"
jurisdiction = "IE"
facts = { limits = { requests = 600, bytes = 0 } }
"""


def test_a_members_own_limits_come_from_its_description_and_decide_nothing_else(engine: Engine) -> None:
    with write(engine) as connection:
        apply(connection, read_description(tomllib.loads(_DESCRIBED), load_directory(connection), {}, source="x"))
    with read(engine) as connection:
        organisation = load_directory(connection).organisations["org-a"]
    assert organisation.facts["limits"] == {"requests": 600, "bytes": 0}
    assert "limits" not in actor_facts(organisation, "2026-11-01T00:00:00Z")


@pytest.mark.parametrize("limits", ["{ request = 1 }", "{ requests = -1 }", '{ requests = "1" }', "5"])
def test_a_limit_that_is_none_is_refused(limits: str) -> None:
    text = _DESCRIBED.replace("{ requests = 600, bytes = 0 }", limits)
    with pytest.raises(InputError, match="limits"):
        read_description(tomllib.loads(text), Directory(0, {}, {}, {}, {}, {}), {}, source="x")
