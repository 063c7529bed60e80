"""Made-up objects as OpenCTI writes them: no two of one name."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_OID, uuid5

DAY = "2026-02-01T08:00:00.000Z"
GREEN = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
RED = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"


def _id(kind: str, name: str) -> str:
    return f"{kind}--{uuid5(NAMESPACE_OID, f'{kind} {name}')}"


def thing(kind: str, name: str, **more: Any) -> dict[str, Any]:
    """A domain object of any type, custom ones too."""
    return {"type": kind, "spec_version": "2.1", "id": _id(kind, name), "created": DAY, "modified": DAY, "name": name,
            "revoked": False, "confidence": 0, "x_opencti_type": kind.title(), **more}


def observable(kind: str, value: str, **more: Any) -> dict[str, Any]:
    """An observable."""
    return {"type": kind, "spec_version": "2.1", "id": _id(kind, value), "value": value, "x_opencti_score": 50, **more}


def link(source: dict[str, Any], kind: str, target: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A relationship, with OpenCTI's equal times."""
    name = f"{source['id']} {kind} {target['id']}"
    return {"type": "relationship", "spec_version": "2.1", "id": _id("relationship", name), "created": DAY,
            "modified": DAY, "relationship_type": kind, "source_ref": source["id"], "target_ref": target["id"],
            "confidence": 75, "start_time": "2026-01-31T23:00:00.000Z", "stop_time": "2026-01-31T23:00:00.000Z", **more}


def technique(code: str, name: str) -> dict[str, Any]:
    """An attack-pattern as OpenCTI exports DISARM's."""
    return thing("attack-pattern", name, external_references=[{"source_name": "mitre-attack", "external_id": code}])
