"""Who would get what before it is pushed, and why: every member by name, others of the collection's readers by kind.

The list of a community's members is known to its members, and to nobody else: a producer in the community is told
their names with reason codes, of the other readers only how many of which kind would get it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.governance.difference import profiles_of
from exchange.model.access import EVERY_MEMBER, active_groups, may_read
from exchange.model.party import Collection, Directory, Organisation
from exchange.policy.diff import Side, best, why
from exchange.policy.packs import Packs
from exchange.stix.redact import Original, derive
from exchange.stix.timestamp import from_microseconds

_WORDS = {"allow": "granted", "redact": "redacted", "deny": "denied"}


class PreviewLabels:
    """Labels of a preview: numbered while it lasts, kept nowhere."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def label(self, digest: str, facts: str) -> int:
        """The label's number."""
        if digest not in self._numbers:
            self._numbers[digest] = len(self.texts)
            self.texts.append(facts)
        return self._numbers[digest]


@dataclass(frozen=True)
class Audience:
    """For whom a preview is made: the readers of one collection at one time, as the producer may know them."""

    directory: Directory
    collection: Collection
    producer: Organisation
    now: int
    policy: Callable[[str], Packs]

    def of(self, labels: list[str]) -> list[dict[str, Any]]:
        """What becomes of each label (``Folded.text``): recipients by name, and counts of others by kind."""
        at = from_microseconds(self.now)
        readers = [(org, Side(profiles_of(self.directory, org.id, at, self.policy(org.id)), self.policy(org.id)))
                   for org in self._readers(at)]
        known = {org.id for org, _ in readers if self._knows(org, at)}
        return [self._recipients(label, readers, known) for label in labels]

    def _readers(self, at: str) -> Iterator[Organisation]:
        for name in sorted(self.directory.organisations):
            organisation = self.directory.organisations[name]
            if name != self.producer.id and organisation.active and may_read(self.collection, organisation, at):
                yield organisation

    def _knows(self, org: Organisation, at: str) -> bool:
        """Both are members of the collection's community at that time."""
        group = self.directory.communities[self.collection.community].group
        return group == EVERY_MEMBER or group in active_groups(self.producer, at) & active_groups(org, at)

    def _recipients(self, label: str, readers: list[tuple[Organisation, Side]], known: set[str]) -> dict[str, Any]:
        named: list[dict[str, Any]] = []
        others: Counter[tuple[str, str]] = Counter()
        for org, side in readers:
            word, withheld = best(org.id, side, label)
            if org.id not in known:
                others[org.kind, _WORDS[word]] += 1
                continue
            row: dict[str, Any] = {"org": org.id, "name": org.name, "outcome": _WORDS[word]}
            if withheld:
                row["withheld"] = list(withheld)
            if word != "allow":
                row["reasons"] = list(why(side, label))
            named.append(row)
        return {"recipients": named, "others": [
            {"kind": kind, "outcome": outcome, "organisations": count}
            for (kind, outcome), count in sorted(others.items())
        ]}


def denied_whole(body: bytes, audience: Mapping[str, Any]) -> list[str]:
    """Recipients of an audience who get nothing of this object: what is withheld can't be left out of it (P21)."""
    fits: dict[tuple[str, ...], bool] = {}
    for row in audience["recipients"]:
        parts = tuple(row.get("withheld", ()))
        if parts and parts not in fits:
            fits[parts] = parts == ("*content",) or derive(Original(body, 0, 0, 0), parts, (), "-") is not None
    return [row["org"] for row in audience["recipients"] if not fits.get(tuple(row.get("withheld", ())), True)]
