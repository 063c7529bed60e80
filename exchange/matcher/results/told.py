"""What is told of what was found, and what stays: minimum counts, rounding, and no news of single accounts. Pure.

* Nothing is said of fewer than ``least`` distinct accounts: not even that there are any.
* A count is rounded down to ``least`` or to 1, 2 or 5 times a power of ten above it.
* What was told stays as it is until at least ``least`` accounts changed since, so that two runs that differ by one
  account, or by a few, tell the same (whoever compares versions sees steps of the platform, never of a person).
* A campaign is told of only where none of its indicators is, and none of them once it was: a sum beside its parts would
  tell the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Literal

from exchange.matcher.results.found import Found

Opinion = Literal["strongly-disagree", "disagree", "agree", "strongly-agree"]
FLOOR = 5
"""Smallest minimum that a member may choose."""
LEAST = 10
"""The default: what the exchange's programme asks of public counts (P22)."""
FEW = "fewer than {least} accounts that are likely without its source's word"
SAME = "told before, and fewer than {least} accounts changed since"
OWN, FOREIGN = "it is your own", "it is no object of the exchange"
RED = "its TLP:RED lets nothing out"
COVERED, WHOLE = "one of its indicators is told of by itself", "its campaign is told of as a whole"
UNDECIDED = "people reviewed accounts that it named and don't agree on them"


@dataclass(frozen=True)
class Former:
    """What was told of one object before, and the true figures at that time, which only the member knows."""

    created: str
    modified: str
    shown: int
    accounts: int
    """Distinct accounts then; for an opinion the confirmed ones."""
    overturned: int = 0
    word: str = ""
    """The opinion."""


@dataclass(frozen=True)
class Sighting:
    """To tell: so many accounts or more; 0 takes the former word back."""

    about: Found
    shown: int


@dataclass(frozen=True)
class Judgement:
    """To tell: what people found who reviewed accounts that it named."""

    about: Found
    word: Opinion


@dataclass(frozen=True)
class Kept:
    """Not told, and why."""

    about: Found
    what: Literal["sighting", "opinion"]
    why: str


Told = Sighting | Judgement | Kept


def rounded(accounts: int, least: int) -> int:
    """The largest step of ``least``, or of 1-2-5 times a power of ten above it, that is no more; 0 below ``least``."""
    if accounts < least:
        return 0
    found = least
    for power in count():
        for digit in (1, 2, 5):
            step = digit * 10**power
            if step > accounts:
                return found
            found = max(found, step)
    raise AssertionError("unreachable")  # pragma: no cover - the powers of ten have no end


def opinion(confirmed: int, overturned: int, least: int) -> Opinion | None:
    """What reviews of distinct accounts come to; None where they are too few, or apart."""
    share = confirmed / max(1, confirmed + overturned)
    if overturned >= least and share <= 0.5:
        return "strongly-disagree" if share <= 0.1 else "disagree"
    if confirmed >= least and share >= 0.8:
        return "strongly-agree" if share >= 0.95 and confirmed >= 2 * least else "agree"
    return None


def decide(found: Iterable[Found], former: Mapping[tuple[str, str], Former], *, least: int, own: str,
           shared: frozenset[str] = frozenset()) -> list[Told]:
    """What to tell of each object, in their order. ``former`` by ("sighting" or "opinion", id of the object).

    ``own`` is the STIX identity of the member, which judges none of its own objects; ``shared`` are ids that can be
    told of by their form.
    """
    listed = list(found)
    told: list[Told] = []
    spoken: set[str] = set()
    whole = {about for _, about in former if about.startswith("campaign--")}
    for one in sorted(listed, key=lambda item: not item.id.startswith("indicator--")):
        if why := _never(one, own, shared):
            told.append(Kept(one, "sighting", why))
            continue
        if one.id in spoken or one.campaign in whole:
            told.append(Kept(one, "sighting", COVERED if one.id in spoken else WHOLE))
            continue
        both = [_sighting(one, former.get(("sighting", one.id)), least)]
        if one.confirmed or one.overturned or ("opinion", one.id) in former:
            both.append(_judgement(one, former.get(("opinion", one.id)), least))
        told += both
        spoken_of = any(not isinstance(each, Kept) for each in both) or any((kind, one.id) in former
                                                                           for kind in ("sighting", "opinion"))
        if spoken_of and one.campaign:
            spoken.add(one.campaign)
    return told


def _never(one: Found, own: str, shared: frozenset[str]) -> str:
    if one.id not in shared:
        return FOREIGN
    if one.source == own:
        return OWN
    return RED if one.tlp == "TLP:RED" else ""


def _sighting(one: Found, former: Former | None, least: int) -> Told:
    judged = opinion(one.confirmed, one.overturned, least)
    accounts = 0 if judged in ("disagree", "strongly-disagree") else one.accounts
    shown = rounded(accounts, least)
    if former is None:
        return Sighting(one, shown) if shown else Kept(one, "sighting", FEW.format(least=least))
    if shown == former.shown or (abs(accounts - former.accounts) < least):
        return Kept(one, "sighting", SAME.format(least=least))
    return Sighting(one, shown)


def _judgement(one: Found, former: Former | None, least: int) -> Told:
    word = opinion(one.confirmed, one.overturned, least)
    changed = least if former is None else (
        abs(one.confirmed - former.accounts) + abs(one.overturned - former.overturned))
    if word is None:
        enough = one.confirmed + one.overturned >= least
        return Kept(one, "opinion", UNDECIDED if enough else f"fewer than {least} reviewed accounts of one mind")
    if former is not None and (word == former.word or changed < least):
        return Kept(one, "opinion", SAME.format(least=least))
    return Judgement(one, word)
