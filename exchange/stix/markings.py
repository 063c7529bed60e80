"""The sharing terms that an object states itself: TLP, IEP, PAP, handling, granular markings and labels.

Nothing is decided here: every statement found is listed, and what an object doesn't say stays None, so that
the terms of its collection or agreement can fill in. What can't be resolved is named (P2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData
from exchange.stix import tlp
from exchange.stix.extensions import HANDLING, extension_fault
from exchange.stix.fault import GRANULAR_SELECTOR_INVALID, MARKING_INVALID, StixFault, shown
from exchange.stix.handling import IEP_EXTENSION, PAP_EXTENSION, PAP_IDS, Handling, join, read_iep, read_pap
from exchange.stix.timestamp import version_key

_POSITION = re.compile(r"\[[0-9]{1,9}\]")

MOST_GRANULAR = 1_000
"""Most granular markings of one object: each is compared with the whole object."""

Resolve = Callable[[str], Mapping[str, Any] | None]
"""Marking-definition id to the marking-definition object, or None when the asker has none of that id."""


@dataclass(frozen=True)
class StatedTerms:
    """The parts of an object's terms that it states itself; None: it says nothing, defaults may fill in."""

    markings: Markings = field(default_factory=Markings)
    handling: Handling = field(default_factory=Handling)
    statements: tuple[str, ...] = ()
    """Texts of statement markings: carried through and shown."""
    faults: tuple[StixFault, ...] = ()
    """What is wrong with the markings, in the order found: codes marking-invalid, iep-version-unsupported,
    granular-selector-invalid."""

    @property
    def states_tlp(self) -> bool:
        """Whether the object has a TLP of its own, in any spelling."""
        said = self.markings
        return bool(said.tlp or said.tlp1 or any(iep.get("tlp") for iep in said.iep))

    @property
    def audience(self) -> Audience | None:
        """Who is addressed."""
        return self.handling.audience

    @property
    def basis(self) -> Basis | None:
        """Lawful basis, purposes, evidence, notice."""
        return self.handling.basis

    @property
    def data(self) -> PersonalData | None:
        """What the contributor says of the personal data in the object."""
        return self.handling.data

    @property
    def life(self) -> Life | None:
        """Dates; ``retention_days`` stands beside."""
        return self.handling.life

    @property
    def regime(self) -> str | None:
        """Law the contributor processes under."""
        return self.handling.regime

    @property
    def retention_days(self) -> int | None:
        """Days from admission."""
        return self.handling.retention_days

    @property
    def requires_agreements(self) -> tuple[Mapping[str, Any], ...] | None:
        """Each ``{"id", "min_version"}``."""
        return self.handling.requires_agreements


@dataclass
class _Found:
    """What has been read so far."""

    tlp: list[str] = field(default_factory=list)
    tlp1: list[str] = field(default_factory=list)
    iep: list[Mapping[str, Any]] = field(default_factory=list)
    pap: list[str] = field(default_factory=list)
    handling: list[Mapping[str, Any]] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    faults: list[StixFault] = field(default_factory=list)

    def add_level(self, kind: str, level: str) -> None:
        """Note a level of TLP 2.0 (tlp) or 1.0 once."""
        words = self.tlp if kind == "tlp" else self.tlp1
        if level not in words:
            words.append(level)


def read_terms(obj: Mapping[str, Any], resolve: Resolve) -> StatedTerms:
    """The terms stated by a valid object; ``resolve`` is asked for markings that aren't well known."""
    found = _Found()
    for ref in obj.get("object_marking_refs") or ():
        _read_marking(str(ref), resolve, found)
    if isinstance(labels := obj.get("labels"), list):
        _read_labels(labels, found)
    granular = _granular(obj, resolve, found) if obj.get("granular_markings") else ()
    return StatedTerms(
        markings=Markings(
            tlp=tuple(found.tlp),
            tlp1=tuple(found.tlp1),
            iep=tuple(found.iep),
            pap=tuple(found.pap),
            granular=granular,
            unresolved=tuple(dict.fromkeys(found.unresolved)),
        ),
        handling=join(found.handling),
        statements=tuple(found.statements),
        faults=tuple(found.faults),
    )


def _read_marking(ref: str, resolve: Resolve, found: _Found) -> None:
    known = tlp.well_known(ref)
    if known is not None:
        found.add_level(*known)
        return
    if ref in PAP_IDS:
        found.pap.append(PAP_IDS[ref])
        return
    marking = resolve(ref)
    if marking is None:
        found.unresolved.append(ref)
        return
    _read_definition(marking, found)


