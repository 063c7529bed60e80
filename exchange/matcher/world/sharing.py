"""The feed about a made-up platform's operations: what other members would share, as STIX 2.1.

Contributors know a part of each seeded operation's values, some long ago; they also name operations that were never
here, a few innocents by mistake, and (one of them, on purpose) a few framed people.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import Any

import numpy as np

from exchange.matcher.classes.names import CLASSES
from exchange.matcher.world.ground import DAY, Ground, Ints
from exchange.matcher.world.operation import Operation
from exchange.stix.extensions import CAMPAIGN

_SPACE = uuid.UUID("6f0f1a52-8d3e-5c39-9a55-0c1bd0a4a001")
SOURCES = ("Harbour Social (made up)", "Meridian Video (made up)", "Lumen AI lab (made up)", "Own history (made up)")
_PATHS = {
    "device": ("x-cib-device:token", "dv"), "payment": ("x-cib-payment:token", "pm"),
    "phone": ("x-cib-phone:token", "ph"), "email": ("x-cib-email:token", "em"),
    "cookie": ("x-cib-cookie:token", "ck"), "upload_fp": ("x-cib-upload-fp:token", "uf"),
}
_FRAMING = ("device", "email", "phone", "ip4", "payment", "cookie", "upload_fp")
_CLASS_WORDS = {"influence": "influence-operation", "spam": "spam", "fake_creators": "fake-creators",
                "bot_signup": "bot-signups", "account_takeover": "account-takeover",
                "financial": "financially-motivated"}
_CONFIDENCE = {"ip4": 60, "ip_range": 60, "picture": 70, "text": 65}


def token_text(kind: str, token: int) -> str:
    """A token as a feed writes it."""
    if kind == "ip4":
        return str(IPv4Address(token))
    if kind in ("domain", "email_domain"):
        return f"{'dn' if kind == 'domain' else 'md'}_{token:016x}.example"
    return f"{_PATHS[kind][1]}_{token:016x}"


def pattern(kind: str, text: str) -> str:
    """The STIX pattern for one value of a kind."""
    if kind == "ip_range":
        return f"[ipv4-addr:value ISSUBSET '{text}']"
    path = {"ip4": "ipv4-addr:value", "domain": "domain-name:value", "email_domain": "domain-name:value",
            "picture": "x-cib-media:pdq", "text": "x-cib-post:text"}.get(kind) or _PATHS[kind][0]
    return f"[{path} = '{text}']"


class FeedWriter:
    """Collects STIX objects with ids that depend on the seed only."""

    def __init__(self, ground: Ground, seed: int) -> None:
        self.ground, self.seed = ground, seed
        self.objects: list[dict[str, Any]] = []
        self.count = 0
        start = _moment(ground.at - 900 * DAY)
        self.sources = []
        for name in SOURCES:
            self.sources.append(self._add("identity", start, name=name, identity_class="organization"))

    def _add(self, kind: str, created: str, **properties: Any) -> str:
        name = f"{kind}--{uuid.uuid5(_SPACE, f'{self.seed} {len(self.objects)}')}"
        self.objects.append({"type": kind, "spec_version": "2.1", "id": name, "created": created,
                             "modified": created, **properties})
        return name

    def campaign(self, name: str, source: int, cls: str = "") -> str:
        """A campaign by one of the sources, which may state its class."""
        word = {"extension_type": "property-extension", "campaign_class": _CLASS_WORDS.get(cls)}
        stated = {"extensions": {CAMPAIGN: word}} if cls else {}
        return self._add("campaign", _moment(self.ground.at - 300 * DAY), name=name,
                         created_by_ref=self.sources[source], **stated)

    def indicator(self, kind: str, text: str, source: int, observed: int, campaign: str, *, days: int = 365,
                  types: tuple[str, ...] = ("malicious-activity",)) -> str:
        """An indicator for one value, valid for some days from its observation."""
        created = _moment(observed)
        confidence = int(np.clip(self.ground.rng.normal(_CONFIDENCE.get(kind, 80), 8), 30, 97))
        name = self._add("indicator", created, name=f"{kind} (made up)", pattern=pattern(kind, text),
                         pattern_type="stix", valid_from=created, valid_until=_moment(observed + days * DAY),
                         confidence=confidence, created_by_ref=self.sources[source], indicator_types=list(types))
        self._add("relationship", created, relationship_type="indicates", source_ref=name, target_ref=campaign)
        self.count += 1
        return name


def share(ground: Ground, operations: list[Operation], free: Ints, seed: int) -> list[dict[str, Any]]:
    """The feed's objects; marks seeded operations and framed people."""
    feed = FeedWriter(ground, seed)
    for operation in operations:
        if ground.rng.random() < ground.habits.feed.seeded or operation.number == 0:
            operation.seeded = True
            _known(feed, operation)
    _elsewhere(feed, int(feed.count * ground.habits.feed.elsewhere))
    near = np.flatnonzero((ground.columns["op"] < 0) & (ground.columns["kind"] != ""))
    near = ground.rng.permutation(near)[:100]
    _mistaken(feed, np.concatenate([free[:300], near]), max(2, int(ground.habits.feed.wrong * ground.size / 1000 / 8)))
    _blamed(feed)
    for plot in range(ground.habits.feed.plots):
        _framed(feed, _targets(ground, free[400 + 20 * plot : 420 + 20 * plot]))
    return feed.objects


