"""What a change of policy or of the directory would show and hide: per recipient, by reason, with samples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from exchange.model.access import holds, may_read
from exchange.model.party import Directory, Organisation
from exchange.policy.diff import Recipient, Side, best, compare
from exchange.policy.label import profile_facts
from exchange.policy.packs import Packs
from exchange.stix.timestamp import from_microseconds
from exchange.store.label_counts import LabelCount, label_counts, samples

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SAMPLES = 3
_NOT_READABLE = "collection-not-readable"


@dataclass(frozen=True)
class World:
    """One side of a comparison: who takes part, and which policy version decides for whom."""

    directory: Directory
    policy: Callable[[str], Packs]


@dataclass
class Changed:
    """What changes for one organisation, in object versions."""

    org: str
    gained: int = 0
    lost: int = 0
    otherwise: int = 0
    """Seen before and after, with other parts left out."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why the side that shows less does: code to object versions."""
    touched: dict[int, list[LabelCount]] = field(default_factory=lambda: defaultdict(list))
    """By sign (1 gained, -1 lost, 0 otherwise): which labels in which collections."""
    samples: dict[str, list[str]] = field(default_factory=dict)
    """``gained``, ``lost`` and ``otherwise`` to ids of some objects."""

    def add(self, sign: int, count: LabelCount, reasons: tuple[str, ...]) -> None:
        """Count the objects of one label in one collection."""
        self.gained += count.count * (sign > 0)
        self.lost += count.count * (sign < 0)
        self.otherwise += count.count * (sign == 0)
        self.touched[sign].append(count)
        for code in reasons:
            self.reasons[code] += count.count

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"org": self.org, "gained": self.gained, "lost": self.lost, "otherwise": self.otherwise,
                "reasons": dict(sorted(self.reasons.items())), "samples": self.samples}


def difference(connection: Connection, before: World, after: World, now: int) -> list[Changed]:
    """Every organisation for which something changes at ``now`` (microseconds), in the order of their ids."""
    counts, facts = label_counts(connection, now)
    numbers = sorted(facts)
    by_label: dict[int, list[LabelCount]] = defaultdict(list)
    for count in counts:
        by_label[count.label].append(count)
    orgs = sorted({*before.directory.organisations, *after.directory.organisations})
    sides = {org: Recipient(org, _side(before, org, now), _side(after, org, now)) for org in orgs}
    readable = {org: (_readable(before, org, now), _readable(after, org, now)) for org in orgs}
    changed = {org: Changed(org) for org in orgs}
    for found in compare([facts[number] for number in numbers], list(sides.values())):
        both = readable[found.org][0] & readable[found.org][1]
        for count in by_label[numbers[found.label]]:
            if count.collection in both:
                changed[found.org].add(found.sign, count, found.reasons)
    for org, (old, new) in readable.items():
        for sign, collections, side in ((1, new - old, sides[org].after), (-1, old - new, sides[org].before)):
            for count in counts:
                if count.collection in collections and best(org, side, facts[count.label])[0] != "deny":
                    changed[org].add(sign, count, (_NOT_READABLE,))
    told = [one for one in changed.values() if one.gained or one.lost or one.otherwise]
    for one in told:
        for sign, word in ((1, "gained"), (-1, "lost"), (0, "otherwise")):
            one.samples[word] = _samples(connection, one.touched.get(sign, []), now)
    return told


def _samples(connection: Connection, touched: list[LabelCount], now: int) -> list[str]:
    found: list[str] = []
    for count in touched:
        found += samples(connection, count.feed, count.label, now, _SAMPLES - len(found))
        if len(found) >= _SAMPLES:
            break
    return found


def readers_of(directory: Directory, organisation: Organisation, at: str) -> Iterator[tuple[str | None, str | None]]:
    """(purpose, person) of the organisation's credentials that can read at a time, each pair once."""
    yield from sorted({
        (credential.purpose, credential.person) for credential in directory.credentials.values()
        if credential.org == organisation.id and "read" in credential.scopes and not credential.revoked
        and holds(credential.since, credential.until, at)
    }, key=str)


def _side(world: World, org: str, now: int) -> Side:
    at, packs = from_microseconds(now), world.policy(org)
    return Side(profiles_of(world.directory, org, at, packs), packs)


def profiles_of(directory: Directory, org: str, at: str, packs: Packs) -> tuple[str, ...]:
    """The profiles with which an organisation can read at a time; none where it is unknown or suspended."""
    organisation = directory.organisations.get(org)
    if organisation is None or not organisation.active:
        return ()
    credentials = {(c.purpose, c.person): c for c in directory.credentials.values() if c.org == org}
    return tuple(
        profile_facts(organisation, credentials[purpose, person], purpose=purpose, at=at, packs=packs).text
        for purpose, person in readers_of(directory, organisation, at)
    )


def _readable(world: World, org: str, now: int) -> frozenset[str]:
    organisation = world.directory.organisations.get(org)
    if organisation is None or not organisation.active:
        return frozenset()
    at = from_microseconds(now)
    return frozenset(c.id for c in world.directory.collections.values() if may_read(c, organisation, at))
