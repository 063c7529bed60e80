"""What a reader of a stream remembers, within bounds, and what of it a checkpoint keeps.

Values and claims come in events of their own, so that a claim is read with the value that came before it. A bounded
number is held in memory; the latest of them outlive a run, so that one that was cut goes on as if it hadn't been.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec

from connectors.opencti.operated import Claim
from connectors.opencti.reach import OCTI, octi
from exchange.connect.stix_objects import Object

_MAX_ACTORS = 2_000
_MAX_VALUES = 10_000
_KEPT = 300
"""Values, claims and victims that a checkpoint keeps: the latest."""
_MAX_TEXT = 2_000
_NEEDED = ("type", "id", "value", "name", "aliases", "channel_types", "account_type", "account_login", "user_id",
           "display_name", "labels", "x_opencti_labels", "description", "x_opencti_description", "object_marking_refs",
           "granular_markings", "created", "modified", "created_by_ref", "x_opencti_created_by_ref", "revoked")
_NEEDED_OF_OCTI = ("labels", "description", "created_at", "updated_at", "created_by_ref")


@dataclass
class Memory:
    """Values by id, what was claimed of each by whom, and who is a victim."""

    values: OrderedDict[str, Object] = field(default_factory=OrderedDict)
    """As far as an indicator is made of them."""
    claims: OrderedDict[str, dict[str, Claim]] = field(default_factory=OrderedDict)
    """By value, then by actor."""
    victims: OrderedDict[str, bool] = field(default_factory=OrderedDict)
    actors: dict[str, None] = field(default_factory=dict)
    """Whoever was said to operate something: with a value's id they name what was made of it."""

    def value(self, item: Mapping[str, Any]) -> None:
        """Remember an observable or channel."""
        kept = {name: item[name] for name in _NEEDED if name in item}
        told = octi(item)
        if told:
            kept["extensions"] = {OCTI: {name: told[name] for name in _NEEDED_OF_OCTI if name in told}}
        _remember(self.values, str(item["id"]), kept)

    def claim(self, claim: Claim) -> None:
        """Remember a claim and its actor; a later one of the same actor on the same value replaces it."""
        self.actors.pop(claim.actor, None)
        self.actors[claim.actor] = None
        if len(self.actors) > _MAX_ACTORS:
            self.actors.pop(next(iter(self.actors)))
        _remember(self.claims, claim.value, {**self.claims.get(claim.value, {}), claim.actor: claim})

    def victim(self, value: str) -> None:
        """Remember that a value is somebody's who was targeted, impersonated or compromised."""
        _remember(self.victims, value, True)

    def forget(self, value: str) -> None:
        """Forget a value that is gone."""
        self.values.pop(value, None)
        self.claims.pop(value, None)
        self.victims.pop(value, None)

    def as_record(self) -> dict[str, Any]:
        """Plain JSON values of the latest; values with long texts are left out."""
        values = [one for one in islice(reversed(self.values.values()), _KEPT) if _length(one) <= _MAX_TEXT]
        claims = [claim for some in islice(reversed(self.claims.values()), _KEPT) for claim in some.values()]
        return {"actors": list(self.actors), "values": values[::-1], "claims": msgspec.to_builtins(claims[::-1]),
                "victims": list(islice(reversed(self.victims), _KEPT))[::-1]}


def read_memory(record: Mapping[str, Any]) -> Memory:
    """The inverse of ``Memory.as_record``; what isn't understood is left out."""
    made = Memory()
    try:
        told = msgspec.convert(dict(record), _Record)
    except msgspec.ValidationError:
        return made
    for item in told.values:
        if isinstance(item.get("id"), str):
            made.values[item["id"]] = item
    for claim in told.claims:
        made.claim(claim)
    made.victims.update(dict.fromkeys(told.victims, True))
    made.actors = dict.fromkeys(told.actors)
    return made


class _Record(msgspec.Struct):
    actors: list[str] = []
    values: list[dict[str, Any]] = []
    claims: list[Claim] = []
    victims: list[str] = []


@dataclass
class Standing:
    """Where the reading of a stream stands."""

    id: str = ""
    """Of the last event that was dealt with."""
    recover: str = ""
    """Up to when the server is to send objects that no event tells of; empty: not any more."""
    rows: int = 0
    memory: Memory = field(default_factory=Memory)

    def as_record(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"format": 1, "id": self.id, "recover": self.recover, "rows": self.rows, **self.memory.as_record()}


def read_standing(record: Mapping[str, Any] | None) -> Standing:
    """The inverse of ``Standing.as_record``; a record that isn't understood begins anew."""
    record = record or {}
    identifier, recover, rows = (record.get(name) for name in ("id", "recover", "rows"))
    if record.get("format") != 1 or not isinstance(identifier, str) or not isinstance(recover, str):
        return Standing()
    return Standing(identifier, recover, rows, read_memory(record)) if isinstance(rows, int) else Standing()


def _remember(memory: OrderedDict[str, Any], key: str, value: object) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MAX_VALUES:
        memory.popitem(last=False)


def _length(item: Mapping[str, Any]) -> int:
    return sum(len(value) for value in item.values() if isinstance(value, str))