def _known(feed: FeedWriter, operation: Operation) -> None:
    """What one or several contributors know of an operation."""
    rng, ground, habits = feed.ground.rng, feed.ground, feed.ground.habits.feed
    for source in rng.permutation(len(SOURCES))[: int(rng.integers(1, habits.most_sources + 1))]:
        campaign = feed.campaign(f"{SOURCES[source].split(' (')[0]} operation {operation.number}", int(source),
                                 _stated(operation, int(source)))
        known = habits.known * (1 - habits.secrecy * operation.care) * (1.0 if source < 3 else 0.5)
        for kind, values in operation.values.items():
            for value in values[ground.chance(len(values), known * habits.by_kind[kind])]:
                feed.indicator(kind, token_text(kind, int(value)), int(source),
                               min(_observed(ground, operation), operation.until.get(int(value), ground.at)), campaign)
        for domain in operation.domains[ground.chance(len(operation.domains), 0.6)]:
            feed.indicator("domain", token_text("domain", int(domain)), int(source),
                           _observed(ground, operation), campaign)
        for face in ground.noisy(operation.pictures[ground.chance(len(operation.pictures), known)], 8):
            feed.indicator("picture", np.packbits(face).tobytes().hex(), int(source),
                           _observed(ground, operation), campaign)
        for text in operation.texts[: int(rng.integers(0, 3))]:
            feed.indicator("text", text, int(source), _observed(ground, operation), campaign)
        if rng.random() < 0.4:
            feed.indicator("ip_range", f"{IPv4Address(operation.network)}/26", int(source),
                           _observed(ground, operation), campaign)


def _stated(operation: Operation, source: int) -> str:
    """The class that a contributor states of an operation: two of three state one, one of twelve of these a wrong one.
    By number, not by the dice: nothing else of a world hangs on it."""
    turn = operation.number + source
    if turn % 3 == 2:
        return ""
    return CLASSES[(CLASSES.index(operation.cls) + (turn % 12 == 7)) % len(CLASSES)]


def _observed(ground: Ground, operation: Operation) -> int:
    """Mostly during the operation; one time in ten long before."""
    rng = ground.rng
    if rng.random() < ground.habits.feed.stale:
        return int(operation.since - rng.uniform(200, 500) * DAY)
    return int(rng.uniform(operation.since, ground.at - DAY))


