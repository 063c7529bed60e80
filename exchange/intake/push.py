"""One push, object by object: read, validate, find its terms, ask the policy, fold them to a label.

Everything that is costly happens before the write transaction; objects of one envelope that carry the same
markings share one decision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.model.pushed import PushOutcome
from exchange.store.pushes import NewObject

Resolve = Callable[[str], Mapping[str, Any] | None]
"""Marking-definition id -> the marking, if the contributor may use it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One object of an envelope after every check: ready to be stored, or refused."""

    refusal: PushOutcome | None
    new: NewObject | None
    version: str
    """For the status resource: the version as written, or empty."""


@dataclass(frozen=True)
class Verdict:
    """What the policy said of terms that several objects share."""

    label: int
    visible_from: int | None
    visible_until: int | None
    refusal: tuple[str, str] | None
    """Code and sentence, where such objects are refused."""
