"""What an operator changes holds from the next request on, in every worker."""

from __future__ import annotations

import os
import signal
import subprocess

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.members import collection_id, description
from tests.e2e.outsider import SECRET, SECRETS, bring
from tests.e2e.stix_objects import indicator

WORKERS = 2
TRIES = 8
"""New connections, so that every worker is asked."""


def statuses(exchange: ExchangeProcess, key: str, path: str) -> set[int]:
    """What a member is told on several connections."""
    found = set()
    for _ in range(TRIES):
        caller = exchange.caller(key)
        found.add(caller.get(path).status)
        caller.close()
    return found


def test_a_worker_that_dies_is_replaced(exchange: ExchangeProcess, lane: str) -> None:
    assert exchange.process is not None
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(exchange.process.pid)], capture_output=True, text=True,
                            check=False)  # fmt: skip
    workers = [int(pid) for pid in listed.stdout.split()]
    assert workers
    os.kill(workers[0], signal.SIGKILL)
    for number in range(TRIES):
        caller = exchange.caller("alpha")
        assert caller.push(lane + "objects/", [indicator(f"after death {number}")]).status == 202
        caller.close()
    assert len(exchange.caller("beta").get(lane + "objects/").ids) == TRIES


def test_a_revoked_credential_is_refused_at_once(exchange: ExchangeProcess) -> None:
    assert statuses(exchange, "delta", "/taxii2/") == {200}
    exchange.cibx("credential", "revoke", "delta")
    assert statuses(exchange, "delta", "/taxii2/") <= {401, 429}


def test_a_suspended_organisation_is_refused_and_comes_back(exchange: ExchangeProcess) -> None:
    text = description()
    active = 'id = "org-outside"\n'
    assert active in text
    assert statuses(exchange, "outside", "/taxii2/extensions/collections/") == {200}
    exchange.apply(text.replace(active, active + "active = false\n"))
    assert statuses(exchange, "outside", "/taxii2/extensions/collections/") <= {401, 429}
    assert statuses(exchange, "outside", "/taxii2/notices/collections/") == {200}, "its mailbox stays open"


def test_ended_membership_ends_sight_at_once(exchange: ExchangeProcess, lane: str) -> None:
    bring(exchange, lane, SECRETS["amber for another group"])
    path = f"{lane}objects/{SECRET['id']}/"
    assert statuses(exchange, "beta", path) == {200}
    assert statuses(exchange, "beta", "/taxii2/closed/collections/inner-only/objects/") == {200}
    ended = '[[membership]]\norg = "org-beta"\ngroup = "inner"\nstatus = "{}"\n'
    exchange.apply(ended.format("ended"))
    assert statuses(exchange, "beta", path) == {404}
    assert statuses(exchange, "beta", "/taxii2/closed/collections/inner-only/objects/") == {404}
    exchange.apply(ended.format("active"))
    assert statuses(exchange, "beta", path) == {200}


def test_a_new_collection_is_served_at_once_and_applying_again_changes_nothing(exchange: ExchangeProcess) -> None:
    more = f'[[collection]]\ncommunity = "main"\nalias = "new"\nid = "{collection_id("new")}"\ntitle = "New"\n'
    more += 'readers = ["circle"]\nwriters = ["org-alpha"]\n'
    assert statuses(exchange, "gamma", "/taxii2/main/collections/new/") == {404}
    assert "new" in exchange.apply(more)
    assert statuses(exchange, "gamma", "/taxii2/main/collections/new/") == {200}
    assert statuses(exchange, "alpha", "/taxii2/main/collections/new/objects/") == {200}
    exchange.apply(more)
    assert statuses(exchange, "gamma", "/taxii2/main/collections/new/") == {200}
