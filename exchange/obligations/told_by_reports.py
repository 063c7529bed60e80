"""What an AI lab's report no longer says is taken back, and those who hold it are told.

A new version that leaves something out, or a revoked report, ends every object that only it named: what other
reports of the contributor still name stays. Statements of the report (indicators, relationships) are revoked for
ever; what reports have in common (campaigns, accounts, sites, techniques) says nothing by itself and is removed,
so that a later report may name it again. It doesn't matter by which way the report came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from exchange.model.state import State
from exchange.obligations.means import Means
from exchange.obligations.news import Added
from exchange.obligations.states import Changed, change_state
from exchange.obligations.transitions import By
from exchange.stix.extensions import CAMPAIGN, of
from exchange.store.holds import holds_on
from exchange.store.reports import StoredReport, remove, reports_of
from exchange.store.states import Owned, find_owned

SOURCE_TYPE = "ai-lab-report"
_MARK = b'"ai-lab-report"'
_FOR_GOOD = frozenset({"report", "indicator", "relationship", "infrastructure", "note", "opinion"})
_KEPT = frozenset({"marking-definition", "identity"})
"""Terms of what others hold, and who somebody is."""
_ENDED = frozenset({State.REVOKED, State.ERASED})

Follow = Callable[[Any, Changed, int], None]


def concerns(added: Added) -> bool:
    """Whether it is an AI lab's report that may take something back; the quick look at each pushed object."""
    return added.stix_id.startswith("report--") and _MARK in added.body


def settle(
    connection: Any, means: Means, org: str, key: str, collection: str, added: Sequence[Added], now: int,
    follow: Follow,
) -> None:
    """Take back what the added versions of reports no longer say, in the transaction of their push."""
    for one in added:
        if of(orjson.loads(one.body), CAMPAIGN).get("source_type") != SOURCE_TYPE:
            continue
        found = find_owned(connection, one.stix_id, org=org, collection=collection)
        if not found:
            continue
        by = By(org, "producer", key)
        for stix_id in _no_longer_said(reports_of(connection, feed=found[0].feed, contributor=found[0].contributor),
                                       one.stix_id):
            _take_back(connection, means, stix_id, by, collection, now, follow)


def _no_longer_said(reports: Sequence[StoredReport], stix_id: str) -> list[str]:
    """Ids that some version of the report named, and neither its newest nor any other report that stands."""
    newest = {one.stix_id: one for one in reports}
    still: set[str] = set()
    for one in newest.values():
        if one.state not in _ENDED and orjson.loads(one.body).get("revoked") is not True:
            still.update(_refs(one))
    told = dict.fromkeys(ref for one in reports if one.stix_id == stix_id for ref in _refs(one))
    return [ref for ref in told if ref not in still and ref.partition("--")[0] not in _KEPT]


def _refs(report: StoredReport) -> Iterable[str]:
    return orjson.loads(report.body).get("object_refs") or ()


def _take_back(
    connection: Any, means: Means, stix_id: str, by: By, collection: str, now: int, follow: Follow
) -> None:
    found = find_owned(connection, stix_id, org=by.org, collection=collection)
    if not found or found[0].state in _ENDED:
        return
    changed = change_state(connection, means, stix_id, by.org, State.REVOKED, by=by, now=now, collection=collection,
                           reason="Its producer's report no longer says it.")
    follow(connection, changed, now)
    if stix_id.partition("--")[0] not in _FOR_GOOD and not holds_on(connection, stix_id=stix_id, now=now, org=by.org):
        _remove(connection, found[0])


def _remove(connection: Any, owned: Owned) -> None:
    remove(connection, feed=owned.feed, contributor=owned.contributor, stix_id=owned.stix_id)
