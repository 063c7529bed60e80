"""JSON Schemas of bodies that come and go: TAXII's resources, STIX as an open object, and our own answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]

TEXT: Shape = {"type": "string"}
FLAG: Shape = {"type": "boolean"}
COUNT: Shape = {"type": "integer", "minimum": 0}
WHEN: Shape = {"type": "string", "format": "date-time"}
ID: Shape = {"type": "string", "description": "A STIX id: a type, --, a UUID.", "examples": [
    "indicator--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c03"]}


def ref(name: str) -> Shape:
    """A reference to one of ``SHAPES``."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(needed: Mapping[str, Shape], perhaps: Mapping[str, Shape] | None = None, *, open: bool = False) -> Shape:
    """An object with these properties; ``open``: and others."""
    return {"type": "object", "properties": {**needed, **(perhaps or {})}, "required": list(needed),
            **({} if open else {"additionalProperties": False})}


def many(item: Shape, **bounds: Any) -> Shape:
    """A list."""
    return {"type": "array", "items": item, **bounds}


def word(*words: str) -> Shape:
    """One of some words."""
    return {"type": "string", "enum": list(words)}


def or_null(shape: Shape) -> Shape:
    """The same, or null."""
    return {"oneOf": [shape, {"type": "null"}]}


_STAGES = word("opened", "overdue", "answered", "upheld", "corrected", "reversed")
_STATES = word("active", "disputed", "restricted", "revoked", "erased", "held")
_OUTCOMES = word("granted", "redacted", "denied")
_ENTRY = record({"id": TEXT, "version": TEXT}, {"message": TEXT})
_COUNTED = {"confirmed": COUNT, "overturned": COUNT, "disputed": COUNT}
_WEBHOOK = {
    "id": TEXT, "collection": TEXT, "url": TEXT, "credential": TEXT, "state": word("active", "stopped"), "why": TEXT,
    "failures": COUNT, "delivered": COUNT, "match": ref("Match"), "after": or_null(WHEN), "created": WHEN,
    "next": WHEN, "last_delivered": or_null(WHEN),
}
_CASE = {
    "id": TEXT, "stage": _STAGES, "roles": many(word("contester", "producer", "reviewer", "operator", "auditor")),
    "collection": TEXT, "objects": many(TEXT), "opened_at": WHEN, "answer_due": WHEN, "restricted": FLAG,
    "for_person": FLAG, "review_due": or_null(WHEN), "ended_at": or_null(WHEN), "review_overdue": FLAG,
}
_PARTIES = {"contester": TEXT, "producer": TEXT, "reviewer": or_null(TEXT)}
_NOTICE = {
    "id": TEXT, "org": TEXT, "kind": TEXT, "obligation": TEXT, "objects": many({"type": "object"}), "reason": TEXT,
    "citation": TEXT, "reference": TEXT, "sent": WHEN, "deadline": or_null(WHEN), "state": TEXT,
    "escalated": or_null(WHEN),
}

TAXII_SHAPES: Mapping[str, Shape] = {
    "Error": record({"title": TEXT, "error_code": TEXT, "http_status": TEXT}, {
        "description": TEXT, "error_id": {**TEXT, "description": "From 500 on: its operator finds the error by it."},
    }),
    "Discovery": record({"title": TEXT}, {"contact": TEXT, "default": TEXT, "api_roots": many(TEXT)}),
    "ApiRoot": record({"title": TEXT, "versions": many(TEXT), "max_content_length": COUNT}, {"description": TEXT}),
    "Collection": record({"id": TEXT, "title": TEXT, "can_read": FLAG, "can_write": FLAG, "media_types": many(TEXT)},
                         {"description": TEXT, "alias": TEXT}),
    "Collections": record({}, {"collections": many(ref("Collection"))}),
    "StixObject": record({"type": TEXT, "id": ID}, open=True),
    "Envelope": record({"more": FLAG}, {"next": TEXT, "objects": many(ref("StixObject"))}),
    "Pushed": record({"objects": many(ref("StixObject"), minItems=1)}, open=True),
    "Manifest": record({"more": FLAG}, {"next": TEXT, "objects": many(record(
        {"id": ID, "date_added": WHEN, "version": TEXT, "media_type": TEXT}))}),
    "Versions": record({"more": FLAG}, {"next": TEXT, "versions": many(TEXT)}),
    "Status": record({
        "id": TEXT, "status": word("complete", "pending"), "request_timestamp": WHEN, "total_count": COUNT,
        "success_count": COUNT, "failure_count": COUNT, "pending_count": COUNT,
    }, {"successes": many(_ENTRY), "failures": many(_ENTRY)}),
    "Nothing": record({}),
}

