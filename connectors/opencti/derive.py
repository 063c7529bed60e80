"""Indicators of what a source presents as operated, and why there is none of the rest.

An indicator's id follows from the ids of value and actor, so that taking back either, or what ties them, takes back
the indicator, whether it came from a file or a stream. What was marked, value or relationship, marks the indicator:
it never gets further than either would. OpenCTI's score of 50 and confidence of 0 are defaults and no beliefs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from connectors.opencti import reach
from connectors.opencti.operated import Claim, Link
from exchange.connect.asset import Asset, head, indicator, read_asset, relationship
from exchange.connect.stix_objects import Object
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.platforms import table
from exchange.stix.ids import derived_id
from exchange.stix.timestamp import version_key

NAME = "opencti"
LEGITIMATE = frozenset({
    "legitimate", "legit", "benign", "false-positive", "false positive", "allow-list", "allowlist", "whitelist",
    "non-malicious",
})  # fmt: skip
_BYSTANDER = frozenset({"impersonated", "targeted", "target", "victim", "compromised", "spoofed", "usurped"})
_KINDS = {"domain-name": "domain", "hostname": "domain", "ipv4-addr": None, "ipv6-addr": None, "email-addr": "email",
          "cryptocurrency-wallet": "wallet", "url": None, "channel": None}  # fmt: skip
_ON_PLATFORM = re.compile(
    r"(?P<before>[A-Za-z /]{1,30}):\s*(?P<handle>@?[\w.]{3,40})|(?P<at>@[\w.]{3,40})\s*\((?P<after>[A-Za-z /]{1,30})\)")
"""``Telegram: lorem_ipsum`` and ``@lorem_ipsum (Telegram)``."""
_UNSET = "1990"
"""Times before are OpenCTI's way to say none (1970-01-01)."""


def indicator_id(value: str, actor: str) -> str:
    """The id of the indicator of a value (its STIX id) that an actor (its id, or empty) operates."""
    return derived_id("indicator", NAME, value, actor)


def indicates_id(value: str, actor: str) -> str:
    """The id of the relationship from that indicator to the actor."""
    return derived_id("relationship", NAME, "indicates", value, actor)


def based_on_id(value: str, actor: str) -> str:
    """The id of the relationship from that indicator to the value."""
    return derived_id("relationship", NAME, "based-on", value, actor)


def made_of(value: str, actors: Iterable[str]) -> tuple[str, ...]:
    """Ids of all that may have been made of a value, for each of the actors and for none."""
    return tuple(one for actor in dict.fromkeys(["", *actors])
                 for one in (indicator_id(value, actor), indicates_id(value, actor), based_on_id(value, actor)))


def asset_of(item: Mapping[str, Any]) -> Asset:
    """What an observable or channel names; raises IdentifierError, for people, where that can't be told."""
    kind = str(item.get("type"))
    if kind == "user-account":
        return _account(item)
    if kind != "channel":
        text = item.get("value")
        if not isinstance(text, str):
            raise IdentifierError(f"the {kind} has no value")
        return read_asset(text, _KINDS.get(kind))
    return _channel(item)


def derive(item: Mapping[str, Any], claims: Iterable[Claim]) -> tuple[list[Object], str]:
    """What is made of a value: indicators and their relationships; or nothing, and why.

    ``claims`` say that it is operated; what the source itself labels as legitimate gives a benign indicator.
    """
    labels = {label.strip().casefold() for label in reach.labels(item)}
    benign, claims = bool(labels & LEGITIMATE), list(claims)
    if labels & _BYSTANDER:
        return [], f"Not an indicator: its source labels it {', '.join(sorted(labels & _BYSTANDER))}."
    if not claims and not benign:
        return [], "Not an indicator: no relationship presents it as operated by a network."
    try:
        asset = asset_of(item)
        if asset.nobody and not benign:
            return [], f"Not an indicator: {asset.nobody}."
        if benign:
            return _benign(item, asset, claims), ""
        made = [one for claim in claims for one in _operated(item, asset, claim)]
    except IdentifierError as error:
        return [], f"Not an indicator: {error}."
    return list({one["id"]: one for one in made}.values()), ""


