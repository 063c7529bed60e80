"""What another policy or another directory would change: labels against profiles, not objects.

Decisions are shared: of two policy versions only pairs that mention a changed word can differ, and organisations
that differ in nothing but their names and groups are decided once where a label names neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from exchange.policy.check import case_facts
from exchange.policy.decide import Decision, Word, decide
from exchange.policy.explain import Standing, pull_facts
from exchange.policy.label import release
from exchange.policy.packs import Packs

_RANK: Mapping[Word, int] = {"deny": 0, "redact": 1, "allow": 2}
_BY_MENTION = (
    "tlp", "iep", "pap", "purpose", "category", "regime", "basis", "condition", "annex1", "transfer", "subject",
    "exception", "notice",
)
"""Tables of packs that can decide only where a label or profile names one of their words."""
_NO_RELEASE = frozenset({"sharing", "base"})
"""Tables of packs that decide nothing about a release."""
_NOBODY = "-"


@dataclass(frozen=True)
class Side:
    """A recipient on one side of the comparison: its profiles (``Folded.text``) and the policy that decides."""

    profiles: tuple[str, ...]
    packs: Packs


@dataclass(frozen=True)
class Recipient:
    """An organisation before and after."""

    org: str
    before: Side
    after: Side


@dataclass(frozen=True)
class Difference:
    """One organisation would see what bears one label otherwise than now."""

    org: str
    label: int
    """Index among the labels."""
    before: Word
    after: Word
    withheld: tuple[tuple[str, ...], tuple[str, ...]]
    """What is left out before and after."""
    reasons: tuple[str, ...]
    """Codes that deny or redact on the side that gives less."""

    @property
    def sign(self) -> int:
        """1: it gains (sees more), -1: it loses, 0: other parts are left out."""
        return (_RANK[self.after] > _RANK[self.before]) - (_RANK[self.after] < _RANK[self.before])


def compare(labels: Sequence[str], recipients: Sequence[Recipient]) -> Iterator[Difference]:
    """Every difference, recipient by recipient. ``labels`` are ``Folded.text``."""
    decided: dict[tuple[object, ...], tuple[Word, tuple[str, ...]]] = {}
    named = [_named(label) for label in labels]
    words: dict[tuple[str, str], frozenset[str] | None] = {}
    for one in recipients:
        if one.before == one.after:
            continue
        versions = (one.before.packs.digest, one.after.packs.digest)
        if versions not in words:
            words[versions] = changed_words(one.before.packs, one.after.packs)
        mentions = _mentions(one, words[versions])
        for number, label in enumerate(labels):
            if mentions is not None and not mentions(label):
                continue
            before = _best(one.org, one.before, label, named[number], decided)
            after = _best(one.org, one.after, label, named[number], decided)
            if before != after:
                yield Difference(one.org, number, before[0], after[0], (before[1], after[1]),
                                 _reasons(one, label, before[0], after[0]))


def best(org: str, side: Side, label: str) -> tuple[Word, tuple[str, ...]]:
    """The most that any profile of an organisation gets of one label, and what is left out of it."""
    return _best(org, side, label, _named(label), {})


def widened_cases(before: Packs, after: Packs) -> list[str]:
    """Names of cases of either version's packs that the one denies and the other doesn't."""
    found = []
    for packs in (before, after):
        for file in packs.files:
            for case in file.content["cases"]:
                facts = case_facts(packs.base_case, case, file.name)
                if _rank(decide(facts, after)) > _rank(decide(facts, before)):
                    found.append(f"{file.name}: {case['name']}")
    return list(dict.fromkeys(found))


def _rank(decision: Decision) -> int:
    return _RANK[decision.decision]


def _best(
    org: str, side: Side, label: str, named: frozenset[str],
    decided: dict[tuple[object, ...], tuple[Word, tuple[str, ...]]],
) -> tuple[Word, tuple[str, ...]]:
    """The most that any of its profiles gets; of equal ones the first."""
    best: tuple[Word, tuple[str, ...]] = ("deny", ())
    for profile in side.profiles:
        alike = None if org in named else _alike(profile)
        who = profile if alike is None else (alike[0], alike[1] & named)
        key = (who, label, side.packs.digest)
        found = decided.get(key)
        if found is None:
            found = decided[key] = release(profile, label, side.packs)
        if _RANK[found[0]] > _RANK[best[0]]:
            best = found
    return best


@lru_cache(maxsize=4_096)
def _alike(profile: str) -> tuple[str, frozenset[str]] | None:
    """The profile without the organisation's name and groups, and those groups: they count where a label names them.

    None where the profile names other organisations (clients, corporate groups).
    """
    facts = json.loads(profile)
    actor = facts["actor"]
    if actor.get("client_of") or actor.get("transfer"):
        return None
    groups = frozenset(row["id"] for row in actor.pop("groups", ()))
    actor["org"] = _NOBODY
    return json.dumps(facts, sort_keys=True), groups


def _named(label: str) -> frozenset[str]:
    """Every text in a label: an organisation is named in it only if its id is among them."""
    return frozenset(re.findall(r'"((?:[^"\\]|\\.)*)"', label))


def _mentions(one: Recipient, words: frozenset[str] | None) -> Callable[[str], bool] | None:
    """Which labels can differ for a recipient whose profiles are the same but for the policy; None: every one."""
    if [_unversioned(p) for p in one.before.profiles] != [_unversioned(p) for p in one.after.profiles]:
        return None
    if words is None or any(word in _low(profile) for profile in one.before.profiles for word in words):
        return None
    return lambda label: any(word in _low(label) for word in words)


@lru_cache(maxsize=16_384)
def _low(text: str) -> str:
    return text.casefold()


@lru_cache(maxsize=4_096)
def _unversioned(profile: str) -> str:
    """The profile without its policy version, and without the moment at which that last changed by itself."""
    return json.dumps({name: value for name, value in json.loads(profile).items() if name not in {"policy", "at"}})


def changed_words(before: Packs, after: Packs) -> frozenset[str] | None:
    """Words of the packs, in small letters, that mean something else after; None: what changed touches everything."""
    words: set[str] = set()
    texts: dict[str, str] = {}
    for table in {*before.entries, *after.entries} - _NO_RELEASE:
        old, new = _rows(before, table), _rows(after, table)
        if table not in _BY_MENTION:
            if old != new:
                return None
            continue
        for name in {*old, *new}:
            said = {name, *_also(old.get(name)), *_also(new.get(name))}
            texts |= {word.casefold(): f"{old.get(name)}{new.get(name)}".casefold() for word in said}
            if old.get(name) != new.get(name):
                words |= {word.casefold() for word in said}
    grown = bool(words)
    while grown:  # an entry that names a changed one, such as a narrower purpose, changes with it
        more = {name for name, text in texts.items()
                if name not in words and any(f"'{word}'" in text for word in words)}
        grown = bool(more)
        words |= more
    return frozenset(words)


def _rows(packs: Packs, table: str) -> dict[str, Mapping[str, Any]]:
    return {str(row.get("id", place)): row for place, row in enumerate(packs.entries.get(table, ()))}


def _also(row: Mapping[str, Any] | None) -> list[str]:
    """Other words that an entry goes by."""
    return [] if row is None else [*row.get("words", ()), *row.get("markings", ())]


def _reasons(one: Recipient, label: str, before: Word, after: Word) -> tuple[str, ...]:
    """Why the side that gives less does so; of sides that give the same, why parts are left out after."""
    side = one.before if _RANK[before] < _RANK[after] else one.after
    return why(side, label) or ("parts-withheld",)


def why(side: Side, label: str) -> tuple[str, ...]:
    """The codes that deny or redact, by the profile that comes closest; ``no-reader`` where there is none."""
    found: list[tuple[int, int, tuple[str, ...]]] = []
    for profile in side.profiles:
        facts = pull_facts(label, profile, int(json.loads(profile).get("at", 0)), Standing())
        decision = decide(facts, side.packs)
        codes = tuple(dict.fromkeys(
            r.finding.code for r in decision.explain if r.finding.outcome in {"deny", "redact"}))
        found.append((-_RANK[decision.decision], len(codes), codes))
    return min(found)[2] if found else ("no-reader",)
