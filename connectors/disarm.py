"""The DISARM framework from its STIX bundles, each release of it, into one set of attack-patterns.

DISARM's own bundles give most techniques a new STIX id, and a new ``created``, with each release; here a technique is
one object by its DISARM id (T0149.001), and a release is a version of it: ``created`` never changes, what a later
release leaves out is labelled as retired, what it renames keeps its earlier names. The kill chain, which the bundles
call mitre-attack, is named disarm. Tactics are its phases. Meta's Online Operations Kill Chain comes along, with
this project's own crosswalk to the techniques, which says of itself that nobody has reviewed it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from exchange.connect import procedures
from exchange.connect.asset import head, relationship
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.json_elements import elements
from exchange.connect.procedures import FIXED
from exchange.connect.source import Option, Source
from exchange.connect.stix_files import content, listed
from exchange.errors import InputError
from exchange.model import killchain
from exchange.stix.fault import StixFault
from exchange.stix.ids import derived_id
from exchange.stix.parse import parse_strict
from exchange.stix.timestamp import version_key

NAME = "disarm"
FORMAT = 1
BATCH = 400
"""Rows between two checkpoints."""

Object = dict[str, Any]

_TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?\Z")
_VERSION = re.compile(r"(?<![\d.])v?(\d{1,2}(?:\.\d{1,3}){1,2})(?!\.?\d)", re.IGNORECASE)
_IN_ADDRESS = re.compile(r"frameworks?-(\d)(\d+)/", re.IGNORECASE)
_FOUNDATION = derived_id("identity", NAME, "DISARM Foundation")
_LICENCE = derived_id("marking-definition", NAME, "CC-BY-SA-4.0")
_WITHOUT_OBJECT = {
    "x-mitre-tactic": "A tactic is told as the kill-chain phase of its techniques.",
    "x-mitre-matrix": "The matrix lists the tactics.",
    "identity": "The foundation is one identity in all releases.",
    "marking-definition": "The licence is one marking in all releases.",
}


@dataclass
class Release:
    """One bundle."""

    file: str
    version: str
    items: list[Object | str]
    """Its objects in order; a text says why one can't be read."""
    stamp: str = FIXED
    techniques: dict[str, Object] = field(default_factory=dict)
    """By DISARM id."""
    ids: dict[str, str] = field(default_factory=dict)
    """STIX id in the bundle to DISARM id."""

    @property
    def order(self) -> tuple[tuple[int, ...], str]:
        """Releases in the order of their version, else of their time."""
        return tuple(int(part) for part in self.version.split(".") if part.isdecimal() and len(part) < 10), self.stamp


class Disarm(Connector):
    """The connector ``disarm``."""

    name = NAME
    title = "DISARM framework: its STIX bundles of any release, with Meta's kill chain"
    options: ClassVar[Mapping[str, Option]] = {
        "version": Option("release of a file whose path doesn't name it, such as 1.7"),
        "crosswalk": Option("yes or no: bring Meta's kill chain and its crosswalk too", "yes"),
    }

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """All releases in their order, then the crosswalk; a row is an object of a bundle, counted from 1.

        Raises InputError when there is nothing to read, and for a single file that is no STIX in JSON.
        """
        place = source.path
        releases, faults, digest = _releases(place, source.option("version"))
        mark = checkpoint or {}
        done = mark.get("batches") if mark.get("digest") == digest else 0
        made = list(_batches(releases, faults, source.option("crosswalk") != "no"))
        for number, (objects, rows) in enumerate(made, 1):
            if number > (done if type(done) is int else 0):
                at = {"format": FORMAT, "digest": digest, "batches": number}
                yield Batch(tuple(objects), tuple(rows), at, number / len(made))


CONNECTOR = Disarm()


def _releases(place: Path, stated: str) -> tuple[list[Release], list[Row], str]:
    """The bundles in the order of their releases, files that are none, and a digest of all."""
    single = not place.is_dir()
    found: list[Release] = []
    faults: list[Row] = []
    whole = hashlib.sha256()
    for path in [place] if single else listed(place):
        name = (path.name if single else path.relative_to(place).as_posix()).encode(errors="replace").decode()
        try:
            data, digest = content(path)
        except InputError as error:
            if single:
                raise
            faults.append(Row(name, 1, "quarantined", reason=str(error)))
            continue
        whole.update(f"{name} {digest}\n".encode())
        found.append(_release(name, path, data, stated))
    return sorted(found, key=lambda one: one.order), faults, whole.hexdigest()


