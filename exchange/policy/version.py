"""How a policy version may go from stage to stage: draft, shadow, canary, active, retired.

What can only narrow may come into force at once. Everything else (a widening: somebody sees more, a duty or a limit
changes) needs two different people, the proposer and the one who approves, and before it decides for anybody a
shadow period in which its differences are counted. Only one version stands in shadow, canary or force at a time.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from exchange.errors import InputError
from exchange.model.policy_version import Stage, Step, Steps

DAY = 86_400_000_000
_FROM: Mapping[Stage, frozenset[Stage]] = {
    Stage.SHADOW: frozenset({Stage.DRAFT}),
    Stage.CANARY: frozenset({Stage.DRAFT, Stage.SHADOW, Stage.CANARY}),
    Stage.ACTIVE: frozenset({Stage.DRAFT, Stage.SHADOW, Stage.CANARY}),
    Stage.RETIRED: frozenset({Stage.DRAFT, Stage.SHADOW, Stage.CANARY}),
}
"""Stages from which each stage is reached; a draft begins anew from nothing or from retired."""
_MOST = 500
_ONE_AT_A_TIME = frozenset({Stage.SHADOW, Stage.CANARY})


@dataclass(frozen=True)
class Wanted:
    """A step that somebody asks for at ``at`` (microseconds)."""

    digest: str
    stage: Stage
    by: str
    why: str
    at: int
    organisations: tuple[str, ...] = ()

    def step(self) -> Step:
        """The step itself."""
        return Step(self.digest, self.stage, self.at, _text(self.by, "--by"), _text(self.why, "--why"),
                    self.organisations)


def propose(steps: Steps, wanted: Wanted) -> list[Step]:
    """The step that makes a version a draft. Raises InputError where it is on its way or in force already."""
    latest = steps.latest(wanted.digest)
    if latest is not None and latest.stage is not Stage.RETIRED:
        raise InputError(f"Version {wanted.digest[:12]} is {latest.stage} already, since {latest.by} made it so.",
                         fix="Change the packs, or go on with that version.")
    return [wanted.step()]


def advance(steps: Steps, wanted: Wanted, *, widens: str, shadow: int) -> list[Step]:
    """The steps that take a version to the wanted stage; a new active version retires the former one.

    ``widens``: how it widens, as the end of a sentence; empty: it only narrows. ``shadow``: how long it must
    have stood in shadow then, in microseconds. Raises InputError that says what is missing.
    """
    latest = steps.latest(wanted.digest)
    if latest is None:
        raise InputError(f"There is no policy version {wanted.digest[:12]!r}.", fix="cibx policy versions shows them.")
    if latest.stage not in _FROM.get(wanted.stage, frozenset()):
        raise InputError(f"Version {wanted.digest[:12]} is {latest.stage}; from there it can't become {wanted.stage}.",
                         fix=_ways(latest.stage))
    step = wanted.step()
    other = steps.at_stage(wanted.stage)
    if wanted.stage in _ONE_AT_A_TIME and other is not None and other.digest != wanted.digest:
        raise InputError(f"Version {other.digest[:12]} is in {wanted.stage} already.",
                         fix="Activate it, or end its way: cibx policy retire.")
    if wanted.stage is Stage.CANARY and not wanted.organisations:
        raise InputError("A canary needs organisations for whom it decides.", fix="Name them with --org.")
    if widens and wanted.stage in {Stage.CANARY, Stage.ACTIVE}:
        _refuse_widening(steps, step, widens, shadow)
    if wanted.stage is not Stage.ACTIVE:
        return [step]
    former = steps.at_stage(Stage.ACTIVE)
    retired = [] if former is None else [Step(former.digest, Stage.RETIRED, step.at, step.by,
                                              f"replaced by {step.digest[:12]}")]
    return [*retired, step]


def roll_back(steps: Steps, *, by: str, why: str, at: int, widens: str) -> list[Step]:
    """The steps that end the active version and bring back the one before it.

    ``widens``: how going back would widen; empty: it only narrows. Raises InputError where it does,
    and where there is none before.
    """
    active, former = steps.at_stage(Stage.ACTIVE), former_version(steps)
    if active is None or former is None:
        raise InputError("There is no policy version before the active one.", fix="cibx policy versions shows them.")
    if widens:
        raise InputError(f"Going back to version {former[:12]} {widens}.",
                         why="That is a widening, which needs two people and a shadow period.",
                         fix="Propose the former packs again: cibx policy show VERSION --out DIR, then propose.")
    step = Step(former, Stage.ACTIVE, at, _text(by, "--by"), _text(why, "--why"))
    return [Step(active.digest, Stage.RETIRED, at, step.by, f"rolled back: {step.why}"), step]


def former_version(steps: Steps) -> str | None:
    """The version that was active before the present one."""
    active = steps.at_stage(Stage.ACTIVE)
    before = [step.digest for step in steps.steps if step.stage is Stage.ACTIVE and step is not active]
    return next((digest for digest in reversed(before) if active is None or digest != active.digest), None)


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's: capitals, spaces and ways of writing a letter don't make another."""
    return _plain(one) == _plain(other)


def _refuse_widening(steps: Steps, step: Step, widens: str, shadow: int) -> None:
    since = list(steps.since_draft(step.digest))
    proposer = since[0].by
    if same_person(step.by, proposer):
        raise InputError(f"Version {step.digest[:12]} {widens}, and {proposer} proposed it:"
                         " another person must approve it.", fix="Ask a second person to do this step.")
    begun = next((one.at for one in since if one.stage is Stage.SHADOW), None)
    if begun is None and shadow > 0:
        raise InputError(f"Version {step.digest[:12]} {widens}, and was not in shadow.",
                         fix="Begin with cibx policy shadow.")
    left = 0 if begun is None else begun + shadow - step.at
    if left > 0:
        raise InputError(f"Version {step.digest[:12]} {widens}; its shadow period has"
                         f" {_spoken(left)} to go.", fix="Wait; cibx policy show says what was counted so far.")


def _spoken(microseconds: int) -> str:
    hours = -(-microseconds // (DAY // 24))
    return f"{hours // 24} days and {hours % 24} hours" if hours >= 48 else f"{hours} hours"


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _text(value: str, option: str) -> str:
    text = " ".join(value.split())
    if not text or len(text) > _MOST or not text.isprintable():
        raise InputError(f"{option} must be a text of 1 to {_MOST} printable characters.")
    return text


def _ways(stage: Stage) -> str:
    to = [str(target) for target, sources in _FROM.items() if stage in sources]
    return f"Possible from there: {', '.join(to)}." if to else "Propose it again, or another."
