"""Whether a copy holds everything that its member may have: the server's count and root against those of the copy.

Where they differ the manifest tells which objects are missing, differ, or shouldn't be there any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from exchange.client.taxii import Client
from exchange.errors import InputError
from exchange.stix.tally import Tally
from exchange.stix.timestamp import version_key

_FIRST = "0001-01-01T00:00:00Z"
"""Before every version."""


class _Head(msgspec.Struct):
    id: str = ""
    type: str = ""
    modified: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to; ids are at most a thousand of each kind, sorted."""

    complete: bool
    count: int
    """Objects that the member may have, by the server."""
    until: str
    missing: tuple[str, ...] = ()
    """There, and not in the copy, or in the copy in another version."""
    left_over: tuple[str, ...] = ()
    """In the copy, and not there (any more) for this member."""


def held_in(folder: Path) -> dict[str, str]:
    """Id to the last ``modified`` (empty without one) of the objects that ``taker.Folder`` keeps below a folder."""
    found: dict[str, str] = {}
    for path in folder.glob("*/**/*.json"):
        if path.relative_to(folder).parts[0] == "notices":
            continue
        try:
            head = msgspec.json.decode(path.read_bytes(), type=_Head)
        except (OSError, msgspec.DecodeError) as error:
            raise InputError(f"{path} can't be read as an object.", why=f"{error}.",
                             fix="Follow into a new folder.") from None
        if head.id not in found or version_key(found[head.id] or _FIRST) < version_key(head.modified or _FIRST):
            found[head.id] = head.modified
    return found


def compare(client: Client, url: str, held: Mapping[str, str], until: str) -> Verdict:
    """Compare a copy that stands at ``until`` (the date of the last object taken) with the collection at ``url``.

    Raises NotFoundError where the server tells no tally, and as pulling does.
    """
    name = urlsplit(url).path.rstrip("/").rpartition("/")[2]
    said = client.plain_json(f"/api/v1/collections/{quote(name, safe='')}/tally?until={quote(until)}")
    if tallied(held.items()).root == said["root"]:
        return Verdict(True, int(said["count"]), until)
    there = {str(one["id"]): one for page in client.manifest(url) for one in page if str(one["date_added"]) <= until}
    missing = sorted(one for one, record in there.items() if one not in held or _differs(held[one], record))
    left_over = sorted(set(held) - set(there))
    return Verdict(False, int(said["count"]), until, tuple(missing[:1_000]), tuple(left_over[:1_000]))


def tallied(versions: Iterable[tuple[str, str]]) -> Tally:
    """The tally of ids and their ``modified``."""
    found = Tally()
    for stix_id, modified in versions:
        found.add(stix_id, modified)
    return found


def _differs(modified: str, record: Mapping[str, Any]) -> bool:
    return bool(modified) and version_key(modified) != version_key(str(record["version"]))

