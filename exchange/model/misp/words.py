"""The words by which what MISP says beside a value travels in STIX: labels, references, and audiences.

What STIX has no place for (an attribute's type, category and flag, an object's template) stands in labels of the form
``misp-json:type="domain"``; UUIDs of MISP stand in external references. Both are read again on the way out, so that
an event comes back as it was. MISP's distribution levels stand in audiences under names that no group of an exchange
has; whoever runs the connector says which groups and organisations they are there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

NAME = "misp"
"""First key of derived ids, and the connector's name."""
PREFIX = "misp-json:"
_LABEL = re.compile(r'misp-json:([a-z_-]+)="(.*)"\Z', re.DOTALL)

EVENT, ATTRIBUTE, OBJECT, REFERENCE = "misp-event", "misp-attribute", "misp-object", "misp-reference"
"""``source_name`` of references to a UUID of MISP."""
SOURCE_END, TARGET_END = "misp-source", "misp-target"
ORGANISATION = "misp-organisation"

BENIGN_TAG = 'false-positive:confirmed="true"'
OWN, COMMUNITY, CONNECTED, GROUP = "misp:organisation", "misp:community", "misp:connected", "misp:group:"
"""Audiences that stand for distribution 0, 1, 2, and 4 with the sharing group's UUID."""
LEVELS = {"0": OWN, "1": COMMUNITY, "2": CONNECTED}


def label(name: str, value: object) -> str:
    """The label that says ``name`` of what it stands on; true and false as ``1`` and ``0``."""
    return f'{PREFIX}{name}="{int(value) if isinstance(value, bool) else value}"'


def labels(said: Mapping[str, Any]) -> list[str]:
    """Labels of all that is said, empty values left out."""
    return [label(name, value) for name, value in said.items() if value not in ("", None)]


def said(obj: Mapping[str, Any]) -> dict[str, str]:
    """What the labels of an object say, by name; empty where it never was in MISP."""
    found = (_LABEL.match(one) for one in obj.get("labels") or () if isinstance(one, str))
    return {match[1]: match[2] for match in found if match}


def tags(obj: Mapping[str, Any]) -> list[str]:
    """The labels of an object that are tags."""
    return [one for one in obj.get("labels") or () if isinstance(one, str) and not one.startswith(PREFIX)]


def reference(source_name: str, identifier: str) -> dict[str, str]:
    """An external reference to something in MISP."""
    return {"source_name": source_name, "external_id": identifier}


def referred(obj: Mapping[str, Any], source_name: str) -> str:
    """The identifier of a thing in MISP that an object refers to; empty where it doesn't."""
    for one in obj.get("external_references") or ():
        if isinstance(one, Mapping) and one.get("source_name") == source_name:
            return str(one.get("external_id", ""))
    return ""


def distribution(groups: Iterable[str]) -> str:
    """The distribution level that an audience was made of: 0 to 4; empty where it wasn't made of one."""
    levels = {word: level for level, word in LEVELS.items()}
    found = sorted("4" if name.startswith(GROUP) else levels.get(name, "") for name in groups)
    return next((level for level in found if level), "")


def sharing_group(groups: Iterable[str]) -> str:
    """The UUID of the MISP sharing group in an audience; empty where it names none."""
    return next((name.removeprefix(GROUP) for name in groups if name.startswith(GROUP)), "")
