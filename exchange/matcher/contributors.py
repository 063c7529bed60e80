"""Contributors' records: how far the word of a source counts here, by what became of its words before (R29, R61).

trust = min(1, posterior mean / prior mean) of Beta(prior_confirmed + confirmed, prior_overturned + overturned): a
source of which nothing is known counts in full, a good record adds nothing, each overturned object takes away. It
scales the nats of the source's direct evidence. Below ``witness_from``, or as a public authority (which gives tips
only), a source is no independent witness beside another, whatever it names.

Records are taken from the member's own hand or from its exchange, never from a feed: anybody may push a note of praise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from exchange.errors import InputError
from exchange.matcher.weighing import Sources
from exchange.stix.extensions import RECORD, of

_MOST = 2**53
_HOPS = 8
"""Identities that are followed from one to who wrote it down."""


@dataclass(frozen=True)
class Record:
    """What became of the objects of one contributor."""

    org: str
    confirmed: int = 0
    overturned: int = 0
    public_authority: bool = False
    group: str = ""
    """Its ownership group, where it is told: all contributors of one are one source."""


@dataclass(frozen=True)
class Trust:
    """How the word of a source counts."""

    factor: float = 1.0
    """0-1, on the nats of its direct evidence."""
    witness: bool = True
    """Whether it can stand beside another source as an independent one."""
    why: str = ""
    confirmed: int = 0
    """Objects of its record that were confirmed, less those overturned; 0 where nothing is known."""


FULL_TRUST = Trust()


@dataclass(frozen=True)
class Contributors:
    """What is known of the sources of a feed."""

    records: Mapping[str, Record] = field(default_factory=dict)
    """By the contributor's name at the exchange."""
    identities: Mapping[str, str] = field(default_factory=dict)
    """STIX identity id to the contributor's name; several of one contributor are one source."""
    exchange: str | None = None
    """The exchange's own STIX identity: its mark of dispute counts by itself."""
    learned: Mapping[str, float] = field(default_factory=dict)
    """Identity id to what the member's own reviews leave of the source's word (0-1)."""
    recorded_only: bool = False
    """Whether sources of whom there is no record are no independent witnesses."""
    written_by: Mapping[str, str] = field(default_factory=dict)
    """Identity id to that of who wrote the identity down, as the feed states it."""

    def as_json(self) -> dict[str, Any]:
        """What ``contributors`` reads back, for a run that is done again; ``learned`` stands in the weights."""
        return {"records": [asdict(self.records[org]) for org in sorted(self.records)],
                "identities": dict(sorted(self.identities.items())), "exchange": self.exchange,
                "recorded_only": self.recorded_only}

    def speaker(self, identity: str) -> str:
        """Who speaks by an identity: itself where it is a contributor's, else who wrote it down, and so on. Otherwise
        a member that makes up identities would be as many sources as it likes. What the exchange wrote down stands for
        itself."""
        for _ in range(_HOPS):
            author = self.written_by.get(identity)
            if identity in self.identities or author is None or author in (identity, self.exchange):
                break
            identity = author
        return identity

    def one_source(self, identity: str) -> str:
        """The id under which all identities of one contributor, and of one ownership group, count."""
        identity = self.speaker(identity)
        org = self.identities.get(identity)
        return identity if org is None else self._least[self._group(org)]

    @cached_property
    def _least(self) -> Mapping[str, str]:
        """The least identity id of each group."""
        found: dict[str, str] = {}
        for identity, org in self.identities.items():
            found[self._group(org)] = min(identity, found.get(self._group(org), identity))
        return found

    def _group(self, org: str) -> str:
        record = self.records.get(org)
        return record.group or org if record is not None else org

    def is_authority(self, identity: str, name: str) -> bool:
        """Whether the source is known as a public authority, which gives tips only."""
        record = self.records.get(self.identities.get(self.speaker(identity), name))
        return record is not None and record.public_authority

    def trust(self, identity: str, name: str, rules: Sources) -> Trust:
        """How the word of the source with this identity (``name`` in the feed) counts."""
        record = self.records.get(self.identities.get(self.speaker(identity), name))
        own = min(1.0, max(0.0, self.learned.get(self.one_source(identity), self.learned.get(identity, 1.0))))
        if record is None:
            return Trust(own, own >= rules.witness_from and not self.recorded_only, _said(None, own))
        factor = beta_share(record, rules) * own
        return Trust(factor, factor >= rules.witness_from and not record.public_authority, _said(record, own),
                     max(0, record.confirmed - record.overturned))


