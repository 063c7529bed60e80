"""How far what OpenCTI says may get: its markings in every spelling, and its restriction to organisations.

A restriction names organisations by ids that mean nothing here, so an object that bears one doesn't go in. A
relationship tells the names of both its ends, also of one that is marked more strictly: then the name stays out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.stix import tlp
from exchange.stix.fault import MARKING_INVALID, StixFault

OCTI = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"
"""OpenCTI's own extension, which newer versions write instead of x_opencti_ properties."""
_TLP_IDS = {level: identifier for identifier, level in tlp.TLP2_IDS.items()}


def octi(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """What OpenCTI's extension says of an object; an empty mapping where there is none."""
    extensions = item.get("extensions")
    found = extensions.get(OCTI) if isinstance(extensions, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def restriction(item: Mapping[str, Any]) -> StixFault | None:
    """Why an object may not go in: OpenCTI shares it with certain organisations alone; else None."""
    told = octi(item).get("granted_refs") or item.get("x_opencti_granted_refs")
    if not told:
        return None
    many = len(told) if isinstance(told, list) else 1
    return StixFault(MARKING_INVALID, "granted_refs",
                     f"OpenCTI restricts it to {many} organisation{'s' if many > 1 else ''}, which can't be said here."
                     " Lift the restriction there, or leave the object out of what is shared.")


def without_foreign_names(item: dict[str, Any]) -> str:
    """Take the names of stricter ends out of a relationship, in place; a sentence where there was one."""
    told = octi(item)
    strict = [f"{side}_value" for side in ("source", "target") if f"{side}_value" in told and (
        told.get(f"{side}_ref_object_marking_refs") or told.get(f"{side}_ref_granted_refs"))]
    if item.get("type") != "relationship" or not strict:
        return ""
    kept = {name: value for name, value in told.items() if name not in strict}
    item["extensions"] = {**item["extensions"], OCTI: kept}
    return f"{' and '.join(strict)} left out: the name is marked where it stands."


def is_open(told: Mapping[str, Any], side: str) -> bool:
    """Whether a relationship's extension says that this end bears neither marking nor restriction."""
    return told.get(f"{side}_ref_object_marking_refs") == [] and not told.get(f"{side}_ref_granted_refs")


def markings(item: Mapping[str, Any]) -> list[str]:
    """Ids of all markings that an object bears: as a whole, on a part, or by a label such as ``tlp:amber``.

    Raises StixFault for a label that sets out to be a TLP and is none.
    """
    granular = item.get("granular_markings")
    refs = _texts(item.get("object_marking_refs"))
    if isinstance(granular, list):
        refs += _texts([one.get("marking_ref") for one in granular if isinstance(one, dict)])
    for label in labels(item):
        level = tlp.from_word(label)
        if level is not None:
            refs.append(_TLP_IDS[level[1].replace("WHITE", "CLEAR")])
        elif tlp.is_meant(label):
            raise StixFault(MARKING_INVALID, "labels", f"The label {label[:40]!r} is no TLP level.")
    return list(dict.fromkeys(refs))


def labels(item: Mapping[str, Any]) -> list[str]:
    """An object's labels, wherever a version of OpenCTI writes them."""
    told = [item.get("labels"), item.get("x_opencti_labels"), octi(item).get("labels")]
    return list(dict.fromkeys(label for some in told for label in _texts(some)))


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
