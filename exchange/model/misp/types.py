"""MISP attribute types: which identifiers a value holds, and what is never carried (``types.toml``).

Type names and their separator ``|`` are those of the MISP core format (draft-dulaunoy-misp-core-format) and its
describeTypes; what each means here is this project's own table.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind

Treatment = Literal["identifier", "pattern", "refused", "text", "unknown"]

_SSDEEP = re.compile(r"(\d{1,12}):([A-Za-z0-9+/]{1,64}):([A-Za-z0-9+/]{1,64})(?:,\".*\")?\Z")
_LEAST_DISTINCT = 5


def _ssdeep(text: str) -> str:
    found = _SSDEEP.match(text.strip())
    if found is None or len(set(found[2])) < _LEAST_DISTINCT:
        raise IdentifierError(f"{text[:80]!r} is no ssdeep hash: size:hash:hash of enough content is needed")
    return ":".join(found.groups())


_SAMPLE = "96:lOreMipSuMdOlOr:sItaMetCoNse"
SSDEEP = Kind(
    name="ssdeep", title="ssdeep hash of a file", normalise=_ssdeep, path="file:hashes.SSDEEP", weight=2.0,
    half_life=120, examples={_SAMPLE: _SAMPLE}, non_examples=("", "96:lorem", "3:aaaa:aaaa"),
)  # fmt: skip
"""Fuzzy hashes of files stand in STIX (10.6); the matcher doesn't compare them, MISP users exchange them."""


@dataclass(frozen=True, slots=True)
class AttributeType:
    """How values of one attribute type are treated."""

    name: str
    treatment: Treatment
    kinds: tuple[str, ...] = ()
    """Of an identifier: the kind of each part between ``|``; empty text for a part that says nothing by itself."""
    platform: str = ""
    """Where a bare handle is from."""
    targeted: bool = False
    """Whether it names whom the activity was aimed at."""
    language: str = ""
    """Of a pattern: its ``pattern_type`` in STIX."""
    why: str = ""
    """Of a refused one: the reason, for people."""


def attribute_type(name: str) -> AttributeType:
    """The type of this name; one that isn't known is carried as text and says so."""
    return _types().get(name) or AttributeType(name, "unknown")


@lru_cache(maxsize=1)
def out_types() -> dict[str, tuple[str, str]]:
    """MISP type and category for a kind of identifier, ``text`` and ``link``."""
    return {kind: (found[0], found[1]) for kind, found in _data()["out"].items()}


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("types.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _types() -> dict[str, AttributeType]:
    data = _data()
    targets = frozenset(data["target"]["types"])
    found = {name: AttributeType(name, "text", targeted=name in targets) for name in data["text"]["types"]}
    found |= {name: AttributeType(name, "identifier", tuple(kinds), data["platform"].get(name, ""), name in targets)
              for name, kinds in data["identifier"].items()}
    found |= {name: AttributeType(name, "pattern", language=language) for name, language in data["pattern"].items()}
    for reason, names in data["refused"].items():
        found |= {name: AttributeType(name, "refused", targeted=name in targets, why=data["why"][reason])
                  for name in names}
    return found
