"""What a rule is: one object with an id, a citation and a check that lists what it found wrong.

Rules never see each other and never stop early; ``decide`` runs them all and adds up (P24).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from exchange.policy.case import Case

Outcome = Literal["deny", "redact", "flag"]
Stage = Literal["admission", "release", "use"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason: its code, the fact that was found and the fact that was needed."""

    code: str
    found: str
    needed: str
    outcome: Outcome = "deny"
    """``flag`` releases in full and only says something."""
    redact: tuple[str, ...] = ()
    """What is withheld, for outcome ``redact``: selectors, personal-data categories, or ``*content``."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of sharing."""

    id: str
    """P1 to P25."""
    title: str
    citation: str
    stage: Stage
    actions: frozenset[str]
    """Actions on which it is asked."""
    needs: tuple[str, ...]
    """Paths of the facts that it reads."""
    check: Callable[[Case], Iterable[Finding]]
    codes: tuple[str, ...]
    """Every reason code it can give."""


RELEASE = frozenset({"pull", "reshare", "act", "notify-affected", "publish"})
"""Actions in which somebody receives or uses what another contributed."""
ADMISSION = frozenset({"push", "update"})
EVERY = RELEASE | ADMISSION


def withhold(case: Case, code: str, found: str, needed: str, parts: tuple[str, ...]) -> Iterator[Finding]:
    """Redact parts of an object; where one is of a required property, the object can't be released at all (P21)."""
    yield Finding(code, found, needed, "redact", parts)
    required = case.subject.facts.get("required_fields") or ()
    for part in parts:
        if part.split(".")[0] in required:
            yield Finding("required-field-withheld", f"{part} is required: {found}", needed)
