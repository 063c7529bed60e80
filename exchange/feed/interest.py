"""What a subscriber wants of a feed: by type, behaviour, campaign class and platform, told from the object alone.

An object passes when it names one of the values of every filter that is given. A marking always passes, since the
objects refer to it. What only another object says of it (a relationship to a campaign) doesn't count: a filter must
answer the same for a page, a stream and a webhook.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.errors import BadRequestError
from exchange.model.identifiers import account
from exchange.stix import extensions

FILTERS = ("type", "behaviour", "class", "platform")
"""As they are written: ``match[type]`` and so on."""
_MOST = 100
_ACCOUNT_TYPE = re.compile(r"user-account:account_type\s*=\s*'([^']{1,100})'")
_URL = re.compile(r"url:value\s*=\s*'([^']{1,2000})'")


@dataclass(frozen=True)
class Interest:
    """Values wanted, each empty where all are; behaviours include those below them (T0146: T0146.001)."""

    types: frozenset[str] = frozenset()
    behaviours: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    platforms: frozenset[str] = frozenset()

    def wants(self, item: Mapping[str, Any]) -> bool:
        """Whether an object passes."""
        kind = item.get("type")
        if kind == "marking-definition":
            return True
        if self.types and kind not in self.types:
            return False
        if self.classes and self.classes.isdisjoint(_classes(item)):
            return False
        if self.behaviours and not any(self._is_below(one) for one in _behaviours(item)):
            return False
        return not self.platforms or not self.platforms.isdisjoint(_platforms(item))

    @property
    def everything(self) -> bool:
        """Whether there is no filter."""
        return not (self.types or self.behaviours or self.classes or self.platforms)

    def _is_below(self, behaviour: str) -> bool:
        return any(behaviour == one or behaviour.startswith(one + ".") for one in self.behaviours)


def read_interest(arguments: Iterable[tuple[str, str]]) -> Interest:
    """The filters among a query's pairs; raises BadRequestError for one given twice, empty, or with too many values."""
    given: dict[str, frozenset[str]] = {}
    for name, text in arguments:
        if not name.startswith("match["):
            continue
        word = name.removeprefix("match[").removesuffix("]")
        if word not in FILTERS:
            raise BadRequestError(f"There is no filter {name[:60]!r}.",
                                  fix=f"Filters: {', '.join(f'match[{one}]' for one in FILTERS)}.")
        values = text.split(",")
        if word in given or "" in values or len(values) > _MOST:
            raise BadRequestError(f"The filter {name} is given twice, has an empty value, or more than {_MOST}.",
                                  fix="Give it once, with values separated by commas.")
        given[word] = frozenset(values)
    return interest(given)


def interest(given: Mapping[str, Collection[str]]) -> Interest:
    """The interest of filters by name."""
    def values(name: str) -> frozenset[str]:
        """What a filter asks for; empty where it isn't given."""
        return frozenset(given.get(name) or ())

    return Interest(values("type"), values("behaviour"), values("class"),
                    frozenset("x" if one == "twitter" else one for one in values("platform")))


def _said(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return extensions.of(item, extensions.CAMPAIGN)


def _classes(item: Mapping[str, Any]) -> Iterator[str]:
    yield str(_said(item).get("campaign_class") or "")
    yield from (one for one in _list(item, "labels") if isinstance(one, str))


def _behaviours(item: Mapping[str, Any]) -> Iterator[str]:
    for place, name in ((_said(item), "behaviours"), (item, "external_references")):
        key = "id" if name == "behaviours" else "external_id"
        yield from (str(one.get(key)) for one in _list(place, name) if isinstance(one, Mapping))


def _platforms(item: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(one) for one in _list(_said(item), "platforms"))
    if item.get("type") == "user-account":
        yield str(extensions.of(item, extensions.ACCOUNT).get("platform") or item.get("account_type") or "")
    pattern = item.get("pattern")
    addresses = [str(item.get("value"))] if item.get("type") == "url" else []
    if isinstance(pattern, str):
        yield from _ACCOUNT_TYPE.findall(pattern)
        addresses += _URL.findall(pattern)
    for address in addresses:
        located = account.place(address)
        if located is not None:
            yield located.platform


def _list(item: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = item.get(name)
    return found if isinstance(found, list) else ()
