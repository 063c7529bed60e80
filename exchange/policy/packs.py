"""Policy packs: the vocabulary of sharing as data, read from TOML and hashed into every decision.

Anything wrong in a pack (an unknown key or word, an empty list, a broken file) stops the start with a
sentence that names file and key: a policy that is half read isn't a policy.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from exchange.errors import SettingError
from exchange.policy.packfile import PackFile, read_entries


@dataclass(frozen=True, slots=True)
class Regime:
    """A body of law that a producer processes under."""

    id: str
    transfer_limits: bool
    """Whether it limits transfers abroad at all."""
    free_flow: frozenset[str]
    """Classes of country that need no further mechanism."""
    law_systems: frozenset[str]
    """Legal systems whose laws can be the ground of a legal obligation or public task."""
    special_conditions_apply: bool
    criminal_limits: bool


@dataclass(frozen=True, slots=True)
class Basis:
    """A lawful basis of one regime."""

    id: str
    regime: str
    evidence: frozenset[str]
    """What must be at hand: lia, law, consent, condition, exception."""
    closed_to_public_authority: bool
    only_competent_authority: bool
    citation: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition for special categories of data."""

    id: str
    regime: str
    evidence: frozenset[str]
    citation: str


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A transfer mechanism."""

    id: str
    regimes: frozenset[str]
    needs: frozenset[str]
    citation: str


@dataclass(frozen=True, slots=True)
class Packs:
    """All packs, read and checked; equal packs have equal digests."""

    digest: str
    """Hex SHA-256 of the canonical content of every pack: the policy version."""
    tlp_ids: Mapping[str, str]
    """Marking-definition id to TLP label."""
    iep_acts: Mapping[str, frozenset[str]]
    """IEP permitted_actions level to the acts it permits."""
    pap_acts: Mapping[str, frozenset[str]]
    purposes: Mapping[str, Mapping[str, Any]]
    research_purposes: frozenset[str]
    categories: Mapping[str, Mapping[str, Any]]
    """Personal-data categories."""
    direct_identifiers: frozenset[str]
    regimes: Mapping[str, Regime]
    bases: Mapping[str, Basis]
    conditions: Mapping[str, Condition]
    annex1: Mapping[str, str]
    """Words for the UK's Annex 1 conditions to their paragraph numbers."""
    transfers: Mapping[str, Mechanism]
    sharing: Mapping[str, Mapping[str, Any]]
    base_case: Mapping[str, Any]
    """The complete facts that the packs' own cases start from."""
    files: tuple[PackFile, ...]
    rooms: Mapping[str, PackFile]
    """Packs that another room reads, such as ``cases``: hashed here with the others, checked there."""

    def terms(self, name: str) -> Mapping[str, Any]:
        """Default terms of a sharing pack, the keys of ``Collection.default_terms``. Raises SettingError."""
        try:
            return self.sharing[name]
        except KeyError:
            raise SettingError(
                f"There is no sharing pack {name!r}.",
                fix=f"Packs: {', '.join(sorted(self.sharing)) or 'none'}.",
            ) from None


def load(folder: Path | None = None) -> Packs:
    """Read every pack of a folder; None: the packs that are shipped. Raises SettingError."""
    if folder is None:
        return _shipped()
    if not folder.is_dir():
        raise SettingError(f"{folder} is no folder of policy packs.")
    return assemble(tuple(_read(folder, "")))


@lru_cache(maxsize=1)
def _shipped() -> Packs:
    return assemble(tuple(_read(resources.files("policies"), "")))


def _read(folder: Traversable, prefix: str) -> Iterator[PackFile]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            if not entry.name.startswith(("_", ".")):
                yield from _read(entry, f"{name}/")
        elif entry.name.endswith(".toml"):
            try:
                content = tomllib.loads(entry.read_text(encoding="utf-8"))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise SettingError(f"The policy pack {name} can't be read: {error}.") from error
            yield PackFile(name, content)


