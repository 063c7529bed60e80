"""What STIX 2.1 demands between properties: orders in time, one-of rules, dates that exist, fixed TLP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from exchange.stix import tlp
from exchange.stix.extensions import extension_fault
from exchange.stix.fault import MARKING_INVALID, PATTERN_INVALID, STIX_INVALID, StixFault, shown
from exchange.stix.pattern import parse as parse_pattern
from exchange.stix.pattern.parser import single_equality
from exchange.stix.shapes import Shape
from exchange.stix.timestamp import is_real_date, version_key

Obj = Mapping[str, Any]
Rule = Callable[[Obj, bool], StixFault | None]

_MAX_FRACTION_TEXT = 1_021  # a timestamp with 1,000 fraction digits


def broken_constraint(obj: Obj, type_name: str, shape: Shape, strict: bool) -> StixFault | None:
    """The first demand that an object of the right shape doesn't meet, or None."""
    for name in shape.times:
        value = obj.get(name)
        if value is not None and (fault := _date_fault(name, value)):
            return fault
    if "modified" in obj and (fault := _ordered(obj, "created", "modified", equal=True)):
        return fault
    rule = _RULES.get(type_name)
    if rule is not None and (fault := rule(obj, strict)):
        return fault
    return extension_fault(obj) if "extensions" in obj else None


def _date_fault(name: str, text: str) -> StixFault | None:
    # Ranges of month, hour and minute stand in the schema's pattern; what is left is looked at here.
    if text[8:10] <= "28" and text[17] < "6" and text[:4] != "0000" and len(text) <= _MAX_FRACTION_TEXT:
        return None
    if len(text) > _MAX_FRACTION_TEXT:
        return StixFault(STIX_INVALID, name, f"Property {name} has more than 1,000 fraction digits.")
    if is_real_date(text):
        return None
    return StixFault(
        STIX_INVALID, name, f"Property {name} is {shown(text)}, a date or time that doesn't exist (or a leap second)."
    )


def _ordered(obj: Obj, first: str, last: str, *, equal: bool) -> StixFault | None:
    """Fault when both times are given and ``last`` is before ``first`` (or equal, unless allowed)."""
    before, after = obj.get(first), obj.get(last)
    if before is None or after is None:
        return None
    if before == after:
        fine = equal
    elif len(before) == len(after):
        fine = before < after
    else:
        earlier, later = version_key(before), version_key(after)
        fine = earlier < later or (equal and earlier == later)
    if fine:
        return None
    demand = "must not be before" if equal else "must be later than"
    return StixFault(STIX_INVALID, last, f"Property {last} ({after[:40]}) {demand} {first} ({before[:40]}).")


def _seen(obj: Obj, strict: bool) -> StixFault | None:
    return _ordered(obj, "first_seen", "last_seen", equal=True)


def _indicator(obj: Obj, strict: bool) -> StixFault | None:
    if fault := _ordered(obj, "valid_from", "valid_until", equal=False):
        return fault
    if obj["pattern_type"] == "stix":
        if single_equality(obj["pattern"]) is not None:
            return None
        try:
            parse_pattern(obj["pattern"])
        except StixFault as fault:
            return fault
    elif not obj["pattern"].strip():
        return StixFault(PATTERN_INVALID, "pattern", "Property pattern is empty. Write the rule into it.")
    return None


def _relationship(obj: Obj, strict: bool) -> StixFault | None:
    if strict:
        for name in ("source_ref", "target_ref"):
            if obj[name].partition("--")[0] in _NOT_RELATED:
                return StixFault(
                    STIX_INVALID,
                    name,
                    f"Property {name} must name a domain object or an observable; it is {shown(obj[name])}.",
                )
    return _ordered(obj, "start_time", "stop_time", equal=not strict)


_NOT_RELATED = frozenset(
    ("bundle", "language-content", "marking-definition", "relationship", "sighting", "extension-definition")
)


def _observed_data(obj: Obj, strict: bool) -> StixFault | None:
    if ("objects" in obj) == ("object_refs" in obj):
        return StixFault(
            STIX_INVALID,
            "object_refs",
            "An observed-data has either object_refs or objects: give exactly one of the two.",
        )
    return _ordered(obj, "first_observed", "last_observed", equal=True)


def _location(obj: Obj, strict: bool) -> StixFault | None:
    placed = "latitude" in obj
    if placed != ("longitude" in obj):
        return StixFault(
            STIX_INVALID, "latitude", "Properties latitude and longitude go together: give both or none."
        )
    if "precision" in obj and not placed:
        return StixFault(STIX_INVALID, "precision", "Property precision needs latitude and longitude.")
    if strict and not placed and "region" not in obj and "country" not in obj:
        return StixFault(
            STIX_INVALID, "country", "A location needs region, country, or latitude and longitude."
        )
    return None