def _read_definition(marking: Mapping[str, Any], found: _Found) -> None:
    level = tlp.from_definition(marking)
    if isinstance(level, StixFault):
        found.faults.append(level)
    elif level is not None:
        found.add_level(*level)
    definition = marking.get("definition")
    if marking.get("definition_type") == "statement" and isinstance(definition, Mapping):
        found.statements.append(str(definition.get("statement", "")))
    extensions = marking.get("extensions")
    if not isinstance(extensions, Mapping):
        return
    iep, pap, handling = (extensions.get(name) for name in (IEP_EXTENSION, PAP_EXTENSION, HANDLING))
    if isinstance(iep, Mapping):
        _sort(read_iep(iep), found.iep, found)
    if isinstance(pap, Mapping):
        _sort(read_pap(pap), found.pap, found)
    if handling is not None:
        _sort(extension_fault(marking) or _dates_fault(handling) or handling, found.handling, found)


def _sort(read: Any, good: list[Any], found: _Found) -> None:
    if isinstance(read, StixFault):
        found.faults.append(read)
    else:
        good.append(read)


def _dates_fault(handling: Mapping[str, Any]) -> StixFault | None:
    for name in ("retention_until", "not_before"):
        try:
            version_key(handling.get(name, "2000-01-01T00:00:00Z"))
        except (ValueError, TypeError) as error:
            return StixFault(MARKING_INVALID, f"extensions.{HANDLING}.{name}", f"Property {name}: {error}.")
    return None


def states_handling(label: str) -> bool:
    """Whether a label says anything about sharing: equal sets of such labels state equal terms."""
    return tlp.from_word(label) is not None or tlp.is_meant(label) or label.strip().lower().startswith("pap:")


def _read_labels(labels: list[Any], found: _Found) -> None:
    for label in labels:
        if not isinstance(label, str):
            continue
        lower = label.strip().lower()
        if (level := tlp.from_word(label)) is not None:
            found.add_level(*level)
        elif tlp.is_meant(label):  # a restriction: not to be replaced by a wider default
            levels = "clear, green, amber, amber+strict or red"
            sentence = f"The label {shown(label)} is no TLP level. Write tlp: and {levels}."
            found.faults.append(StixFault(MARKING_INVALID, "labels", sentence))
        elif lower.startswith("pap:") and not isinstance(pap := read_pap({"pap": lower}), StixFault):
            found.pap.append(pap)


def _granular(obj: Mapping[str, Any], resolve: Resolve, found: _Found) -> tuple[Mapping[str, Any], ...]:
    """Granular facts: one entry per selector with tlp, groups or lang; others say nothing per part."""
    facts: list[Mapping[str, Any]] = []
    if len(obj["granular_markings"]) > MOST_GRANULAR:
        sentence = f"It has more than {MOST_GRANULAR} granular markings. Mark larger parts, or several objects."
        found.faults.append(StixFault(MARKING_INVALID, "granular_markings", sentence))
        return ()
    for position, marking in enumerate(obj["granular_markings"]):
        statement = _granular_statement(marking, resolve, found)
        for selector in marking.get("selectors", ()):
            if not selects(obj, selector):
                found.faults.append(
                    StixFault(
                        GRANULAR_SELECTOR_INVALID,
                        f"granular_markings[{position}].selectors",
                        f"The selector {shown(selector)} selects nothing in the object.",
                    )
                )
            elif statement:
                facts.append({"selector": selector, **statement})
    return tuple(facts)


def _granular_statement(marking: Mapping[str, Any], resolve: Resolve, found: _Found) -> dict[str, Any]:
    if "lang" in marking:
        return {"lang": marking["lang"]}
    part = _Found(unresolved=found.unresolved, faults=found.faults)
    _read_marking(str(marking.get("marking_ref")), resolve, part)
    statement: dict[str, Any] = {}
    levels = part.tlp + ["TLP:CLEAR" if level == "TLP:WHITE" else level for level in part.tlp1]
    if levels:
        statement["tlp"] = levels[0]
    audience = join(part.handling).audience
    if audience is not None and audience.sharing_groups:
        statement["groups"] = list(audience.sharing_groups)
    return statement


def selects(obj: Mapping[str, Any], selector: Any) -> bool:
    """Whether a selector such as ``external_references.[0].url`` names something in the object (7.2.3.1)."""
    if not isinstance(selector, str) or not selector:
        return False
    place: Any = obj
    for step in selector.split("."):
        if isinstance(place, Mapping) and step in place:
            place = place[step]
        elif isinstance(place, list) and _POSITION.fullmatch(step):
            index = int(step[1:-1])
            if index >= len(place):
                return False
            place = place[index]
        else:
            return False
    return True
