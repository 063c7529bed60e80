"""What one erasure looks at doesn't grow with those before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from exchange.model.state import State
from exchange.obligations.transitions import By
from tests.obligations.five_members import NOW, indicator, opened

_BY = By("org-alpha", "producer", "a key")


def test_an_erasure_asks_the_ledger_about_its_own_object_alone(migrated_url: str) -> None:
    members = opened(migrated_url)
    objects = [indicator() for _ in range(12)]
    members.push("alpha", *objects)
    asked: list[int] = []

    def recipients(connection: Any, feed: int, seqs: Sequence[int]) -> Any:
        asked.extend(seqs)
        return members.exchange.ledger.recipients(connection, feed, seqs)

    desk, costs = replace(members.desk, recipients=recipients), []
    for one in objects:
        asked.clear()
        desk.change(one["id"], "org-alpha", State.ERASED, reason="As the test asks.", by=_BY, now=NOW)
        costs.append((len(asked), len(set(asked))))
    assert set(costs) == {(2, 1)}  # when it is erased, and once more for pages that were under way


def test_a_page_that_left_while_an_object_was_erased_is_told_by_that_erasure(migrated_url: str) -> None:
    members = opened(migrated_url)
    one, other = indicator(), indicator()
    members.push("alpha", one, other)
    members.change(other["id"], State.ERASED)
    calls: list[int] = []

    def recipients(connection: Any, feed: int, seqs: Sequence[int]) -> Any:
        calls.append(len(seqs))
        return [] if len(calls) == 1 else members.exchange.ledger.recipients(connection, feed, seqs)

    members.receive("beta", one["id"])  # the ledger has it by the second look only
    replace(members.desk, recipients=recipients).change(
        one["id"], "org-alpha", State.ERASED, reason="As the test asks.", by=_BY, now=NOW)
    assert [note["object_refs"] for note in members.mailbox("beta")] == [[one["id"]]]
