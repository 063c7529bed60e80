"""What a push owes to those who received earlier versions: revocations, corrections, stricter markings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from exchange.model.state import State
from exchange.obligations import taken_back
from exchange.obligations.means import Means
from exchange.obligations.notice import Kind
from exchange.obligations.send import send
from exchange.obligations.states import affected_of, change_state
from exchange.obligations.stricter import narrowings
from exchange.obligations.transitions import By
from exchange.store.states import Owned, add_recipients, find_owned, label_facts_of

RECTIFIED = "rectified"
"""The word in ``labels`` by which a producer says that its new version corrects the former."""


class Added(NamedTuple):
    """A version that a push just added; ``follows``: its contributor gave earlier ones."""

    stix_id: str
    seq: int
    body: bytes
    follows: bool


def concerns(added: Added) -> bool:
    """Whether anybody may have to be told of it; the quick look at each pushed object."""
    return added.follows or (b'"revoked"' in added.body and _is_revoked(added.body))


def tell(
    connection: Any, means: Means, org: str, key: str, collection: str, added: Sequence[Added], now: int
) -> None:
    """Tell recipients of earlier versions, in the transaction of the push. ``collection`` is its id."""
    for one in added:
        found = find_owned(connection, one.stix_id, org=org, collection=collection)
        if not found:
            continue
        obj = orjson.loads(one.body)
        if obj.get("revoked") is True:
            _revoked(connection, means, found[0], By(org, "producer", key), now)
        elif one.follows:
            _followed(connection, means, found[0], one, obj, now)


def _is_revoked(body: bytes) -> bool:
    return orjson.loads(body).get("revoked") is True


def _revoked(connection: Any, means: Means, owned: Owned, by: By, now: int) -> None:
    """The version that says so is what earlier recipients still see (P15): their stub."""
    changed = change_state(connection, means, owned.stix_id, owned.org, State.REVOKED,
                           reason="Its producer revoked it.", by=by, now=now, collection=owned.collection)
    newest = max(owned.versions, key=lambda version: version.seq)
    add_recipients(connection, newest, {notice.org for notice in changed.notices})


def _followed(
    connection: Any, means: Means, owned: Owned, added: Added, obj: Mapping[str, Any], now: int
) -> None:
    newer = next(version for version in owned.versions if version.seq == added.seq)
    earlier = tuple(version for version in owned.versions if version.seq < added.seq)
    if not earlier:
        return
    reasons: list[tuple[Kind, str]] = []
    if RECTIFIED in (obj.get("labels") or ()):
        reasons.append(("rectification", "Its producer corrected it."))
    last = max(earlier, key=lambda version: version.seq)
    if newer.label != last.label:
        facts = label_facts_of(connection, (last.label, newer.label))
        narrower = narrowings(facts[last.label], facts[newer.label])
        if narrower:
            reasons.append(("relabel", f"Its producer put it under stricter markings: {', '.join(narrower)}."))
            means.note(connection, taken_back.stricter(now, owned.org, owned.collection, owned.stix_id))
    if not reasons:
        return
    affected = affected_of(connection, means, [replace(owned, versions=earlier)])
    send(connection, [
        means.duties.notice(kind, org, things, reason=reason, reference=f"version:{newer.version}", now=now)
        for kind, reason in reasons for org, things in affected.items()
    ], now)
