"""Made-up STIX objects for tests: small, valid, and different from each other by a number or a word."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from exchange.stix.extensions import HANDLING

Object = dict[str, Any]
SCO_NAMESPACE = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Namespace of deterministic ids of observables (STIX 2.1, 2.9)."""
TLP = {
    "CLEAR": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "AMBER+STRICT": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
IEP = "extension-definition--762e2e97-ee51-43e5-a9ea-165fbb862c4a"
DAY = "2026-01-15T08:00:00.000Z"


def fixed_id(type_name: str, word: object) -> str:
    """The same id for the same word, in every run."""
    return f"{type_name}--{_version_4(uuid5(NAMESPACE_URL, f'test:{type_name}:{word}'))}"


def _version_4(value: UUID) -> UUID:
    return UUID(int=value.int & ~(0xF << 76) | (4 << 76))


def indicator(word: object = None, modified: str = DAY, created: str = DAY, **more: Any) -> Object:
    """An indicator of one made-up domain; without a word, a new one each time."""
    named = uuid4().hex if word is None else word
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": fixed_id("indicator", named),
        "created": created,
        "modified": modified,
        "name": f"Indicator {named}",
        "indicator_types": ["malicious-activity"],
        "pattern_type": "stix",
        "valid_from": DAY,
        "pattern": "[domain-name:value = 'network.example']",
        **more,
    }


def campaign(word: object, modified: str = DAY, **more: Any) -> Object:
    """A campaign."""
    return {
        "type": "campaign",
        "spec_version": "2.1",
        "id": fixed_id("campaign", word),
        "created": DAY,
        "modified": modified,
        "name": f"Campaign {word}",
        **more,
    }


def domain(value: str, **more: Any) -> Object:
    """A domain-name observable with its deterministic id."""
    identity = uuid5(SCO_NAMESPACE, f'{{"value":"{value}"}}')
    return {
        "type": "domain-name",
        "spec_version": "2.1",
        "id": f"domain-name--{identity}",
        "value": value,
        **more,
    }


def handling(word: object, **terms: Any) -> Object:
    """A marking-definition with the exchange's own handling extension."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": fixed_id("marking-definition", word),
        "created": DAY,
        "extensions": {HANDLING: {"extension_type": "property-extension", **terms}},
    }


def iep(word: object, **terms: Any) -> Object:
    """A marking-definition with a FIRST IEP 2.0 policy."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": fixed_id("marking-definition", word),
        "created": DAY,
        "extensions": {
            IEP: {
                "extension_type": "property-extension",
                "name": f"IEP {word}",
                "iep_version": "2.0",
                **terms,
            }
        },
    }
