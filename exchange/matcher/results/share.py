"""From a run's results to what leaves: the objects in STIX, what stays and why, and what to remember of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from exchange.errors import InputError
from exchange.matcher.results.found import Found, read_found
from exchange.matcher.results.objects import IDENTITY, handling, judgement, only_allowed, sighting, speaks_of
from exchange.matcher.results.seeds import strictest
from exchange.matcher.results.told import FLOOR, Former, Judgement, Kept, Sighting, decide
from exchange.matcher.run import REPORT
from exchange.stix.tlp import TLP2_IDS

_TLP_IDS = {level: marking for marking, level in TLP2_IDS.items()}


@dataclass(frozen=True)
class Rules:
    """Under which terms a member tells its results."""

    identity: str
    """STIX identity of the member."""
    terms: Mapping[str, Any]
    """Of a sharing pack (``policies/sharing``)."""
    least: int
    """Fewest distinct accounts that anything is said of."""
    audience: tuple[str, ...] = ()
    """Organisations that AMBER objects are for, beside the pack's own."""


@dataclass
class Outgoing:
    """What would leave, and what stays."""

    marking: dict[str, Any]
    objects: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """Of each object a line for the member's people."""
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    """("sighting" or "opinion", why) to how many objects stay."""
    remembered: dict[str, tuple[tuple[str, str], Former]] = field(default_factory=dict)
    """STIX id to what the ledger gets once it was told."""

    def bundle(self) -> list[bytes]:
        """The objects with their marking first; none at all where nothing leaves."""
        return [orjson.dumps(obj) for obj in (self.marking, *self.objects)] if self.objects else []


def prepare(out: Path, former: Mapping[tuple[str, str], Former], verdicts: Mapping[str, str], rules: Rules) -> Outgoing:
    """What the results in ``out`` have to tell, after what was told before and what reviews say of accounts.

    Raises InputError for results that aren't there, an identity that is none and a minimum below 5.
    """
    if IDENTITY.fullmatch(rules.identity) is None:
        raise InputError(f"{rules.identity[:80]!r} is no STIX identity.",
                         fix="Give --identity as in your objects' created_by_ref: identity-- and a UUID.")
    if rules.least < FLOOR:
        raise InputError(f"A minimum of {rules.least} accounts is too small: counts below {FLOOR} tell of people.",
                         fix=f"Give {FLOOR} or more.")
    found = read_found(out, verdicts, rules.least)
    at = int(orjson.loads((out / REPORT).read_bytes())["at"])
    outgoing = Outgoing(handling(rules.terms, rules.audience))
    shared = frozenset(one.id for one in found if speaks_of(one))
    for said in decide(found, former, least=rules.least, own=rules.identity, shared=shared):
        if isinstance(said, Kept):
            outgoing.kept[said.what, said.why] += 1
        else:
            _tell(outgoing, said, former, rules, at)
    return outgoing


def _tell(outgoing: Outgoing, said: Sighting | Judgement, former: Mapping[tuple[str, str], Former], rules: Rules,
          at: int) -> None:
    found = said.about
    level = strictest(one for one in (str(rules.terms.get("tlp") or ""), found.tlp) if one)
    marks = [*([_TLP_IDS[level]] if level in _TLP_IDS else []), outgoing.marking["id"]]
    if isinstance(said, Sighting):
        key = ("sighting", found.id)
        obj = sighting(said, former.get(key), identity=rules.identity, marks=marks, at=at)
        now = Former(obj["created"], obj["modified"], said.shown, found.accounts if said.shown else 0)
        what = f"{said.shown:,} accounts or more" if said.shown else "the former word is taken back"
    else:
        key = ("opinion", found.id)
        obj = judgement(said, former.get(key), identity=rules.identity, marks=marks, at=at)
        now = Former(obj["created"], obj["modified"], 0, found.confirmed, found.overturned, said.word)
        what = said.word
    outgoing.objects.append(only_allowed(obj, rules.least))
    outgoing.remembered[obj["id"]] = (key, now)
    outgoing.lines.append(f"{key[0]} of {found.id} ({_whose(found)}): {what}; {level or 'no TLP'}")


def _whose(found: Found) -> str:
    return found.name or found.source or "unknown"