OWN_SHAPES: Mapping[str, Shape] = {
    "Health": record({"status": word("ok", "unavailable")}),
    "Match": {"type": "object", "additionalProperties": False, "properties": {
        name: many({"type": "string", "minLength": 1}, minItems=1, maxItems=100)
        for name in ("type", "behaviour", "class", "platform")}},
    "Event": record({}, {"id": WHEN, "event": word("object", "revoked", "place", "end"), "data": TEXT,
                         "retry": COUNT}),
    "Tally": record({"collection": TEXT, "until": or_null(WHEN), "count": COUNT, "root": TEXT}),
    "Webhook": record(_WEBHOOK, {"dead_letters": many(record({
        "number": COUNT, "at": WHEN, "after": or_null(WHEN), "until": or_null(WHEN), "tries": COUNT, "why": TEXT}))}),
    "NewWebhook": record({**_WEBHOOK, "secret": TEXT}, {
        "former_until": WHEN, "dead_letters": many({"type": "object"})}),
    "Overlap": record({}, {"overlap_hours": {"type": "integer", "minimum": 0, "maximum": 720}}),
    "WebhookWanted": record({"collection": TEXT, "url": TEXT}, {"match": ref("Match"), "after": or_null(WHEN)}),
    "Resumed": record({}, {"after": or_null(WHEN)}),
    "Webhooks": record({"webhooks": many(ref("Webhook"))}),
    "Case": record(_CASE, {
        **_PARTIES, "grounds": TEXT, "evidence": many(TEXT), "undone": {}, "steps": many(record(
            {"at": WHEN, "step": TEXT, "role": TEXT, "statement": TEXT}, {"org": TEXT, "person": or_null(TEXT)}))}),
    "Cases": record({"cases": many(ref("Case"))}),
    "CaseWanted": record({"collection": TEXT, "objects": many(TEXT, minItems=1, maxItems=100), "grounds": TEXT}, {
        "evidence": many({"type": "string", "pattern": "^[0-9a-f]{64}$"}, maxItems=100), "for_person": FLAG}),
    "Statement": record({"statement": {"type": "string", "minLength": 1, "maxLength": 10_000}}),
    "Review": record({"statement": {"type": "string", "minLength": 1, "maxLength": 10_000},
                      "outcome": word("upheld", "corrected", "reversed")}, {"erase": FLAG}),
    "Emergency": record({
        "id": TEXT, "status": TEXT, "declared_by": TEXT, "org": TEXT, "people": many(TEXT), "since": WHEN,
        "until": WHEN, "reason": TEXT, "collections": many(TEXT), "review_due": WHEN, "reviewer": or_null(TEXT),
        "findings": TEXT, "policy_steps": many(record({
            "version": TEXT, "stage": TEXT, "at": WHEN, "by": TEXT, "why": TEXT}))}),
    "Emergencies": record({"emergencies": many(ref("Emergency"))}),
    "EmergencyWanted": record({"people": many(TEXT, maxItems=100), "until": WHEN, "reason": TEXT,
                               "collections": many(TEXT, maxItems=100)}, {"since": WHEN}),
    "Findings": record({"findings": TEXT}),
    "Notice": record(_NOTICE, {"answers": many(record({"at": WHEN, "done": FLAG, "statement": TEXT, "by": TEXT}))}),
    "Notices": record({"notices": many(ref("Notice"))}),
    "Acknowledgement": record({"done": FLAG}, {"statement": {"type": "string", "maxLength": 10_000}}),
    "ObjectStates": record({"objects": many(record({
        "id": TEXT, "contributor": TEXT, "collection": TEXT, "state": TEXT, "legal_hold": FLAG,
        "versions": many(or_null(TEXT)), "changes": many({"type": "object"})}))}),
    "StateWanted": record({"state": word("active", "disputed", "restricted", "revoked", "erased", "hold", "release"),
                           "reason": {"type": "string", "minLength": 1, "maxLength": 2_000}}, {
        "citation": TEXT, "collection": TEXT, "contributor": TEXT, "until": WHEN}),
    "StateChange": record({"id": TEXT, "contributor": TEXT}, {
        "from": TEXT, "to": TEXT, "reference": TEXT, "code": TEXT, "notices": COUNT, "released": COUNT, "hold": COUNT}),
    "Standing": record({
        "id": TEXT, "stage": word("quarantined", "observe", "review", "friction", "confirmed", "disputed", "retracted"),
        "single_source": FLAG, "independent_reports": COUNT, "public_authority_tips": COUNT, "complete": FLAG,
        "contributors": many(record({**_COUNTED, "new": FLAG, "public_authority": FLAG, "independent": FLAG},
                                    {"org": TEXT}))}),
    "Records": record({
        "own": record({"org": TEXT, "given": COUNT, **_COUNTED}, {
            "new": FLAG, "reliability": {"type": "object"}, "classes": {"type": "object"}}),
        "exchange": TEXT, "records": many(record({"org": TEXT, "confirmed": COUNT, "overturned": COUNT}, {
            "public_authority": FLAG, "group": TEXT, "identity": TEXT}))}),
    "Explanations": record({
        "explanations": many(record({"outcome": _OUTCOMES}, open=True)),
        "gone": many(record({
            "object": TEXT, "collection": TEXT, "version": TEXT, "added": WHEN, "until": or_null(WHEN),
            "was_there": or_null(FLAG), "received": many(WHEN), "why": word("deleted", "erased", "retention-ended"),
            "sentence": TEXT}, {"producer": TEXT, "reference": TEXT}))}),
    "Preview": record({
        "collection": TEXT, "policy_version": TEXT, "objects": many({"type": "object"}),
        "audiences": many(record({
            "recipients": many(record({"org": TEXT, "name": TEXT, "outcome": _OUTCOMES}, {
                "withheld": many(TEXT), "reasons": many({})})),
            "others": many(record({"kind": TEXT, "outcome": _OUTCOMES, "organisations": COUNT}))}))}),
    "LogKeys": record({"log": many(TEXT), "handovers": many({}), "members": many(record({"org": TEXT, "key": TEXT}))}),
    "Receipt": record({"leaf": TEXT, "index": or_null(COUNT), "proof": or_null(many(TEXT)),
                       "checkpoint": or_null(TEXT)}),
    "LogEntries": record({"entries": many(record({"index": COUNT, "leaf": TEXT}), maxItems=1_000)}),
    "Cosignature": record({"note": {"type": "string", "maxLength": 100_000}}, open=True),
    "Cosigned": record({"size": COUNT}),
    "Forms": record({"schemas": many(record({"name": TEXT, "version": TEXT, "title": TEXT, "url": TEXT}))}),
    "JsonSchema": {"type": "object"},
    "ClusterReport": {"type": "object", "description": "As GET /api/v1/schemas/ai-cluster-report/1 says."},
    "ReportTaken": record({
        "report_id": TEXT, "version": COUNT, "status": TEXT, "receipt": TEXT, "total_count": COUNT, "added": COUNT,
        "unchanged": COUNT, "refused": COUNT, "objects": many(ref("ReportObject"))}),
    "ReportObject": record({"id": TEXT, "version": TEXT, "outcome": TEXT}, {"code": TEXT, "sentence": TEXT}),
    "ReportFaults": record({"title": TEXT, "http_status": TEXT, "error_code": TEXT}, {
        "faults": many(record({"path": TEXT, "code": TEXT, "sentence": TEXT})), "objects": many(ref("ReportObject"))}),
}
SHAPES: Mapping[str, Shape] = {**TAXII_SHAPES, **OWN_SHAPES}
"""Every named shape."""
