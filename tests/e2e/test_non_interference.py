"""What may not be seen is the same as what does not exist: an outsider's answers with and without a secret.

Two comparisons. Of one collection before and after the secret is there: equal byte for byte. Of two twin
collections, one with and one without the secret, through a script that also writes: equal up to the names of the
collections, ids of statuses, and a renaming of dates that keeps which is which.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.outsider import (
    AFTERWARDS,
    ALPHA_ONLY,
    LATER,
    LATEST,
    SECRET,
    SECRETS,
    SHARED,
    VISIBLE,
    Renaming,
    Watcher,
    bring,
    exact,
    first_difference,
    reads,
    script,
)
from tests.e2e.stix_objects import Object, domain, indicator

SETTINGS = {"CIBX_PAGE_SIZE": "20"}
FEW = ("amber without an audience", "thirty of them", "newer version of a visible object")


@pytest.mark.parametrize(("key", "name"), [*(("gamma", name) for name in SECRETS), *(("reader", name) for name in FEW)])
def test_reading_is_the_same_before_and_after(exchange: ExchangeProcess, lane: str, key: str, name: str) -> None:
    bring(exchange, lane, VISIBLE)
    caller = exchange.caller(key)
    before, after = Watcher(caller, lane), Watcher(caller, lane)
    before.look()
    bring(exchange, lane, SECRETS[name])
    after.look()
    assert len(before.noted) > 100
    found = [(w, exact(a)) for w, a in after.noted]
    expected = [(w, exact(a)) for w, a in before.noted]
    assert found == expected, first_difference(found, expected)


@pytest.fixture(scope="module")
def without(exchange: ExchangeProcess) -> list[tuple[str, int, str, str]]:
    """The same where there is no secret."""
    return script(exchange, VISIBLE)


@pytest.mark.parametrize(
    ("name", "when"), [*((n, "between") for n in SECRETS), *((n, "first") for n in SECRETS if "an" in n)]
)
def test_reading_and_writing_is_the_same_with_and_without(
    exchange: ExchangeProcess, without: list[Any], name: str, when: str
) -> None:
    secret = SECRETS[name]
    found = script(exchange, [*secret, *VISIBLE] if when == "first" else [*VISIBLE, *secret])
    assert found == without, first_difference(found, without)


@pytest.mark.parametrize("name", ["amber without an audience", "amber for another group", "of two contributors"])
def test_an_outsiders_writing_leaves_the_secret_as_it_is(exchange: ExchangeProcess, lane: str, name: str) -> None:
    bring(exchange, lane, [*VISIBLE, *SECRETS[name]])
    alpha = exchange.caller("alpha")

    def owned() -> list[Any]:
        return [
            exact(alpha.get(f"{lane}objects/{one['id']}/{rest}"))
            for one in (SECRET, SHARED)
            for rest in ("", "versions/")
        ]

    before = owned()
    assert {status for status, _, _ in before} == {200}
    Watcher(exchange.caller("gamma"), lane).meddle()
    assert owned() == before
    assert alpha.delete(f"{lane}objects/{SECRET['id']}/").status == 200


DROP_BOX = "/taxii2/main/collections/drop-box/"
ELSEWHERE = {
    "a collection of one": (ALPHA_ONLY, "alpha"),
    "a collection that one may only write": (DROP_BOX, "beta"),
    "a community of others": ("/taxii2/closed/collections/inner-only/", "beta"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_in_other_collections_changes_nothing(exchange: ExchangeProcess, lane: str, name: str) -> None:
    gamma, (place, key) = exchange.caller("gamma"), ELSEWHERE[name]
    bring(exchange, lane, VISIBLE)
    noted = []
    for _ in range(2):
        watcher = Watcher(gamma, lane)
        watcher.look()
        for method, path in reads(place):
            watcher.note(f"{method} {path}", gamma.ask(method, path))
        noted.append([(what, exact(answer)) for what, answer in watcher.noted])
        bring(exchange, place, [(key, [SECRET, SHARED])])
    assert noted[1] == noted[0], first_difference(noted[1], noted[0])


@pytest.mark.parametrize(
    "action",
    [
        "delete",
        "delete first",
        "delete absent version",
        "push",
        "push newer",
        "push older",
        "push other content",
        "push observable",
    ],
)
@pytest.mark.parametrize(("key", "path"), [("gamma", DROP_BOX), ("writer", "/taxii2/main/collections/indicators/")])
def test_a_writer_who_may_not_read_learns_nothing_of_what_is_there(
    exchange: ExchangeProcess, key: str, path: str, action: str
) -> None:
    writer = exchange.caller(key)
    answers = []
    for word in ("there", "absent"):
        named = f"{word} {action}"
        if word == "there":
            bring(exchange, path, [("beta", [indicator(named), domain("there.example")])])
        one = domain(f"{word}.example") if "observable" in action else indicator(named)
        answers.append(_written(writer, path, action, one).replace(one["id"], "ID"))
    assert answers[0] == answers[1]


def _written(writer: HttpCaller, path: str, action: str, one: Object) -> str:
    """What a writer is told of one action, without what differs anyway."""
    verb, _, how = action.partition(" ")
    if verb == "delete":
        versions = {"": {}, "first": {"match[version]": "first"}}.get(how, {"match[version]": LATEST})
        answer = writer.delete(f"{path}objects/{one['id']}/", versions)
    else:
        changes = {
            "newer": {"modified": LATER},
            "other content": {"description": "Other content"},
            "older": {"created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z"},
        }
        answer = writer.push(path + "objects/", [one | changes.get(how, {})])
    return Renaming(path)(f"{answer.status} {answer.body.decode()}")


def test_a_cursor_of_one_who_sees_more_is_worth_nothing_to_the_outsider(exchange: ExchangeProcess, lane: str) -> None:
    bring(exchange, lane, [*VISIBLE, *SECRETS["amber for another group"], *AFTERWARDS])
    beta, gamma = exchange.caller("beta"), exchange.caller("gamma")
    token = beta.get(lane + "objects/", {"limit": "4"}).json["next"]
    nonsense = gamma.get(lane + "objects/", {"limit": "4", "next": "nonsense"})
    borrowed = gamma.get(lane + "objects/", {"limit": "4", "next": token})
    assert exact(borrowed) == exact(nonsense)


def test_the_log_holds_no_traceback(exchange: ExchangeProcess) -> None:
    assert "Traceback" not in exchange.log(), exchange.log()[-3_000:]
