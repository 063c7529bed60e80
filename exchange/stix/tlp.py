"""The Traffic Light Protocol in all its spellings: fixed marking ids, the TLP 2 extension, labels and tags.

The same colour comes five ways (TLP 1 ids, TLP 2 ids, OpenCTI's own id for AMBER+STRICT, OpenCTI's CLEAR
under TLP 1 WHITE's id, plain labels or tags); all are read into ``TLP:…`` words, each version by its own.
Sources: STIX 2.1 section 7.2.1.4; FIRST TLP 2.0; OASIS' TLP 2.0 marking definitions.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from exchange.stix.fault import MARKING_INVALID, StixFault, shown

TLP2_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

TLP2_IDS = {
    "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "TLP:CLEAR",
    "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "TLP:GREEN",
    "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "TLP:AMBER",
    "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "TLP:AMBER+STRICT",
    "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "TLP:RED",
}
TLP1_IDS = {
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "TLP:WHITE",
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "TLP:GREEN",
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "TLP:AMBER",
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "TLP:RED",
}
OPENCTI_AMBER_STRICT = "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"

TLP2_LEVELS = frozenset(TLP2_IDS.values())
TLP1_LEVELS = frozenset(TLP1_IDS.values())

_WORD = re.compile(
    r"(?:misp:)?tlp[\W_]*(clear|white|green|amber[\W_]*strict|amber|red)[\s\"']*", re.IGNORECASE | re.ASCII
)
_STATED = re.compile(r"(?:misp:)?tlp(?:\s*:|[\W_]*(?:clear|white|green|amber|red)\b)", re.IGNORECASE)
_TLP1_CREATED = "2017-01-20T00:00:00"


def well_known(marking_id: str) -> tuple[str, str] | None:
    """(``tlp`` or ``tlp1``, level) of a marking whose id alone says it, or None."""
    level = TLP2_IDS.get(marking_id)
    if level is not None:
        return "tlp", level
    level = TLP1_IDS.get(marking_id)
    if level is not None:
        return "tlp1", level
    return ("tlp", "TLP:AMBER+STRICT") if marking_id == OPENCTI_AMBER_STRICT else None


def from_word(text: str) -> tuple[str, str] | None:
    """(``tlp`` or ``tlp1``, level) of a label or tag such as ``tlp:amber+strict``; None when it is none.

    Read as a person reads it, whatever stands between the words (``TLP-RED``, ``tlp="red"``, fullwidth
    letters): a restriction that is overlooked would be replaced by a wider default. WHITE exists in TLP 1 only;
    every other word is read as TLP 2, which has the same or a narrower meaning.
    """
    match = _WORD.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if match is None:
        return None
    word = match[1].upper()
    if word.startswith("AMBER"):
        return "tlp", "TLP:AMBER" if word == "AMBER" else "TLP:AMBER+STRICT"
    return ("tlp1" if word == "WHITE" else "tlp"), f"TLP:{word}"


def is_meant(text: str) -> bool:
    """Whether a label sets out to state a TLP level, known or not: ``tlp:`` and anything, ``tlp amber+``."""
    return _STATED.match(unicodedata.normalize("NFKC", text).strip()) is not None


def from_definition(marking: Mapping[str, Any]) -> tuple[str, str] | StixFault | None:
    """What a marking definition's content says of TLP: a level, a fault when it says nonsense, else None."""
    extensions = marking.get("extensions")
    stated = extensions.get(TLP2_EXTENSION) if isinstance(extensions, Mapping) else None
    if stated is not None:
        word = stated.get("tlp_2_0") if isinstance(stated, Mapping) else None
        found = from_word(f"tlp:{word}") if isinstance(word, str) else None
        if found is None or found[0] != "tlp":
            return StixFault(
                MARKING_INVALID,
                f"extensions.{TLP2_EXTENSION}.tlp_2_0",
                f"The TLP 2.0 marking says {shown(word)}; it must be clear, green, amber,"
                " amber+strict or red.",
            )
        return found
    if marking.get("definition_type") != "tlp":
        return None
    definition = marking.get("definition")
    word = definition.get("tlp") if isinstance(definition, Mapping) else None
    found = from_word(f"tlp:{word}") if isinstance(word, str) else None
    if found is None:
        return StixFault(
            MARKING_INVALID,
            "definition.tlp",
            f"The TLP marking says {shown(word)}; it must be white, green, amber or red.",
        )
    return ("tlp1", found[1]) if found[1] in TLP1_LEVELS else found


def definition_fault(marking: Mapping[str, Any], strict: bool) -> StixFault | None:
    """Fault of a marking that says another colour than its fixed id, or (strict) has an id of its own."""
    found = from_definition(marking)
    if isinstance(found, StixFault):
        return found
    known = well_known(str(marking.get("id")))
    if known is None:
        if strict and found is not None:
            return StixFault(
                MARKING_INVALID,
                "id",
                f"{found[1]} has one fixed marking definition; refer to its id instead.",
            )
        return None
    if found == known:
        fixed = known[0] != "tlp1" or str(marking.get("created")).startswith(_TLP1_CREATED) or not strict
        return (
            None
            if fixed
            else StixFault(MARKING_INVALID, "created", "The fixed TLP 1 markings were created on 2017-01-20.")
        )
    if not strict and known[1] == "TLP:WHITE" and found == ("tlp", "TLP:CLEAR"):
        return None  # OpenCTI writes TLP:CLEAR under TLP 1 WHITE's id
    return StixFault(
        MARKING_INVALID,
        "definition",
        f"The id {marking.get('id')} is fixed for {known[1]}, but the object "
        f"says {found[1] if found else 'something else'}. Use a new id for a marking of your own.",
    )
