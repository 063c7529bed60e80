"""How operations speak (R54-R56): origins write at a trigger, relays pass on at once, amplifiers follow; and cover."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exchange.matcher.world.ground import WORDS, Ground, Ints
from exchange.matcher.world.operation import Operation

_MINUTE = 60
_PACE = {"influence": 10, "spam": 14, "fake_creators": 6, "bot_signup": 8, "account_takeover": 7, "financial": 7}
"""Triggers in a month."""
_LINKS = {"spam": 2.0, "financial": 2.0, "fake_creators": 0.4, "bot_signup": 0.5}


def publish(ground: Ground, operation: Operation) -> None:
    """Everything that an operation posts in a month."""
    rng, members = ground.rng, operation.members
    role = ground.columns["role"][members]
    operation.domains = ground.tokens(int(rng.integers(2, 8)))
    operation.texts = [str(text) for text in ground.sentences(int(rng.integers(3, 7)), 13)]
    operation.tags = ground.tokens(2)
    crew = tuple(members[role == name] for name in ("origin", "relay", "amplifier"))
    triggers = max(3, int(rng.poisson(_PACE[operation.cls] * ground.habits.craft.pace)))
    hurry = (1 + 5 * operation.care) * ground.habits.craft.hurry
    for turn in np.array_split(crew[0], triggers):
        _burst(ground, operation, crew, int(ground.days_ago(rng.uniform(0.5, 28, 1))[0]), hurry, turn)
    _cover(ground, members, 1.0 + 2.0 * operation.care)


def _burst(ground: Ground, operation: Operation, crew: tuple[Ints, Ints, Ints], start: int,
           hurry: float, turn: Ints) -> None:
    """One trigger: a post or two by origins (whoever's turn it is, and others), shares within minutes, tags and the
    same words again soon after."""
    rng, habits = ground.rng, ground.habits.craft
    linking = _LINKS.get(operation.cls, 1.0) * habits.linking
    origins, relays, amplifiers = crew
    writers = rng.choice(origins, min(len(origins), int(rng.integers(1, 3))), replace=False)
    writers = np.concatenate([turn, writers[~np.isin(writers, turn)]])[: max(len(turn), len(writers))]
    moments = start + rng.integers(0, 300, len(writers))
    ids = _write(ground, operation, writers, moments)
    operation.posts = np.concatenate([operation.posts, ids])
    operation.moments = np.concatenate([operation.moments, moments])
    _visit(ground, operation, writers[ground.chance(len(writers), 0.8 * min(1.0, linking))], start + 60)
    passing = relays[ground.chance(len(relays), habits.turnout * (1.3 - 0.6 * operation.care))]
    delay = (rng.exponential(4 * hurry * _MINUTE, len(passing))).astype(np.int64)
    _repeat(ground, passing, ids, start + 300 + delay)
    _visit(ground, operation, passing[ground.chance(len(passing), habits.relay_links * min(1.0, linking))], start + 600)
    pushing = amplifiers[ground.chance(len(amplifiers), habits.turnout * (1.1 - 0.7 * operation.care))]
    delay = (rng.exponential(4 * habits.behind * hurry * _MINUTE, len(pushing))).astype(np.int64)
    _repeat(ground, pushing, ids, start + 420 + delay)
    tagging, copying = (ground.chance(len(pushing), often) for often in (habits.tagging, habits.copying))
    pause, longer = _pauses(ground, operation, len(pushing))
    ground.post(pushing[tagging], "tag", start + 420 + (delay + pause)[tagging],
                operation.tags[rng.integers(0, 2, int(tagging.sum()))])
    _write(ground, operation, pushing[copying], start + 420 + (delay + longer)[copying])
    _visit(ground, operation, pushing[ground.chance(len(pushing), 0.1 * linking)], start + 1200)


def _pauses(ground: Ground, operation: Operation, count: int) -> tuple[Ints, Ints]:
    """Seconds between an amplifier's share, its tag and its copy: a program's, or as each person happens to."""
    rng = ground.rng
    if operation.number % 10 < 10 * ground.habits.craft.scripted:
        return np.full(count, 30), np.full(count, 80)
    pauses = rng.exponential(ground.rng.uniform(60, 1500), (2, count)).astype(np.int64)
    return pauses[0], pauses[0] + pauses[1]


def _write(ground: Ground, operation: Operation, who: Ints, moment: Ints) -> Ints:
    rng = ground.rng
    change = (0.05 + 0.25 * operation.care) * ground.habits.craft.variation
    texts = [_varied(rng, operation.texts[int(rng.integers(0, len(operation.texts)))], change) for _ in who]
    return ground.post(who, "original", moment, None, np.array(texts, dtype=object))


def _repeat(ground: Ground, who: Ints, posts: Ints, moment: Ints) -> None:
    if len(posts):
        ground.post(who, "share", moment, posts[ground.rng.integers(0, len(posts), len(who))])


def _visit(ground: Ground, operation: Operation, who: Ints, start: int) -> None:
    rng = ground.rng
    ground.post(who, "link", start + rng.integers(0, 1800, len(who)),
                operation.domains[rng.integers(0, len(operation.domains), len(who))])


def _cover(ground: Ground, members: Ints, rate: float) -> None:
    """What makes accounts look alive: popular tags, posts, pages and words of their own."""
    for kind, share in (("original", 0.4), ("share", 0.8), ("link", 0.5), ("tag", 0.5)):
        who = np.repeat(members, ground.rng.poisson(rate * share * ground.habits.craft.cover, len(members)))
        ground.chatter(kind, who)


def plant(ground: Ground, operation: Operation, addresses: Sequence[str]) -> None:
    """Let members link to domains or URLs in the clear; every object of a post is text from then on."""
    who = operation.members
    picked = np.array(addresses, dtype=object)[np.arange(len(who)) % len(addresses)]
    for chunk in ground.posts:
        chunk["object"] = chunk["object"].astype(str).astype(object)
    ground.post(who, "link", ground.days_ago(ground.rng.uniform(0, 20, len(who))), picked)


def _varied(rng: np.random.Generator, text: str, change: float) -> str:
    """The same sentence with some words replaced and now and then two exchanged."""
    words = text.split()
    for place in np.flatnonzero(rng.random(len(words)) < change):
        words[place] = WORDS[int(rng.integers(0, len(WORDS)))]
    if rng.random() < change:
        here, there = rng.integers(0, len(words), 2)
        words[here], words[there] = words[there], words[here]
    return " ".join(words)


def follow(ground: Ground, operation: Operation, who: Ints, *, hours: float, each: float) -> None:
    """Innocents repeat an operation's posts ``hours`` later on average, and visit its sites."""
    rng = ground.rng
    if not len(operation.posts):
        return
    acting = np.repeat(who, 1 + rng.poisson(each, len(who)))
    picks = rng.integers(0, len(operation.posts), len(acting))
    moments = operation.moments[picks] + rng.exponential(hours * 3600, len(acting)).astype(np.int64)
    ground.post(acting, "share", moments, operation.posts[picks])
    zeal = ground.habits.neighbours.obeying * each / (1 + each)
    for kind, things in (("tag", operation.tags), ("link", operation.domains)):
        obeying = ground.chance(len(acting), zeal)
        pause = rng.exponential(rng.uniform(30, 1200), int(obeying.sum())).astype(np.int64)
        ground.post(acting[obeying], kind, moments[obeying] + pause, things[rng.integers(0, len(things), len(pause))])
    quoting = acting[ground.chance(len(acting), ground.habits.neighbours.quoting)]
    words = np.array(operation.texts, dtype=object)[rng.integers(0, len(operation.texts), len(quoting))]
    ground.post(quoting, "original", operation.moments[rng.integers(0, len(operation.moments), len(quoting))]
                + rng.exponential(hours * 3600, len(quoting)).astype(np.int64), None, words)
    visiting = who[ground.chance(len(who), 0.5)]
    ground.post(visiting, "link", ground.days_ago(rng.uniform(0, 25, len(visiting))),
                operation.domains[rng.integers(0, len(operation.domains), len(visiting))])
