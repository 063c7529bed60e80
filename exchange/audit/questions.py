"""What is asked of a verified log: what happened to an object, what an organisation pulled, which policy was in force.

Each answer is made of the leaves as they were verified; a leaf is (place, members of ``read_leaf``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from exchange.audit.commitment import commit

Leaf = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class InForce:
    """Which policy text an event says decided, and since when the log has been saying so (microseconds)."""

    digest: str
    since: int
    until: int


def names_of(stix_id: str, salts: Iterable[bytes]) -> frozenset[str]:
    """How leaves name an object: by commitments to its id. Raises ValueError for a salt that isn't 32 bytes."""
    return frozenset({stix_id, *(f"salted:{commit(salt, stix_id.encode())}" for salt in salts)})


def about_object(leaves: Iterable[Leaf], names: Set[str]) -> list[Leaf]:
    """Events that name the object: withdrawn, erased, restricted, noticed, acknowledged, disputed …

    Acknowledgements name the notice that they answer: it comes earlier in the log, so they are found too.
    """
    found, known = [], set(names)
    for leaf in leaves:
        detail = leaf[1]["detail"]
        if not known.isdisjoint(_texts(detail)):
            found.append(leaf)
            if leaf[1]["kind"] == "notice" and isinstance(detail.get("notice"), str):
                known.add(detail["notice"])
    return found


def pulls_of(leaves: Sequence[Leaf], org: str) -> list[Leaf]:
    """What the organisation pulled."""
    return [leaf for leaf in leaves if leaf[1]["kind"] == "pull" and leaf[1]["org"] == org]


def policy_at(leaves: Sequence[Leaf], at: int) -> InForce | None:
    """The policy digest of the last decision at or before ``at`` (microseconds); None where there was none."""
    decided = sorted((leaf["at"], leaf["detail"]["policy"]) for _, leaf in leaves
                     if isinstance(leaf["detail"].get("policy"), str) and leaf["kind"] in {"push", "pull"})
    before = [entry for entry in decided if entry[0] <= at]
    if not before:
        return None
    digest = before[-1][1]
    since = before[-1][0]
    for moment, text in reversed(before):
        if text != digest:
            break
        since = moment
    return InForce(digest, since, before[-1][0])


def push_digest(bodies: Sequence[bytes]) -> str:
    """What a push's leaf has as ``digest``: SHA-256 over the SHA-256 of each object's bytes as they were sent."""
    whole = sha256()
    for body in bodies:
        whole.update(sha256(body).digest())
    return whole.hexdigest()


def _texts(value: Any) -> Iterator[str]:
    """Every text in a detail."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
