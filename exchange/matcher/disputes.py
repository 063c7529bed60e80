"""Disputes within a feed: opinions of disagreement, false-positive sightings and notes, and the exchange's own marks.

What they do to an indicator (P19, R13, R29), by who says so of it or of the campaign that it indicates:

* its own source, or one that the member trusts for this: it isn't looked for any more;
* the exchange's mark, or as many independent sources as ``sources.disputes`` asks: it keeps ``sources.disputed`` of its
  weight and makes no independent witness;
* one other source: an objection to its values, which takes no more than a word of "benign" does;
* a public authority: nothing more than a voice that is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exchange.matcher.contributors import Contributors
from exchange.stix.statement import DISPUTED, statement


@dataclass
class Disputes:
    """Who disputes which object of a feed."""

    voices: dict[str, dict[str, str]] = field(default_factory=dict)
    """Object id to source (as one) to the least id of its statements."""
    marked: set[str] = field(default_factory=set)
    """Objects beside which the exchange put its mark."""

    def about(self, *objects: str) -> dict[str, str]:
        """Who disputes any of these objects: source to the id of a statement."""
        found: dict[str, str] = {}
        for stix_id in objects:
            for source, said in self.voices.get(stix_id, {}).items():
                found[source] = min(said, found.get(source, said))
        return found


def read_disputes(objects: Iterable[Mapping[str, Any]], known: Contributors, unknown: str) -> Disputes:
    """The disputes among a feed's opinions, sightings and notes; those that name no producer are one voice,
    ``unknown``. A note labelled ``disputed`` marks only where the exchange itself wrote it; by anybody else it is a
    voice like others."""
    found = Disputes()
    for obj in objects:
        said = statement(obj)
        author = str(obj.get("created_by_ref") or unknown)
        mark = obj.get("type") == "note" and obj.get("revoked") is not True and DISPUTED in _labels(obj)
        if mark and author == known.exchange:
            found.marked.update(said.about)
        elif said.word == "dispute" or mark:
            for stix_id in said.about:
                voices = found.voices.setdefault(stix_id, {})
                source = known.one_source(author)
                voices[source] = min(str(obj["id"]), voices.get(source, str(obj["id"])))
    return found


def _labels(obj: Mapping[str, Any]) -> list[Any]:
    labels = obj.get("labels")
    return labels if isinstance(labels, list) else []
