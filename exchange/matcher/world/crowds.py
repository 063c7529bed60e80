"""Groups that look coordinated and are not covert (R64): agencies, fans, protesters, people with several accounts."""

from __future__ import annotations

import numpy as np

from exchange.matcher.world.ground import Array, Crowd, Ground, Ints
from exchange.matcher.world.operation import Operation

MINUTE = 60


def gather(ground: Ground, free: Ints) -> Ints:
    """Make groups of some of the free accounts; returns those still free."""
    groups = max(1, int(ground.size / 12_000 * ground.habits.platform.groups))
    for _ in range(groups):
        for make, least, most in ((_agency, 12, 40), (_fans, 40, ground.habits.platform.throng),
                                  (_protest, 40, ground.habits.platform.throng)):
            limit = int(min(most, max(least + 1, ground.size // 60)))
            count = int(ground.rng.integers(min(least, limit - 1), limit))
            members, free = free[:count], free[count:]
            make(ground, members)
    for _ in range(max(2, ground.size // 300)):
        members, free = free[:3], free[3:]
        _several(ground, members)
    return free


def _agency(ground: Ground, members: Ints) -> None:
    """A firm that runs many brands in the open from a few machines, on one card."""
    rng, count = ground.rng, len(members)
    ground.forget(members)
    ground.columns["verified"][members] = ground.chance(count, 0.6)
    ground.columns["assurance"][members] = rng.choice([1, 2], count, p=[0.2, 0.8])
    sites = ground.tokens(int(rng.integers(2, 6)))
    for kind, often in (("original", 4), ("link", 6)):
        who = np.repeat(members, rng.poisson(often, count))
        moment = ground.days_ago(rng.uniform(0, 28, len(who)))
        if kind == "link":
            ground.post(who, kind, moment, sites[rng.integers(0, len(sites), len(who))])
        else:
            words = ground.sentences(4)
            ground.post(who, kind, moment, None, words[rng.integers(0, 4, len(who))])
    ground.columns["kind"][members] = "agency"
    ground.columns["disclosed"][members] = ground.chance(count, 0.85)
    ground.columns["payment_months"][members] = rng.integers(6, 48, count)
    for kind, values, idle in (("device", 3, 6.0), ("upload_fp", 2, 20.0), ("payment", 1, 20.0), ("phone", 4, 30.0)):
        ground.recent(members, kind, ground.tokens(values)[rng.integers(0, values, count)], idle=idle)
    ground.recent(members, "ip4", np.repeat(rng.integers(120 << 24, 121 << 24, 1), count), idle=5)
    ground.recent(members, "email_domain", np.repeat(ground.tokens(1), count), idle=30)


def _fans(ground: Ground, members: Ints) -> None:
    """One star's picture in many crops, one tag, one sentence, all within the hour of a release."""
    ground.columns["kind"][members] = "fan"
    star = ground.random_bits(2)
    ground.picture(members, ground.noisy(star[ground.rng.integers(0, 2, len(members))], 10))
    _wave(ground, members)
    _chorus(ground, members, star[0])


def _protest(ground: Ground, members: Ints) -> None:
    """Young accounts, one demand in one wording, at one moment, some from the place where they meet."""
    ground.columns["kind"][members] = "protest"
    some = members[ground.chance(len(members), 0.4)]
    ground.columns["created"][some] = ground.days_ago(ground.rng.uniform(3, 60, len(some)))
    ground.recent(some, "ip4", np.repeat(ground.rng.integers(121 << 24, 122 << 24, 1), len(some)), idle=3)
    _wave(ground, members)
    _chorus(ground, members, np.zeros(0, dtype=bool))


def _wave(ground: Ground, members: Ints) -> None:
    """Some of a crowd signed up on the day on which it all began."""
    some = members[ground.chance(len(members), ground.rng.uniform(0, 0.4))]
    ground.columns["created"][some] = ground.days_ago(ground.rng.uniform(20, 60, 1))[0] + ground.rng.integers(
        0, int(600 * MINUTE), len(some))


def _chorus(ground: Ground, members: Ints, face: Array) -> None:
    rng, count, zeal = ground.rng, len(members), ground.habits.platform.zeal * MINUTE
    start, (tag, site) = int(ground.days_ago(rng.uniform(1, 20, 1))[0]), ground.tokens(2)
    moment = start + rng.exponential(zeal, count).astype(np.int64)
    words = ground.sentences(1)
    crowd = Crowd(str(words[0]), face, members, start, int(tag), int(site))
    ground.crowds.append(crowd)
    ids = ground.post(members, "original", moment, None, np.repeat(words, count))
    ground.post(members, "tag", moment, np.repeat(tag, count))
    ground.post(members, "link", moment, np.repeat(site, count))
    for _ in range(int(rng.integers(1, 7))):
        crowd.shared.append((int(ids[rng.integers(0, count)]), int(ground.days_ago(rng.uniform(0.5, 20, 1))[0])))
        _pass_on(ground, members[ground.chance(count, 0.6)], *crowd.shared[-1])


def _pass_on(ground: Ground, who: Ints, post: int, start: int) -> None:
    delay = ground.rng.exponential(ground.habits.platform.zeal * MINUTE / 4, len(who)).astype(np.int64)
    ground.post(who, "share", start + delay, np.repeat(np.int64(post), len(who)))


def pose(ground: Ground, operations: list[Operation]) -> None:
    """Operations mix with crowds: their members act with the people whose cause they use."""
    rng, craft, zeal = ground.rng, ground.habits.craft, ground.habits.platform.zeal * MINUTE
    for operation in operations:
        if not ground.crowds or rng.random() >= craft.posing:
            continue
        crowd = ground.crowds[min(len(ground.crowds), int(rng.geometric(0.3))) - 1]  # what is in the news draws most
        who = operation.members[ground.chance(len(operation.members), craft.fervour)]
        moment = crowd.moment + rng.exponential(zeal, len(who)).astype(np.int64)
        ground.post(who, "tag", moment, np.repeat(np.int64(crowd.tag), len(who)))
        speaking = ground.chance(len(who), rng.uniform(0, 0.5))
        ground.post(who[speaking], "original", moment[speaking], None,
                    np.repeat(np.array([crowd.words], dtype=object), int(speaking.sum())))
        for post, start in crowd.shared:
            _pass_on(ground, who[ground.chance(len(who), 0.7)], post, start)


def _several(ground: Ground, members: Ints) -> None:
    """One person with several accounts: work, hobby, family; nothing hidden."""
    ground.columns["kind"][members] = "poweruser"
    for kind in ("device", "phone", "cookie", "upload_fp"):
        ground.recent(members, kind, np.repeat(ground.tokens(1), len(members)), idle=6)