def beta_share(record: Record, rules: Sources) -> float:
    """min(1, posterior mean / prior mean) of the share of a contributor's objects that stand."""
    confirmed, overturned = rules.prior_confirmed, rules.prior_overturned
    prior = confirmed / (confirmed + overturned)
    mean = (confirmed + record.confirmed) / (confirmed + overturned + record.confirmed + record.overturned)
    return min(1.0, mean / prior)


def _said(record: Record | None, own: float) -> str:
    parts = [f"reviews here leave {own:.2f} of its word"] if own < 1 else []
    if record is not None and (record.overturned or record.public_authority):
        parts.append(f"of its objects {record.confirmed:,} were confirmed and {record.overturned:,} overturned")
        parts += ["a public authority gives tips only"] if record.public_authority else []
    return "; ".join(parts)


def read_records(path: Path) -> Contributors:
    """Records from a file as ``GET /api/v1/records`` gives them, or the notes of the exchange's collection ``records``.

    Raises InputError for a file that can't be read or holds none of both.
    """
    try:
        found = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"The records {path} can't be read.", why=f"{error.strerror}.",
                         fix="Name a file with the answer of GET /api/v1/records.") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise InputError(f"The records {path} are no JSON.", why=f"{error}.",
                         fix="Save the answer of GET /api/v1/records there.") from error
    return contributors(found, str(path))


def contributors(said: Any, place: str) -> Contributors:
    """Records as the exchange's API tells them (``records``), or as its notes do (``objects``). Raises InputError."""
    rows = said.get("records") if isinstance(said, Mapping) else None
    if rows is None:
        rows = list(_notes(said))
    if not isinstance(rows, list) or not (rows or (isinstance(said, Mapping) and "records" in said)):
        raise InputError(f"{place} holds no records of contributors.",
                         fix="Give the answer of GET /api/v1/records, or the objects of the collection records.")
    records: dict[str, Record] = {}
    identities: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        record = _record(row, f"{place}: record {number}")
        records[record.org] = record
        if isinstance(row.get("identity"), str):
            identities[row["identity"]] = record.org
    more = said.get("identities") if isinstance(said, Mapping) else None
    if more is not None and not (isinstance(more, Mapping) and all(isinstance(org, str) for org in more.values())):
        raise InputError(f"{place}: identities must give the contributor's name for each STIX identity.")
    exchange = said.get("exchange") if isinstance(said, Mapping) else None
    return Contributors(records, {**identities, **(more or {})}, exchange if isinstance(exchange, str) else None,
                        recorded_only=isinstance(said, Mapping) and said.get("recorded_only") is True)


def _notes(said: Any) -> Iterator[Mapping[str, Any]]:
    """The records that notes of an exchange tell, each with the identity that it is about."""
    objects = said.get("objects") if isinstance(said, Mapping) else said
    for obj in objects if isinstance(objects, list) else ():
        told = of(obj, RECORD) if isinstance(obj, Mapping) and obj.get("type") == "note" else {}
        if told:
            about = obj.get("object_refs") or [None]
            yield {**told, "org": told.get("contributor"), "identity": about[0]}


def _record(row: Any, place: str) -> Record:
    if not isinstance(row, Mapping) or not isinstance(row.get("org"), str):
        raise InputError(f"{place} lacks org, the contributor's name.")
    for name in ("confirmed", "overturned"):
        count = row.get(name, 0)
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < _MOST:
            raise InputError(f"{place}: {name} is {count!r}; it must be a whole number of at least 0.")
    return Record(row["org"], row.get("confirmed", 0), row.get("overturned", 0), row.get("public_authority") is True,
                  str(row.get("group") or ""))
