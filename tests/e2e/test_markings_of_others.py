"""A marking that somebody forged under another's id doesn't decide who gets what a third one pushes (P1, P2)."""

from __future__ import annotations

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.stix_objects import TLP, handling, indicator


def test_where_two_markings_of_one_id_differ_nothing_is_pushed_under_it(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, gamma: HttpCaller, lane: str
) -> None:
    true = handling("terms of alpha", audience={"named_orgs": ["org-beta"]})
    forged = handling("terms of alpha", audience={"named_orgs": ["org-beta", "org-gamma"]})
    secret = indicator(object_marking_refs=[TLP["AMBER"], true["id"]])
    here, elsewhere = lane, exchange.next_lane()
    assert alpha.push(here + "objects/", [true]).json["failure_count"] == 0
    assert gamma.push(elsewhere + "objects/", [forged]).json["failure_count"] == 0
    (failure,) = beta.push(elsewhere + "objects/", [secret]).json["failures"]
    assert failure["message"].startswith("marking-")
    assert secret["id"] not in gamma.get(elsewhere + "objects/").ids
    assert beta.push(here + "objects/", [secret]).json["failures"]
    assert alpha.push(elsewhere + "objects/", [secret]).json["failure_count"] == 0
    assert secret["id"] not in gamma.get(elsewhere + "objects/").ids
