"""Recidivism: who uses what the member's own removed networks used is found again, by one witness that isn't the feed."""

from __future__ import annotations

from typing import Any

import pytest

PDQ = "0f" * 32


def evidence(found: Any) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = found.rows(
        "SELECT account_id, kind, campaign, source FROM evidence WHERE step = 'direct' ORDER BY ALL")
    return rows


@pytest.mark.parametrize(("kind", "value", "local"), [
    ("device", "dv_7c", ("links", {"itype": "device", "value": "dv_7c"})),
    ("phone", "0049 30 123456", ("links", {"itype": "phone", "value": "+49 (30) 123456"})),
    ("ip4", "192.0.2.7", ("links", {"itype": "ip4", "value": "192.0.2.7"})),
    ("ip_range", "192.0.2.0/28", ("links", {"itype": "ip4", "value": "192.0.2.7"})),
    ("domain", "Lies.example.org", ("links", {"itype": "domain", "value": "lies.example.org"})),
    ("picture", PDQ, ("avatars", {"pdq": PDQ})),
    ("text", "Harbour closed, they say!", ("posts", {"kind": "original", "text": "harbour closed they say"})),
    ("account", "https://x.com/liar77", ("handles", {"platform": "x", "handle": "@Liar77"})),
    ("url", "https://lies.example.org/a", ("posts", {"kind": "link", "object": "http://lies.example.org/a/"})),
])
def test_a_value_of_a_removed_network_finds_its_next_holder(
    platform: Any, kind: str, value: str, local: tuple[str, dict[str, Any]]
) -> None:
    platform.accounts("new", "other")
    table, row = local
    times = {"links": {"first_seen": platform.at - platform.day, "last_seen": platform.at}, "posts": {"ts": platform.at}}
    platform.add(table, account_id="new", **row, **times.get(table, {}))
    platform.add("removed", network="swan", removed_at=platform.at - 5 * platform.day, itype=kind, value=value)
    found = platform.run([])
    who = {account for account, *_ in evidence(found)}
    assert who == {"new"}
    assert {row[2:] for row in evidence(found)} == {("swan", "own-removed")}


def test_an_account_of_a_removed_network_speaks_with_all_its_values(platform: Any) -> None:
    platform.accounts("new", "gone", "other")
    for account in ("gone", "new"):
        platform.link(account, "device", "dv_7c")
        platform.add("avatars", account_id=account, pdq=PDQ)
    platform.link("other", "device", "dv_8")
    platform.add("removed", network="swan", removed_at=platform.at - 5 * platform.day, account_id="gone")
    assert {(a, k) for a, k, *_ in evidence(platform.run([]))} == {
        ("gone", "device"), ("gone", "picture"), ("new", "device"), ("new", "picture")}


def test_own_removals_alone_are_one_source_and_stay_provisional(platform: Any) -> None:
    platform.accounts("new", created=platform.at - 2 * platform.day)
    for network, kind, value in (("swan", "device", "dv_7c"), ("teal", "payment", "pm_9"), ("coot", "email", "em_5")):
        platform.link("new", kind, value)
        platform.add("removed", network=network, removed_at=platform.at - platform.day, itype=kind, value=value)
    found = platform.run([])
    assert found.rows("SELECT sources FROM accounts") == [(1,)]
    assert found.scores()["new"] < 0.5


def test_what_was_removed_long_ago_says_less(platform: Any) -> None:
    platform.accounts("soon", "late")
    for account, value, days in (("soon", "dv_1", 10), ("late", "dv_2", 400)):
        platform.link(account, "device", value)
        platform.add("removed", network=account, removed_at=platform.at - days * platform.day, itype="device",
                     value=value)
    nats = dict(platform.run([]).rows("SELECT account_id, decay FROM evidence WHERE step = 'direct'"))
    assert nats["late"] < nats["soon"] / 4


def test_rows_that_cannot_be_used_are_told_and_the_rest_goes_on(platform: Any) -> None:
    platform.accounts("new")
    platform.link("new", "device", "dv_7c")
    row = {"network": "swan", "removed_at": platform.at - platform.day, "itype": "device", "value": "dv_7c"}
    platform.add("removed", **row)
    for fault in ({"network": ""}, {"itype": "shoe size"}, {"value": ""}, {"removed_at": platform.at + 9}):
        platform.add("removed", **{**row, **fault})
    platform.add("removed", **{**row, "itype": "picture", "value": "no digits"})
    found = platform.run([])
    assert found.hits() == [("new", "device")]
    assert dict(found.report.tables["removed"].skipped) == {
        "no network": 1, "the itype is unknown": 1, "neither an account_id nor an itype with its value": 1,
        "removed later than the moment of the run": 1}
    assert found.report.not_used["removed: the PDQ fingerprint is not 64 hex digits"] == 1
    assert "'shoe size'" in found.problems()
