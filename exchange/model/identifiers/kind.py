"""What is known of one kind of identifier, in one shape for all kinds.

A kind's canonical text is what is compared, hashed and written into STIX: normalising it again gives it
again. ``exchange.model.identifiers.kinds`` holds all kinds by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from exchange.model.identifiers.fault import IdentifierError

Said = Mapping[str, str | int]
"""STIX paths (``domain-name:value``) and what stands there; together they say one identifier."""


def _somebody(_value: str) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of identifier."""

    name: str
    title: str
    """For people, in the singular."""
    normalise: Callable[[str], str]
    """Canonical text of a text as seen, fanged or defanged; raises IdentifierError and nothing else."""
    path: str = ""
    """Where it stands in STIX; empty where it never travels in the clear (or says nothing alone: hashtags)."""
    operator: str = "="
    """How a pattern compares it."""
    said: Callable[[str], Said] | None = None
    """All paths of a canonical text, where ``path`` isn't the only one."""
    personal: tuple[str, ...] = ()
    """W3C DPV terms of the personal data that it is; empty where it is none."""
    hashed_as: str = ""
    """The word for it in ``hashed_identifiers[].of``; empty: a keyed hash doesn't stand for it."""
    weight: float
    """Nats that a fresh, rare hit speaks for an operation, where no fitted table of weights says better."""
    half_life: int
    """Days in which a distance in time halves the weight."""
    nobody: Callable[[str], str] = _somebody
    """Why a canonical text stands for nobody in particular, so that it is no indicator by itself; else ""."""
    norms: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    """Further named normalisations, from the canonical text, for hashing alone."""
    examples: Mapping[str, str]
    """Texts as seen and their canonical text."""
    non_examples: tuple[str, ...]
    """Texts that are none and are refused."""

    @property
    def tokenisable(self) -> bool:
        """Whether a keyed hash may stand for it: it is somebody's and needn't travel in the clear."""
        return bool(self.hashed_as)

    def valid(self, text: str) -> bool:
        """Whether the text is one, in any form."""
        try:
            self.normalise(text)
        except IdentifierError:
            return False
        return True

    def stix(self, value: str) -> Said:
        """The STIX paths of a canonical text and what stands there; IdentifierError where it may not stand in STIX."""
        if self.said is not None:
            return self.said(value)
        if not self.path:
            raise IdentifierError(f"a {self.title} doesn't stand in STIX in the clear")
        return {self.path: value}

    def pattern(self, value: str) -> str:
        """The STIX pattern that finds a canonical text; raises as ``stix``."""
        said = self.stix(value)
        return "[" + " AND ".join(f"{path} {self.operator} {literal(said[path])}" for path in said) + "]"


def literal(value: str | int) -> str:
    """A constant in the STIX patterning language."""
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
