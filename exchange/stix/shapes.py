"""From the table of types to JSON Schemas: one compiled validator per type and strictness, built on demand.

The schemas run in Rust with a regex engine that never backtracks. Each carries a ``title`` that says in words
what is expected, from which ``validate`` writes its sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from jsonschema_rs import Draft202012Validator

from exchange.stix import spec
from exchange.stix.explain import Schema, compiled
from exchange.stix.vocabulary import ENUMERATIONS, VOCABULARIES

DOMAIN, RELATION, META, OBSERVABLE, CUSTOM_DOMAIN, CUSTOM_OBSERVABLE = (
    "domain",
    "relation",
    "meta",
    "observable",
    "custom-domain",
    "custom-observable",
)

_HEX8 = "[0-9a-f]{8}"
_HEX4 = "[0-9a-f]{4}"
_UUID = f"{_HEX8}-{_HEX4}-{_HEX4}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}"
_UUID_STRICT = f"{_HEX8}-{_HEX4}-[1-8][0-9a-f]{{3}}-[89ab][0-9a-f]{{3}}-[0-9a-f]{{12}}"
_TYPE_NAME = "[a-z][a-z0-9-]{1,248}[a-z0-9]"
_TIME = (
    "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)"
    r"(\.[0-9]+)?Z$"
)
_SELECTOR = r"^[A-Za-z0-9_-]+(\.(\[[0-9]{1,9}\]|[A-Za-z0-9_-]+))*$"
_SAFE = 2**53 - 1

_HASH_FORMS = {
    "MD5": "^[0-9a-fA-F]{32}$",
    "SHA-1": "^[0-9a-fA-F]{40}$",
    "SHA-256": "^[0-9a-fA-F]{64}$",
    "SHA-512": "^[0-9a-fA-F]{128}$",
    "SHA3-256": "^[0-9a-fA-F]{64}$",
    "SHA3-512": "^[0-9a-fA-F]{128}$",
}


def _whole(low: int, high: int) -> Schema:
    return {
        "type": "integer",
        "minimum": low,
        "maximum": high,
        "title": f"a whole number from {low} to {high}",
    }


def _text(title: str, pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern, "title": title}


def _dictionary(values: Schema) -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": values,
        "propertyNames": {
            "pattern": "^[a-zA-Z0-9_-]{1,250}$",
            "title": "made of keys of 1 to 250 letters, digits, - and _",
        },
        "title": "an object with at least one member",
    }


_PLAIN: dict[str, Schema] = {
    "string": {"type": "string", "title": "a string"},
    "bool": {"type": "boolean", "title": "true or false"},
    "int": _whole(-_SAFE, _SAFE),
    "count": _whole(0, _SAFE),
    "port": _whole(0, 65_535),
    "percent": _whole(0, 100),
    "observations": _whole(1, 999_999_999),
    "sightings": _whole(0, 999_999_999),
    "float": {"type": "number", "title": "a number"},
    "latitude": {"type": "number", "minimum": -90, "maximum": 90, "title": "a number from -90 to 90"},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180, "title": "a number from -180 to 180"},
    "timestamp": _text("a UTC timestamp such as 2026-01-31T12:00:00.000Z", _TIME),
    "hex": _text("an even number of hexadecimal digits", "^([0-9a-fA-F]{2})*$"),
    "binary": _text("base64 text", "^[A-Za-z0-9+/]*={0,2}$"),
    "mac": _text("a MAC address in lower case such as d2:fb:49:24:37:18", "^([0-9a-f]{2}:){5}[0-9a-f]{2}$"),
    "selector": _text("a selector such as description or labels.[0]", _SELECTOR),
    "relation": _text("lower-case letters, digits and hyphens", "^[a-z0-9-]{1,250}$"),
    "object": {"type": "object", "minProperties": 1, "title": "an object with at least one member"},
    "dict": _dictionary({}),
    "words": {"type": "array", "items": {"type": "string", "title": "a string"}, "title": "a list of strings"},
}
_RELATION_LOOSE = _text("a word without blanks", r"^[^\s]{1,250}$")


@dataclass(frozen=True)
class Shape:
    """What is known of a type: its class, the JSON Schema, compiled validator and where its times stand."""

    type_name: str
    """Empty: any custom type of this kind."""
    kind: str
    schema: Schema
    validator: Draft202012Validator
    times: tuple[str, ...]
    """Names of the top-level properties that hold a timestamp."""
    properties: frozenset[str]
    """Names that the specification defines for the type."""


def class_of(type_name: str) -> str | None:
    """``domain``, ``relation``, ``meta`` or ``observable`` for a type of STIX 2.1; None for others."""
    return _CLASSES.get(type_name)


@cache
def shape(type_name: str, kind: str, strict: bool) -> Shape:
    """The compiled shape of a type of the specification, or (empty name) of all custom types of a kind.

    Custom types share a shape, so that nobody can fill the cache with names.
    """
    properties = _properties(type_name, kind)
    schema: Schema = {
        "type": "object",
        "required": sorted(
            {name for name, text in properties.items() if text.endswith("!")}
            | _demanded(type_name, kind, strict)
        ),
        "properties": {name: _schema(text.rstrip("!"), strict) for name, text in properties.items()},
    }
    if kind in (OBSERVABLE, CUSTOM_OBSERVABLE):
        schema["properties"] |= {name: _schema(text, strict) for name, text in spec.FOREIGN_TO_SCO.items()}
    schema["properties"] |= _identity(type_name, kind, strict)
    times = tuple(name for name, text in properties.items() if text.rstrip("!") == "timestamp")
    return Shape(type_name, kind, schema, compiled(schema), times, frozenset(properties))


def _properties(type_name: str, kind: str) -> Mapping[str, str]:
    if kind in (CUSTOM_OBSERVABLE, OBSERVABLE):
        return spec.COMMON_SCO | spec.OBSERVABLES.get(type_name, {})
    own = spec.DOMAIN | spec.RELATIONS | spec.META
    return spec.COMMON | own.get(type_name, {})


def _demanded(type_name: str, kind: str, strict: bool) -> set[str]:
    """Required properties beyond those marked in the table."""
    if kind in (OBSERVABLE, CUSTOM_OBSERVABLE):
        return {"spec_version"} if strict else set()
    demanded = {"spec_version", "created"}
    if type_name != "marking-definition":
        demanded.add("modified")
    if strict and type_name == "grouping":
        demanded.add("object_refs")
    return demanded


def _identity(type_name: str, kind: str, strict: bool) -> dict[str, Schema]:
    uuid = _UUID_STRICT if strict else _UUID
    version = {"spec_version": {"const": "2.1", "title": '"2.1": this exchange takes STIX 2.1'}}
    if not type_name:
        return version | {"id": _reference("*", strict)}
    return version | {
        "id": _text(f"{type_name}-- followed by a UUID in lower case", f"^{type_name}--{uuid}$"),
    }


def _schema(kind: str, strict: bool) -> Schema:
    word, _, rest = kind.partition(" ")
    if word == "list":
        return {
            "type": "array",
            "minItems": 1,
            "items": _schema(rest, strict),
            "title": "a list with at least one entry; leave an empty list out",
        }
    if word == "ref":
        return _reference(rest, strict)
    if word == "vocab":
        return _vocabulary(rest, strict)
    if word == "enum":
        words = sorted(ENUMERATIONS[rest])
        return {"enum": words, "title": "one of " + ", ".join(words)}
    if word == "in":
        return _embedded(rest, strict)
    if word == "hashes":
        return _hashes(strict)
    if word == "extensions":
        return _extensions(strict)
    if word == "relation" and not strict:
        return _RELATION_LOOSE
    return _PLAIN[word]


def _reference(types: str, strict: bool) -> Schema:
    uuid = _UUID_STRICT if strict else _UUID
    if types == "*":
        return _text("a STIX identifier such as indicator--UUID", f"^{_TYPE_NAME}--{uuid}$")
    return _text("an identifier of type " + types.replace("|", " or "), f"^({types})--{uuid}$")


def _vocabulary(name: str, strict: bool) -> Schema:
    if not strict:
        return {"type": "string", "title": f"a word of the vocabulary {name}-ov"}
    words = sorted(VOCABULARIES[name])
    return {"enum": words, "title": f"a word of the vocabulary {name}-ov: " + ", ".join(words)}


def _embedded(name: str, strict: bool) -> Schema:
    members = spec.EMBEDDED[name]
    schema: Schema = {
        "type": "object",
        "required": [member for member, text in members.items() if text.endswith("!")],
        "properties": {member: _schema(text.rstrip("!"), strict) for member, text in members.items()},
        "title": f"an object of kind {name}",
    }
    if not schema["required"]:
        schema["minProperties"] = 1
    if name == "external-reference" and strict:
        schema["anyOf"] = [{"required": [member]} for member in ("description", "url", "external_id")]
        schema["title"] = "an external reference with description, url or external_id"
    if name == "granular-marking":
        schema["oneOf"] = [{"required": ["lang"]}, {"required": ["marking_ref"]}]
        schema["title"] = "a granular marking with selectors and either marking_ref or lang"
    return schema


def _hashes(strict: bool) -> Schema:
    schema = _dictionary({"type": "string", "title": "a string"})
    schema["properties"] = {
        name: _text(f"a {name} digest in hexadecimal", form) for name, form in _HASH_FORMS.items()
    }
    if strict:
        schema["propertyNames"] = {
            "enum": sorted(VOCABULARIES["hash-algorithm"]),
            "title": "made of names of the vocabulary hash-algorithm-ov",
        }
    return schema


def _extensions(strict: bool) -> Schema:
    uuid = _UUID_STRICT if strict else _UUID
    loose = f"extension-definition--{uuid}|[a-z][a-z0-9-]{{1,249}}"
    exact = f"extension-definition--{uuid}|[a-z][a-z0-9-]{{1,245}}-ext"
    return {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {
            "pattern": f"^({exact if strict else loose})$",
            "not": {
                "pattern": "^extension-definition-",
                "not": {"pattern": f"^extension-definition--{uuid}$"},
            },
            "title": "made of extension-definition--UUID keys or names of predefined extensions",
        },
        "additionalProperties": {
            "type": "object",
            "minProperties": 1,
            "title": "an object with at least one member",
            "properties": {"extension_type": _schema("enum extension-type", strict)},
        },
        "title": "an object with at least one extension",
    }


_CLASSES = {
    **dict.fromkeys(spec.DOMAIN, DOMAIN),
    **dict.fromkeys(spec.RELATIONS, RELATION),
    **dict.fromkeys(spec.META, META),
    **dict.fromkeys(spec.OBSERVABLES, OBSERVABLE),
}