def assemble(every: tuple[PackFile, ...]) -> Packs:
    """Packs of files that were read, in their order. Raises SettingError."""
    rooms = _of_other_rooms(every)
    files = tuple(file for file in every if file not in rooms.values())
    entries = read_entries(files)
    canonical = json.dumps(
        [[file.name, file.content] for file in every],
        sort_keys=True,
        default=str,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    regimes = {
        row["id"]: Regime(
            row["id"],
            row["transfer_limits"],
            frozenset(row.get("free_flow", ())),
            frozenset(row.get("law_systems", ())),
            row["special_conditions_apply"],
            row["criminal_limits"],
        )
        for row in entries["regime"]
    }
    packs = Packs(
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
        tlp_ids={marking: row["id"] for row in entries["tlp"] for marking in row["markings"]},
        iep_acts=_acts(entries["iep"]),
        pap_acts=_acts(entries["pap"]),
        purposes=_by_id(entries["purpose"]),
        research_purposes=frozenset(row["id"] for row in entries["purpose"] if row.get("research")),
        categories=_by_id(entries["category"]),
        direct_identifiers=frozenset(row["id"] for row in entries["category"] if row["direct"]),
        regimes=regimes,
        bases={
            row["id"]: Basis(
                row["id"],
                row["regime"],
                frozenset(row.get("evidence", ())),
                row.get("closed_to_public_authority", False),
                row.get("only_competent_authority", False),
                row["citation"],
            )
            for row in entries["basis"]
        },
        conditions={
            row["id"]: Condition(row["id"], row["regime"], frozenset(row.get("evidence", ())), row["citation"])
            for row in entries["condition"]
        },
        annex1={word: row["id"] for row in entries["annex1"] for word in (row["id"], *row["words"])},
        transfers={
            row["id"]: Mechanism(row["id"], frozenset(row["regimes"]), frozenset(row.get("needs", ())), row["citation"])
            for row in entries["transfer"]
        },
        sharing={row["name"]: row["terms"] for row in entries["sharing"]},
        base_case=entries["base"][0],
        files=files,
        rooms=rooms,
    )
    _check_references(packs)
    return packs


def _of_other_rooms(files: Iterable[PackFile]) -> dict[str, PackFile]:
    """The packs whose head says ``room``, by that word. Raises SettingError where two say the same."""
    found: dict[str, PackFile] = {}
    for file in files:
        head = file.content.get("pack")
        room = head.get("room") if isinstance(head, dict) else None
        if isinstance(room, str):
            if room in found:
                raise SettingError(f"{file.name}: there is a pack for the room {room!r} already, {found[room].name}.")
            found[room] = file
    return found


def _acts(rows: list[Mapping[str, Any]]) -> Mapping[str, frozenset[str]]:
    return {row["id"]: frozenset(row["acts"]) for row in rows}


def _by_id(rows: list[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    return {row["id"]: row for row in rows}


def _check_references(packs: Packs) -> None:
    """Words that packs use of each other exist."""
    for basis in packs.bases.values():
        _known(f"the lawful basis {basis.id}", "regime", [basis.regime], packs.regimes)
    for condition in packs.conditions.values():
        _known(f"the condition {condition.id}", "regime", [condition.regime], packs.regimes)
    for mechanism in packs.transfers.values():
        _known(f"the transfer mechanism {mechanism.id}", "regimes", mechanism.regimes, packs.regimes)
    for name, terms in packs.sharing.items():
        where = f"the sharing pack {name}"
        for key, known in (
            ("purposes", packs.purposes),
            ("legal_basis", packs.bases),
            ("special_basis", packs.conditions),
            ("categories", packs.categories),
        ):
            _known(where, key, terms.get(key, ()), known)
        _known(where, "regime", [terms["regime"]] if "regime" in terms else (), packs.regimes)


def _known(where: str, key: str, words: Iterable[str], known: Mapping[str, Any]) -> None:
    for word in words:
        if word not in known:
            raise SettingError(
                f"In {where}, {key} names {word!r}, which no pack defines.",
                fix=f"Known: {', '.join(sorted(known)) or 'none'}.",
            )