def _operated(item: Mapping[str, Any], asset: Asset, claim: Claim) -> list[Object]:
    link, value = claim.link, str(item["id"])
    told = _heading(item, link)
    made = [indicator(
        asset, head("indicator", indicator_id(value, claim.actor), **told), valid_from=_since(link),
        labels=reach.labels(item), confidence=link.confidence or None, description=_description(item, claim.how))]
    if claim.actor:
        made.append(relationship(
            head("relationship", indicates_id(value, claim.actor), **told), "indicates", made[0]["id"], claim.actor,
            says={"relation": "operated"}, confidence=link.confidence or None))
    observable = asset.observable
    made.append(relationship(head("relationship", based_on_id(value, claim.actor), **told), "based-on", made[0]["id"],
                             value if str(item["type"]) != "channel" else observable["id"]))
    if item["type"] == "channel":
        marks = told["markings"]
        made.append({**observable, "object_marking_refs": marks} if marks else observable)
    return made


def _benign(item: Mapping[str, Any], asset: Asset, claims: list[Claim]) -> list[Object]:
    """An indicator that suppresses partners' matches; it says nothing of who operates the value."""
    created = _text(item.get("created")) or _text(reach.octi(item).get("created_at")) or (
        min(claim.link.created for claim in claims) if claims else "")
    if not created:
        raise IdentifierError("its source calls it legitimate but doesn't say since when")
    modified = _text(item.get("modified")) or _text(reach.octi(item).get("updated_at")) or created
    heading = head("indicator", indicator_id(str(item["id"]), ""), created, max(created, modified, key=version_key),
                   by=_by(item), markings=reach.markings(item))
    return [indicator(asset, heading, types=("benign",), labels=reach.labels(item),
                      description=_description(item, "its source labels it legitimate"))]


def _heading(item: Mapping[str, Any], link: Link) -> dict[str, Any]:
    """Times, maker and markings: of both, the later change and every marking."""
    told = (_text(item.get("modified")), _text(reach.octi(item).get("updated_at")))
    changed = [text for text in told if _is_time(text)]
    return {"created": link.created, "modified": max([link.created, link.modified, *changed], key=version_key),
            "by": link.by or _by(item), "markings": list(dict.fromkeys([*reach.markings(item), *link.markings]))}


def _description(item: Mapping[str, Any], how: str) -> str:
    told = _text(item.get("description")) or _text(item.get("x_opencti_description")) or _text(
        reach.octi(item).get("description"))
    return f"{told}\n\nDerived from a {item['type']}: {how}.".strip()


def _since(link: Link) -> str:
    return link.start if link.start > _UNSET and _is_time(link.start) else link.created


def _channel(item: Mapping[str, Any]) -> Asset:
    """What a channel's name, or another name of it, is the address of; a name for people is none."""
    texts = [name for name in (item.get("name"), *_list(item.get("aliases"))) if isinstance(name, str)]
    on_platform = _known(_list(item.get("channel_types")))
    for text in texts:
        named = _ON_PLATFORM.fullmatch(text.strip())
        if named and (whose := _known([named["before"] or named["after"]])):
            return read_asset(named["handle"] or named["at"], platform=whose)
        if on_platform and "/" not in text and not text.strip().startswith("@"):
            continue  # on a platform, lorem.net may be a handle
        for guess in ("domain", None):  # nearly all are domains: no need to try every kind
            with suppress(IdentifierError):
                return read_asset(text, guess)
        platform = on_platform or _platform(item)
        if platform and text.strip().startswith("@"):
            return read_asset(text, platform=platform)
    raise IdentifierError(f"{', '.join(texts)[:80]!r} is a name for people, no address")


def _account(item: Mapping[str, Any]) -> Asset:
    platform = _platform(item)
    for name in ("account_login", "user_id", "display_name"):
        text = _text(item.get(name)).strip()
        if not text or (name == "display_name" and not text.startswith(("@", "http"))):
            continue
        try:
            return read_asset(text, "account", platform=platform)
        except IdentifierError:
            continue
    raise IdentifierError("the account's name and platform don't say which account it is")


def _platform(item: Mapping[str, Any]) -> str:
    """The known platform that an account type, channel type or label names; empty where none or several do."""
    stated = item.get("account_type")
    return _known([stated] if stated else [*_list(item.get("channel_types")), *reach.labels(item)])


def _known(names: Iterable[object]) -> str:
    found = {known.name for text in names if isinstance(text, str) and (known := table().named(text)) is not None}
    return found.pop() if len(found) == 1 else ""


def _by(item: Mapping[str, Any]) -> str:
    found = item.get("created_by_ref") or item.get("x_opencti_created_by_ref") or reach.octi(item).get("created_by_ref")
    return found if isinstance(found, str) and found.startswith("identity--") else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _is_time(text: str) -> bool:
    try:
        version_key(text)
    except ValueError:
        return False
    return True
