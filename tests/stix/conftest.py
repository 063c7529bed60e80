"""Objects that many tests of the STIX room start from, and the folder of real data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_UUID = "0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"

_REQUIRED: dict[str, dict[str, Any]] = {
    "attack-pattern": {"name": "n"},
    "campaign": {"name": "n"},
    "course-of-action": {"name": "n"},
    "grouping": {"context": "suspicious-activity", "object_refs": [f"indicator--{_UUID}"]},
    "identity": {"name": "n"},
    "incident": {"name": "n"},
    "indicator": {"pattern": "[domain-name:value = 'a.example']", "pattern_type": "stix",
                  "valid_from": "2026-01-01T00:00:00Z"},
    "infrastructure": {"name": "n"},
    "intrusion-set": {"name": "n"},
    "location": {"country": "FR"},
    "malware": {"is_family": False},
    "malware-analysis": {"product": "p", "result": "benign"},
    "note": {"content": "c", "object_refs": [f"campaign--{_UUID}"]},
    "observed-data": {"first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:00Z",
                      "number_observed": 1, "object_refs": [f"url--{_UUID}"]},
    "opinion": {"opinion": "agree", "object_refs": [f"campaign--{_UUID}"]},
    "report": {"name": "n", "published": "2026-01-01T00:00:00Z", "object_refs": [f"campaign--{_UUID}"]},
    "threat-actor": {"name": "n"},
    "tool": {"name": "n"},
    "vulnerability": {"name": "n"},
    "relationship": {"relationship_type": "uses", "source_ref": f"campaign--{_UUID}",
                     "target_ref": f"attack-pattern--{_UUID}"},
    "sighting": {"sighting_of_ref": f"indicator--{_UUID}"},
    "language-content": {"object_ref": f"campaign--{_UUID}", "contents": {"de": {"name": "n"}}},
    "extension-definition": {"name": "n", "schema": "s", "version": "1.0.0", "extension_types": ["property-extension"],
                             "created_by_ref": f"identity--{_UUID}"},
    "marking-definition": {"definition_type": "statement", "definition": {"statement": "s"}},
    "artifact": {"payload_bin": "VGVzdA=="},
    "autonomous-system": {"number": 1},
    "directory": {"path": "/"},
    "domain-name": {"value": "a.example"},
    "email-addr": {"value": "a@a.example"},
    "email-message": {"is_multipart": False},
    "file": {"name": "f"},
    "ipv4-addr": {"value": "198.51.100.1"},
    "ipv6-addr": {"value": "2001:db8::1"},
    "mac-addr": {"value": "d2:fb:49:24:37:18"},
    "mutex": {"name": "m"},
    "network-traffic": {"protocols": ["tcp"], "src_ref": f"ipv4-addr--{_UUID}"},
    "process": {"pid": 1},
    "software": {"name": "s"},
    "url": {"value": "https://a.example/"},
    "user-account": {"account_login": "jdoe"},
    "windows-registry-key": {"key": "k"},
    "x509-certificate": {"serial_number": "1"},
}
OBSERVABLES = frozenset(list(_REQUIRED)[list(_REQUIRED).index("artifact"):])

Make = Callable[..., dict[str, Any]]


def make_object(type_name: str, **changes: Any) -> dict[str, Any]:
    """The least valid object of a type with properties changed; a value of ``...`` takes the property away."""
    obj: dict[str, Any] = {"type": type_name, "spec_version": "2.1", "id": f"{type_name}--{_UUID}"}
    if type_name not in OBSERVABLES:
        obj["created"] = "2026-01-01T00:00:00.000Z"
        if type_name != "marking-definition":
            obj["modified"] = "2026-01-01T00:00:00.000Z"
    obj |= _REQUIRED.get(type_name, {})
    obj |= changes
    return {name: value for name, value in obj.items() if value is not ...}


@pytest.fixture
def make() -> Make:
    return make_object


@pytest.fixture(params=sorted(_REQUIRED))
def type_name(request: pytest.FixtureRequest) -> str:
    """Every type of STIX 2.1 in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the project; tests that need it are skipped, with a warning, where it isn't."""
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        warnings.warn("The folder ../shared/data is absent: no test on real data runs.", stacklevel=1)
        pytest.skip("the folder ../shared/data is absent")
    return folder
