"""Descriptors to Meta ThreatExchange: an indicator's value, with its sharing terms, never wider than they are.

ThreatExchange is other people's eyes: what is addressed to certain groups or members goes to those that the options
name for them, and else to the owner's own app alone ("storage"); so does whatever is AMBER without an audience or
RED, and whatever a marking says that can't be resolved. Each descriptor's text ends in the STIX id, by which it
is found again when the object is revoked, and deleted.
Source: Meta's reference, "Submitting New Data", "Privacy Controls", "Delete Data".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchange.connect.contract import StixObject
from exchange.connect.graph import Graph, answer
from exchange.connect.named import Name, of_pattern
from exchange.connect.outward import Publisher, Sent, Target
from exchange.connect.source import Option
from exchange.connect.threatexchange import LEVELS, NAME, pairs, seconds
from exchange.errors import InputError, UnavailableError
from exchange.model.identifiers.account import account_key
from exchange.model.identifiers.fault import IdentifierError
from exchange.stix import extensions, personal, tlp

_TYPES = {
    "domain": "DOMAIN", "url": "URI", "email": "EMAIL_ADDRESS", "ipv4": "IP_ADDRESS", "ipv6": "IP_ADDRESS",
    "ipv4-range": "IP_SUBNET", "ipv6-range": "IP_SUBNET", "autonomous-system": "AS_NUMBER", "phone": "PHONE_NUMBER",
    "md5": "HASH_MD5", "sha1": "HASH_SHA1", "sha256": "HASH_SHA256", "sha512": "HASH_SHA512", "image-hash": "HASH_PDQ",
    "text-fingerprint": "HASH_TEXT_TLSH",
}  # fmt: skip
_STATUSES = {"benign": "NON_MALICIOUS", "anomalous-activity": "SUSPICIOUS", "compromised": "SUSPICIOUS",
             "unknown": "UNKNOWN"}  # fmt: skip
_STRICT = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")
_SHARE = {**{level: word for word, level in LEVELS.items()}, "TLP:AMBER+STRICT": "RED"}
"""AMBER+STRICT has no word there: AMBER would let related companies have it."""
_MAX_TEXT = 4_000
_MOST_FAILED = 3

Descriptor = dict[str, str]


class LeftOutError(ValueError):
    """Why an object has no descriptor; the message is for people."""


@dataclass(frozen=True)
class Circle:
    """Who stands there for whom here, and what the objects' markings say."""

    app: str
    """Id of the owner's own app."""
    group: str
    """Privacy group of what may go to the whole community; empty: there is none."""
    groups: Mapping[str, str]
    """Sharing group here to privacy group there."""
    members: Mapping[str, str]
    """Organisation here to app there."""
    markings: Mapping[str, StixObject] = field(default_factory=dict)

    def terms(self, item: StixObject) -> Descriptor:
        """share_level, privacy_type and privacy_members; raises LeftOutError where the object states no TLP."""
        refs = [str(ref) for ref in item.get("object_marking_refs") or ()]
        levels = [level for ref in refs if (level := self._level(ref))]
        levels += [found[1] for label in item.get("labels") or () if (found := tlp.from_word(str(label)))]
        if not levels:
            raise LeftOutError("it states no TLP, so that nobody there would know who may have it")
        level = max(("TLP:CLEAR" if one == "TLP:WHITE" else one for one in levels), key=_STRICT.index)
        known = [extensions.of(self.markings[ref], extensions.HANDLING) for ref in refs if ref in self.markings]
        lost = [ref for ref in refs if ref not in self.markings and tlp.well_known(ref) is None]
        audiences = [one["audience"] for one in known if one.get("audience")]
        public = level == "TLP:CLEAR" and personal.status(item) == "no"  # WHITE lets anybody publish it (P6)
        share = _SHARE["TLP:GREEN" if level == "TLP:CLEAR" and not public else level]
        return {"share_level": share, **self._privacy(level, audiences, bool(lost))}

    def _level(self, ref: str) -> str:
        known = tlp.well_known(ref) or tlp.from_definition(self.markings.get(ref, {}))
        return known[1] if isinstance(known, tuple) else ""

    def _privacy(self, level: str, audiences: list[Mapping[str, Any]], lost: bool) -> Descriptor:
        own = {"privacy_type": "HAS_WHITELIST", "privacy_members": self.app}
        if lost or len(audiences) > 1 or level == "TLP:RED":
            return own
        if audiences:
            stated = audiences[0]
            if any(stated.get(word) for word in ("kinds_allowed", "kinds_denied", "exclude_orgs", "named_persons")):
                return own
            groups = [self.groups[one] for one in stated.get("sharing_groups") or () if one in self.groups]
            apps = [self.members[one] for one in stated.get("named_orgs") or () if one in self.members]
            if groups:
                return {"privacy_type": "HAS_PRIVACY_GROUP", "privacy_members": ",".join(sorted(groups))}
            return {"privacy_type": "HAS_WHITELIST", "privacy_members": ",".join(sorted(apps))} if apps else own
        if level in ("TLP:CLEAR", "TLP:GREEN") and self.group:
            return {"privacy_type": "HAS_PRIVACY_GROUP", "privacy_members": self.group}
        return {"privacy_type": "VISIBLE"} if level == "TLP:CLEAR" else own


