"""The ground of a made-up platform: growing tables of whole columns, and the dice."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.world.habits import Habits

Ints = NDArray[np.int64]
Array = NDArray[Any]
DAY = 86_400
WORDS = [
    "anchor", "apple", "autumn", "basket", "beacon", "bicycle", "branch", "breeze", "candle", "canyon",
    "carpet", "castle", "cedar", "chapel", "cherry", "circle", "cliff", "clover", "copper", "cotton", "cradle",
    "crystal", "curtain", "daisy", "desert", "dolphin", "drawer", "ember", "engine", "falcon", "feather",
    "fern", "fiddle", "flame", "forest", "fountain", "garden", "ginger", "glacier", "granite", "grove",
    "hammer", "harvest", "hazel", "hollow", "honey", "island", "ivory", "jacket", "jasmine", "kettle", "ladder",
    "lagoon", "lantern", "laurel", "lemon", "linen", "lobster", "magnet", "maple", "marble", "meadow", "mirror",
    "mosaic", "needle", "nickel", "nutmeg", "ocean", "olive", "orchard", "oyster", "paddle", "parcel", "pebble",
    "pepper", "piano", "pillow", "planet", "plum", "pocket", "pottery", "prairie", "quartz", "quilt", "rabbit",
    "raven", "ribbon", "ripple", "saddle", "saffron", "sandal", "satin", "shadow", "silver", "sparrow",
    "spruce", "stable", "sugar", "tablet", "temple", "thistle", "thunder", "timber", "tulip", "tunnel",
    "turnip", "valley", "velvet", "violet", "walnut", "willow", "window",
]


@dataclass
class Crowd:
    """What real people do together in the open."""

    words: str
    face: Array
    """The picture that they use; no bits: none."""
    members: Ints
    moment: int
    """Unix seconds at which they spoke."""
    tag: int
    site: int
    shared: list[tuple[int, int]] = field(default_factory=list)
    """Posts that they passed on, each with the moment at which that began."""


@dataclass
class Ground:
    """A platform under construction. Accounts are rows 0 … n-1 until they are written."""

    rng: np.random.Generator
    at: int
    """Unix seconds of the moment the world stands still."""
    difficulty: float
    """0 (careless operators) to 1 (careful ones)."""
    habits: Habits
    size: int = 0
    popular: dict[str, Ints] = field(default_factory=dict)
    """Kind of post to the things that everybody posts about, most popular first."""
    common: dict[str, Ints] = field(default_factory=dict)
    """What anybody may come by: addresses of carriers and tunnels, mail providers."""
    crowds: list[Crowd] = field(default_factory=list)
    columns: dict[str, Array] = field(default_factory=dict)
    links: list[dict[str, Array]] = field(default_factory=list)
    posts: list[dict[str, Array]] = field(default_factory=list)
    avatars: list[dict[str, Array]] = field(default_factory=list)

    def tokens(self, count: int) -> Ints:
        """Fresh 63-bit tokens."""
        return self.rng.integers(1, 2**63 - 1, count)

    def chance(self, count: int, probability: float) -> NDArray[np.bool_]:
        """Which of ``count`` things happen."""
        return self.rng.random(count) < probability

    def days_ago(self, days: Array) -> Ints:
        """Moments that many days back, at a time of the day."""
        return (self.at - days * DAY - self.rng.integers(0, DAY, len(days))).astype(np.int64)

    def link(self, who: Ints, kind: str, value: Ints, first: Ints, last: Ints) -> None:
        """Links of one kind; ``last`` is kept between ``first`` and the present."""
        if len(who):
            last = np.minimum(np.maximum(last, first), self.at)
            self.links.append({
                "account": who, "itype": np.full(len(who), kind, dtype=object), "value": value, "first_seen": first,
                "last_seen": last, "n": self.rng.geometric(0.2, len(who)),
            })

    def recent(self, who: Ints, kind: str, value: Ints, *, idle: float = 20.0) -> None:
        """Links in use since some time after the account's creation until some days ago."""
        created = self.columns["created"][who]
        last = self.days_ago(self.rng.exponential(idle, len(who)))
        first = created + ((last - created).clip(0) * self.rng.random(len(who)) ** 2).astype(np.int64)
        self.link(who, kind, value, first, last)

    def post(self, who: Ints, kind: str, moment: Ints, thing: Array | None, text: Array | None = None) -> Ints:
        """Posts of one kind; returns their ids. An original's object is the post itself."""
        ids = self.tokens(len(who))
        thing = ids if thing is None else thing
        if len(who):
            self.posts.append({
                "post_id": ids, "account": who, "ts": np.minimum(moment, self.at),
                "kind": np.full(len(who), kind, dtype=object), "object": thing,
                "text": np.full(len(who), "", dtype=object) if text is None else text,
            })
        return ids

    def chatter(self, kind: str, who: Ints) -> None:
        """Ordinary posts of the last 30 days: words of one's own, other people's posts, news, tags."""
        moment = self.days_ago(self.rng.uniform(0, 30, len(who)))
        if kind == "original":
            self.post(who, kind, moment, None, self.sentences(len(who)))
        else:
            things = self.popular[kind]
            self.post(who, kind, moment, things[zipf_choice(self.rng, len(things), len(who), 1.0)])

    def forget(self, who: Ints) -> None:
        """Take away all that some accounts have: they are to be other people's."""
        for rows in (self.links, self.posts, self.avatars):
            for number, chunk in enumerate(rows):
                kept = ~np.isin(chunk["account"], who)
                rows[number] = {name: column[kept] for name, column in chunk.items()}

    def sell(self, who: Ints, since: int) -> None:
        """End all that some accounts have some weeks before ``since``: they got a new owner."""
        for chunk in self.links:
            there = np.flatnonzero(np.isin(chunk["account"], who))
            ended = since - self.rng.integers(1, 60, len(there)) * DAY
            chunk["last_seen"][there] = np.minimum(chunk["last_seen"][there], ended)
            chunk["first_seen"][there] = np.minimum(chunk["first_seen"][there], chunk["last_seen"][there])

    def give_up(self, who: Ints, kind: str, until: dict[int, int]) -> None:
        """End the use of values by some accounts."""
        for chunk in self.links:
            if len(chunk["itype"]) and chunk["itype"][0] == kind:
                for row in np.flatnonzero(np.isin(chunk["value"], list(until)) & np.isin(chunk["account"], who)):
                    end = until[int(chunk["value"][row])]
                    chunk["last_seen"][row] = min(chunk["last_seen"][row], end)
                    chunk["first_seen"][row] = min(chunk["first_seen"][row], end)

    def picture(self, who: Ints, bits: NDArray[np.bool_]) -> None:
        """Profile pictures: one row of 256 bits for each account."""
        if len(who):
            self.avatars.append({"account": who, "bits": np.packbits(bits, axis=1)})

    def sentences(self, count: int, words: int = 11) -> Array:
        """Made-up posts."""
        picks = self.rng.integers(0, len(WORDS), (count, words))
        return np.array([" ".join(WORDS[word] for word in row) for row in picks], dtype=object)

    def random_bits(self, count: int) -> NDArray[np.bool_]:
        """Fingerprints of unrelated pictures."""
        return self.rng.random((count, 256)) < 0.5

    def noisy(self, bits: NDArray[np.bool_], flips: float) -> NDArray[np.bool_]:
        """The same pictures, cropped or compressed anew: about ``flips`` bits differ."""
        return bits ^ (self.rng.random(bits.shape) < flips / 256)


def zipf_choice(rng: np.random.Generator, things: int, count: int, exponent: float = 1.1) -> Ints:
    """Indices of things of which few are very popular."""
    weights = np.arange(1, things + 1) ** -exponent
    return np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(count)).clip(max=things - 1).astype(np.int64)
