"""What is mended in other people's STIX before it is pushed, and how that is told.

Each repair is one small function in ``REPAIRS``: it changes a copy of the object in place and returns a
sentence, or an empty string when there was nothing to mend. A repair keeps the object's id and versions: what
it changes is the spelling of a statement that can't be meant otherwise, or something that says nothing, so it
is no republishing of changed content in the sense of STIX 2.1, section 3.5. What was dropped is told by its
sentence. Whatever needs a judgement is not mended: the object goes to quarantine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Any

from exchange.stix.tlp import OPENCTI_AMBER_STRICT, TLP1_IDS, TLP2_EXTENSION

Item = dict[str, Any]

_ZERO_OFFSET = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)[+-]00:00")
_MIN_ATTACHMENT = 4_096
"""Characters of base64 from which on a property is a file and not a value."""
_BASE64 = re.compile(r"(?:data:[^,]{0,200};base64,)?([A-Za-z0-9+/_\-\r\n]+={0,2}\s*)")
_LABELS_OF_2_0 = {
    "indicator": "indicator_types",
    "malware": "malware_types",
    "report": "report_types",
    "threat-actor": "threat_actor_types",
    "tool": "tool_types",
}


def mend(item: Item) -> tuple[Item, str]:
    """The object as it can be pushed, and what was done to it in sentences (empty: nothing)."""
    mended = dict(item)
    notes = [note for repair in REPAIRS if (note := repair(mended))]
    return (mended, " ".join(notes)) if notes else (item, "")


def drop_empty(item: Item) -> str:
    """Nulls and empty lists or objects say nothing, and STIX 2.1, 2.9 and 3.1, forbids them."""
    empty = [name for name, value in item.items() if value is None or value in ([], {})]
    for name in empty:
        del item[name]
    return f"Empty properties left out: {', '.join(sorted(empty))}." if empty else ""


def upgrade(item: Item) -> str:
    """STIX 2.0 has no spec_version on its objects: 2.1 adds it and a few words that 2.0 implied.

    The observables inside a 2.0 observed-data stay there: 2.1 still permits ``objects``.
    """
    if item.get("spec_version", "2.0") != "2.0" or "created" not in item:
        return ""
    item["spec_version"] = "2.1"
    added = []
    kind = item.get("type")
    types = _LABELS_OF_2_0.get(str(kind))
    if types and types not in item and isinstance(item.get("labels"), list):
        item[types] = list(item["labels"])
        added.append(f"{types} taken from labels")
    if kind == "indicator" and "pattern_type" not in item:
        item["pattern_type"] = "stix"
        added.append("pattern_type set to stix")
    if kind == "malware" and "is_family" not in item:
        item["is_family"] = False
        added.append("is_family set to false, which STIX 2.0 doesn't say")
    return "STIX 2.0 written as 2.1: " + "; ".join(["spec_version set", *added]) + "."


def utc_times(item: Item) -> str:
    """A zero offset is UTC, which STIX 2.1, 3.2 (timestamp), writes as Z."""
    changed = []
    for name, value in item.items():
        match = _ZERO_OFFSET.fullmatch(value) if isinstance(value, str) and len(value) < 64 else None
        if match:
            item[name] = match[1] + "Z"
            changed.append(name)
    return f"Times with a zero offset written with Z: {', '.join(sorted(changed))}." if changed else ""


def marking(item: Item) -> str:
    """The TLP objects have one fixed content each, and no marking has versions (STIX 2.1, 7.2).

    OpenCTI writes TLP:CLEAR under the id of WHITE, which is the same level, gives AMBER+STRICT, which TLP 1
    doesn't have, an id of its own, and puts ``modified`` on markings.
    """
    if item.get("type") != "marking-definition":
        return ""
    notes = []
    if "modified" in item:
        notes.append(f"modified ({item.pop('modified')}) left out: a marking has no versions.")
    definition = item.get("definition")
    level = definition.get("tlp") if isinstance(definition, dict) else None
    word = level.lower() if isinstance(level, str) else ""
    if word == "clear" and TLP1_IDS.get(str(item.get("id"))) == "TLP:WHITE":
        item.update(name="TLP:WHITE", definition={"tlp": "white"})
        notes.append("TLP:CLEAR under the id of TLP:WHITE written as TLP:WHITE, which means the same.")
    elif item.get("id") == OPENCTI_AMBER_STRICT and "amber+strict" in {word, _octi_level(item)}:
        del item["definition"]
        item.pop("definition_type", None)
        item["extensions"] = {TLP2_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": "amber+strict"}}
        notes.append("OpenCTI's marking TLP:AMBER+STRICT written with the extension of TLP 2.0.")
    return " ".join(notes)


def _octi_level(item: Item) -> str:
    """The level of OpenCTI's AMBER+STRICT, which it writes as a statement ``custom`` with the level beside it."""
    if item.get("definition_type") != "statement" or item.get("definition") != {"statement": "custom"}:
        return ""
    stated = item.get("x_opencti_definition") or item.get("name")
    return stated.lower().removeprefix("tlp:") if isinstance(stated, str) else ""


def stop_time(item: Item) -> str:
    """A relationship's stop_time must be later than its start_time (STIX 2.1, 5.1.1)."""
    if item.get("type") != "relationship" or "start_time" not in item:
        return ""
    if item.get("stop_time") != item["start_time"]:
        return ""
    dropped = item.pop("stop_time")
    return f"stop_time {dropped} left out: it equals start_time and must be later."


def attachments(item: Item) -> str:
    """Files in base64 stay out (artifacts apart); their digest is told, so that they can be asked for."""
    if item.get("type") == "artifact":
        return ""
    notes: list[str] = []
    for name, value in list(item.items()):
        if isinstance(value, str) or name.startswith("x_") or name == "extensions":
            item[name] = _without_files(value, name, notes)
    return " ".join(notes)


def _without_files(value: Any, path: str, notes: list[str]) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, inner in value.items():
            size = _file_digest(inner)
            if size:
                label = value.get("name")
                named = f" {label!r}" if isinstance(label, str) else ""
                notes.append(f"The file{named} in {path}.{key} left out ({size}).")
            else:
                kept[key] = _without_files(inner, f"{path}.{key}", notes)
        return kept
    if isinstance(value, list):
        return [_without_files(inner, f"{path}[{index}]", notes) for index, inner in enumerate(value)]
    size = _file_digest(value)
    if size:
        notes.append(f"The file in {path} left out ({size}).")
        return "(a file was left out)"
    return value


def _file_digest(value: Any) -> str:
    """Size and SHA-256 when the value is a file in base64, else empty."""
    if not isinstance(value, str) or len(value) < _MIN_ATTACHMENT:
        return ""
    match = _BASE64.fullmatch(value)
    if match is None:
        return ""
    text = "".join(match[1].split()).replace("-", "+").replace("_", "/")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return ""
    return f"{len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}"


REPAIRS: tuple[Callable[[Item], str], ...] = (drop_empty, upgrade, utc_times, marking, stop_time, attachments)
"""In the order in which they are tried."""

