"""One event in memory says what a run says of the same row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import InputError
from exchange.matcher.indicators import Indicator, Terms, collect, read_indicators
from exchange.matcher.probes import Probe
from exchange.matcher.report import Report
from exchange.matcher.stream import Event, Index, Met
from exchange.matcher.weighing import load_weights

AT, DAY = 1_780_272_000, 86_400
WEIGHTS = load_weights()
PDQ = "0f" * 32
NEAR_PDQ = "0f" * 28 + "0f0f0e0a"
FAR_PDQ = "f0" * 32
SAID = "the council will close our harbour tonight and nobody asked the people"


def read(objects: list[dict[str, Any]]) -> list[Indicator]:
    terms = Terms(AT, WEIGHTS.direct.default_confidence, WEIGHTS.direct.sibling)
    return read_indicators(collect(objects, Report()), terms, Report())


def index(objects: list[dict[str, Any]], accounts: int | None = None) -> Index:
    return Index(WEIGHTS, read(objects), at=AT, accounts=accounts)


PATTERNS = (
    "[x-cib-device:token = 'dv_7c'] OR [x-cib-payment:token = 'pm_99']",
    "[phone-number:value = '0044 7911 123456']",
    "[email-addr:value = 'Jo@Lies.Example']",
    "[ipv4-addr:value = '192.0.2.7']",
    "[ipv4-addr:value = '192.0.2.0/24' OR ipv4-addr:value = '198.51.0.0/16']",
    "[domain-name:value = 'lies.example.org']",
    "[domain-name:value = 'cdn.other.example.net']",
    "[domain-name:value = 'bücher.example']",
    "[url:value = 'https://lies.example.org/a?b=1']",
    "[x-cib-domain:token = 'dn_5']",
    f"[x-cib-media:pdq = '{PDQ}']",
    f"[x-cib-post:text = '{SAID}']",
    "[user-account:account_type = 'x' AND user-account:account_login = 'liar77']",
)
EVENTS = (
    ("device", "dv_7c"), ("device", "dv_8"), ("device", "some text"), ("payment", "pm_99"), ("phone", "+447911123456"),
    ("email", " JO@lies.example "), ("email_domain", "lies.example.org"), ("ip4", "192.0.2.7"), ("ip4", "192.0.9.9"),
    ("ip4", "198.51.100.1"), ("ip4", "nonsense"), ("domain", "lies.example.org"), ("domain", "www.lies.example.org."),
    ("domain", "a.b.lies.example.org"), ("domain", "example.org"), ("domain", "new.other.example.net"),
    ("domain", "BÜCHER.example"), ("domain", "dn_5"), ("link", "http://lies.example.org/a/?b=1"),
    ("link", "https://www.lies.example.org/a?b=1#c"), ("link", "https://bücher.example/seite"), ("link", "dn_5"),
    ("picture", PDQ), ("picture", NEAR_PDQ.upper()), ("picture", FAR_PDQ), ("text", SAID.upper() + "!"),
    ("text", SAID.replace("close", "shut")), ("text", "the weather is fine"), ("account", "@Liar77"),
    ("account", "https://twitter.com/liar77"), ("account", "honest"),
)


def row(event: Event) -> tuple[str, dict[str, Any]]:
    """The same in a platform's tables."""
    seen = {"first_seen": event.first if event.first is not None else event.seen, "last_seen": event.seen}
    if event.kind == "link":
        return "posts", {"ts": event.seen, "kind": "link", "object": event.value}
    if event.kind == "text":
        return "posts", {"ts": event.seen, "kind": "original", "text": event.value}
    if event.kind == "picture":
        return "avatars", {"pdq": event.value}
    if event.kind == "account":
        url = str(event.value).startswith("http")
        return "handles", {"platform": event.platform, "profile_url" if url else "handle": event.value}
    return "links", {"itype": event.kind, "value": event.value, **seen}