def _malware(obj: Obj, strict: bool) -> StixFault | None:
    if obj["is_family"] and "name" not in obj:
        return StixFault(STIX_INVALID, "name", "Property name is missing; a malware family needs it.")
    return _seen(obj, strict)


def _one_of(*names: str) -> Rule:
    def rule(obj: Obj, strict: bool) -> StixFault | None:
        """A fault where the object has none of the properties."""
        if any(name in obj for name in names):
            return None
        wanted = f"one of {', '.join(names)}" if len(names) < 6 else f"one property of its own, such as {names[0]}"
        return StixFault(STIX_INVALID, names[0], f"Objects of type {obj['type']} need at least {wanted}.")

    return rule


def _artifact(obj: Obj, strict: bool) -> StixFault | None:
    if "payload_bin" in obj and "url" in obj:
        return StixFault(
            STIX_INVALID, "url", "An artifact has either payload_bin or url: give one of the two."
        )
    if "url" in obj and "hashes" not in obj:
        return StixFault(STIX_INVALID, "hashes", "An artifact with a url needs hashes of what stands there.")
    if strict and "payload_bin" not in obj and "url" not in obj:
        return StixFault(STIX_INVALID, "payload_bin", "An artifact needs payload_bin or url.")
    return None


def _email(obj: Obj, strict: bool) -> StixFault | None:
    if obj["is_multipart"] and "body" in obj:
        return StixFault(
            STIX_INVALID,
            "body",
            "Property body is for mails whose is_multipart is false; put the parts into body_multipart.",
        )
    if not obj["is_multipart"] and "body_multipart" in obj:
        return StixFault(
            STIX_INVALID, "body_multipart", "Property body_multipart needs is_multipart to be true."
        )
    return None


def _traffic(obj: Obj, strict: bool) -> StixFault | None:
    if fault := _one_of("src_ref", "dst_ref")(obj, strict):
        return fault
    if "end" in obj and obj.get("is_active") is True:
        return StixFault(STIX_INVALID, "is_active", "Property is_active must be false once end is given.")
    return _ordered(obj, "start", "end", equal=True)


def _marking(obj: Obj, strict: bool) -> StixFault | None:
    if "modified" in obj:
        return StixFault(
            STIX_INVALID,
            "modified",
            "A marking definition can't be versioned (STIX 2.1, 7.2): "
            "leave modified out and make a new marking for a new policy.",
        )
    kind, definition = obj.get("definition_type"), obj.get("definition")
    if kind is None and definition is None and "extensions" not in obj:
        return StixFault(
            MARKING_INVALID,
            "definition",
            "A marking definition needs definition_type with definition, or extensions.",
        )
    if (kind is None) != (definition is None):
        return StixFault(
            MARKING_INVALID, "definition", "Properties definition_type and definition go together."
        )
    if kind == "statement" and not isinstance((definition or {}).get("statement"), str):
        return StixFault(
            MARKING_INVALID,
            "definition.statement",
            "A statement marking needs a string definition.statement.",
        )
    return tlp.definition_fault(obj, strict)


_PROCESS = (
    "pid",
    "command_line",
    "image_ref",
    "cwd",
    "created_time",
    "is_hidden",
    "environment_variables",
    "opened_connection_refs",
    "creator_user_ref",
    "parent_ref",
    "child_refs",
    "extensions",
)
_X509 = (
    "serial_number",
    "hashes",
    "issuer",
    "subject",
    "version",
    "is_self_signed",
    "signature_algorithm",
    "validity_not_before",
    "validity_not_after",
    "subject_public_key_algorithm",
    "subject_public_key_modulus",
    "subject_public_key_exponent",
    "x509_v3_extensions",
)

_RULES: dict[str, Rule] = {
    "artifact": _artifact,
    "campaign": _seen,
    "email-message": _email,
    "file": _one_of("hashes", "name"),
    "indicator": _indicator,
    "infrastructure": _seen,
    "intrusion-set": _seen,
    "location": _location,
    "malware": _malware,
    "malware-analysis": _one_of("result", "analysis_sco_refs"),
    "marking-definition": _marking,
    "network-traffic": _traffic,
    "observed-data": _observed_data,
    "process": _one_of(*_PROCESS),
    "relationship": _relationship,
    "sighting": _seen,
    "threat-actor": _seen,
    "x509-certificate": _one_of(*_X509),
}
