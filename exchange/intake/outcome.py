"""What a push's objects are told of their fate, and what the log says of the push."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from exchange.intake.status import Told
from exchange.model.party import Collection, Credential
from exchange.model.pushed import PushOutcome
from exchange.stix.timestamp import from_microseconds
from exchange.store.pushes import Stored


def told_of(stix_id: str, version: str, stored: Stored, now: int) -> Told:
    """One object's outcome from what became of it in the store at ``now`` (microseconds)."""
    if version and stored.fate == "added":
        return Told(PushOutcome(stix_id, "added"), version)
    shown = version or from_microseconds(stored.seq or now)
    if stored.fate == "foreign":
        return Told(PushOutcome(stix_id, "refused", "not-object-creator",
                                "id: another contributor's object has this id; only its contributor revises it. "
                                "Send an opinion or a note, or use an id of your own."), shown)
    if stored.fate == "ended":
        return Told(PushOutcome(stix_id, "refused", "revoked-permanently",
                                "id: this object was revoked or erased, and no version follows that (STIX 2.1, 3.6.3)."
                                " Give what is new an id of its own."), shown)
    if stored.fate == "present":
        note = "" if stored.same_bytes else "This version was there already with other content, which stays."
        return Told(PushOutcome(stix_id, "unchanged", "", note), shown)
    return Told(PushOutcome(stix_id, "added"), shown)


def push_detail(
    collection: Collection, credential: Credential, told: Sequence[Told], raws: Sequence[bytes], policy: str
) -> dict[str, Any]:
    """The push's event in the log: where, under which policy, how many of what, and a digest of all that was sent."""
    digest = hashlib.sha256()
    for body in raws:
        digest.update(hashlib.sha256(body).digest())
    states = [t.outcome.state for t in told]
    codes = Counter(t.outcome.code for t in told if t.outcome.state == "refused")
    return {
        "collection": collection.id, "credential": credential.id, "policy": policy,
        "added": states.count("added"), "unchanged": states.count("unchanged"),
        "refused": states.count("refused"), "codes": dict(codes), "digest": digest.hexdigest(),
    }
