"""A valid object made of another by leaving parts out, under an id of its own (P21, P20; STIX 2.1, 3.5).

What can't be left out without breaking the object, or can't be found in it, makes the answer None: deny.
Its id and its commitment hang on a secret of the exchange, so that nobody who guesses the original can check the guess.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.stix import personal, spec
from exchange.stix.extensions import REDACTION
from exchange.stix.validate import check

PROVIDER = "provider"
"""The part that stands for whatever names who gave the object."""
REFERENCES = "references"
_CONTENT = "*content"
_CATEGORY = re.compile(r"[A-Z][A-Za-z]*")
_POSITION = re.compile(r"\[([0-9]{1,9})\]")
_IDENTITY = frozenset(("type", "id", "spec_version", "created", "modified"))
_FIXED = frozenset(("marking-definition", "extension-definition", "language-content"))
"""Types whose whole content is what others rely on."""
_NAMES_PROVIDER = ("created_by_ref", "external_references", "authors")
_FREE_TEXT = frozenset((
    "description", "labels", "external_references", "extensions", "abstract", "explanation", "objective", "aliases",
))  # fmt: skip
"""Where a person may be named although the structure doesn't say so."""


@dataclass(frozen=True, slots=True)
class Original:
    """The object as it was sent, and what tells it from others: its collection's number, contributor and claim."""

    body: bytes
    collection: int
    contributor: int
    claim: int


@dataclass(frozen=True, slots=True)
class Derived:
    """The object made of another."""

    id: str
    body: bytes


def derive(original: Original, parts: Collection[str], hidden: Collection[str], secret: str) -> Derived | None:
    """The object without ``parts`` (selectors, categories, ``provider``) and the ``hidden`` references; None: deny.

    The same arguments always give the same id and body; ``created`` and ``modified`` stay. All versions of an
    object from which the same is left out have one id.
    """
    obj: dict[str, Any] = json.loads(original.body)
    if obj["type"] in _FIXED:
        return None
    named = sorted(set(parts))
    if not _leave_out(obj, named) or not _without(obj, hidden):
        return None
    kept = [ref for ref in obj.get("object_refs", ())] if hidden else []
    key = [original.collection, original.contributor, original.claim, obj["id"], named, sorted(kept)]
    stix_id = f"{obj['type']}--{uuid.uuid5(_namespace(secret), json.dumps(key, separators=(',', ':')))}"
    salt = hmac.digest(secret.encode(), json.dumps([*key[:4], obj.get("modified", "")]).encode(), "sha256")
    obj["id"] = stix_id
    obj["extensions"] = {**obj.get("extensions", {}), REDACTION: {
        "extension_type": "property-extension",
        "withheld": [*named, *([REFERENCES] if hidden else [])],
        "commitment": hashlib.sha256(salt + original.body).hexdigest(),
    }}
    if check(obj) is not None:
        return None
    return Derived(stix_id, json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode())


def _namespace(secret: str) -> uuid.UUID:
    return uuid.UUID(bytes=hmac.digest(secret.encode(), b"ids of derived objects", "sha256")[:16])


def _leave_out(obj: dict[str, Any], parts: Sequence[str]) -> bool:
    """Remove what the parts name; False where that can't be done."""
    whole = copy.deepcopy(obj)
    categories = [part for part in parts if _CATEGORY.fullmatch(part)]
    selectors = [part for part in parts if part not in categories and part != PROVIDER]
    if _CONTENT in selectors or any(selector.split(".")[0] in _IDENTITY for selector in selectors):
        return False
    removed = _remove(obj, selectors)
    _drop_bare_references(obj)
    if PROVIDER in parts:
        removed |= {name for name in _NAMES_PROVIDER if obj.pop(name, None) is not None}
        _drop_foreign_extensions(obj)
    if categories and not _leave_out_categories(obj, whole, frozenset(categories)):
        return False
    return _mend_granular(obj, removed, selectors)


def _remove(obj: dict[str, Any], selectors: Sequence[str]) -> set[str]:
    """Remove each selected place, later list items first so that positions hold; gives the names of lists touched."""
    touched: set[str] = set()
    for selector in sorted(set(selectors), key=_place, reverse=True):
        steps = selector.split(".")
        holders: list[tuple[Any, Any]] = []
        place: Any = obj
        for step in steps:
            position = _POSITION.fullmatch(step)
            key: Any = int(position[1]) if position and isinstance(place, list) else step
            try:
                inner = place[key]
            except (KeyError, IndexError, TypeError):
                break  # it went with something larger
            holders.append((place, key))
            place = inner
        else:
            touched.add(steps[0])
            for holder, key in reversed(holders):  # what is left empty goes too
                del holder[key]
                if holder:
                    break
    return touched


def _place(selector: str) -> list[tuple[int, str]]:
    """Sorts positions as numbers."""
    return [(int(found[1]), "") if (found := _POSITION.fullmatch(step)) else (-1, step) for step in selector.split(".")]


def _leave_out_categories(obj: dict[str, Any], whole: Mapping[str, Any], wanted: frozenset[str]) -> bool:
    """Remove the properties that hold the kinds of personal data, and free text beside them.

    False where a kind was declared and the structure doesn't say where it is, in an object that may hold it.
    """
    if personal.status(whole) != "no" and not wanted & personal.categories(whole):
        return False
    for name in [*personal.holders(whole, wanted), *_FREE_TEXT, *_unknown(whole)]:
        obj.pop(name, None)
    return not wanted & personal.categories(obj)


def _unknown(obj: Mapping[str, Any]) -> list[str]:
    """Properties that STIX doesn't define for the type."""
    kind = obj["type"]
    known = spec.properties_of(kind)
    return [name for name in obj if name not in known] if known else []


def _drop_bare_references(obj: dict[str, Any]) -> None:
    """An external reference says more than whose it is (STIX 2.1, 2.5.2)."""
    given = obj.pop("external_references", None)
    if isinstance(given, list):
        kept = [one for one in given if {"description", "url", "external_id"} & one.keys()]
        if kept:
            obj["external_references"] = kept


def _drop_foreign_extensions(obj: dict[str, Any]) -> None:
    """Extensions may name the provider in words that we don't know; those that declare a type must stay."""
    extensions = obj.get("extensions")
    if not isinstance(extensions, dict):
        return
    kept = {name: value for name, value in extensions.items()
            if isinstance(value, dict) and str(value.get("extension_type", "")).startswith("new-")}
    obj.pop("extensions")
    if kept:
        obj["extensions"] = kept


def _without(obj: dict[str, Any], hidden: Collection[str]) -> bool:
    """Remove references from ``object_refs``; False where nothing would remain."""
    if not hidden:
        return True
    given = obj.get("object_refs")
    if not isinstance(given, list):
        return False
    left = [ref for ref in given if ref not in hidden]
    obj["object_refs"] = left
    return bool(left) and (len(left) == len(given) or _mend_granular(obj, {"object_refs"}, ()))


def _mend_granular(obj: dict[str, Any], touched: Collection[str], selectors: Sequence[str]) -> bool:
    """Granular markings of what is gone go too; False where one speaks of a place in a list whose items moved."""
    markings = obj.get("granular_markings")
    if not isinstance(markings, list):
        return True
    mended = []
    for marking in markings:
        left = [s for s in marking.get("selectors", ()) if s not in selectors and s.split(".")[0] in obj]
        if any("." in s and s.split(".")[0] in touched for s in left):
            return False
        if left:
            mended.append({**marking, "selectors": left})
    obj.pop("granular_markings")
    if mended:
        obj["granular_markings"] = mended
    return True
