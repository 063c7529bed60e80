"""The filters of TAXII 2.1 (3.4, 3.5, 5.3-5.8): what their texts mean, and which texts mean nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from exchange.errors import BadRequestError
from exchange.stix.timestamp import microseconds, version_key
from exchange.store.objects import Filter, Versions

_LIMIT = re.compile(r"[0-9]{1,40}")
_KEYWORDS = frozenset({"first", "last", "all"})
LAST = Versions()
_MOST_VALUES = 1_000
"""Most values in one comma list."""


@dataclass(frozen=True)
class Asked:
    """A request's query, understood: the filter without its position, and where to go on."""

    filter: Filter
    cursor: str | None
    context: str
    """The match filters in canonical form: what a cursor is bound to."""
    until: int | None = None
    """Nothing with a later date leaves (microseconds): for what is sent again as it was. Of pages of objects alone."""


def read_query(
    arguments: Sequence[tuple[str, str]], *, allowed: frozenset[str], page_size: int,
    fixed_id: str | None = None, default_versions: Versions = LAST,
) -> Asked:
    """Understand the query of one request.

    ``arguments`` are the decoded pairs in their order; ``allowed`` names the filters of the endpoint
    (unknown parameters are ignored, as HTTP clients add their own). Raises BadRequestError.
    """
    given = _once(arguments, allowed)
    versions = default_versions
    if "match[version]" in given:
        versions = _versions(given["match[version]"])
    ids = _values(given, "match[id]")
    if fixed_id is not None:
        ids = (fixed_id,)
    types = _values(given, "match[type]")
    specs = _values(given, "match[spec_version]")
    limit = _limit(given["limit"], page_size) if "limit" in given else page_size
    after = _after(given["added_after"]) if "added_after" in given else -1
    matches = {name: sorted(text.split(",")) for name, text in given.items() if name.startswith("match")}
    context = "|".join(f"{name}={','.join(values)}" for name, values in sorted(matches.items()))
    wanted = Filter(ids=ids, types=types, spec_versions=specs, versions=versions, after=after, limit=limit)
    return Asked(filter=wanted, cursor=given.get("next"), context=context)


def _once(arguments: Iterable[tuple[str, str]], allowed: frozenset[str]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in arguments:
        if name not in allowed:
            continue
        if name in given:
            raise BadRequestError(f"The parameter {name} is given twice.",
                                  fix="Give it once; several values are separated by commas.")
        if value == "":
            raise BadRequestError(f"The parameter {name} is empty.", fix="Leave it out or give it a value.")
        given[name] = value
    return given


def _values(given: Mapping[str, str], name: str) -> tuple[str, ...] | None:
    if name not in given:
        return None
    values = given[name].split(",")
    if "" in values:
        raise BadRequestError(f"The list in {name} has an empty value.", fix="Separate values by one comma.")
    if len(values) > _MOST_VALUES:
        raise BadRequestError(f"The list in {name} has more than {_MOST_VALUES} values.",
                              fix="Ask in several requests.")
    if any("\x00" in value for value in values):
        raise BadRequestError(f"The list in {name} has a NUL character.")
    return tuple(dict.fromkeys(values))


def _versions(text: str) -> Versions:
    """TAXII 2.1, 3.4.1: keywords and timestamps in any combination, but ``all`` only alone."""
    values = text.split(",")
    if len(values) > _MOST_VALUES or len(set(values)) != len(values):
        raise BadRequestError("match[version] has a value twice, or too many values.")
    keywords = frozenset(v for v in values if v in _KEYWORDS)
    if "all" in keywords and len(values) > 1:
        raise BadRequestError("match[version]=all can't be combined with other values.")
    times = [v for v in values if v not in _KEYWORDS]
    try:
        keys = tuple(version_key(v) for v in times)
        added = tuple(microseconds(v) for v in times)
    except ValueError:
        raise BadRequestError(
            "match[version] has a value that is neither first, last, all nor a timestamp.",
            fix="Timestamps look like 2026-01-31T12:00:00.000Z.",
        ) from None
    return Versions(keywords=keywords, times=keys, added=added)


def _limit(text: str, page_size: int) -> int:
    if not _LIMIT.fullmatch(text) or int(text) < 1:
        raise BadRequestError("limit must be a whole number of at least 1, in the digits 0 to 9.")
    return min(int(text), page_size)


def _after(text: str) -> int:
    try:
        return microseconds(text)
    except ValueError:
        raise BadRequestError(
            "added_after is not an RFC 3339 timestamp in UTC.",
            fix="It looks like 2026-01-31T12:00:00.000000Z.",
        ) from None
