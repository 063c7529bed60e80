"""Meta's Online Operations Kill Chain: what a procedure is called, whose things its rows name, which
techniques it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Literal

Role = Literal["operated", "audience", "ads", "third-party", "ambiguous"]

FRAMEWORK = "meta-ookc"
_ID = re.compile(r"\s*(\d{1,2}(?:\.\d{1,3}){1,3})\.?(?=\s|$)\s*(.*)", re.DOTALL)


@dataclass(frozen=True)
class Technique:
    """One DISARM technique."""

    id: str
    name: str
    phase: str


@dataclass(frozen=True)
class Procedure:
    """One procedure of the kill chain."""

    id: str
    name: str
    phase: str
    role: Role
    platform: str
    """Whose accounts it is about; empty where none in particular."""
    techniques: tuple[Technique, ...] = ()


@dataclass(frozen=True)
class _Data:
    phases: Mapping[str, str]
    roles: Mapping[str, Role]
    platforms: Mapping[str, str]
    procedures: Mapping[str, Mapping[str, object]]
    disarm: Mapping[str, Mapping[str, str]]


@lru_cache(maxsize=1)
def _data() -> _Data:
    raw = tomllib.loads(files(__package__).joinpath("killchain.toml").read_text("utf-8"))
    return _Data(raw["phases"], raw["roles"], raw["platforms"], raw["procedures"], raw["disarm"])


def split(text: str) -> tuple[str, str]:
    """Id and title of a procedure cell ("0.9.10.0  Acquiring …" is 0.9.10); the id is empty where there is
    none.
    """
    match = _ID.match(text)
    if match is None:
        return "", " ".join(text.split())
    number = match[1].removesuffix(".0") if match[1].count(".") == 3 else match[1]
    return number, " ".join(match[2].split())


def procedure(text: str) -> Procedure | None:
    """The procedure that a cell names by its id, known or not, or by its title; None for other cells."""
    number, title = split(text)
    number = number or _numbers().get(title.casefold(), "")
    return by_id(number, title) if number else None


@lru_cache(maxsize=1)
def _numbers() -> dict[str, str]:
    """Ids by title, for tables that leave the number out."""
    return {str(entry["name"]).casefold(): number for number, entry in _data().procedures.items()}


@lru_cache(maxsize=1024)
def by_id(number: str, title: str = "") -> Procedure:
    """The procedure of this id; ``title`` names those that the published table doesn't have."""
    data = _data()
    known = data.procedures.get(number)
    name = str(known["name"]) if known else title or f"Procedure {number}"
    names = known["disarm"] if known else ()
    techniques = tuple(Technique(one, **data.disarm[one]) for one in names)  # type: ignore[attr-defined]
    phase = data.phases.get(number.partition(".")[0], "other")
    return Procedure(number, name, phase, _role(number), data.platforms.get(number, ""), techniques)


@lru_cache(maxsize=64)
def acquiring(platform: str) -> Procedure | None:
    """The procedure of acquiring accounts on a platform."""
    owners = _data().platforms
    number = next((one for one, owner in owners.items() if owner == platform and one.startswith("0.9.")), "")
    return by_id(number) if number else None


def every() -> tuple[Procedure, ...]:
    """All procedures of the published table, in its order."""
    return tuple(by_id(number) for number in _data().procedures)


def _role(number: str) -> Role:
    roles = _data().roles
    prefix = number
    while prefix:
        if prefix in roles:
            return roles[prefix]
        prefix = prefix.rpartition(".")[0]
    return "operated"
