"""What a source took back and publishes again: a new object, derived from the revoked one.

STIX 2.1, 3.6.3: a revocation is for ever, no version follows it. So the renewed publication gets an id of its own that
follows from the revoked one's, whoever makes it and however often, and a ``derived-from`` relationship to it. Only a
version newer than what was taken back is a renewed publication; an older one is a source that tells its past. What was
revoked or erased by anybody but the source stays so: nobody gets round an appeal or an erasure by publishing again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from exchange.connect.contract import Batch, Row, StixObject
from exchange.stix.ids import derived_id
from exchange.stix.timestamp import microseconds

MOST = 100_000
"""Objects taken back that are remembered, the latest."""
_NO_ENDS = frozenset({"relationship", "sighting"})
"""Types that no relationship may begin or end at (STIX 2.1, 5.1)."""
_RENEWED = "Its source took it back before, so it comes in anew, derived from {old}."
_SAME = "Its source took it back, and brings no newer version of it now: it stays revoked."


@dataclass(frozen=True)
class _Gone:
    """An object that its source took back."""

    times: int
    """How often."""
    at: str
    """``modified`` of the version that revoked it last."""
    since: str = ""
    """``created`` of the object that stands for it since it was published again; empty while it is gone."""


def renewed_id(identifier: str, times: int) -> str:
    """The id of what a source publishes again after it took it back so many times (the object's own for 0)."""
    return derived_id(identifier.partition("--")[0], "published again", identifier, str(times)) if times else identifier


class Renewals:
    """What one source took back, by the ids that its connector gives."""

    def __init__(self, record: Mapping[str, Any] | None = None) -> None:
        self._gone: dict[str, _Gone] = {}
        for identifier, said in (record or {}).items():
            self._gone[identifier] = _Gone(int(said["times"]), str(said["at"]), str(said["since"]))
        self._current = {identifier: renewed_id(identifier, gone.times)
                         for identifier, gone in self._gone.items() if gone.since}
        self._named = {self._latest(identifier): identifier for identifier in self._gone}
        self.count = 0
        """Objects that came in anew, in this run."""
        self.unsaved = False
        """Whether ``as_record`` has changed since this was set to False."""

    def as_record(self) -> dict[str, Any]:
        """Plain JSON values, for ``Sink.save_checkpoint``."""
        return {identifier: asdict(gone) for identifier, gone in self._gone.items()}

    def apply(self, batch: Batch, erased: Callable[[Sequence[str]], Iterable[str]]) -> Batch:
        """The batch with the present ids of what was published again; what is so in it has its relationship beside it.

        ``erased`` gives those of some ids that were erased.
        """
        if not self._gone:
            return batch
        told: dict[str, str] = {}
        derived: list[StixObject] = []
        self._publish_again(batch.upserts, erased)
        for item in batch.upserts:
            identifier = str(item.get("id"))
            gone = self._gone.get(identifier)
            if gone is None or item.get("revoked") is True or "modified" not in item:
                continue
            if gone.since == item["modified"]:
                former = renewed_id(identifier, gone.times - 1)
                told[identifier] = _RENEWED.format(old=former)
                if item["type"] not in _NO_ENDS:
                    derived.append(_derived(item, self._current[identifier], former))
            elif not gone.since:
                told[identifier] = _SAME
        return replace(batch, upserts=(*map(self._written, batch.upserts), *derived),
                       rows=tuple(self._row(row, told) for row in batch.rows),
                       withdrawn=tuple(map(self._latest, batch.withdrawn)))

    def note(self, revoked: Mapping[str, str]) -> None:
        """Note what is about to be taken back: its present id to the ``modified`` of the version that revokes it."""
        for present, at in revoked.items():
            identifier = self._named.setdefault(present, present)
            known = self._gone.pop(identifier, None)
            again = known is not None and (bool(known.since) or known.at != at)
            self._gone[identifier] = _Gone(known.times + again if known else 1, at)
            self._current.pop(identifier, None)
        self.unsaved |= bool(revoked)
        while len(self._gone) > MOST:
            self._current.pop(oldest := next(iter(self._gone)), None)
            del self._gone[oldest]

    def _latest(self, identifier: str) -> str:
        """The id that stands for an object, or stood for it last: a run that died before it was revoked does so now."""
        gone = self._gone.get(identifier)
        return identifier if gone is None else renewed_id(identifier, gone.times - (not gone.since))

    def _publish_again(self, items: Iterable[StixObject], erased: Callable[[Sequence[str]], Iterable[str]]) -> None:
        """Give an id to each newer version of what is gone, but of nothing that was erased under any of its ids."""
        come: dict[str, str] = {}
        for item in items:
            gone = self._gone.get(str(item.get("id")))
            if gone is None or gone.since or "modified" not in item or item.get("revoked") is True:
                continue
            first = min(str(item["modified"]), come.get(str(item["id"]), str(item["modified"])), key=microseconds)
            if microseconds(first) > microseconds(gone.at):
                come[str(item["id"])] = first
        names = {one: [renewed_id(one, times) for times in range(self._gone[one].times)] for one in come}
        over = set(erased([name for some in names.values() for name in some])) if come else set()
        for identifier, modified in come.items():
            if not over.intersection(names[identifier]):
                self._gone[identifier] = replace(self._gone[identifier], since=modified)
                self._current[identifier] = renewed_id(identifier, self._gone[identifier].times)
                self._named[self._current[identifier]] = identifier
                self.count += 1
                self.unsaved = True

    def _written(self, item: StixObject) -> StixObject:
        """The object as it is pushed: a version from before its last taking back keeps the id that it had."""
        identifier, modified = str(item.get("id")), str(item.get("modified", ""))
        gone = self._gone.get(identifier)
        if gone is None or not modified:
            return _with_ids(item, self._current) if self._current else item
        if not gone.since or microseconds(modified) < microseconds(gone.since):
            return {**item, "id": renewed_id(identifier, gone.times - 1)}
        return {**_with_ids(item, self._current), "created": gone.since}

    def _row(self, row: Row, told: Mapping[str, str]) -> Row:
        said = [told[one] for one in row.ids if one in told]
        if not said and not any(one in self._current for one in row.ids):
            return row
        return replace(row, ids=tuple(self._current.get(one, one) for one in row.ids),
                       reason=" ".join(filter(None, (row.reason, *dict.fromkeys(said)))))


def _derived(item: StixObject, present: str, former: str) -> StixObject:
    """The relationship from what was published again to what was revoked, under the markings of the former."""
    modified = item["modified"]
    marked = {name: item[name] for name in ("created_by_ref", "object_marking_refs") if name in item}
    return {
        "type": "relationship", "spec_version": "2.1", "id": derived_id("relationship", "published again", present),
        "created": modified, "modified": modified, "relationship_type": "derived-from", "source_ref": present,
        "target_ref": former, "description": "Its source took it back and published it again.", **marked,
    }


def _with_ids(value: Any, present: Mapping[str, str]) -> Any:
    """A copy in which ids stand for those that they were replaced by."""
    if isinstance(value, str):
        return present.get(value, value)
    if isinstance(value, Mapping):
        return {key: _with_ids(one, present) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_ids(one, present) for one in value]
    return value
