"""What is taken back besides erasures, as the list outside the database has it: a restored backup must not undo it.

Revocations, restrictions and disputes; stricter markings; versions that their contributor deleted; legal holds; keys,
agreements, memberships and members whose right ended; scopes and purposes of keys, purposes of agreements, clearances
of members, readers and writers of collections that became fewer; emergencies that were ended before their time; which
policy is in force. Lines hold no content, no names of persons and no secrets: ids, times and digests of digests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from exchange.model.party import Credential, Directory
from exchange.model.state import State

Kind = Literal["state", "stricter", "withdrawn", "recalled", "hold", "released", "right", "emergency", "policy"]
ACTIVE = "active"
"""The status of a right that holds."""
_GONE = "gone"
_TAG = 16
"""Hexadecimal digits that tell one proof of a credential from another."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One line: when (microseconds), what kind (``Kind``; a newer release may know more), and its particulars."""

    at: int
    kind: str
    said: Mapping[str, Any]


def state(at: int, org: str, collection: str, stix_id: str, to: State, by: tuple[str, str]) -> TakenBack:
    """An object's state was changed, by an organisation in a role."""
    return TakenBack(at, "state", {"org": org, "collection": collection, "id": stix_id, "to": to.name.lower(),
                                   "by": by[0], "role": by[1]})


def stricter(at: int, org: str, collection: str, stix_id: str) -> TakenBack:
    """A contributor put its object under stricter markings: the version that says so isn't in an older backup."""
    return TakenBack(at, "stricter", {"org": org, "collection": collection, "id": stix_id})


def withdrawn(at: int, org: str, collection: str, stix_id: str, versions: Sequence[str]) -> TakenBack:
    """A contributor deleted versions of its object; an empty one stands for an object without versions."""
    return TakenBack(at, "withdrawn", {"org": org, "collection": collection, "id": stix_id, "versions": list(versions)})


def recalled(at: int, org: str, collection: str, stix_id: str, versions: Sequence[str]) -> TakenBack:
    """Versions of an object were revoked without its contributor's word: a roll-back."""
    return TakenBack(at, "recalled", {"org": org, "collection": collection, "id": stix_id, "versions": list(versions)})


def hold(at: int, org: str, stix_id: str, until: int | None) -> TakenBack:
    """A legal hold began, until a time in microseconds or until it is released."""
    return TakenBack(at, "hold", {"org": org, "id": stix_id, "until": until})


def released(at: int, org: str, stix_id: str) -> TakenBack:
    """The legal holds on an object ended."""
    return TakenBack(at, "released", {"org": org, "id": stix_id})


def emergency(at: int, name: str) -> TakenBack:
    """A declared emergency ended before its time."""
    return TakenBack(at, "emergency", {"id": name})


def policy(at: int, digest: str) -> TakenBack:
    """Another policy version decides from now on."""
    return TakenBack(at, "policy", {"version": digest})


def rights(at: int, before: Directory, after: Directory) -> list[TakenBack]:
    """The rights that differ between two directories: status, end, what proves a credential, and how far they go."""
    then, now = dict(_rights(before)), dict(_rights(after))
    return [
        TakenBack(at, "right", {"what": what, "key": list(key), **(now.get((what, key)) or {"status": _GONE})})
        for (what, key), said in then.items() if now.get((what, key)) != said
    ]


def rights_of(directory: Directory) -> dict[tuple[str, tuple[str, ...]], dict[str, Any]]:
    """(kind, key) of every right to its status, its end and what proves it."""
    return dict(_rights(directory))


def _rights(directory: Directory) -> Iterator[tuple[tuple[str, tuple[str, ...]], dict[str, Any]]]:
    for org in directory.organisations.values():
        yield ("organisation", (org.id,)), {"status": ACTIVE if org.active else "suspended"}
        yield ("clearance", (org.id,)), {"status": ACTIVE, "clearance": org.clearance}
        for agreement in org.agreements:
            yield ("agreement", (org.id, agreement.id)), {"status": agreement.status, "until": agreement.until}
            yield ("purposes", (org.id, agreement.id)), {"status": ACTIVE, "purposes": sorted(agreement.purposes)}
        for one in org.memberships:
            yield ("membership", (org.id, one.group)), {"status": one.status, "until": one.until}
    for key in directory.credentials.values():
        yield ("credential", (key.id,)), {"status": "revoked" if key.revoked else ACTIVE, "until": key.until,
                                          "proof": _proof(key)}
        yield ("scopes", (key.id,)), {"status": ACTIVE, "scopes": sorted(key.scopes), "purpose": key.purpose}
    for place in directory.collections.values():
        yield ("readers", (place.id,)), {"status": ACTIVE, "readers": sorted(place.readers),
                                         "writers": sorted(place.writers)}


def _proof(key: Credential) -> str:
    """Tells whether a credential is proven by the same secret, issuer and certificates, and nothing of them."""
    return sha256(repr((key.digest, key.oidc, sorted(map(repr, key.certificates)))).encode()).hexdigest()[:_TAG]
