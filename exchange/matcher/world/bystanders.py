"""Innocents near operations (R64): believers, passers-by, heirs of recycled numbers, former owners of accounts."""

from __future__ import annotations

import numpy as np

from exchange.matcher.world.ground import DAY, Ground, Ints
from exchange.matcher.world.operation import Operation
from exchange.matcher.world.publishing import follow


def entangle(ground: Ground, operations: list[Operation], free: Ints) -> Ints:
    """Bring some of the free accounts near operations; returns those still free."""
    habits = ground.habits.neighbours
    for operation in operations:
        size, keen = len(operation.members), ground.rng.uniform(0.5, 2)
        believers, free = _take(ground, free, "believer", max(2, int(size * habits.believers)))
        follow(ground, operation, believers, hours=habits.delay_hours / keen, each=habits.each * keen)
        passing, free = _take(ground, free, "unwitting", max(2, int(size * habits.unwitting)))
        follow(ground, operation, passing, hours=12, each=0.2)
        free = _recycle(ground, operation, free)
        free = _disown(ground, operation, free)
    return free


def _take(ground: Ground, free: Ints, kind: str, count: int) -> tuple[Ints, Ints]:
    taken = free[:count]
    ground.columns["kind"][taken] = kind
    return taken, free[count:]


def _recycle(ground: Ground, operation: Operation, free: Ints) -> Ints:
    """Numbers and mail names that the operation gave up now belong to somebody else."""
    rng = ground.rng
    for kind in ("phone", "email"):
        values = operation.values[kind]
        heirs, free = _take(ground, free, "recycled_id", ground.habits.neighbours.heirs)
        if len(values) and len(heirs):
            ended = ground.days_ago(rng.uniform(0, 20, len(heirs)))
            began = ended - rng.integers(0, 25 * DAY, len(heirs))
            taken = values[rng.integers(0, len(values), len(heirs))]
            for value, start in zip(taken.tolist(), began.tolist(), strict=True):
                operation.until[value] = start - int(rng.integers(2, 60)) * DAY
            ground.give_up(operation.members, kind, operation.until)
            ground.link(heirs, kind, taken, began, ended)
    return free


def _disown(ground: Ground, operation: Operation, free: Ints) -> Ints:
    """People who sold an account; their machine is still among its old ones."""
    rng, sellers = ground.rng, ground.habits.neighbours.sellers
    owners, free = _take(ground, free, "previous_owner", max(2, int(len(operation.members) * sellers)))
    machines = ground.tokens(len(owners))
    ground.recent(owners, "device", machines, idle=6)
    bought = operation.members[rng.integers(0, len(operation.members), len(owners))]
    ended = operation.since - rng.integers(1, 90, len(owners)) * DAY
    ground.link(bought, "device", machines, ended - 600 * DAY, ended)
    operation.values["device"] = np.concatenate([operation.values["device"], machines[: len(machines) // 4]])
    return free
