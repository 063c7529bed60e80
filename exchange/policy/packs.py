"""Policy packs: the vocabulary of sharing as data, read from TOML and hashed into every decision.

Anything wrong in a pack (an unknown key or word, an empty list, a broken file) stops the start with a
sentence that names file and key: a policy that is half read isn't a policy.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from exchange.errors import SettingError
from exchange.policy.packfile import PackFile, read_entries
from exchange.policy.vocabularies import (
    Basis,
    Ceiling,
    Condition,
    Entries,
    Mechanism,
    Regime,
    SubjectKind,
    acts_of,
    bases_of,
    by_id,
    ceilings_of,
    conditions_of,
    mechanisms_of,
    regimes_of,
    subjects_of,
    words_of,
)
from exchange.toml_text import TomlError, read_toml


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
    subjects: Mapping[str, SubjectKind]
    """Words for kinds of people to the kind."""
    exceptions: Mapping[str, str]
    """Words for exceptions of the Stored Communications Act to their ids."""
    content_exceptions: frozenset[str]
    """Those that also free the content of communications."""
    notices: Mapping[str, frozenset[str]]
    """Notice statuses to what each asks for."""
    ceilings: Mapping[tuple[str, str], Ceiling]
    """Retention maxima by (basis, category or subject; word)."""
    programme: Mapping[str, Any]
    """Programme-wide parameters and switches, by their names in decision facts."""
    sharing: Mapping[str, Mapping[str, Any]]
    base_case: Mapping[str, Any]
    """The complete facts that the packs' own cases start from."""
    files: tuple[PackFile, ...]
    rooms: Mapping[str, PackFile]
    """Packs that another room reads, such as ``cases``: hashed here with the others, checked there."""
    entries: Entries = field(repr=False, compare=False)
    """Every entry with its citation and dates."""
    boundaries: tuple[int, ...]
    """When an entry begins or ends to be valid: microseconds since 1970, ascending."""
    views: dict[int, Packs] = field(default_factory=dict, repr=False, compare=False)
    """The packs between two boundaries, made when first asked for."""

    def at(self, moment: int) -> Packs:
        """The packs with what is valid at a moment (microseconds since 1970); the rest is unknown then."""
        place = bisect_right(self.boundaries, moment)
        view = self.views.get(place)
        if view is None:
            view = self.views[place] = _view(self, moment)
        return view

    def boundary(self, moment: int) -> int:
        """The last boundary until a moment: between two boundaries decisions are the same."""
        place = bisect_right(self.boundaries, moment)
        return self.boundaries[place - 1] if place else 0

    def next_boundary(self, moment: int) -> int | None:
        """The first boundary after a moment, in microseconds since 1970; None: none."""
        place = bisect_right(self.boundaries, moment)
        return self.boundaries[place] if place < len(self.boundaries) else None

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
                content = read_toml(entry.read_text(encoding="utf-8"))
            except (TomlError, UnicodeDecodeError) as error:
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
    packs = Packs(
        digest=hashlib.sha256(canonical.encode()).hexdigest(),
        base_case=entries["base"][0],
        files=files,
        rooms=rooms,
        entries=entries,
        boundaries=tuple(sorted({day for rows in _dated(entries) for row in rows for day in _days(row)})),
        **_words(entries),
    )
    _check_references(packs)
    return packs


def _view(packs: Packs, moment: int) -> Packs:
    """What is valid at a moment. A basis needs its regime: with a regime that isn't valid it is unknown too."""
    valid = {
        table: [row for row in rows if table == "base" or _valid(row, moment)] for table, rows in packs.entries.items()
    }
    regimes = {row["id"] for row in valid["regime"]}
    valid["basis"] = [row for row in valid["basis"] if row["regime"] in regimes]
    return Packs(
        digest=packs.digest,
        base_case=packs.base_case,
        files=packs.files,
        rooms=packs.rooms,
        entries=valid,
        boundaries=(),
        **_words(valid),
    )