def descriptors(item: StixObject, circle: Circle) -> list[Descriptor]:
    """The descriptors of an indicator, one per value; raises LeftOutError."""
    if item.get("type") != "indicator":
        raise LeftOutError("ThreatExchange takes opinions of values only")
    names = of_pattern(str(item.get("pattern"))) if item.get("pattern_type") == "stix" else None
    if not names:
        raise LeftOutError("its pattern says more than values")
    types = item.get("indicator_types") or ()
    status = next((_STATUSES[one] for one in types if one in _STATUSES), "MALICIOUS")
    common = {"status": status, "description": _text(item), **circle.terms(item)}
    if type(item.get("confidence")) is int:
        common["confidence"] = str(item["confidence"])
    labels = [str(label) for label in item.get("labels") or ()]
    severity = next((label.partition(":")[2].upper() for label in labels if label.startswith("severity:")), "")
    if severity:
        common["severity"] = severity
    until = seconds(str(item.get("valid_until", "")))
    if until:
        common["expired_on"] = str(until)
    tags = [label for label in labels if not label.startswith("severity:") and "," not in label
            and tlp.from_word(label) is None]  # fmt: skip
    return [_of(name, common, tags) for name in names]


def _of(name: Name, common: Descriptor, tags: list[str]) -> Descriptor:
    if name.kind == "account":
        address = name.url or _address(name)
        kind, value = ("URI", address) if address else ("DEBUG_STRING", f"{name.platform}:{name.value}")
        tags = [*tags, "account"]
    elif name.kind in _TYPES:
        kind, value = _TYPES[name.kind], name.value
    else:
        raise LeftOutError(f"ThreatExchange has no type for a value of the kind {name.kind}")
    return {"indicator": value, "type": kind, **common, **({"tags": ",".join(dict.fromkeys(tags))} if tags else {})}


def _address(name: Name) -> str:
    try:
        return account_key(name.platform, name.value).canonical_url
    except IdentifierError:
        return ""


def _text(item: StixObject) -> str:
    told = str(item.get("description") or item.get("name") or "")[:_MAX_TEXT]
    return f"{told} [{item['id']}]".strip()


class ThreatExchangeOut(Publisher):
    """The way out ``threatexchange``."""

    name = NAME
    title = "Meta ThreatExchange: descriptors (https://graph.facebook.com/vNN.0)"
    options: ClassVar[Mapping[str, Option]] = {
        "group": Option("privacy group of what is TLP:CLEAR or GREEN; without it all members there see what is CLEAR"),
        "groups": Option("which privacy group stands for a sharing group here: 123=trust-circle,456=…"),
        "members": Option("which app stands for an organisation here: 123=org-alpha,456=…"),
    }
    secrets: ClassVar[Mapping[str, str]] = {"token": "access token of the app: APP_ID|APP_SECRET"}

    def __init__(self) -> None:
        self._markings: dict[str, StixObject] = {}

    def publish(self, objects: Iterable[StixObject], target: Target) -> Iterator[Sent]:
        """Post a descriptor for each value; ones of revoked objects are looked for and deleted.

        Raises UnauthorizedError and ForbiddenError for the app, UnavailableError when several in a row failed.
        """
        token = target.secret("token")
        circle = Circle(token.partition("|")[0], target.option("group"),
                        {name: there for there, name in pairs(target.option("groups"), "groups").items()},
                        {name: there for there, name in pairs(target.option("members"), "members").items()},
                        self._markings)  # fmt: skip
        every = list(objects)
        self._markings |= {str(one["id"]): one for one in every if one["type"] == "marking-definition"}
        door = _Door(Graph(target.web, token), target.url)
        failed = 0
        for item in every:
            sent = door.send(item, circle)
            failed = failed + 1 if sent.state == "failed" else 0
            yield sent
            if failed >= _MOST_FAILED:
                raise UnavailableError(sent.reason)


PUBLISHER = ThreatExchangeOut()


@dataclass(frozen=True)
class _Door:
    graph: Graph
    place: str

    def send(self, item: StixObject, circle: Circle) -> Sent:
        """Post, or take back, one object."""
        name = str(item["id"])
        try:
            if item.get("revoked") is True:
                gone = self._take_back(name)
                return Sent(name, "sent") if gone else Sent(name, "unchanged", "nothing of it is there")
            for one in descriptors(item, circle):
                self._post(one)
        except LeftOutError as error:
            return Sent(name, "left-out", str(error))
        except UnavailableError as error:
            return Sent(name, "failed", str(error))
        except InputError as error:
            return Sent(name, "refused", str(error))
        return Sent(name, "sent")

    def _post(self, descriptor: Descriptor) -> None:
        """The same value posted again by the same app changes its descriptor, so that repeating is harmless."""
        body = urlencode({**descriptor, "access_token": self.graph.token}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        reply = self.graph.web.request("POST", f"{self.place}/threat_descriptors", headers=headers, body=body,
                                       repeatable=True)  # fmt: skip
        answer(reply, self.graph.token)

    def _take_back(self, name: str) -> bool:
        if not name.startswith("indicator--"):
            return False
        params = {"text": name, "fields": "id,description", "owner": self.graph.token.partition("|")[0]}
        found = [one for page in self.graph.pages(f"{self.place}/threat_descriptors", params) for one in page.records]
        mine = [str(one.get("id")) for one in found if isinstance(one, dict)
                and str(one.get("description", "")).endswith(f"[{name}]")]  # fmt: skip
        key = {"access_token": self.graph.token}
        for number in mine:
            answer(self.graph.web.request("DELETE", f"{self.place}/{number}", params=key), self.graph.token)
        return bool(mine)
