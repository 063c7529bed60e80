"""P1 and P2: every object has an effective TLP, and granular markings withhold the parts they cover."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy import tlp
from exchange.policy.case import Case, Party
from exchange.policy.rule import ADMISSION, EVERY, Finding, Rule, withhold
from exchange.policy.rules.release import level_finding

_SELECTOR = re.compile(r"[a-z0-9_-]{1,250}(\.(\[[0-9]{1,9}\]|[A-Za-z0-9_-]{1,250})){0,20}")


def _effective_level(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if subject.unresolved:
        yield Finding(
            "marking-missing",
            f"markings that can't be resolved: {', '.join(subject.unresolved)}",
            "every marking known, so that none is overlooked",
        )
    elif subject.level is None:
        yield Finding(
            "marking-missing",
            "no TLP on the object and no default of its collection",
            "a TLP level on the object, or a default published by the collection",
        )


def _labels(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if subject.invalid_labels:
        yield Finding(
            "marking-invalid",
            ", ".join(map(repr, subject.invalid_labels)),
            "TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED; in TLP 1 and IEP words "
            "WHITE, GREEN, AMBER or RED",
        )
    for part in subject.granular:
        label = part.get("tlp")
        if label is not None and tlp.read_level(label, tlp.EITHER) is None:
            yield Finding(
                "marking-invalid",
                f"granular marking of {part['selector']}: {label!r}",
                "a TLP level of the standard",
            )


def _restricts(part: Mapping[str, Any]) -> bool:
    return part.get("tlp") is not None or part.get("groups") is not None


def _selectors(case: Case) -> Iterator[Finding]:
    """A selector that selects nothing can't be honoured: refused on push, and on release nothing leaves."""
    fields = case.subject.facts.get("fields")
    for part in case.subject.granular:
        selector = part["selector"]
        if case.action not in ADMISSION and (case.own or not _restricts(part)):
            continue
        if not _SELECTOR.fullmatch(selector) or (fields is not None and selector.split(".")[0] not in fields):
            yield Finding(
                "granular-selector-invalid",
                f"selector {selector!r}",
                "a selector of a property that the object has",
            )


def _hidden_from(case: Case, reader: Party, part: Mapping[str, Any]) -> bool:
    if reader.org == case.subject.owner and not case.public:
        return False
    groups = part.get("groups")
    if groups is not None and reader.groups.isdisjoint(groups):
        return True
    label = part.get("tlp")
    if label is None:
        return False
    level = tlp.read_level(str(label), tlp.EITHER)
    if level is None or case.subject.level is None:
        return True
    level = max(level, case.subject.level)
    if level == case.subject.level:
        return False
    over = (reader.clearance_stated or reader is case.actor) and (reader.clearance is None or reader.clearance < level)
    return over or level_finding(case, reader, level) is not None


def _granular(case: Case) -> Iterator[Finding]:
    for part in case.subject.granular:
        if not any(_hidden_from(case, reader, part) for reader in case.readers):
            continue
        selector = part["selector"]
        found = f"{selector} is marked {part.get('tlp') or 'for ' + ', '.join(part.get('groups') or ['nobody'])}"
        needed = "a reader whom the marking of this part admits"
        yield from withhold(case, "granular-marking", found, needed, (selector,))


def _downgrade(case: Case) -> Iterator[Finding]:
    """Who passes on what another gave keeps its label, unless that source permits a wider one."""
    source = case.subject.facts.get("derived_from")
    if not source or source.get("source_org") == case.subject.owner:
        return
    label = source.get("tlp")
    known = tlp.read_level(label, tlp.EITHER) if label else None
    level = tlp.RED if known is None else known
    permission = source.get("permission_ref") or case.request.get("source_permission")
    if case.subject.level is not None and case.subject.level < level and not permission:
        yield Finding(
            "tlp-downgrade-without-permission",
            f"{tlp.NAMES[case.subject.level]}, made of {label or 'unlabelled information'}",
            "a label as strict as the source's, or a reference to its permission",
        )


_TLP = "FIRST TLP 2.0; STIX 2.1, 7.2"
RULES = (
    Rule(
        "P2",
        "Every object has an effective TLP",
        "FIRST TLP 2.0, 1; STIX 2.1, 7.2.1",
        "admission",
        EVERY,
        ("object.markings",),
        _effective_level,
        ("marking-missing",),
    ),
    Rule(
        "P1",
        "Labels are those of the standards",
        _TLP,
        "admission",
        EVERY,
        ("object.markings",),
        _labels,
        ("marking-invalid",),
    ),
    Rule(
        "P1",
        "A granular marking selects something",
        "STIX 2.1, 7.2.3",
        "admission",
        EVERY,
        ("object.markings.granular", "object.fields"),
        _selectors,
        ("granular-selector-invalid",),
    ),
    Rule(
        "P1",
        "A derived object is labelled as strictly as its source",
        "FIRST TLP 2.0, 3d",
        "admission",
        ADMISSION,
        ("object.derived_from", "object.markings", "request.source_permission"),
        _downgrade,
        ("tlp-downgrade-without-permission",),
    ),
    Rule(
        "P1",
        "Granular markings tighten",
        "STIX 2.1, 7.2.3",
        "release",
        frozenset({"pull", "reshare", "publish"}),
        ("object.markings.granular", "object.required_fields", "actor", "request.onward"),
        _granular,
        ("granular-marking", "required-field-withheld"),
    ),
)
