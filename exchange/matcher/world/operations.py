"""Covert operations (R50-R57): classes, roles, infrastructure shared with care or not, bought and stolen accounts."""

from __future__ import annotations

import numpy as np

from exchange.matcher.world.ground import DAY, Array, Ground, Ints
from exchange.matcher.world.operation import CLASSES, Operation
from exchange.matcher.world.publishing import publish

ROLES = ("origin", "relay", "amplifier")
_POOLS = {
    "device": (6.0, 0.85, 0.9), "payment": (9.0, 0.3, 0.05), "phone": (4.0, 0.6, 0.6), "email": (2.5, 0.35, 0.9),
    "email_domain": (40.0, 0.55, 0.0), "cookie": (4.0, 0.5, 0.7), "upload_fp": (9.0, 0.55, 0.3), "ip4": (5.0, 0.7, 0.6),
}
"""Per kind: accounts that share a value where nobody takes care, share of members who use the pool at all, and share
of the others who have one of their own."""
_KINDS = tuple(_POOLS)


def run_operations(ground: Ground, free: Ints, count: int) -> tuple[list[Operation], Ints]:
    """Let ``count`` operations work with accounts taken from ``free``; returns them and who is still free."""
    rng, found = ground.rng, []
    for number in range(count):
        most = max(12, min(140, ground.size // 60))
        size = int(np.clip(rng.lognormal(np.log(most / 2.2), 0.5), 8, most))
        members, free = free[:size], free[size:]
        care = float(np.clip(rng.normal(ground.difficulty, 0.15), 0.02, 0.98))
        since = int(ground.at - rng.uniform(40, 250) * DAY)
        found.append(Operation(number, CLASSES[int(rng.integers(0, len(CLASSES)))], members, care, since))
    fresh, bought = zip(*(_enlist(ground, operation) for operation in found), strict=True)
    ground.forget(np.concatenate(fresh))
    ground.sell(np.concatenate(bought), min(operation.since for operation in found))
    for operation in found:
        _equip(ground, operation)
        publish(ground, operation)
    return found, free


def _enlist(ground: Ground, operation: Operation) -> tuple[Ints, Ints]:
    """Fresh accounts in bursts; some bought with a past; some stolen from people. Returns the fresh and the bought."""
    rng, members = ground.rng, operation.members
    count, columns, habits = len(members), ground.columns, ground.habits
    role = rng.choice(ROLES, count, p=_crew(rng, operation.cls))
    role[0] = "origin"
    columns["op"][members], columns["role"][members], columns["cls"][members] = operation.number, role, operation.cls
    columns["kind"][members] = ""
    stolen = ground.chance(count, 0.5 if operation.cls == "account_takeover" else habits.stolen)
    columns["compromised"][members] = stolen
    new = ~stolen & ground.chance(count, 1 - habits.bought)
    fresh = members[new]
    bursts = operation.since - rng.integers(1, 60, 4) * DAY - rng.integers(0, DAY, 4)
    width = int(habits.burst_minutes * 60 * (1 + 30 * operation.care**3))
    columns["created"][fresh] = bursts[rng.integers(0, 4, len(fresh))] + rng.integers(0, width, len(fresh))
    own = members[~stolen]
    columns["verified"][own] = ground.chance(len(own), 0.02)
    columns["assurance"][own] = rng.choice([0, 1, 2], len(own), p=[0.65, 0.28, 0.07])
    columns["payment_months"][own] = np.where(ground.chance(len(own), 0.1), rng.integers(1, 8, len(own)), 0)
    columns["audience_quality"][own] = rng.beta(4, 5 - operation.care, len(own))
    columns["strikes"][own] = rng.poisson(0.3, len(own))
    columns["geo_spread"][own] = rng.beta(3, 4, len(own))
    loud = np.select([columns["role"][own] == "origin", columns["role"][own] == "relay"], [6.0, 3.0], 1.0)
    columns["followers"][own] = (columns["followers"][own] * loud).astype(np.int64)
    columns["reach_90d"][own] = (columns["reach_90d"][own] * loud).astype(np.int64)
    return fresh, members[~stolen & ~new]


def _crew(rng: np.random.Generator, cls: str) -> Array:
    """Shares of origins, relays and amplifiers: some classes write much, others only push."""
    origins, relays = (0.12, 0.2) if cls in ("fake_creators", "financial") else (0.06, 0.22)
    origins, relays = origins * rng.uniform(0.6, 1.4), relays * rng.uniform(0.6, 1.4)
    return np.array([origins, relays, 1 - origins - relays])


def _equip(ground: Ground, operation: Operation) -> None:
    """Pools of machines and numbers: the more careful, the fewer accounts share one; and things of one account only."""
    rng, members, care = ground.rng, operation.members, operation.care
    count = len(members)
    operation.network = int(rng.integers(185 << 18, 186 << 18)) << 6
    for kind in _KINDS:
        crowd, used, alone = _POOLS[kind]
        per_value = 1 + (crowd * ground.habits.crowding - 1) * (1 - care) * rng.uniform(0.7, 1.3)
        pool = max(1, round(count / max(1.05, per_value)))
        shares = ground.chance(count, used * (1 - ground.habits.apart * care))
        who = members[shares]
        rented = operation.network + rng.integers(0, 64, pool)
        hidden = rng.integers(16 << 24, 90 << 24, pool)
        values = np.where(ground.chance(pool, 1 - care), rented, hidden) if kind == "ip4" else ground.tokens(pool)
        picked = values[rng.integers(0, pool, len(who))]
        first = np.maximum(operation.since + rng.integers(0, 20 * DAY, len(who)), ground.columns["created"][who])
        ground.link(who, kind, picked, first, ground.days_ago(rng.exponential(6, len(who))))
        operation.values[kind] = np.unique(picked)
        only = members[~shares & ground.chance(count, alone)]
        mine = rng.integers(16 << 24, 90 << 24, len(only)) if kind == "ip4" else ground.tokens(len(only))
        ground.recent(only, kind, mine, idle=8)
        operation.values[kind] = np.unique(np.concatenate([operation.values[kind], mine[: len(mine) // 3]]))
    faces = ground.random_bits(max(1, round(count / (1 + 5 * (1 - care)))))
    who = members[ground.chance(count, 0.7)]
    ground.picture(who, ground.noisy(faces[rng.integers(0, len(faces), len(who))], 10))
    operation.pictures = faces
