"""OpenCTI's STIX, from exported bundles or from a live stream: what it holds, and indicators of what is operated.

Custom objects (channel, narrative, event, media-content, persona…) are kept as they are. A row is an object of a
file, or an event of a stream that brought something.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import msgspec

from connectors.opencti import derive, live, reach
from connectors.opencti.operated import VALUES, Graph
from exchange.connect import stix_files
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.source import Option, Source
from exchange.connect.stix_files import Derive
from exchange.connect.stix_objects import Object


class OpenCti(Connector):
    """The connector ``opencti``."""

    name = derive.NAME
    title = "OpenCTI: exported STIX bundles (file or folder), or a live stream (URL https://…/stream/ID)"
    options: ClassVar[Mapping[str, Option]] = live.OPTIONS
    secrets: ClassVar[Mapping[str, str]] = {"token": "API token of an OpenCTI user (for streams)"}
    lasting = True
    stale_after = timedelta(days=2)

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read files, or follow a stream until it is idle.

        Raises InputError when the source can't be read, UnavailableError when it may be later, UnauthorizedError and
        ForbiddenError as a server answers. A file that was read to its end is read anew the next time.
        """
        if source.is_url:
            yield from live.follow(source, checkpoint)
        else:
            yield from stix_files.read(source.path, checkpoint, study)
            yield Batch()  # the next run looks at every file again: one that was read may have changed


def study(objects: Iterable[bytes]) -> Derive:
    """Look at all objects of a bundle; what comes out makes indicators of those that it presents as operated."""
    graph = Graph()
    for raw in objects:
        item = _glanced(raw)
        if item is not None:
            graph.add(item)
    claims, indicated = graph.claims(), graph.indicated()

    def of(item: Object, row: Row) -> tuple[list[Object], Row]:
        """What one object becomes, and its row. Raises the fault for which it is left out."""
        identifier = str(item["id"])
        fault = reach.restriction(item)
        if fault is not None:
            raise fault
        note = reach.without_foreign_names(item)
        if note:
            row = replace(row, outcome="repaired", reason=f"{row.reason} {note}".strip())
        if item["type"] not in VALUES or identifier in indicated:
            return [], row
        made, reason = derive.derive(item, claims.get(identifier, ()))
        if made:
            return made, replace(row, outcome="indicator", ids=(*row.ids, *(one["id"] for one in made)))
        if identifier in graph.victims:
            reason = "Not an indicator: a relationship presents it as targeted, impersonated or compromised."
        return [], replace(row, reason=f"{row.reason} {reason}".strip())

    return of


def _glanced(raw: bytes) -> Mapping[str, Any] | None:
    """An object as far as it can be read; its faults are told when it is taken."""
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
