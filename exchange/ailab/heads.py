"""Ids, times and markings of everything that a form becomes: the same form always gives the same objects.

What a report says (indicators, relationships) belongs to the report; a campaign belongs to its cluster, which
later reports may name again; techniques, places and organisations to the provider. Two providers never share an
id, so that nobody revises what another said. ``created`` is one day for all, since no version of a report tells
when the first one came; ``modified`` is when the version was published, and its number in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from exchange.ailab.terms import KINDS, marking, named, tlp_id
from exchange.stix.asset import Object, head
from exchange.stix.canonical import canonical
from exchange.stix.ids import derived_id

NAME = "ai-lab-report"
CREATED = "2015-01-01T00:00:00.000Z"
PERSONA, VICTIM, ORGANISATION = KINDS


@dataclass(frozen=True)
class Heads:
    """What one version of a report gives to its objects."""

    provider: str
    """The provider's name without case and needless blanks: it stands in ids only."""
    report_id: str
    modified: str
    by: str
    """Id of the provider's identity; empty where recipients mustn't learn it."""
    markings: Mapping[str, Object]
    """Kind of subject to the marking-definition for its data."""
    tlp: str

    def id(self, type_name: str, *keys: str) -> str:
        """An id of this provider's."""
        return derived_id(type_name, NAME, self.provider, *keys)

    def marked(self, subject: str) -> list[str]:
        """``object_marking_refs`` of data of that kind of subject."""
        return [self.tlp, self.markings[subject]["id"]]

    def of_report(self, type_name: str, *keys: str, subject: str = PERSONA) -> Object:
        """The head of what this report alone says."""
        return self._head(type_name, self.id(type_name, "report", self.report_id, *keys), subject)

    def of_cluster(self, type_name: str, cluster: str) -> Object:
        """The head of what every report on the cluster speaks of."""
        return self._head(type_name, self.id(type_name, "cluster", cluster), PERSONA)

    def of_provider(self, type_name: str, *keys: str) -> Object:
        """The head of what all reports of the provider have in common."""
        return replace(self, modified=CREATED)._head(type_name, self.id(type_name, "shared", *keys), ORGANISATION)

    def _head(self, type_name: str, identifier: str, subject: str) -> Object:
        return head(type_name, identifier, CREATED, self.modified, by=self.by, markings=self.marked(subject))


def heads_of(document: Mapping[str, Any]) -> Heads:
    """The heads of a checked form."""
    provider = " ".join(document["provider"]["name"].casefold().split())
    by = ""
    if named(document):
        by = document["provider"].get("identity_ref") or derived_id("identity", NAME, provider)
    made = {subject: _marking(document, provider, subject, by) for subject in KINDS}
    return Heads(provider, document["report_id"], _modified(document), by, made, tlp_id(document))


def identity(document: Mapping[str, Any], heads: Heads) -> Object | None:
    """The provider's identity, where it is named and has none of its own already."""
    if not heads.by or document["provider"].get("identity_ref"):
        return None
    found = head("identity", heads.by, CREATED, markings=heads.marked(ORGANISATION))
    return found | {"name": document["provider"]["name"], "identity_class": "organization", "sectors": ["technology"]}


def _marking(document: Mapping[str, Any], provider: str, subject: str, by: str) -> Object:
    """A marking says one thing for ever (STIX 2.1, 7.2): its id follows from what it says."""
    says, tlp = marking(document, subject), tlp_id(document)
    identifier = derived_id("marking-definition", NAME, provider, tlp, by, canonical(says))
    made: Object = {"type": "marking-definition", "spec_version": "2.1", "id": identifier}
    if by:
        made["created_by_ref"] = by
    return made | {"created": CREATED, "object_marking_refs": [tlp], "extensions": says}


def _modified(document: Mapping[str, Any]) -> str:
    published = datetime.fromisoformat(document["published"].upper()).astimezone(UTC)
    stamp = published + timedelta(milliseconds=int(document["version"]) - 1)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03d}Z"
