"""Whether an object repeats what its contributor had received: then a verdict on it isn't one on its contributor.

Who repeats others neither earns nor loses by what they found, as a report after one's pull adds no independent voice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from exchange.cases.about import values
from exchange.cases.office import Office
from exchange.store.contests import organisation_of
from exchange.store.directory import meta_value
from exchange.store.value_reports import earlier_reports, first_given


def is_repeated(office: Office, connection: Any, about: tuple[int, int, str]) -> bool:
    """Whether the contributor of an object had received, before it first gave it, every value of it from others.

    ``about`` is (feed, contributor, id). As far as the table of values is filled: what it lacks, and of what was erased
    there is nothing in it, counts as the contributor's own. So does an object that reports no value.
    """
    feed, producer, stix_id = about
    first = first_given(connection, feed, producer, stix_id)
    keys = set() if first is None else value_keys(value_secret(connection), readable(first[1]))
    if first is None or not keys:
        return False
    org, had = organisation_of(connection, producer), set[int]()
    for (value, there), seqs in earlier_reports(connection, keys, first[0], producer).items():
        if value not in had and any(receipt.org == org and receipt.at < first[0]
                                    for receipt in office.means().recipients(connection, there, seqs)):
            had.add(value)
    return had == keys


def value_secret(connection: Any) -> bytes:
    """The key under which the table of values is kept."""
    return bytes.fromhex(meta_value(connection, "cursor.secret"))


def readable(body: bytes) -> Mapping[str, Any]:
    """An object's content; an erased one has none."""
    try:
        obj = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return obj if isinstance(obj, dict) else {}


def value_keys(secret: bytes, obj: Mapping[str, Any]) -> set[int]:
    """64-bit keyed hashes of the values that an object reports: nobody can try values out on the table."""
    return {
        int.from_bytes(hashlib.blake2b("\0".join(pair).encode("utf-8", "surrogatepass"), digest_size=8,
                                       key=secret).digest(), signed=True)
        for pair in values(obj)
    }
