"""When what members say of each other's objects marks one as disputed or confirmed. Pure.

What an object says of others is told by ``exchange.stix.statement``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Voice:
    """One organisation that disputes or backs an object."""

    group: str
    """Its ownership group: members of one group are one voice."""
    authority: bool = False
    """A public authority gives tips only: counted in public, never part of a quorum."""
    affected: bool = False
    """A platform whose accounts the object is about."""


def heard(voices: Iterable[Voice], producer_group: str) -> frozenset[str]:
    """The groups that count: independent of the producer (nobody judges its own), and no public authority."""
    return frozenset(voice.group for voice in voices if voice.group != producer_group and not voice.authority)


def is_disputed(voices: Iterable[Voice], producer_group: str, needed: int) -> bool:
    """Whether the disputes mark the object: ``needed`` independent ones, or one by an affected platform."""
    said = list(voices)
    counted = heard(said, producer_group)
    return len(counted) >= needed or any(
        voice.affected and voice.group in counted and not voice.authority for voice in said)


def is_confirmed(voices: Iterable[Voice], producer_group: str, needed: int) -> bool:
    """Whether so many independent organisations back the object that it counts as confirmed for its contributor."""
    return len(heard(voices, producer_group)) >= needed
