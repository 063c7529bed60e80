"""What a feed says of accounts that it names by keyed hashes alone: which are looked for, and on whose word.

Such an account is a ``user-account`` whose extension lists ``hashed_identifiers``; no indicator stands for it. What
makes it worth looking for is a relationship by which a network operates it (R10), so that speaks here as an
indicator does: its author is the source, its markings hold, and when it is revoked nothing is looked for any more.
A hash is compared with hashes under the same key and normalisation only; both go into it, so equal hashes have them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from exchange.matcher.probes import Probe
from exchange.matcher.report import Report
from exchange.matcher.values import hashed_token, key
from exchange.model.identifiers.keyed import ALGORITHM, NORM, Token
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.kinds import KINDS
from exchange.stix import extensions

LOCAL_KINDS = {"email": "email", "phone": "phone", "device": "device", "browser-fingerprint": "device",
               "payment-instrument": "payment", "cookie": "cookie", "email-domain": "email_domain", "ip": "ip4"}
"""A word of ``hashed_identifiers[].of`` to the kind of link that is compared with it."""
_OPERATES = frozenset({"consists-of", "uses", "controls", "owns"})
"""Relationships by which a network operates an account where no extension says how they are related."""
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HEX = re.compile("[0-9a-f]{64}")
UNNAMED = "an account in keyed hashes that no relationship calls operated by a network"
MALFORMED = "a keyed hash without a key id, or not of 64 lower-case hex digits, or by an unknown algorithm"
DIFFERENT = "a keyed hash that another version of the same account lacks"


class _Objects(Protocol):
    objects: dict[str, Mapping[str, Any]]
    hashed: dict[str, frozenset[Token]]

    def of_type(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """All objects of a STIX type."""


@dataclass(frozen=True)
class Named:
    """One relationship by which a network operates an account that is known by keyed hashes."""

    stated: Mapping[str, Any]
    """The relationship, with the markings of the account beside its own, and ``valid_from``."""
    probes: tuple[Probe, ...]
    campaign: str
    """Id of the campaign; empty: none is told."""


def kinds_hashed_as(of: str) -> tuple[Kind, ...]:
    """The kinds of identifier whose hashes go by a word of ``hashed_identifiers[].of``."""
    return tuple(kind for kind in KINDS.values() if kind.hashed_as == of)


def tokens(obj: Mapping[str, Any], report: Report) -> frozenset[Token]:
    """The keyed hashes of an account that can be compared; the report gets the others."""
    found = set()
    stated = extensions.of(obj, extensions.ACCOUNT).get("hashed_identifiers")
    for entry in stated if isinstance(stated, list) else ():
        token = _token(entry)
        if token is None:
            report.leave_out(MALFORMED, str(obj.get("id")))
        else:
            found.add(token)
    return frozenset(found)


def together(one: frozenset[Token], other: frozenset[Token], name: str, report: Report) -> frozenset[Token]:
    """What two versions of one account have in common: an observable names no author, so whoever knows its id could
    write hashes of strangers beside those of a trusted source."""
    if lost := one ^ other:
        report.leave_out(DIFFERENT, name, len(lost))
    return one & other


def name_accounts(feed: _Objects, report: Report) -> Iterator[Named]:
    """The accounts in keyed hashes that networks operate, once for each relationship that says so."""
    wanted = {name: _probes(name, found, report) for name, found in sorted(feed.hashed.items())}
    campaigns = _campaigns(feed) if wanted else {}
    heard: set[str] = set()
    for link in feed.of_type("relationship") if wanted else ():
        ends = str(link.get("source_ref")), str(link.get("target_ref"))
        for name, other in (ends, ends[::-1]):
            if name not in wanted or link.get("revoked"):
                continue
            relation = extensions.of(link, extensions.RELATIONSHIP).get("relation")
            if relation != "operated" and (relation is not None or link.get("relationship_type") not in _OPERATES):
                continue
            heard.add(name)
            if wanted[name]:
                campaign = other if other.startswith("campaign--") else campaigns.get(other, "")
                yield Named(_stated(link, feed.objects[name]), wanted[name], campaign)
    for name in sorted(wanted.keys() - heard):
        report.leave_out(UNNAMED, name)


def _token(entry: Any) -> Token | None:
    if not isinstance(entry, Mapping) or entry.get("alg") != ALGORITHM:
        return None
    said = [entry.get("of"), entry.get("key_id"), entry.get("norm", NORM), entry.get("value")]
    if not all(isinstance(text, str) and text for text in said):
        return None
    token = Token(*map(str, said))
    return token if _KEY_ID.fullmatch(token.key_id) and _HEX.fullmatch(token.value) else None


def _probes(name: str, found: Iterable[Token], report: Report) -> tuple[Probe, ...]:
    made = []
    for token in sorted(found, key=lambda one: (one.of, one.value)):
        kind = LOCAL_KINDS.get(token.of)
        if kind is None:
            report.leave_out(f"nothing local is compared with a keyed hash of {token.of[:40]}", name)
        else:
            made.append(Probe(kind, "token", token.user_id, key(kind, hashed_token(token.value)), hashed=token))
    return tuple(made)


def _campaigns(feed: _Objects) -> dict[str, str]:
    """What campaigns use (infrastructure, personas) to the campaign; of several the least id."""
    found: dict[str, str] = {}
    for link in feed.of_type("relationship"):
        source, target = str(link.get("source_ref")), str(link.get("target_ref"))
        if source.startswith("campaign--") and not link.get("revoked"):
            found[target] = min(source, found.get(target, source))
    return found


def _stated(link: Mapping[str, Any], account: Mapping[str, Any]) -> Mapping[str, Any]:
    marks = [ref for one in (link, account) if isinstance(refs := one.get("object_marking_refs"), list) for ref in refs]
    since = link.get("start_time") or link.get("modified")  # created is no moment where a connector made the id
    return {**link, "object_marking_refs": marks, "valid_from": since}