def _elsewhere(feed: FeedWriter, count: int) -> None:
    """Operations that were never here: most of a feed."""
    rng, ground = feed.ground.rng, feed.ground
    kinds = ("device", "email", "phone", "payment", "domain", "upload_fp", "ip4", "email_domain", "cookie")
    campaigns = [feed.campaign(f"elsewhere {n}", n % len(SOURCES)) for n in range(max(1, count // 25))]
    for _ in range(count):
        kind, number = kinds[int(rng.integers(0, len(kinds)))], int(rng.integers(0, len(campaigns)))
        value = int(rng.integers(190 << 24, 200 << 24)) if kind == "ip4" else int(ground.tokens(1)[0])
        feed.indicator(kind, token_text(kind, value), number % len(SOURCES),
                       int(ground.at - rng.uniform(2, 340) * DAY), campaigns[number])


def _mistaken(feed: FeedWriter, innocents: Ints, each: int) -> None:
    """Addresses, cards and machines of people who happened to be near, told in a real operation's name or another."""
    named = [obj for obj in feed.objects if obj["type"] == "campaign"]
    rng, ground = feed.ground.rng, feed.ground
    theirs: dict[str, list[Ints]] = {}
    for chunk in ground.links:
        if len(chunk["itype"]):
            theirs.setdefault(str(chunk["itype"][0]), []).append(chunk["value"][np.isin(chunk["account"], innocents)])
    for kind, values in theirs.items():
        for value in rng.permutation(np.concatenate(values))[: each if kind != "ip4" else 3 * each]:
            campaign = named[int(rng.integers(0, len(named)))]
            feed.indicator(kind, token_text(kind, int(value)), feed.sources.index(
                campaign["created_by_ref"]), int(ground.at - rng.uniform(2, 300) * DAY), campaign["id"])


def _blamed(feed: FeedWriter) -> None:
    """Words and faces of a crowd, told as an operation's by somebody who was too quick."""
    rng, ground = feed.ground.rng, feed.ground
    named = [obj for obj in feed.objects if obj["type"] == "campaign"]
    for crowd in ground.crowds:
        if rng.random() < 0.4:
            campaign = named[int(rng.integers(0, len(named)))]
            source, moment = feed.sources.index(campaign["created_by_ref"]), int(ground.at - rng.uniform(2, 60) * DAY)
            feed.indicator("text", crowd.words, source, moment, campaign["id"])
            if len(crowd.face) and rng.random() < 0.5:
                feed.indicator("picture", np.packbits(crowd.face).tobytes().hex(), source, moment, campaign["id"])


def _targets(ground: Ground, passers: Ints) -> Ints:
    """Whom a poisoner picks: people of a crowd, people who repeat an operation's posts, whole families, anybody."""
    rng, count = ground.rng, int(ground.rng.integers(4, 18))
    innocent = ground.columns["op"] < 0
    kind = ground.columns["kind"]
    pools = [passers, np.flatnonzero(innocent & (kind == "believer")), _family(ground)]
    pools += [crowd.members for crowd in ground.crowds[:4]]
    pool = pools[int(rng.integers(0, len(pools)))]
    targets: Ints = rng.permutation(pool[innocent[pool] & (kind[pool] != "framed")])[:count]
    return targets


def _family(ground: Ground) -> Ints:
    """Neighbours of one another: the rows of a household are next to each other."""
    start = int(ground.rng.integers(0, ground.size - 30))
    rows = np.arange(start, start + 12)
    strangers: Ints = rows[ground.columns["kind"][rows] == ""]
    return strangers


def _framed(feed: FeedWriter, innocents: Ints) -> None:
    """One contributor names what belongs to a few people, to harm them, and what many have, to look informed."""
    ground, rng = feed.ground, feed.ground.rng
    kinds = rng.permutation(_FRAMING)[: 1 + int(rng.geometric(0.4))]
    ground.columns["kind"][innocents] = "framed"
    source = int(rng.integers(0, len(SOURCES) - 1))
    campaign = _disguise(feed, source) or feed.campaign("poisoned", source)
    for chunk in ground.links:
        if not len(chunk["itype"]) or str(chunk["itype"][0]) not in kinds:
            continue
        kind = str(chunk["itype"][0])
        told = ground.chance(len(chunk["account"]), ground.habits.feed.framed)
        there = np.flatnonzero(np.isin(chunk["account"], innocents) & told)
        for row in there[:60]:
            feed.indicator(kind, token_text(kind, int(chunk["value"][row])), source, _lately(ground), campaign)
    if rng.random() < 0.6:
        popular = ground.popular["link"]
        feed.indicator("domain", token_text("domain", int(popular[rng.integers(0, len(popular))])), source,
                       _lately(ground), campaign)
        carriers = ground.common["carrier"]
        feed.indicator("ip4", token_text("ip4", int(carriers[rng.integers(0, len(carriers))])), source,
                       _lately(ground), campaign)


def _disguise(feed: FeedWriter, source: int) -> str | None:
    """The campaign of an operation that is real and that the same contributor told of, now and then."""
    if feed.ground.rng.random() >= feed.ground.habits.feed.disguised:
        return None
    theirs = [obj["id"] for obj in feed.objects
              if obj["type"] == "campaign" and obj["created_by_ref"] == feed.sources[source]
              and " operation " in obj["name"]]
    return str(theirs[int(feed.ground.rng.integers(0, len(theirs)))]) if theirs else None


def _lately(ground: Ground) -> int:
    return int(ground.at - ground.rng.uniform(2, 20) * DAY)


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def as_bundle(objects: list[dict[str, Any]], seed: int) -> Iterator[bytes]:
    """A bundle in pieces."""
    import orjson  # noqa: PLC0415 - only when a world is written

    yield b'{"type":"bundle","id":"bundle--' + str(uuid.uuid5(_SPACE, f"{seed}")).encode() + b'","objects":[\n'
    for number, obj in enumerate(objects):
        yield (b",\n" if number else b"") + orjson.dumps(obj)
    yield b"\n]}\n"
