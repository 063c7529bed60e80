"""Whether an object is valid STIX 2.1, and if not, which property is wrong and how to mend it.

Two steps: a compiled JSON Schema of the type (``shapes``), then what schemas can't say (``constraints``).
Default is tolerant where the real world is harmlessly loose: unknown properties and types with valid common
properties, words outside of open vocabularies, custom hash names, start_time equal to stop_time, groupings
without object_refs, locations without region or country, observables without spec_version.
``strict`` refuses these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exchange.stix import shapes, spec
from exchange.stix.constraints import broken_constraint
from exchange.stix.explain import explain
from exchange.stix.fault import (
    JSON_INVALID,
    STIX_ID_INVALID,
    STIX_INVALID,
    STIX_TYPE_UNKNOWN,
    STIX_VERSION_UNSUPPORTED,
    StixFault,
    shown,
)

_TYPE_NAME = re.compile(r"[a-z][a-z0-9-]{1,248}[a-z0-9]")
_CODES = {"id": STIX_ID_INVALID, "spec_version": STIX_VERSION_UNSUPPORTED}
_STRICT_NAME = re.compile(r"[a-z][a-z0-9_]{2,249}")
_NEW_KINDS = {
    "new-sdo": shapes.CUSTOM_DOMAIN,
    "new-sro": shapes.CUSTOM_DOMAIN,
    "new-sco": shapes.CUSTOM_OBSERVABLE,
}


def check(obj: Mapping[str, Any], strict: bool = False) -> StixFault | None:
    """The first fault of an object (a parsed JSON object) by STIX 2.1, or None when it may be stored.

    Whatever passes has a string ``id`` of the form type--UUID, and ``created`` and ``modified`` that are real
    times wherever they are present. Never raises.
    """
    if not isinstance(obj, dict):
        return StixFault(JSON_INVALID, "", f"A STIX object is a JSON object {{...}}; this is {shown(obj)}.")
    type_name = obj.get("type")
    if type(type_name) is not str:
        return _type_fault(type_name)
    kind = shapes.class_of(type_name)
    if kind is None:
        named = _kind_of_custom(obj, type_name, strict)
        if isinstance(named, StixFault):
            return named
        kind = named
        shape = shapes.shape("", kind, strict)
    else:
        shape = shapes.shape(type_name, kind, strict)
    try:
        if not shape.validator.is_valid(obj):
            return _schema_fault(shape, obj, type_name)
        if shape.type_name != type_name and obj["id"].rpartition("--")[0] != type_name:
            return StixFault(
                STIX_ID_INVALID,
                "id",
                f"Property id must be {type_name}-- followed by a UUID in lower case; "
                f"it is {shown(obj['id'])}.",
            )
    except (ValueError, TypeError, RecursionError) as error:  # what JSON can't hold
        return StixFault(JSON_INVALID, "", f"The object can't be written as JSON: {str(error)[:200]}.")
    return broken_constraint(obj, type_name, shape, strict) or (_custom_names(obj, shape) if strict else None)


def _type_fault(type_name: object) -> StixFault:
    if type_name is None:
        return StixFault(
            STIX_INVALID, "type", "Property type is missing. Every STIX object needs type and id."
        )
    return StixFault(
        STIX_TYPE_UNKNOWN,
        "type",
        f"Property type must be a STIX type in lower case such as indicator; it is {shown(type_name)}.",
    )


def _kind_of_custom(obj: Mapping[str, Any], type_name: str, strict: bool) -> str | StixFault:
    """The kind of a type outside of the specification, or why it can't be taken."""
    if not _TYPE_NAME.fullmatch(type_name):
        return _type_fault(type_name)
    if type_name == "bundle":
        return StixFault(
            STIX_TYPE_UNKNOWN,
            "type",
            "A bundle can't be an object of an envelope. "
            "Send the objects that it holds, one by one, in the envelope's list objects.",
        )
    kind = _declared_kind(obj) or _guessed_kind(obj, type_name)
    if kind is None or (strict and not type_name.startswith("x-") and _declared_kind(obj) is None):
        return StixFault(
            STIX_TYPE_UNKNOWN,
            "type",
            f"{shown(type_name)} is not a type of STIX 2.1. A custom type starts with x-, or its object "
            "carries an extension of type new-sdo, new-sro or new-sco"
            + (" (this collection is strict)." if strict else ", or has created and modified."),
        )
    return kind


def _declared_kind(obj: Mapping[str, Any]) -> str | None:
    extensions = obj.get("extensions")
    if isinstance(extensions, dict):
        for extension in extensions.values():
            declared = extension.get("extension_type") if isinstance(extension, dict) else None
            if isinstance(declared, str) and declared in _NEW_KINDS:
                return _NEW_KINDS[declared]
    return None


def _guessed_kind(obj: Mapping[str, Any], type_name: str) -> str | None:
    if "created" in obj or "modified" in obj:
        return shapes.CUSTOM_DOMAIN
    if type_name.startswith("x-") or type_name in spec.CUSTOM_OBSERVABLES:
        return shapes.CUSTOM_OBSERVABLE
    return None


def _schema_fault(shape: shapes.Shape, obj: Mapping[str, Any], type_name: str) -> StixFault:
    """The most telling schema error in words: of several, that of version and identity goes first."""
    error = explain(shape.validator, shape.schema, obj, ("spec_version", "id"))
    path = error.path
    if error.missing and path == "spec_version":
        return StixFault(
            STIX_VERSION_UNSUPPORTED,
            path,
            "Property spec_version is missing, so this is STIX 2.0. This exchange takes STIX 2.1: convert "
            'the object and set spec_version to "2.1".',
        )
    code = _CODES.get(path, STIX_INVALID)
    if error.missing:
        needed = "" if "." in path or "[" in path else f"; every {type_name} needs it"
        return StixFault(code, path, f"Property {path} is missing{needed}.")
    return StixFault(
        code, path, f"Property {path} {error.demand}." if path else f"The object {error.demand}."
    )


def _custom_names(obj: Mapping[str, Any], shape: shapes.Shape) -> StixFault | None:
    """Strict: a property that the type doesn't have needs an x_ name, or an extension that brings it."""
    extensions = obj.get("extensions")
    if isinstance(extensions, dict) and any(
        isinstance(one, dict) and str(one.get("extension_type")).startswith(("new-", "toplevel-"))
        for one in extensions.values()
    ):
        return None
    for name in obj:
        if name in shape.properties:
            continue
        if not (_STRICT_NAME.fullmatch(name) and (name.startswith("x_") or obj["type"].startswith("x-"))):
            return StixFault(
                STIX_INVALID,
                name[:200],
                f"Property {shown(name)} is not one of {obj['type']} in STIX 2.1. "
                "Custom properties start with x_ (this collection is strict).",
            )
    return None
