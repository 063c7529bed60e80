"""A dry run: what would go in, as a STIX bundle on disk, without a database.

The sink checks each object by the STIX specification as the exchange does on a push. What only the exchange
knows (whose object it is, which agreements are active) is not asked.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from exchange.connect.rows import OutputFile
from exchange.model.pushed import PushOutcome
from exchange.stix.fault import StixFault
from exchange.stix.parse import parse_strict
from exchange.stix.validate import check

BUNDLE_NAME = "bundle.json"


class BundleFile(OutputFile):
    """Writes one STIX bundle object by object; the same objects give the same bytes.

    The bundle's id follows from its content, so it stands at the end. A bundle of nothing has no ``objects``.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / BUNDLE_NAME)
        self._digest = hashlib.sha256()
        self._count = 0
        self.write(b'{"type": "bundle",')

    def add(self, raw: bytes) -> None:
        """Append one object as it would be pushed."""
        self.write(b',\n' if self._count else b' "objects": [\n')
        self.write(raw)
        self._digest.update(raw)
        self._count += 1

    def finish(self) -> None:
        """Close the list and write the bundle's id."""
        identifier = uuid.uuid5(uuid.NAMESPACE_OID, self._digest.hexdigest())
        self.write(b"\n]," if self._count else b"")
        self.write(f' "id": "bundle--{identifier}"}}\n'.encode())


class PreviewSink:
    """Takes what a run would push; keeps no checkpoint, so a dry run always shows the whole source.

    A context manager; with ``folder`` the objects go into its bundle.json, without it they are only counted.
    """

    def __init__(self, folder: Path | None) -> None:
        self._bundle = BundleFile(folder) if folder else None
        self._seen: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bundle:
            self._bundle.__exit__(kind, error, trace)

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        """Check each object and write those that would be taken, each once."""
        return [self._take(raw) for raw in objects]

    def _take(self, raw: bytes) -> PushOutcome:
        try:
            item = parse_strict(raw)
        except StixFault as fault:
            return PushOutcome("", "refused", fault.code, fault.sentence)
        identifier = str(item.get("id", ""))
        found = check(item)
        if found is not None:
            return PushOutcome(identifier, "refused", found.code, found.sentence)
        digest = hashlib.blake2b(raw, digest_size=16).digest()
        if digest in self._seen:
            return PushOutcome(identifier, "unchanged")
        self._seen.add(digest)
        if self._bundle:
            self._bundle.add(raw)
        return PushOutcome(identifier, "added")

    def held(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """Nothing: what the exchange holds isn't asked."""
        return {}

    def erased(self, ids: Sequence[str]) -> Sequence[str]:
        """None: what the exchange holds isn't asked."""
        return ()

    def delete(self, identifier: str) -> None:
        """Nothing is deleted."""

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        """Nothing is kept."""
        return None

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        """Nothing is kept."""