def told(mets: list[Met]) -> set[tuple[Any, ...]]:
    return {(met.account, met.kind, met.indicator, met.shared, round(met.nats, 9)) for met in mets}


def test_an_event_meets_what_a_run_meets_and_weighs_it_alike(platform: Any) -> None:
    objects = [platform.indicator(pattern, created_by_ref=f"identity--{source}", confidence=confidence, name=(n, source))
               for n, pattern in enumerate(PATTERNS) for source, confidence in (("a", 80), ("b", 50))
               if source == "a" or n % 2]
    made = index(objects, accounts=len(EVENTS))
    events = []
    for n, (kind, value) in enumerate(EVENTS):
        seen = AT - n % 7 * 20 * DAY
        first = seen - n % 3 * 9 * DAY if kind not in ("link", "text") else None
        if kind in ("picture", "account"):  # a run takes them to be in use since the account was made
            seen, first = AT, AT - 30 * DAY
        events.append(Event(f"account {n}", kind, value, seen, first, "x" if kind == "account" else None))
        platform.add("accounts", account_id=f"account {n}", created=AT - 30 * DAY)
        table, columns = row(events[-1])
        platform.add(table, account_id=f"account {n}", **columns)
    batch = platform.run(objects).rows("""SELECT account_id, kind, indicator_id, shared_value, round(raw, 9), holders
        FROM evidence WHERE step = 'direct'""")
    holders: dict[Any, set[int]] = {}
    for account, *_, count in batch:
        holders.setdefault(account, set()).add(count)
    alone = told([met for event in events
                  for met in made.meet(replace(event, holders=min(holders.get(event.account, {1}))))])
    assert {met[:4] for met in alone} == {row[:4] for row in batch}
    even = {account for account, counts in holders.items() if len(counts) == 1}  # one figure for all that is met
    assert {met for met in alone if met[0] in even} == {row[:5] for row in batch if row[0] in even}
    assert len(even) > 15
    assert {kind for _, kind, *_ in alone} >= {"device", "payment", "phone", "email", "email_domain", "ip4", "ip_range",
                                           "domain", "url", "picture", "text", "account"}


@pytest.mark.parametrize(("kind", "value", "met"), [
    ("device", 0x7C, True), ("device", -1, False), ("ip4", 0xC0000207, True), ("ip4", 2**40, False),
    ("domain", 5, True), ("domain", 6, False), ("picture", "no digits", False), ("link", "", False),
    ("text", "", False), ("account", "", False),
])
def test_values_may_be_numbers_and_nonsense_meets_nothing(platform: Any, kind: str, value: Any, met: bool) -> None:
    made = index([platform.indicator(pattern) for pattern in PATTERNS])
    assert bool(made.meet(Event("a", kind, value, AT))) == met


def test_the_strongest_hit_stands_first_and_a_second_source_counts_less(platform: Any) -> None:
    objects = [platform.indicator(PATTERNS[0], name=name, created_by_ref=f"identity--{name}", confidence=confidence)
               for name, confidence in (("a", 40), ("b", 100), ("c", 100))]
    mets = index(objects).meet(Event("x", "device", "dv_7c", AT))
    assert [met.source for met in mets] == ["identity--b", "identity--c", "identity--a"]
    first, second, third = (met.nats for met in mets)
    assert second == pytest.approx(0.6 * first)
    assert third == pytest.approx(0.36 * 0.4 * first)


def test_one_source_speaks_once_of_one_value(platform: Any) -> None:
    objects = [platform.indicator(PATTERNS[0], name=name, confidence=confidence)
               for name, confidence in (("a", 40), ("b", 100))]
    assert [met.indicator for met in index(objects).meet(Event("x", "device", "dv_7c", AT))] == [objects[1]["id"]]


def test_a_word_that_a_value_is_benign_comes_with_the_hit(platform: Any) -> None:
    objects = [platform.indicator("[x-cib-device:token = 'dv_1']"),
               platform.indicator("[x-cib-device:token = 'dv_1']", name="no", indicator_types=["benign"],
                                  created_by_ref="identity--b")]
    met, = index(objects).meet(Event("x", "device", "dv_1", AT))
    assert met.objections == ("identity--b",)


