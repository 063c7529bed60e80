"""What every server publishes by itself: the definitions of our STIX extensions, in a read-only collection.

The collection stands in an API root of its own, so that communities hold only what their operator described.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from exchange.model.access import EVERY_MEMBER
from exchange.model.party import Collection, Community, Directory, Organisation
from exchange.policy.packs import Packs
from exchange.stix.extensions import definitions, project_identity

PUBLISHER = Organisation(id="cib-exchange", name="CIB exchange", kind="operator", jurisdiction="",
                         clearance="TLP:CLEAR")
COMMUNITY = Community(id="extensions", title="STIX extensions of the CIB exchange", group=EVERY_MEMBER)
COLLECTION = Collection(
    id="6f1c9a52-5d0e-4f0e-9a51-6a3b8b8f6c11", community=COMMUNITY.id, title="Extension definitions",
    alias="extensions", readers=(EVERY_MEMBER,),
    description="Definitions of the STIX 2.1 extensions that this exchange's profile uses.",
)


def with_published(directory: Directory) -> Directory:
    """The directory with the built-in community and collection added."""
    return replace(
        directory,
        communities={**directory.communities, COMMUNITY.id: COMMUNITY},
        collections={**directory.collections, COLLECTION.id: COLLECTION},
    )


def published_objects() -> list[bytes]:
    """The identity of the project and the extension definitions, as they are stored."""
    return [orjson.dumps(o) for o in (project_identity(), *definitions())]


def published_terms(packs: Packs) -> Mapping[str, Any]:
    """Anybody, for any purpose: definitions hold no personal data."""
    return {"tlp": "TLP:CLEAR", "personal": "no", "subject_kind": "no-natural-person",
            "purposes": sorted(packs.purposes), "retention_days": 36_500}
