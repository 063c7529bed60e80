"""Covert operations (R50-R57): classes, roles, infrastructure shared with care or not, bought and stolen accounts."""

from __future__ import annotations

import numpy as np

from exchange.matcher.classes.names import CLASSES
from exchange.matcher.world.ground import DAY, Array, Ground, Ints, zipf_choice
from exchange.matcher.world.operation import Operation
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
    count, columns, habits = len(members), ground.columns, ground.habits.craft
    role = rng.choice(ROLES, count, p=_crew(rng, operation.cls))
    role[0] = "origin"
    columns["op"][members], columns["role"][members], columns["cls"][members] = operation.number, role, operation.cls
    columns["kind"][members] = ""
    stolen = ground.chance(count, 0.5 if operation.cls == "account_takeover" else habits.stolen)
    columns["compromised"][members] = stolen
    new = ~stolen & ground.chance(count, 1 - habits.bought)
    fresh = members[new]
    runs = max(1, round(len(fresh) / habits.batch))
    bursts = operation.since - rng.integers(1, 60, runs) * DAY - rng.integers(0, DAY, runs)
    width = int(habits.burst_minutes * 60 * (1 + habits.patience * operation.care**3))
    signed_up = bursts[rng.integers(0, runs, len(fresh))] + rng.integers(0, width, len(fresh))
    columns["created"][fresh] = np.minimum(signed_up, ground.at - rng.integers(1, 20 * DAY, len(fresh)))
    _record(ground, members[~stolen], operation.care)
    return fresh, members[~stolen & ~new]


def _record(ground: Ground, own: Ints, care: float) -> None:
    """An operation's own accounts differ in each figure as much as this world lets them, and less with care."""
    rng, columns, tells, count = ground.rng, ground.columns, ground.habits.craft.tells, len(own)

    def gives_away(figure: str) -> Array:
        """Members whose figure is a member's and not like other people's."""
        return own[ground.chance(count, min(1.0, tells[figure] * (1 - 0.4 * care)))]

    columns["verified"][gives_away("verified")] = 0
    columns["assurance"][gives_away("assurance")] = 0
    columns["payment_months"][gives_away("payment")] = 0
    low = gives_away("quality")
    columns["audience_quality"][low] = rng.beta(4, 5, len(low))
    struck = gives_away("strikes")
    columns["strikes"][struck] = rng.poisson(0.4, len(struck))
    wide = gives_away("spread")
    columns["geo_spread"][wide] = rng.beta(3, 4, len(wide))
    role, reach = columns["role"][own], tells["reach"]
    loud = np.select([role == "origin", role == "relay"], [1 + 5 * reach, 1 + 2 * reach], 1.0)
    columns["followers"][own] = (columns["followers"][own] * loud).astype(np.int64)
    columns["reach_90d"][own] = (columns["reach_90d"][own] * loud).astype(np.int64)


def _crew(rng: np.random.Generator, cls: str) -> Array:
    """Shares of origins, relays and amplifiers: some classes write much, others only push."""
    origins, relays = (0.12, 0.2) if cls in ("fake_creators", "financial") else (0.06, 0.22)
    origins, relays = origins * rng.uniform(0.6, 1.4), relays * rng.uniform(0.6, 1.4)
    return np.array([origins, relays, 1 - origins - relays])


def _equip(ground: Ground, operation: Operation) -> None:
    """Pools of machines and numbers: the more careful, the fewer accounts share one; and things of one account only."""
    rng, members, care, habits = ground.rng, operation.members, operation.care, ground.habits.craft
    count = len(members)
    operation.network = int(rng.integers(185 << 18, 186 << 18)) << 6
    for kind in _KINDS:
        crowd, used, alone = _POOLS[kind]
        per_value = 1 + (crowd * habits.crowding[kind] - 1) * (1 - care) * rng.uniform(0.7, 1.3)
        pool = max(1, round(count / max(1.05, per_value)))
        shares = ground.chance(count, used * habits.used[kind] * (1 - habits.apart * care))
        who = members[shares]
        rented = operation.network + rng.integers(0, 64, pool)
        hidden = rng.integers(16 << 24, 90 << 24, pool)
        values = np.where(ground.chance(pool, 1 - care), rented, hidden) if kind == "ip4" else ground.tokens(pool)
        picked = values[rng.integers(0, pool, len(who))]
        first = np.maximum(operation.since + rng.integers(0, 20 * DAY, len(who)), ground.columns["created"][who])
        ground.link(who, kind, picked, first, ground.days_ago(rng.exponential(habits.idle, len(who))))
        operation.values[kind] = np.unique(picked)
        only = members[~shares & ground.chance(count, alone)]
        mine = rng.integers(16 << 24, 90 << 24, len(only)) if kind == "ip4" else ground.tokens(len(only))
        since = operation.since + rng.integers(0, 20 * DAY, len(only))
        since[ground.columns["compromised"][only] > 0] = 0
        ground.link(only, kind, mine, np.maximum(since, ground.columns["created"][only]),
                    ground.days_ago(rng.exponential(8, len(only))))
        operation.values[kind] = np.unique(np.concatenate([operation.values[kind], mine[: len(mine) // 3]]))
    _blend(ground, members)
    faces = ground.random_bits(max(1, round(count / (1 + 5 * habits.faces * (1 - care)))))
    who = members[ground.chance(count, 0.7)]
    ground.picture(who, ground.noisy(faces[rng.integers(0, len(faces), len(who))], 10))
    operation.pictures = faces


def _blend(ground: Ground, members: Ints) -> None:
    """What members have in common with everybody: carriers, tunnels, mail providers."""
    rng, common = ground.rng, ground.common
    for kind, place, share in (("ip4", "carrier", 0.5), ("ip4", "tunnel", 0.3), ("email_domain", "email_domain", 0.5),
                              ("upload_fp", "upload_fp", ground.habits.craft.tooling)):
        who = members[ground.chance(len(members), share)]
        ground.recent(who, kind, common[place][zipf_choice(rng, len(common[place]), len(who), 0.8)], idle=8)
