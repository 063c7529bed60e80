"""Our STIX extensions: their definitions, JSON schemas, and whether an object's use of them is valid.

All are property extensions, so that stock consumers parse objects that use them and may ignore what they say.
An extension-definition never changes: what it says of ``created`` and ``modified`` is fixed for its version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema_rs import Draft202012Validator

from exchange.stix.explain import Schema, compiled, explain
from exchange.stix.fault import MARKING_INVALID, STIX_INVALID, StixFault

CAMPAIGN = "extension-definition--4867d27c-a5d5-4903-ae70-fa78c69f8771"
ACCOUNT = "extension-definition--3763d127-a4b0-4cf2-956a-d2166a6c4ce5"
RELATIONSHIP = "extension-definition--6d4d4447-9708-441d-b633-e1a395f53f92"
EVIDENCE = "extension-definition--c1b81620-898e-487f-be80-2b8c0db3751d"
HANDLING = "extension-definition--d80341c9-11d2-4628-b9e5-fad6dfa4a11a"
NOTICE = "extension-definition--2e6cdceb-f6df-4eec-9e8a-2adc81393bd3"
REDACTION = "extension-definition--43824632-13a9-4fec-a45d-c2c3274501b4"
RECORD = "extension-definition--8a0f4c9e-3b57-4c61-9a0d-52c1f6e3d7b4"
NAMES = {CAMPAIGN: "campaign", ACCOUNT: "account", RELATIONSHIP: "relationship", EVIDENCE: "evidence",
         HANDLING: "handling", NOTICE: "notice", REDACTION: "redaction", RECORD: "record"}  # fmt: skip
"""Extension id to the name of its schema (``schemas/NAME.json``)."""

PROJECT_IDENTITY = "identity--143df937-f405-46ea-8bda-ee1b730d2d15"
"""Who made the definitions: the exchange project, the same on every server."""

_SINCE = "2026-06-01T00:00:00.000Z"


@cache
def schema(name: str) -> Schema:
    """The JSON Schema (2020-12) of an extension by its name in ``NAMES``; don't change the returned value."""
    text = files("exchange.stix").joinpath("schemas", f"{name}.json").read_text(encoding="utf-8")
    loaded: Schema = json.loads(text)
    return loaded


def project_identity() -> dict[str, Any]:
    """The STIX identity that the definitions name as their creator."""
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": PROJECT_IDENTITY,
        "created": _SINCE,
        "modified": _SINCE,
        "name": "CIB exchange project",
        "description": "Maintainers of the extensions of STIX 2.1 for coordinated inauthentic behaviour.",
        "identity_class": "organization",
    }


def definitions() -> list[dict[str, Any]]:
    """The extension-definition objects, the same on every exchange."""
    return [_definition(extension, name) for extension, name in NAMES.items()]


def _definition(extension: str, name: str) -> dict[str, Any]:
    return {
        "type": "extension-definition",
        "spec_version": "2.1",
        "id": extension,
        "created_by_ref": PROJECT_IDENTITY,
        "created": _SINCE,
        "modified": _SINCE,
        "name": schema(name)["title"],
        "description": schema(name)["description"],
        "schema": f"JSON Schema (2020-12), served by every CIB exchange under /schemas/{name}.json",
        "version": "1.0.0",
        "extension_types": ["property-extension"],
    }


def of(obj: Mapping[str, Any], extension: str) -> Mapping[str, Any]:
    """What an object says in one extension; an empty mapping when it doesn't use it."""
    extensions = obj.get("extensions")
    found = extensions.get(extension) if isinstance(extensions, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def extension_fault(obj: Mapping[str, Any]) -> StixFault | None:
    """The first fault in an object's use of our extensions; others' extensions are carried unread."""
    for extension, value in obj["extensions"].items():
        name = NAMES.get(extension)
        if name is None:
            continue
        validator = _validator(name)
        if not validator.is_valid(value):
            return _fault(extension, name, value)
        if name == "handling" and obj.get("type") != "marking-definition":
            return StixFault(
                MARKING_INVALID,
                f"extensions.{extension}",
                "The handling extension stands on marking-definitions only, not on what they mark.",
            )
    return None


@cache
def _validator(name: str) -> Draft202012Validator:
    return compiled(schema(name))


def _fault(extension: str, name: str, value: Mapping[str, Any]) -> StixFault:
    error = explain(_validator(name), schema(name), value)
    path = f"extensions.{extension}" + (f".{error.path}" if error.path else "")
    code = MARKING_INVALID if name == "handling" else STIX_INVALID
    if error.missing:
        return StixFault(code, path, f"In the {name} extension property {error.path} is missing.")
    if not error.path:
        return StixFault(code, path, f"The {name} extension {error.demand}.")
    return StixFault(code, path, f"In the {name} extension property {error.path} {error.demand}.")
