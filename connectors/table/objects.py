"""What the rows of a table become in STIX.

A value that is operated becomes an indicator (an account its observable too, which says more than a pattern can); one
that is somebody else's an observable that the campaign is related to. Ids follow from publisher, campaign and value,
so that a value told twice is one; ``created`` is the day that the source states, never the day of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.table.judge import Finding, Named
from connectors.table.profile import Profile
from exchange.connect.asset import head, indicator, relationship
from exchange.connect.procedures import FIXED
from exchange.stix import extensions
from exchange.stix.ids import derived_id

NAME = "table"
MAX_COUNTS = 1_000
"""Different asset counts of a file; they are carried in the checkpoint."""

Object = dict[str, Any]
_WORDS = {"legitimate": "legitimate-mention"}
"""Relations that the relationship extension names otherwise."""


@dataclass
class Writer:
    """Writes findings as STIX; remembers the counts of each campaign until the file's end."""

    profile: Profile
    day: str
    """``created`` of what has no date of its own."""
    counts: dict[str, list[Object]] = field(default_factory=dict)
    _campaigns: set[str] = field(default_factory=set)

    @property
    def publisher(self) -> str:
        """Id of the identity that published the table; empty where the profile doesn't name it."""
        name = self.profile.said("name")
        return derived_id("identity", NAME, name) if name else ""

    def first(self) -> Iterator[Object]:
        """What everything else refers to."""
        if self.publisher:
            yield head("identity", self.publisher, FIXED) | {
                "name": self.profile.said("name"), "identity_class": "organization"}

    def write(self, finding: Finding) -> tuple[list[Object], tuple[str, ...]]:
        """Objects of a finding, and the ids that stand for its row. Raises IdentifierError."""
        if finding.counts:
            campaign = self._campaign_id(finding.campaign)
            return self._once(finding.campaign), (campaign,) if self._count(finding) else ()
        if not finding.values:
            return [], ()
        objects = self._once(finding.campaign) if finding.campaign else []
        ids: list[str] = []
        for named in finding.values:
            made = list(self._value(named, finding))
            objects += made
            ids += [one["id"] for one in made if one["type"] != "relationship"]
        return objects, tuple(dict.fromkeys(ids))

    def last(self) -> Iterator[Object]:
        """Campaigns once more, with the counts that the rows told of them."""
        for campaign, entries in self.counts.items():
            yield self._campaign(campaign, entries)

    def _count(self, finding: Finding) -> bool:
        entries = self.counts.setdefault(finding.campaign, [])
        for count in finding.counts:
            entry = {"asset_type": count.asset_type, "count": count.count, "text": count.text}
            entry |= {"platform": count.platform} if count.platform else {}
            entry |= {"approximate": True} if count.approximate else {}
            entry |= {"at_most": True} if count.at_most else {}
            if entry not in entries:
                if sum(map(len, self.counts.values())) >= MAX_COUNTS:
                    return False
                entries.append(entry)
        return True

    def _campaign_id(self, name: str) -> str:
        return derived_id("campaign", NAME, self.profile.said("name"), name)

    def _once(self, campaign: str) -> list[Object]:
        """The campaign, where it wasn't told lately."""
        if campaign in self._campaigns:
            return []
        if len(self._campaigns) >= 10_000:
            self._campaigns.clear()
        self._campaigns.add(campaign)
        return [self._campaign(campaign, [])]

    def _campaign(self, name: str, counts: list[Object]) -> Object:
        """The campaign; with counts it is a later version of the one without."""
        changed = self.day.replace(".000Z", ".001Z") if counts else ""
        found = head("campaign", self._campaign_id(name), self.day, changed, by=self.publisher, markings=self._marks())
        found["name"] = name or f"Table of {self.profile.said('name') or 'an unnamed publisher'}"
        says: Object = {"extension_type": "property-extension"}
        if self.profile.said("source_type"):
            says["source_type"] = self.profile.said("source_type")
        if counts:
            says["assets_actioned"] = counts
        return found | ({"extensions": {extensions.CAMPAIGN: says}} if len(says) > 1 else {})

    def _marks(self, marking: str = "") -> list[str]:
        return [marking] if marking else []

    def _value(self, named: Named, finding: Finding) -> Iterator[Object]:
        operated = finding.relation == "operated"
        observed = None if operated and named.asset.account is None else self._observable(named, finding)
        created = finding.date or self.day
        marks = self._marks(finding.tlp)
        campaign = self._campaign_id(finding.campaign) if finding.campaign else ""
        key = (NAME, self.profile.said("name"), finding.campaign, named.asset.kind.name, named.asset.value)
        says = {"relation": _WORDS.get(finding.relation, finding.relation)}
        if finding.role:
            says["role"] = finding.role
        subject = ""
        if observed is not None:
            yield observed
            subject = observed["id"]
        if finding.relation in ("operated", "legitimate"):
            found = self._indicator(named, finding, head("indicator", derived_id("indicator", *key), created,
                                                         by=self.publisher, markings=marks))  # fmt: skip
            yield found
            subject = found["id"] if operated else subject
        if not campaign:
            return
        ends = (subject, campaign) if operated else (campaign, subject)
        kind = "indicates" if operated else "related-to"
        linked = derived_id("relationship", *key, kind)
        opened = head("relationship", linked, created, by=self.publisher, markings=marks)
        yield relationship(opened, kind, *ends, description=finding.comment, says=says, start_time=finding.first,
                           stop_time=finding.last if finding.last > finding.first else "")  # fmt: skip

    def _observable(self, named: Named, finding: Finding) -> Object:
        marks = {"object_marking_refs": [finding.tlp]} if finding.tlp else {}
        return named.asset.observable | marks

    def _indicator(self, named: Named, finding: Finding, opened: Mapping[str, Any]) -> Object:
        types = ("attribution",) if finding.relation == "operated" else ("benign",)
        return indicator(named.asset, opened, valid_from=finding.first or opened["created"], types=types,
                         description=finding.comment, others=named.others, confidence=finding.confidence)  # fmt: skip

