"""Habits: how a made-up platform and its operations are, beyond difficulty. Drawn anew and widely for each world, so
that nothing fitted on many worlds can lean on one world's figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("device", "payment", "phone", "email", "email_domain", "cookie", "upload_fp", "ip4")
TELLS = ("verified", "assurance", "payment", "quality", "strikes", "spread", "reach")


@dataclass(frozen=True)
class Platform:
    """Its ordinary people."""

    busy: float
    """Ordinary posts, as a factor."""
    crowd: float
    """Accounts per address of a carrier, café or tunnel, as a factor."""
    homes: float
    """Share of things that are shared at home, as a factor."""
    verified: float
    strikes: float
    paying: float
    papers: float
    """Share of accounts with any assurance of identity."""
    quality: float
    """Mean quality of an audience."""
    spread: float
    oldest: float
    """Days."""
    photos: float
    """Share of people with a picture of their own; most others keep one of a few default pictures."""
    groups: float
    """Agencies, fan clubs and protests, as a factor."""
    zeal: float
    """Minutes within which a crowd acts together."""
    throng: float
    """Most people in a crowd."""
    tools: int
    """Programs for pictures and films that leave the same print on everybody's uploads."""


@dataclass(frozen=True)
class Craft:
    """How its operations work."""

    bought: float
    """Share of an operation's accounts that were bought with a past."""
    stolen: float
    burst_minutes: float
    """Width of a sign-up burst of an operation that takes no care."""
    batch: float
    """Accounts that sign up in one burst: a shift's work, a script's run."""
    patience: float
    """How much care widens a burst; 0: even careful operators register in batches."""
    crowding: dict[str, float]
    """Per kind a factor on the number of accounts that share a value."""
    used: dict[str, float]
    """Per kind a factor on the share of members who use what is shared."""
    apart: float
    """How much care lowers the use of what is shared."""
    idle: float
    """Days since the last use of what is shared."""
    tells: dict[str, float]
    """How much a member's record differs from other people's, by figure: 0 (not at all) to above 1."""
    turnout: float
    """Share of members who take part in a trigger."""
    pace: float
    hurry: float
    """Factor on the delays between members."""
    copying: float
    scripted: float
    """Share of operations whose programs pause equally long between a member's acts."""
    tagging: float
    linking: float
    relay_links: float
    """How often relays link to the operation's sites at a trigger."""
    behind: float
    """How much later amplifiers act than relays, as a factor."""
    cover: float
    """Ordinary posts of members, as a factor."""
    variation: float
    """How many words change from copy to copy, as a factor."""
    faces: float
    """Accounts that share a face, as a factor."""
    tooling: float
    """Share of members whose uploads bear the print of a program that everybody uses."""
    posing: float
    """Share of operations that mix with crowds of real people, to ride on their cause or to hide."""
    fervour: float
    """Share of such an operation's members who act with the crowd."""


@dataclass(frozen=True)
class Neighbours:
    """Innocents near operations."""

    believers: float
    """Believers per member."""
    delay_hours: float
    each: float
    """Posts that a believer repeats."""
    quoting: float
    """Posts in which a believer repeats an operation's words, for each one passed on."""
    obeying: float
    """Posts passed on after which a believer also uses the operation's tag, or visits its page, at once."""
    unwitting: float
    heirs: int
    sellers: float


@dataclass(frozen=True)
class Feed:
    """What contributors know."""

    known: float
    """Share of an operation's values that a contributor knows, where nobody takes care."""
    by_kind: dict[str, float]
    secrecy: float
    """How much care lowers what is known."""
    most_sources: int
    """An operation is known to one contributor at least and to this many at most."""
    seeded: float
    """Share of operations of which anything is known."""
    stale: float
    wrong: float
    """Indicators about innocents, per thousand accounts."""
    plots: int
    """Attempts of contributors to harm people by naming what is theirs."""
    framed: float
    """Values of a framed person that the poisoner names, as a share."""
    disguised: float
    """Share of those attempts that are told under the name of an operation that is real."""
    elsewhere: float
    """Indicators about operations that were never here, for each of those that were."""


@dataclass(frozen=True)
class Habits:
    """The habits of one world."""

    platform: Platform
    craft: Craft
    neighbours: Neighbours
    feed: Feed


def draw_habits(rng: np.random.Generator) -> Habits:
    """The habits of one world."""
    between = rng.uniform

    def about(least: float, most: float) -> float:
        """A factor, evenly on the logarithm."""
        return float(np.exp(between(np.log(least), np.log(most))))

    def by(names: tuple[str, ...], least: float, most: float) -> dict[str, float]:
        """A factor for each name, drawn by itself."""
        return {name: about(least, most) for name in names}

    platform = Platform(
        busy=about(0.5, 3), crowd=about(0.5, 2.5), homes=between(0.5, 1.5), verified=between(0.01, 0.12),
        strikes=between(0.01, 0.12), paying=between(0.08, 0.4), papers=between(0.3, 0.75), quality=between(0.55, 0.85),
        spread=between(0.1, 0.35), oldest=between(2000, 5000), photos=between(0.75, 0.97), groups=about(0.5, 2),
        zeal=about(8, 120), throng=about(100, 700), tools=int(rng.integers(10, 400)))
    craft = Craft(
        bought=between(0.1, 0.6), stolen=between(0.01, 0.1), burst_minutes=about(5, 1000),
        batch=about(4, 60), patience=max(0.0, between(-10, 25)), crowding=by(KINDS, 0.7, 1.7), used=by(KINDS, 0.7, 1.3),
        apart=between(0.2, 0.65), idle=about(3, 20), tells={name: max(0.0, between(-0.3, 1.3)) for name in TELLS},
        turnout=between(0.2, 0.7), pace=about(0.4, 1.8), hurry=about(0.4, 2.5), copying=between(0.1, 0.5),
        scripted=max(0.0, between(-0.3, 0.5)), tagging=between(0.2, 0.7),
        linking=about(0.4, 2), relay_links=between(0.1, 0.6), behind=about(1.3, 6),
        cover=about(0.3, 2), variation=between(0.4, 1.5),
        faces=about(0.5, 2), tooling=max(0.0, between(-0.2, 0.5)),
        posing=max(0.0, between(-0.2, 0.8)), fervour=between(0.2, 0.9))
    neighbours = Neighbours(
        believers=about(0.3, 3), delay_hours=about(0.05, 3), each=about(0.4, 8), quoting=between(0, 0.4),
        obeying=between(0, 1),
        unwitting=about(0.3, 3),
        heirs=int(rng.integers(1, 6)), sellers=between(0.05, 0.2))
    feed = Feed(
        known=between(0.3, 0.65), by_kind=by(KINDS, 0.6, 1.4), secrecy=between(0.3, 0.65),
        most_sources=int(rng.integers(2, 5)), seeded=between(0.65, 0.95), stale=between(0.03, 0.25),
        wrong=about(0.4, 5), plots=int(rng.integers(1, 5)), framed=between(0.4, 1),
        disguised=max(0.0, between(-0.3, 0.15)), elsewhere=about(0.7, 3))
    return Habits(platform, craft, neighbours, feed)