def _release(name: str, path: Path, data: bytes, stated: str) -> Release:
    items: list[Object | str] = []
    for one in elements(data):
        try:
            items.append(parse_strict(data[one.start : one.end]))
        except StixFault as fault:
            items.append(f"{fault.code}: {fault.sentence}")
    release = Release(name, stated, items)
    for item in items:
        number = _number(item) if isinstance(item, dict) else ""
        if isinstance(item, dict) and number:
            release.techniques.setdefault(number, item)
            release.ids[str(item.get("id"))] = number
            release.stamp = max(release.stamp, _modified(item))
    in_path = _VERSION.findall("/".join(path.parts[-3:]))
    release.version = stated or (in_path[-1] if in_path else _version_in(release) or release.stamp[:10])
    return release


def _version_in(release: Release) -> str:
    """The version in the techniques' addresses: ``DISARMframeworks-17``."""
    for item in release.techniques.values():
        found = _IN_ADDRESS.search(str(_reference(item).get("url")))
        if found:
            return f"{found[1]}.{found[2]}"
    return ""


def _reference(item: Mapping[str, Any]) -> Mapping[str, Any]:
    stated = item.get("external_references")
    for one in stated if isinstance(stated, list) else ():
        if isinstance(one, Mapping) and _TECHNIQUE.match(str(one.get("external_id"))):
            return one
    return {}


def _number(item: Mapping[str, Any]) -> str:
    """The DISARM id of a technique; empty for anything else."""
    return str(_reference(item).get("external_id", "")) if item.get("type") == "attack-pattern" else ""


def _modified(item: Mapping[str, Any]) -> str:
    stated = item.get("modified")
    try:
        version_key(stated if isinstance(stated, str) else "")
    except ValueError:
        return FIXED
    return str(stated)


Step = tuple[list[Object], list[Row]]


def _batches(releases: list[Release], faults: list[Row], crosswalk: bool) -> Iterator[Step]:
    if faults:
        yield [], faults
    named: dict[str, list[str]] = {}
    before: Release | None = None
    for number, release in enumerate(releases):
        later = next((one for one in releases[number + 1 :] if one.techniques), None)
        rows = [_row(release, row, item, later, named) for row, item in enumerate(release.items, 1)]
        rows = rows or [Row(release.file, 1, "blank", reason="The file holds no object.")]
        objects = list(_objects(release, before, named)) if release.techniques else []
        for begin in range(0, len(objects), BATCH):  # objects first: a row never names what isn't there yet
            yield objects[begin : begin + BATCH], []
        for begin in range(0, len(rows), BATCH):
            yield [], rows[begin : begin + BATCH]
        before = release if release.techniques else before
    if crosswalk and before is not None:
        yield list(_crosswalk(before)), []


def _objects(release: Release, before: Release | None, named: dict[str, list[str]]) -> Iterator[Object]:
    """What a release says, and of what the one before said and it doesn't."""
    yield head("identity", _FOUNDATION, FIXED) | {"name": "DISARM Foundation", "identity_class": "organization"}
    yield {"type": "marking-definition", "spec_version": "2.1", "id": _LICENCE, "created": FIXED,
           "name": "CC BY-SA 4.0", "definition_type": "statement",
           "definition": {"statement": "CC-BY-SA-4.0 DISARM Foundation"}}  # fmt: skip
    for number, item in sorted(release.techniques.items()):
        yield _technique(number, item, release, named)
    links = (_link(release, one) for one in release.items if isinstance(one, dict))
    yield from (link for link in links if link is not None)
    if before is not None:
        for number in sorted(before.techniques.keys() - release.techniques.keys()):
            yield from _retired(number, before, release, named)


def _technique(number: str, item: Object, release: Release, named: dict[str, list[str]]) -> Object:
    name = str(item.get("name") or number)
    names = named.setdefault(number, [])
    aliases = [one for one in names if one != name]
    if name not in names:
        names.append(name)
    phases = item.get("kill_chain_phases")
    told = [{"kill_chain_name": "disarm", "phase_name": str(one["phase_name"])}
            for one in (phases if isinstance(phases, list) else ())
            if isinstance(one, Mapping) and one.get("phase_name")]  # fmt: skip
    reference = {"source_name": "DISARM", "external_id": number, "description": f"DISARM v{release.version}"}
    if str(_reference(item).get("url", "")).startswith("https://"):
        reference["url"] = str(_reference(item)["url"])
    gone = item.get("revoked") is True or item.get("x_mitre_deprecated") is True
    found = head("attack-pattern", _id(number), FIXED, _modified(item), by=_FOUNDATION, markings=[_LICENCE])
    found |= {"name": name, "description": str(item.get("description") or ""), "aliases": aliases,
              "labels": ["retired"] if gone else [], "kill_chain_phases": told}  # fmt: skip
    return {key: value for key, value in found.items() if value not in ("", [])} | {"external_references": [reference]}


