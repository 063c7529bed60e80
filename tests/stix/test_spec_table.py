"""Our table of STIX 2.1 has the types and properties that stix2 has, and real data passes by it."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from stix2.registry import STIX2_OBJ_MAPS

from exchange.stix import spec
from exchange.stix.validate import check

_STIX2: dict[str, Any] = {
    **{name: cls for name, cls in STIX2_OBJ_MAPS["2.1"]["objects"].items() if name != "bundle"},
    **STIX2_OBJ_MAPS["2.1"]["observables"],
}
_OURS = spec.DOMAIN | spec.RELATIONS | spec.META | spec.OBSERVABLES


def test_the_types_are_those_of_stix2() -> None:
    custom = {name for name in _STIX2 if name.startswith("x-")}
    assert set(_STIX2) - custom == set(_OURS)


@pytest.mark.parametrize("type_name", sorted(_OURS))
def test_the_properties_of_each_type_are_those_of_stix2(type_name: str) -> None:
    common = spec.COMMON_SCO if type_name in spec.OBSERVABLES else spec.COMMON
    theirs = set(_STIX2[type_name]._properties)
    ours = set(_OURS[type_name]) | set(common)
    if type_name in spec.OBSERVABLES:
        ours -= {"created", "modified"}
    if type_name == "marking-definition":
        ours -= {"modified", "revoked", "labels", "confidence", "lang"}
    if type_name == "extension-definition":
        ours -= {"confidence", "lang", "extensions"}
    if type_name == "language-content":
        ours -= {"lang"}
    assert theirs == ours


_FILES = ["viginum", "disarm", "worlds"]


@pytest.mark.parametrize("folder", _FILES)
def test_every_real_object_is_accepted_or_refused_with_a_fault(shared_data: Path, folder: str) -> None:
    files = [path for path in sorted((shared_data / folder).rglob("*.json")) if path.name != "meta.json"]
    assert files
    for path in files:
        objects = json.loads(path.read_bytes())["objects"]
        for strict in (False, True):
            verdicts = Counter(
                "accepted" if fault is None else f"{fault.code} {fault.property}"
                for fault in (check(obj, strict) for obj in objects)
            )
            assert len(objects) == verdicts.total()
            if not strict:
                assert {"accepted": len(objects)} == dict(verdicts), path.name
            elif folder == "viginum":
                warnings.warn(f"strict on {path.name[:40]}: {dict(verdicts)}", stacklevel=1)
                assert verdicts["stix-invalid stop_time"] > 500
