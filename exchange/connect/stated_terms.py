"""Terms of a policy pack written as markings, for a server that is told terms in no other way.

TAXII carries objects and nothing beside them, so what a run's pack says travels as a TLP marking and a marking with our
handling extension. As in ``exchange.policy.merge`` what an object says itself wins, part by part: only parts that it
leaves open are added. The same terms make the same marking, whoever writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from exchange.errors import InputError
from exchange.stix.canonical import canonical
from exchange.stix.extensions import HANDLING
from exchange.stix.ids import derived_id
from exchange.stix.markings import StatedTerms, read_terms
from exchange.stix.tlp import TLP2_IDS, from_word, well_known

_CREATED = "2026-06-01T00:00:00.000Z"
_TLP_IDS = {level: identifier for identifier, level in TLP2_IDS.items()}
_BASIS = ("legal_basis", "special_basis", "refs")
_MOST_MARKINGS = 10_000


class TermsWriter:
    """Writes a run's terms into objects; keeps the markings that it met, to know what objects say themselves."""

    def __init__(self, terms: Mapping[str, Any]) -> None:
        """Raises InputError for a TLP that there isn't."""
        self._terms = terms
        self._met: dict[str, Mapping[str, Any]] = {}
        self._made: dict[str, bytes] = {}
        self._tlp = ""
        if terms.get("tlp"):
            level = from_word(str(terms["tlp"]))
            if level is None or level[1].replace("WHITE", "CLEAR") not in _TLP_IDS:
                raise InputError(f"{terms['tlp']!r} is no TLP.", fix="Mend the policy pack.")
            self._tlp = _TLP_IDS[level[1].replace("WHITE", "CLEAR")]

    def write(self, raw: bytes) -> tuple[bytes, list[bytes]]:
        """The object with its terms, and the markings that it now refers to."""
        item: dict[str, Any] = msgspec.json.decode(raw)
        if item.get("type") == "marking-definition":
            if len(self._met) < _MOST_MARKINGS:
                self._met[str(item.get("id"))] = item
            if well_known(str(item.get("id"))) or item.get("definition_type") == "statement":
                return raw, []
        stated = read_terms(_with_own(item), self._met.get)
        if stated.markings.unresolved:  # it may say anything: nothing is added that might say otherwise
            return raw, []
        refs = [] if stated.states_tlp or not self._tlp else [self._tlp]
        made = self._marking(_open_parts(self._terms, stated))
        refs += [made] if made else []
        if not refs:
            return raw, []
        item["object_marking_refs"] = [*item.get("object_marking_refs", ()), *refs]
        return msgspec.json.encode(item), [self._made[made]] if made else []

    def _marking(self, handling: Mapping[str, Any]) -> str:
        """The id of the marking that says so; empty where there is nothing to say."""
        if not handling:
            return ""
        identifier = derived_id("marking-definition", "terms", self._tlp, canonical(handling))
        if identifier not in self._made:
            self._made[identifier] = msgspec.json.encode({
                "type": "marking-definition", "spec_version": "2.1", "id": identifier, "created": _CREATED,
                "name": "Terms of the contributor's policy pack",
                **({"object_marking_refs": [self._tlp]} if self._tlp else {}),  # it is shared as what bears it
                "extensions": {HANDLING: {"extension_type": "property-extension", **handling}},
            })
        return identifier


def _with_own(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """A marking is under the terms that it states, besides those it refers to."""
    if item.get("type") == "marking-definition":
        return {**item, "object_marking_refs": [*item.get("object_marking_refs", ()), item["id"]]}
    return item


def _open_parts(terms: Mapping[str, Any], stated: StatedTerms) -> dict[str, Any]:
    """The parts of ``terms`` that the object leaves open, as a handling extension."""
    basis, data, audience = stated.basis, stated.data, stated.audience
    names: list[str] = []
    if basis is None or not (basis.legal_basis or basis.special_basis):
        names += _BASIS
    names += [] if basis and basis.purposes else ["purposes"]
    names += [] if basis and basis.notice else ["notice"]
    names += [] if stated.regime else ["regime"]
    ends = stated.retention_days is not None or (stated.life and stated.life.retention_until)
    names += [] if ends else ["retention_days"]
    names += [] if stated.requires_agreements else ["requires_agreements"]
    found: dict[str, Any] = {name: terms[name] for name in names if terms.get(name)}
    if basis is not None and basis.research_compatible and found.keys() & {*_BASIS, "purposes", "notice"}:
        found["research_compatible"] = True
    says = [] if data and data.personal != "unknown" else ["personal"]
    says += [] if data and data.categories else ["categories"]
    says += [] if data and data.subject_kind != "unknown" else ["subject_kind"]
    about = {name: terms[name] for name in says if terms.get(name)}
    if about:
        found["data"] = about
    addressed = audience and (audience.sharing_groups or audience.named_orgs or audience.named_persons)
    to = {name: terms[name] for name in ("exclude_orgs", *(() if addressed else ("sharing_groups", "named_orgs")))
          if terms.get(name)}
    if to:
        found["audience"] = to
    return found
