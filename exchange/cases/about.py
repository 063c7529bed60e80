"""What an object speaks of: its values in normalised form, the platforms of its accounts, its campaign class.

Two members who report ``[domain-name:value = 'Example.COM']`` and an observable ``example.com`` report one value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from exchange.errors import ExchangeError
from exchange.model.identifiers import domain, email, ip, url
from exchange.model.identifiers.account import account_key, place
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.platforms import table
from exchange.stix import extensions
from exchange.stix.pattern import parse
from exchange.stix.pattern.tree import Combination, Comparison, Expression, Logic, Observation, Test, plain

UNSTATED = "unstated"
"""The class of an object that states none."""
_NORMAL: Mapping[str, Callable[[str], str]] = {
    "domain-name": domain.normalise, "url": url.normalise, "email-addr": email.normalise,
    "ipv4-addr": ip.normalise, "ipv6-addr": ip.normalise,
}
_ACCOUNT = ("account_login", "user_id", "display_name")
_MOST_VALUES = 64
"""Values of one object that are compared; a longer pattern counts as a whole."""

Pair = tuple[str, str]
"""(kind, normalised value)"""


def values(obj: Mapping[str, Any]) -> frozenset[Pair]:
    """What an object reports: an observable its value, an indicator each of its alternatives.

    A pattern that asks for several things together, and one of more than 64 alternatives, is one value as a whole.
    """
    kind = obj.get("type")
    if kind == "indicator":
        return _of_pattern(obj)
    if kind == "user-account":
        return frozenset(_account(obj))
    if kind in _NORMAL and isinstance(obj.get("value"), str):
        return frozenset({(str(kind), _normal(str(kind), obj["value"]))})
    if kind == "file" and isinstance(obj.get("hashes"), Mapping):
        return frozenset((f"file:{name}", str(digest).lower()) for name, digest in obj["hashes"].items())
    return frozenset()


def platforms_of(obj: Mapping[str, Any]) -> frozenset[str]:
    """Names of the platforms whose accounts an object is about, in the words of the table of platforms."""
    found = {pair[1].partition("|")[0] for pair in values(obj) if pair[0] == "account"}
    for kind, value in values(obj):
        seen = place(value) if kind == "url" else None
        if seen is not None:
            found.add(seen.platform)
    stated = extensions.of(obj, extensions.ACCOUNT).get("platform")
    if isinstance(stated, str):
        found.add(platform_name(stated))
    return frozenset(found)


def platform_name(text: str) -> str:
    """The one name of a platform: ``twitter`` and ``X`` are ``x``."""
    known = table().named(text)
    return known.name if known is not None else text.strip().casefold()


@cache
def campaign_classes() -> frozenset[str]:
    """The words for campaign classes that our extension knows."""
    return frozenset(extensions.schema("campaign")["properties"]["campaign_class"]["enum"])


def campaign_class(obj: Mapping[str, Any]) -> str:
    """The campaign class that an object states in our extension or its labels; else ``unstated`` (R11)."""
    stated = extensions.of(obj, extensions.CAMPAIGN).get("campaign_class")
    classes = campaign_classes()
    if stated in classes:
        return str(stated)
    labels = obj.get("labels")
    words = [word for word in labels if isinstance(word, str)] if isinstance(labels, list) else []
    return min(classes.intersection(words), default=UNSTATED)


def _account(obj: Mapping[str, Any]) -> Iterator[Pair]:
    """An account is its platform with its name or number there; an unkeyed one names nobody."""
    platform = str(obj.get("account_type") or extensions.of(obj, extensions.ACCOUNT).get("platform") or "")
    for name in _ACCOUNT[:2]:
        text = obj.get(name)
        if isinstance(text, str) and text:
            yield "account", _account_value(platform, text)


def _account_value(platform: str, text: str) -> str:
    try:
        found = account_key(platform, text)
    except IdentifierError:
        return f"{platform_name(platform)}|{text}"
    return f"{found.platform}|{found.key}"


def _normal(kind: str, text: str) -> str:
    """The normal form; of what has none (a name under an unknown suffix) at least one letter case, but in URLs."""
    try:
        return _NORMAL[kind](text)
    except IdentifierError:
        return text if kind == "url" else text.strip().rstrip(".").lower()


def _of_pattern(obj: Mapping[str, Any]) -> frozenset[Pair]:
    text = obj.get("pattern")
    if not isinstance(text, str):
        return frozenset()
    whole: Pair = (f"pattern:{obj.get('pattern_type')}", " ".join(text.split()))
    if obj.get("pattern_type") != "stix":
        return frozenset({whole})
    try:
        found = list(_alternatives(parse(text).expression))
    except ExchangeError:
        return frozenset({whole})
    if None in found or len(found) > _MOST_VALUES:
        return frozenset({whole})
    return frozenset(pair for pair in found if pair is not None)


def _alternatives(node: Expression) -> Iterator[Pair | None]:
    """Each alternative of a pattern; None where it asks for something else than one value."""
    if isinstance(node, Observation):
        yield from _tests(node.test)
    elif isinstance(node, Combination) and node.operator == "OR":
        for operand in node.operands:
            yield from _alternatives(operand)
    else:
        yield None


def _tests(node: Test) -> Iterator[Pair | None]:
    if isinstance(node, Logic):
        if node.operator == "OR":
            for operand in node.operands:
                yield from _tests(operand)
        else:
            yield _together(node)
        return
    value = plain(node.value)
    if node.negated or node.operator not in ("=", "IN"):
        yield None
        return
    for item in value if isinstance(value, tuple) else (value,):
        yield _pair(node, item)


def _pair(node: Comparison, item: Any) -> Pair | None:
    if not isinstance(item, str):
        return None
    path = node.path.text
    kind, _, rest = path.partition(":")
    if rest == "value" and kind in _NORMAL:
        return kind, _normal(kind, item)
    if kind == "file" and rest.startswith("hashes."):
        return f"file:{rest.removeprefix('hashes.').strip(chr(39))}", item.lower()
    if kind == "user-account" and rest in _ACCOUNT[:2]:
        return "account", _account_value("", item)
    return path, item


def _together(node: Logic) -> Pair | None:
    """The one known pair: an account's service and its name there."""
    said: dict[str, str] = {}
    for operand in node.operands:
        if not isinstance(operand, Comparison) or operand.negated or operand.operator != "=":
            return None
        value = plain(operand.value)
        if not isinstance(value, str):
            return None
        said[operand.path.text] = value
    name = said.get("user-account:account_login") or said.get("user-account:user_id")
    if name is None or set(said) - {f"user-account:{n}" for n in ("account_type", *_ACCOUNT)}:
        return None
    return "account", _account_value(said.get("user-account:account_type", ""), name)
