"""Covert operations (R50-R57): classes, roles, infrastructure shared with care or not, bought and stolen accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from exchange.matcher.world.ground import DAY, Array, Ground, Ints

CLASSES = ("influence", "spam", "fake_creators", "bot_signup", "account_takeover", "financial")
_KINDS = ("device", "payment", "phone", "email", "email_domain", "cookie", "upload_fp", "ip4")


@dataclass
class Operation:
    """One operation and what could be known of it."""

    number: int
    cls: str
    members: Ints
    care: float
    """0 careless, 1 careful."""
    since: int
    """Unix seconds."""
    values: dict[str, Ints] = field(default_factory=dict)
    """Kind to the distinct values that it uses here."""
    domains: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    texts: list[str] = field(default_factory=list)
    pictures: Array = field(default_factory=lambda: np.zeros((0, 256), dtype=bool))
    network: int = 0
    """First address of its rented /26."""
    posts: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    seeded: bool = False


def run_operations(ground: Ground, free: Ints, count: int) -> tuple[list[Operation], Ints]:
    """Let ``count`` operations work with accounts taken from ``free``; returns them and who is still free."""
    rng, found = ground.rng, []
    for number in range(count):
        most = max(12, min(140, ground.size // 60))
        size = int(np.clip(rng.lognormal(np.log(most / 2.2), 0.5), 8, most))
        members, free = free[:size], free[size:]
        care = float(np.clip(rng.normal(ground.difficulty, 0.15), 0.02, 0.98))
        since = int(ground.at - rng.uniform(40, 250) * DAY)
        operation = Operation(number, CLASSES[number % len(CLASSES)], members, care, since)
        _enlist(ground, operation)
        _equip(ground, operation)
        _publish(ground, operation)
        found.append(operation)
    return found, free


def _enlist(ground: Ground, operation: Operation) -> None:
    """Fresh accounts in bursts; some bought with a past; some stolen from people."""
    rng, members = ground.rng, operation.members
    count, columns = len(members), ground.columns
    role = rng.choice(["origin", "relay", "amplifier"], count, p=[0.1, 0.25, 0.65])
    role[0] = "origin"
    columns["op"][members], columns["role"][members], columns["cls"][members] = operation.number, role, operation.cls
    columns["kind"][members] = ""
    stolen = ground.chance(count, 0.5 if operation.cls == "account_takeover" else 0.03)
    columns["compromised"][members] = stolen
    fresh = members[~stolen & ground.chance(count, 0.85)]
    bursts = operation.since - rng.integers(1, 60, 4) * DAY
    columns["created"][fresh] = bursts[rng.integers(0, 4, len(fresh))] + rng.integers(0, 2 * DAY, len(fresh))
    own = members[~stolen]
    columns["verified"][own] = ground.chance(len(own), 0.01)
    columns["assurance"][own] = rng.choice([0, 1, 2], len(own), p=[0.75, 0.22, 0.03])
    columns["payment_months"][own] = np.where(ground.chance(len(own), 0.1), rng.integers(1, 8, len(own)), 0)
    columns["audience_quality"][own] = rng.beta(3, 4, len(own))
    columns["strikes"][own] = rng.poisson(0.35, len(own))
    columns["geo_spread"][own] = rng.beta(3, 4, len(own))


def _equip(ground: Ground, operation: Operation) -> None:
    """Pools of machines and numbers: the more careful, the fewer accounts share one."""
    rng, members, care = ground.rng, operation.members, operation.care
    count = len(members)
    crowded = {"device": 9.0, "payment": 14.0, "phone": 5.0, "email": 2.5, "email_domain": 40.0, "cookie": 6.0,
               "upload_fp": 12.0, "ip4": 6.0}
    used = {"device": 0.95, "payment": 0.35, "phone": 0.8, "email": 0.5, "email_domain": 0.6, "cookie": 0.6,
            "upload_fp": 0.6, "ip4": 0.9}
    operation.network = int(rng.integers(185 << 18, 186 << 18)) << 6
    for kind in _KINDS:
        per_value = 1 + (crowded[kind] - 1) * (1 - care)
        pool = max(1, round(count / per_value))
        who = members[ground.chance(count, used[kind] * (1 - 0.5 * care))]
        rented = operation.network + rng.integers(0, 64, pool)
        hidden = rng.integers(16 << 24, 90 << 24, pool)
        values = np.where(ground.chance(pool, 1 - care), rented, hidden) if kind == "ip4" else ground.tokens(pool)
        picked = values[rng.integers(0, pool, len(who))]
        first = np.maximum(operation.since + rng.integers(0, 20 * DAY, len(who)), ground.columns["created"][who])
        ground.link(who, kind, picked, first, ground.days_ago(rng.exponential(6, len(who))))
        operation.values[kind] = np.unique(picked)
    faces = ground.random_bits(max(1, round(count / (1 + 5 * (1 - care)))))
    who = members[ground.chance(count, 0.7)]
    ground.picture(who, ground.noisy(faces[rng.integers(0, len(faces), len(who))], 12))
    operation.pictures = faces


def _publish(ground: Ground, operation: Operation) -> None:
    """Origins write, relays pass on within minutes, amplifiers follow; links to sites of their own."""
    rng, members = ground.rng, operation.members
    role = ground.columns["role"][members]
    operation.domains = ground.tokens(int(rng.integers(2, 6)))
    operation.texts = [str(text) for text in ground.sentences(4)]
    origins, relays, amplifiers = (members[role == name] for name in ("origin", "relay", "amplifier"))
    for text in operation.texts:
        start = int(ground.days_ago(rng.uniform(1, 25, 1))[0])
        ids = ground.post(origins, "original", start + rng.integers(0, 600, len(origins)), ground.tokens(len(origins)),
                          np.array([_varied(rng, text, operation.care) for _ in origins], dtype=object))
        operation.posts = np.concatenate([operation.posts, ids])
        for who, delay in ((relays, 900), (amplifiers[ground.chance(len(amplifiers), 0.6)], 4 * 3600)):
            if len(ids):
                ground.post(who, "share", start + 600 + rng.integers(0, delay, len(who)),
                            ids[rng.integers(0, len(ids), len(who))])
        ground.post(relays, "link", start + rng.integers(0, 3600, len(relays)),
                    operation.domains[rng.integers(0, len(operation.domains), len(relays))])


def plant(ground: Ground, operation: Operation, addresses: Sequence[str]) -> None:
    """Let members link to domains or URLs in the clear; every object of a post is text from then on."""
    who = operation.members
    picked = np.array(addresses, dtype=object)[np.arange(len(who)) % len(addresses)]
    for chunk in ground.posts:
        chunk["object"] = chunk["object"].astype(str).astype(object)
    ground.post(who, "link", ground.days_ago(ground.rng.uniform(0, 20, len(who))), picked)


def _varied(rng: np.random.Generator, text: str, care: float) -> str:
    """The same sentence, now and then with a word moved."""
    words = text.split()
    if rng.random() < care:
        here, there = rng.integers(0, len(words), 2)
        words[here], words[there] = words[there], words[here]
    return " ".join(words)


def entangle(ground: Ground, operations: list[Operation], free: Ints) -> Ints:
    """Innocents near operations: believers, owners of recycled numbers, former owners of bought accounts."""
    rng = ground.rng
    for operation in operations:
        count = max(2, len(operation.members) // 2)
        believers, free = free[:count], free[count:]
        ground.columns["kind"][believers] = "believer"
        moment = ground.days_ago(rng.uniform(0, 25, count))
        if len(operation.posts):
            ground.post(believers, "share", moment, operation.posts[rng.integers(0, len(operation.posts), count)])
        ground.post(believers, "link", moment, operation.domains[rng.integers(0, len(operation.domains), count)])
        recycled, owners, free = free[:2], free[2:6], free[6:]
        phones = operation.values["phone"]
        if len(phones):
            ground.columns["kind"][recycled] = "recycled_id"
            ended = ground.days_ago(rng.uniform(0, 20, len(recycled)))
            ground.link(recycled, "phone", phones[rng.integers(0, len(phones), len(recycled))],
                        ended - rng.integers(0, 5 * DAY, len(recycled)), ended)
        ground.columns["kind"][owners] = "previous_owner"
        machines = ground.tokens(len(owners))
        ground.recent(owners, "device", machines, idle=6)
        bought = operation.members[rng.integers(0, len(operation.members), len(owners))]
        ground.link(bought, "device", machines, np.full(len(owners), operation.since - 700 * DAY),
                    np.full(len(owners), operation.since - 30 * DAY))
    return free
