"""An exchange in memory: the Sink's contract with a dictionary behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from exchange.model.pushed import PushOutcome


class MemorySink:
    """Keeps each version of each object once; refuses ids in ``refuse`` and whatever has no TLP."""

    def __init__(self, refuse: Sequence[str] = ()) -> None:
        self.stored: dict[tuple[str, str], bytes] = {}
        self.refuse = set(refuse)
        self.checkpoints: dict[tuple[str, str], str] = {}
        self.pushes: list[int] = []
        self.terms: list[Mapping[str, Any]] = []

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        assert len(objects) <= 1_000
        self.pushes.append(len(objects))
        self.terms.append(terms)
        return [self._take(raw, terms) for raw in objects]

    def _take(self, raw: bytes, terms: Mapping[str, Any]) -> PushOutcome:
        item = json.loads(raw)
        identifier = item["id"]
        if identifier in self.refuse:
            return PushOutcome(identifier, "refused", "basis-missing", "No lawful basis is stated.")
        if not terms.get("tlp") and not item.get("object_marking_refs"):
            return PushOutcome(identifier, "refused", "marking-missing", "No TLP is stated.")
        key = (identifier, item.get("modified") or item.get("created") or "")
        if key in self.stored:
            return PushOutcome(identifier, "unchanged")
        self.stored[key] = raw
        return PushOutcome(identifier, "added")

    def held(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        assert len(ids) <= 50
        newest = sorted((key, raw) for key, raw in self.stored.items() if key[0] in ids)
        return {identifier: raw for (identifier, _), raw in newest}

    def erased(self, ids: Sequence[str]) -> Sequence[str]:
        return ()

    def delete(self, identifier: str) -> None:
        for key in [key for key in self.stored if key[0] == identifier]:
            del self.stored[key]

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        text = self.checkpoints.get((connector, source_key))
        return None if text is None else json.loads(text)

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        if checkpoint is None:
            self.checkpoints.pop((connector, source_key), None)
        else:
            self.checkpoints[connector, source_key] = json.dumps(checkpoint)
