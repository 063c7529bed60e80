"""Ordinary people: households, their devices and cards, carriers, offices, cafés, and what they post."""

from __future__ import annotations

import numpy as np

from exchange.matcher.world.ground import Ground, Ints, zipf_choice

_MAIL_PROVIDERS = 40
_NEWS_SITES = 250
_TAGS = 400


def settle(ground: Ground, count: int) -> Ints:
    """Add people in households; returns each one's household."""
    rng = ground.rng
    ground.size = count
    sizes = rng.choice([1, 2, 3, 4, 5], count, p=[0.36, 0.29, 0.16, 0.13, 0.06])
    households = np.repeat(np.arange(count), sizes)[:count]
    _traits(ground, count)
    _machines(ground, households)
    _addresses(ground, households)
    everyone = np.arange(count)
    own = ground.chance(count, ground.habits.platform.photos)
    for part in np.array_split(everyone[own], max(1, count // 200_000)):
        ground.picture(part, ground.random_bits(len(part)))
    default = everyone[~own & ground.chance(count, 0.6)]
    ground.picture(default, ground.random_bits(5)[ground.rng.integers(0, 5, len(default))])
    _chatter(ground)
    return households


def _traits(ground: Ground, count: int) -> None:
    rng, people = ground.rng, ground.habits.platform
    paying = ground.chance(count, people.paying)
    ground.columns.update(
        created=ground.days_ago(np.exp(rng.uniform(np.log(5), np.log(people.oldest), count))),
        verified=ground.chance(count, people.verified).astype(np.int64),
        assurance=rng.choice([0, 1, 2], count, p=[1 - people.papers, 0.78 * people.papers, 0.22 * people.papers]),
        strikes=rng.poisson(people.strikes, count),
        followers=rng.lognormal(4, 1.4, count).astype(np.int64),
        audience_quality=rng.beta(11 * people.quality, 11 * (1 - people.quality), count),
        payment_months=np.where(paying, rng.geometric(0.06, count).clip(max=90), 0),
        geo_spread=rng.beta(9 * people.spread, 9 * (1 - people.spread), count),
        reach_90d=rng.lognormal(5, 1.6, count).astype(np.int64),
        disclosed=np.zeros(count, dtype=np.int64),
        op=np.full(count, -1), role=np.full(count, "", dtype=object), cls=np.full(count, "", dtype=object),
        kind=np.full(count, "", dtype=object), compromised=np.zeros(count, dtype=np.int64),
    )


def _machines(ground: Ground, households: Ints) -> None:
    """Devices, cookies, phones, mail, cards, cameras; some shared at home, some replaced over the years."""
    count = len(households)
    everyone, home = np.arange(count), ground.habits.platform.homes
    homes = int(households.max()) + 1
    alone = np.bincount(households, minlength=homes)[households] == 1
    own = ground.tokens(count)
    ground.recent(everyone, "device", own, idle=8)
    shared = everyone[~alone & ground.chance(count, 0.45 * home)]
    ground.recent(shared, "device", ground.tokens(homes)[households[shared]], idle=25)
    replaced = everyone[ground.chance(count, 0.3)]
    ended = ground.days_ago(ground.rng.uniform(60, 900, len(replaced)))
    ground.link(replaced, "device", ground.tokens(len(replaced)), ground.columns["created"][replaced], ended)
    ground.recent(everyone, "cookie", ground.tokens(count), idle=10)
    more = everyone[ground.chance(count, 0.4)]
    ground.recent(more, "cookie", ground.tokens(len(more)), idle=40)
    phones = everyone[ground.chance(count, 0.8)]
    ground.recent(phones, "phone", ground.tokens(len(phones)), idle=30)
    ground.recent(everyone, "email", ground.tokens(count), idle=30)
    ground.common["email_domain"] = ground.tokens(_MAIL_PROVIDERS)
    ground.recent(everyone, "email_domain",
                  ground.common["email_domain"][zipf_choice(ground.rng, _MAIL_PROVIDERS, count)], idle=30)
    paying = everyone[ground.columns["payment_months"] > 0]
    card = np.where(ground.chance(len(paying), 0.5 * home), ground.tokens(homes)[households[paying]],
                    ground.tokens(len(paying)))
    ground.recent(paying, "payment", card, idle=30)
    cameras = everyone[ground.chance(count, 0.55)]
    print_ = np.where(ground.chance(len(cameras), 0.2 * home), ground.tokens(homes)[households[cameras]],
                      ground.tokens(len(cameras)))
    ground.recent(cameras, "upload_fp", print_, idle=40)
    ground.common["upload_fp"] = ground.tokens(ground.habits.platform.tools)
    users = everyone[ground.chance(count, 0.15)]
    ground.recent(users, "upload_fp", ground.common["upload_fp"][
        zipf_choice(ground.rng, len(ground.common["upload_fp"]), len(users), 0.9)], idle=20)


def _addresses(ground: Ground, households: Ints) -> None:
    """Home lines, a carrier's few addresses for many, offices and cafés, VPN exits."""
    count, rng = len(households), ground.rng
    everyone, crowd = np.arange(count), ground.habits.platform.crowd
    homes = int(households.max()) + 1
    ground.recent(everyone, "ip4", rng.integers(16 << 24, 90 << 24, homes)[households], idle=5)
    mobile = everyone[ground.chance(count, 0.75)]
    exits = rng.integers(100 << 24, 101 << 24, max(2, int(count / 150 / crowd)))
    ground.common["carrier"] = exits
    ground.recent(mobile, "ip4", exits[zipf_choice(rng, len(exits), len(mobile), 0.6)], idle=5)
    places = max(2, int(count / 400 / crowd))
    guests = everyone[ground.chance(count, 0.08)]
    where = rng.integers(0, places, len(guests))
    ground.recent(guests, "ip4", rng.integers(110 << 24, 120 << 24, places)[where], idle=15)
    terminals = ground.chance(len(guests), 0.3)
    ground.recent(guests[terminals], "device", ground.tokens(places)[where[terminals]], idle=25)
    ground.columns["kind"][guests] = "cafe"
    hidden = everyone[ground.chance(count, 0.04)]
    tunnels = rng.integers(150 << 24, 151 << 24, max(4, int(count / 5000 / crowd)))
    ground.common["tunnel"] = tunnels
    ground.recent(hidden, "ip4", tunnels[rng.integers(0, len(tunnels), len(hidden))], idle=10)


def _chatter(ground: Ground) -> None:
    """What people post about: words of their own, other people's posts, news, tags."""
    rng, count = ground.rng, ground.size
    ground.popular = {"link": ground.tokens(_NEWS_SITES), "tag": ground.tokens(_TAGS),
                      "share": ground.tokens(max(100, count // 20))}
    for kind, rate in (("original", 0.38), ("share", 0.2), ("link", 0.18), ("tag", 0.16)):
        ground.chatter(kind, np.repeat(np.arange(count), rng.poisson(rate * ground.habits.platform.busy, count)))
