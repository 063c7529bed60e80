"""Taking back what a connector brought in: which version revokes an object, made from the last one that is held.

STIX 2.1, 3.6.3: a revocation is a last version with ``revoked`` true and a later ``modified``. Observables and
markings have no versions: the exchange deletes the former for its contributor (TAXII 2.1, 5.7), the latter stay,
because objects may bear them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from exchange.stix.timestamp import from_microseconds, microseconds

ASKED_AT_ONCE = 50
"""Ids that a sink is asked for together."""
_MILLISECOND = 1_000


def revoked(held: bytes) -> bytes | None:
    """The version that revokes an object; None where it is revoked already or can't be.

    Its ``modified`` is the next whole millisecond after the held version's, so that whoever makes it, and however
    often, makes the same.
    """
    item: dict[str, Any] = msgspec.json.decode(held)
    if item.get("revoked") is True or "modified" not in item:
        return None
    later = microseconds(str(item["modified"])) // _MILLISECOND * _MILLISECOND + _MILLISECOND
    return msgspec.json.encode({**item, "modified": from_microseconds(later), "revoked": True})


def revocations(
    withdrawn: Sequence[str], held: Callable[[Sequence[str]], Mapping[str, bytes]]
) -> Iterable[tuple[bytes | None, str]]:
    """For each id that is held: the version that revokes it, or None and the id where it is to be deleted instead."""
    for some in batched(dict.fromkeys(withdrawn), ASKED_AT_ONCE):
        found = held(some)
        for identifier in some:
            body = found.get(identifier)
            if body is None or identifier.startswith("marking-definition--"):
                continue
            version = revoked(body)
            if version is not None:
                yield version, identifier
            elif "modified" not in msgspec.json.decode(body):
                yield None, identifier


def batched(ids: Iterable[str], size: int) -> Iterable[list[str]]:
    """Lists of at most ``size``."""
    rest = iter(ids)
    while some := list(islice(rest, size)):
        yield some