@pytest.mark.parametrize(("holders", "met"), [(1, 1.0), (13, None), (180, 0)])
def test_common_values_say_less_and_at_last_nothing(platform: Any, holders: int, met: float | None) -> None:
    made = index([platform.indicator("[x-cib-device:token = 'dv_1']")])
    alone, = made.meet(Event("x", "device", "dv_1", AT))
    mets = made.meet(Event("x", "device", "dv_1", AT, holders=holders))
    if met == 0:
        assert mets == []
    else:
        assert (mets[0].nats < alone.nats) == (met is None)


def test_an_event_without_a_time_counts_half(platform: Any) -> None:
    made = index([platform.indicator("[x-cib-device:token = 'dv_1']", valid_from="2026-06-01T00:00:00Z")])
    now, = made.meet(Event("x", "device", "dv_1", AT))
    never, = made.meet(Event("x", "device", "dv_1"))
    assert never.nats == pytest.approx(0.5 * now.nats)


def test_an_indicator_ends_at_its_moment(platform: Any) -> None:
    indicator, = read([platform.indicator("[x-cib-device:token = 'dv_1']", valid_until="2026-06-01T00:00:01Z")])
    event = Event("x", "device", "dv_1", AT)
    assert indicator.valid_until == AT + 1
    assert [bool(Index(WEIGHTS, [indicator], at=moment).meet(event)) for moment in (AT, AT + 1)] == [True, False]


def test_an_unknown_kind_is_told_with_the_remedy() -> None:
    with pytest.raises(InputError, match=r"unknown kind 'shoe'.*Kinds: device"):
        Index(WEIGHTS).meet(Event("x", "shoe", "9"))


VALUES = st.sampled_from([
    Probe("device", "token", "d1", key=1), Probe("device", "token", "d2", key=2),
    Probe("ip_range", "range", "r", key=0xC00002, bits=24), Probe("ip_range", "range", "r", key=0xC000, bits=16),
    Probe("domain", "host", "h", text="lies.example.org"), Probe("url", "url", "u", text="lies.example.org/a"),
    Probe("picture", "picture", "p", text=PDQ), Probe("picture", "picture", "p", text=FAR_PDQ),
    Probe("text", "text", "t", text=SAID), Probe("text", "text", "t", text=SAID.upper()),
])
CHANGES = st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.lists(VALUES, min_size=1, max_size=3)),
                   max_size=20)


@given(CHANGES)
@settings(max_examples=60, deadline=None)
def test_adding_and_removing_leaves_the_index_as_if_made_anew(changes: list[tuple[bool, str, list[Probe]]]) -> None:
    grown, standing = Index(WEIGHTS, at=AT), {}
    for add, name, probes in changes:
        if add:
            standing[name] = Indicator(name, "s", "s", "", AT, 1.0, tuple(probes))
            grown.add(standing[name])
        else:
            assert grown.remove(name) == (standing.pop(name, None) is not None)
    fresh = Index(WEIGHTS, standing.values(), at=AT)
    events = [Event("x", "ip4", "192.0.2.1", AT), Event("x", "link", "https://lies.example.org/a", AT),
              Event("x", "picture", PDQ, AT), Event("x", "picture", FAR_PDQ, AT), Event("x", "text", SAID, AT)]
    assert [told(grown.meet(event)) for event in events] == [told(fresh.meet(event)) for event in events]
    assert len(grown) == len(standing)
    if not standing:
        assert vars(grown)["_keys"] == vars(grown)["_texts"] == vars(grown)["_ranges"] == {}


def test_the_module_is_what_a_job_imports() -> None:
    import exchange.matcher.stream as room

    assert set(room.__all__) == {"KINDS", "Event", "Index", "Met", "read_event"}
    assert Path(str(room.__file__)).name == "__init__.py"