def _id(number: str) -> str:
    return derived_id("attack-pattern", NAME, number)


def _link(release: Release, item: Object) -> Object | None:
    """A relationship between two techniques, by their DISARM ids."""
    ends = [release.ids.get(str(item.get(name)), "") for name in ("source_ref", "target_ref")]
    kind = item.get("relationship_type")
    if item.get("type") != "relationship" or not all(ends) or not isinstance(kind, str) or not kind:
        return None
    opened = head("relationship", derived_id("relationship", NAME, kind, *ends), FIXED, _modified(item), by=_FOUNDATION,
                  markings=[_LICENCE])  # fmt: skip
    return relationship(opened, kind, _id(ends[0]), _id(ends[1]))


def _retired(number: str, before: Release, release: Release, named: dict[str, list[str]]) -> Iterator[Object]:
    """A technique that a release leaves out: a last version that says so, and what goes on under its name."""
    found = _technique(number, before.techniques[number], before, named) | {"modified": release.stamp}
    told = f"Retired in DISARM v{release.version}."
    found |= {"labels": ["retired"], "description": f"{told} {found.get('description', '')}".strip()}
    yield found
    for heir in _heirs(found["name"], before, release):
        link = derived_id("relationship", NAME, "goes on as", number, heir)
        opened = head("relationship", link, FIXED, release.stamp, by=_FOUNDATION, markings=[_LICENCE])
        yield relationship(opened, "related-to", found["id"], _id(heir),
                           description=f"{told} Its name goes on as {heir}.")  # fmt: skip


def _heirs(name: str, before: Release, release: Release) -> list[str]:
    new = release.techniques.keys() - before.techniques.keys()
    return sorted(number for number in new if release.techniques[number].get("name") == name)


def _row(release: Release, row: int, item: Object | str, later: Release | None, named: dict[str, list[str]]) -> Row:
    if isinstance(item, str):
        return Row(release.file, row, "quarantined", (), item)
    kind = str(item.get("type"))
    number = _number(item)
    if number and release.techniques[number] is not item:
        return Row(release.file, row, "quarantined", (), f"{number} stands twice in the bundle; the first one counts.")
    if number:
        return Row(release.file, row, "behaviour", (_id(number),), _fate(number, str(item.get("name")), later, named))
    if kind == "relationship":
        link = _link(release, item)
        if link is None:
            return Row(release.file, row, "quarantined", (), "An end of the relationship is no technique here.")
        return Row(release.file, row, "note", (link["id"],))
    if kind in _WITHOUT_OBJECT:
        return Row(release.file, row, "note", (), _WITHOUT_OBJECT[kind])
    return Row(release.file, row, "quarantined", (), f"It is a {kind[:60]} without a DISARM id.")


def _fate(number: str, name: str, later: Release | None, named: dict[str, list[str]]) -> str:
    """What became of a technique: an earlier name, or the release that retired it."""
    told = [f"{number} was named {old!r} before." for old in named.get(number, []) if old != name]
    if later is not None and number not in later.techniques:
        told.append(f"{number} is retired in v{later.version}.")
    return " ".join(told)


def _crosswalk(release: Release) -> Iterator[Object]:
    """Meta's procedures, and the techniques of the release that each stands for by this project's judgement."""
    yield procedures.meta()
    for procedure in killchain.every():
        yield procedures.attack_pattern(procedure)
        for technique in procedure.techniques:
            if technique.id not in release.techniques:
                continue
            link = derived_id("relationship", NAME, "crosswalk", procedure.id, technique.id)
            told = f"Meta's procedure {procedure.id} ({procedure.name}) as DISARM {technique.id}"
            yield relationship(
                head("relationship", link, FIXED), "related-to", procedures.pattern_id(procedure), _id(technique.id),
                description=f"{told}: this project's own crosswalk, reviewed = false.",
                says={"observation": "inferred"}, labels=["crosswalk", "reviewed:false"],
            )
