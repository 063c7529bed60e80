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
    """The policy digest in force at ``at`` (microseconds): of the last version made active or decision before it.

    A decision under a version that was tried for that organisation alone (canary) says nothing of the others.
    None where the log says nothing of that time.
    """
    said: list[tuple[int, str]] = []
    tried: dict[str, Set[str]] = {}
    for leaf in sorted((leaf for _, leaf in leaves), key=lambda leaf: int(leaf["at"])):
        detail, digest = leaf["detail"], leaf["detail"].get("policy")
        if not isinstance(digest, str):
            continue
        if leaf["kind"] == "policy":
            stage = detail.get("stage")
            tried[digest] = frozenset(detail.get("organisations", ())) if stage == "canary" else frozenset()
            if stage == "active":
                said.append((leaf["at"], digest))
        elif leaf["kind"] in {"push", "pull"} and leaf["org"] not in tried.get(digest, ()):
            said.append((leaf["at"], digest))
    before = [entry for entry in said if entry[0] <= at]
    if not before:
        return None
    since, digest = before[-1]
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