def _words(entries: Entries) -> dict[str, Any]:
    """The vocabularies of ``Packs`` of its entries."""
    return {
        "tlp_ids": {marking: row["id"] for row in entries["tlp"] for marking in row["markings"]},
        "iep_acts": acts_of(entries["iep"]),
        "pap_acts": acts_of(entries["pap"]),
        "purposes": by_id(entries["purpose"]),
        "research_purposes": frozenset(row["id"] for row in entries["purpose"] if row.get("research")),
        "categories": by_id(entries["category"]),
        "direct_identifiers": frozenset(row["id"] for row in entries["category"] if row["direct"]),
        "regimes": regimes_of(entries["regime"]),
        "bases": bases_of(entries["basis"]),
        "conditions": conditions_of(entries["condition"]),
        "annex1": words_of(entries["annex1"]),
        "transfers": mechanisms_of(entries["transfer"]),
        "subjects": subjects_of(entries["subject"]),
        "exceptions": words_of(entries["exception"]),
        "content_exceptions": frozenset(row["id"] for row in entries["exception"] if row["content"]),
        "notices": {row["id"]: frozenset(row.get("evidence", ())) for row in entries["notice"]},
        "ceilings": ceilings_of(entries["retention"]),
        "programme": {row["id"]: row["value"] for row in entries["programme"]},
        "sharing": {row["name"]: row["terms"] for row in entries["sharing"]},
    }


def _dated(entries: Entries) -> Iterator[list[Mapping[str, Any]]]:
    return (rows for table, rows in entries.items() if table != "base")


def _days(row: Mapping[str, Any]) -> Iterator[int]:
    return (_microseconds(row[key]) for key in ("valid_from", "valid_until") if key in row)


def _valid(row: Mapping[str, Any], moment: int) -> bool:
    """Half-open (P9): from the first day's midnight until the last day's."""
    until = row.get("valid_until")
    return _microseconds(row["valid_from"]) <= moment and (until is None or moment < _microseconds(until))


def _microseconds(day: datetime.date) -> int:
    return (day.toordinal() - _EPOCH) * 86_400_000_000


_EPOCH = datetime.date(1970, 1, 1).toordinal()


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


def _check_references(packs: Packs) -> None:
    """Words that packs use of each other exist."""
    for basis in packs.bases.values():
        _known(f"the lawful basis {basis.id}", "regime", [basis.regime], packs.regimes)
    for condition in packs.conditions.values():
        _known(f"the condition {condition.id}", "regimes", condition.regimes, packs.regimes)
    for mechanism in packs.transfers.values():
        _known(f"the transfer mechanism {mechanism.id}", "regimes", mechanism.regimes, packs.regimes)
    ceilings = {"basis": packs.bases, "category": packs.categories, "subject": packs.subjects}
    for kind, word in packs.ceilings:
        _known("a retention maximum", kind, [word], ceilings[kind])
    for purpose, row in packs.purposes.items():
        _known(f"the purpose {purpose}", "parent", [row["parent"]] if "parent" in row else (), packs.purposes)
    for name, terms in packs.sharing.items():
        where = f"the sharing pack {name}"
        for key, known in (
            ("regime", packs.regimes),
            ("purposes", packs.purposes),
            ("legal_basis", packs.bases),
            ("special_basis", packs.conditions),
            ("categories", packs.categories),
            ("notice", packs.notices),
            ("subject_kind", packs.subjects),
        ):
            stated = terms.get(key, ())
            _known(where, key, [stated] if isinstance(stated, str) else stated, known)


def _known(where: str, key: str, words: Iterable[str], known: Mapping[str, Any]) -> None:
    for word in words:
        if word not in known:
            raise SettingError(
                f"In {where}, {key} names {word!r}, which no pack defines.",
                fix=f"Known: {', '.join(sorted(known)) or 'none'}.",
            )
