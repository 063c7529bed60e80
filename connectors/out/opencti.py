"""STIX as OpenCTI takes it best: channels, its own marking ids, DISARM under the kill chain that it knows.

A file (a bundle for OpenCTI's import) is written here; ``connectors.out.taxii`` sends the same form with the
option ``profile=opencti``. What is added to an object is OpenCTI's own (``x_opencti_…``, ``channel``); nothing is
taken away but what it can't read.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from exchange.connect.asset import head, relationship
from exchange.connect.contract import StixObject
from exchange.connect.outward import Publisher, Sent, Target
from exchange.connect.preview import BundleFile
from exchange.stix import extensions
from exchange.stix.canonical import canonical
from exchange.stix.ids import SCO_NAMESPACE, derived_id
from exchange.stix.tlp import OPENCTI_AMBER_STRICT, TLP1_IDS, well_known

NAME = "opencti"
_KILL_CHAIN = "mitre-attack"
"""What OpenCTI's own DISARM import calls the kill chain of DISARM's phases."""
_CHANNELS = frozenset({"channel", "page", "group", "profile", "subreddit", "blog", "forum", "bot"})
_OBSERVABLES = {"domain-name": "Domain-Name", "url": "Url", "ipv4-addr": "IPv4-Addr", "ipv6-addr": "IPv6-Addr",
                "email-addr": "Email-Addr", "user-account": "User-Account", "file": "StixFile",
                "cryptocurrency-wallet": "Cryptocurrency-Wallet", "phone-number": "Phone-Number",
                "autonomous-system": "Autonomous-System"}  # fmt: skip
_TLP = {"TLP:CLEAR": next(key for key, level in TLP1_IDS.items() if level == "TLP:WHITE"),
        "TLP:AMBER+STRICT": OPENCTI_AMBER_STRICT,
        **{level: key for key, level in TLP1_IDS.items() if level != "TLP:WHITE"}}  # fmt: skip
"""OpenCTI ships markings of these ids, and would make a second "TLP:…" of any other."""


class OpenctiBundle(Publisher):
    """Writes a bundle.json that OpenCTI imports."""

    name = NAME
    title = "OpenCTI: a bundle for its import (a folder is named)"
    whole = True

    def publish(self, objects: Iterable[StixObject], target: Target) -> Iterator[Sent]:
        """Write everything into bundle.json of the folder; raises InputError where it can't be written."""
        with BundleFile(target.path) as bundle:
            for item in objects:
                for made in offered(item):
                    bundle.add(msgspec.json.encode(made))
                yield Sent(str(item["id"]), "sent")


PUBLISHER = OpenctiBundle()


def offered(item: StixObject) -> list[dict[str, Any]]:
    """What OpenCTI is given for an object: the object in its manner, and for an account its channel.

    A relationship that ends at an account isn't repeated for the channel: the channel is ``related-to`` it.
    """
    made = dict(item)
    refs = [_marking(ref) for ref in item.get("object_marking_refs", ())]
    if refs:
        made["object_marking_refs"] = refs
    kind = item["type"]
    if kind == "marking-definition":
        return [_definition(made)] if well_known(str(item["id"])) is None else []
    if kind == "attack-pattern":
        _as_technique(made)
    elif kind == "indicator":
        _as_indicator(made)
    elif kind == "user-account":
        return [made, *_channel(made)]
    return [made]


def channel_id(name: str) -> str:
    """The id that OpenCTI itself gives a channel of this name: UUIDv5 of the name in small letters."""
    return f"channel--{uuid.uuid5(SCO_NAMESPACE, canonical({'name': name.lower().strip()}))}"


def _marking(ref: str) -> str:
    known = well_known(ref)
    return _TLP.get(known[1].replace("TLP:WHITE", "TLP:CLEAR"), ref) if known else ref


def _definition(item: dict[str, Any]) -> dict[str, Any]:
    """OpenCTI reads a marking's ``definition`` only: ours says in words what its extension demands."""
    if item.get("definition"):
        return item
    said = extensions.of(item, extensions.HANDLING)
    rules = "; ".join(f"{name.replace('_', ' ')}: {_words(value)}" for name, value in sorted(said.items())
                      if name != "extension_type")  # fmt: skip
    text = f"{item.get('name', 'Handling')}: {rules}" if rules else str(item.get("name") or item["id"])
    return {**item, "definition_type": "statement", "definition": {"statement": text}}


def _words(value: Any) -> str:
    return value if isinstance(value, str) else canonical(value)


def _as_technique(item: dict[str, Any]) -> None:
    numbers = [one.get("external_id") for one in item.get("external_references", ())
               if str(one.get("source_name", "")).upper() == "DISARM" and one.get("external_id")]  # fmt: skip
    if len(numbers) == 1:
        item.setdefault("x_mitre_id", numbers[0])
    phases = [one if one["kill_chain_name"] != "disarm" else {**one, "kill_chain_name": _KILL_CHAIN}
              for one in item.get("kill_chain_phases", ())]  # fmt: skip
    if phases:
        item["kill_chain_phases"] = phases


def _as_indicator(item: dict[str, Any]) -> None:
    found = str(item.get("pattern", "")).lstrip("[( ").partition(":")[0]
    if found in _OBSERVABLES:
        item.setdefault("x_opencti_main_observable_type", _OBSERVABLES[found])
    if "confidence" in item:
        item.setdefault("x_opencti_score", item["confidence"])
    benign = "benign" in item.get("indicator_types", ())
    item.setdefault("x_opencti_detection", not benign and not item.get("revoked", False))


def _channel(account: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    said = extensions.of(account, extensions.ACCOUNT)
    name = said.get("url") or account.get("account_login")
    if said.get("account_kind") not in _CHANNELS or not name:
        return
    name = str(name).removeprefix("https://").removeprefix("www.")
    stamp = "2020-01-01T00:00:00.000Z"  # an account has no time of its own, and the same channel is the same object
    markings = account.get("object_marking_refs", ())
    made = head("channel", channel_id(name), stamp, markings=markings)
    yield made | {"name": name, "channel_types": [str(said.get("platform") or account.get("account_type"))],
                  "aliases": [str(account[key]) for key in ("account_login",) if account.get(key)]}
    link = head("relationship", derived_id("relationship", NAME, made["id"], account["id"]), stamp, markings=markings)
    yield relationship(link, "related-to", made["id"], str(account["id"]))
