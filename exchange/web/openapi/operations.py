"""What can be asked of the server: a row for each method and path, with what it takes and what it answers.

``tests/web/test_openapi.py`` compares the rows with the routes, and asks the server whether its answers are these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exchange.web.openapi.parameters import (
    AFTER,
    CONTRIBUTOR,
    LIMIT,
    MATCH_ID,
    MATCH_SPEC,
    MATCH_TYPE,
    MATCH_VERSION,
    NARROWING,
    NEXT,
    RESUME,
    Parameter,
    query,
)
from exchange.web.openapi.shapes import TEXT, WHEN, word

TAXII = "application/taxii+json;version=2.1"
JSON = "application/json"
SCHEMA = "application/schema+json"
PLAIN = "text/plain; charset=utf-8"
BYTES = "application/octet-stream"
EVENTS = "text/event-stream; charset=utf-8"


@dataclass(frozen=True)
class Body:
    """What is sent: the name of its shape, and its media types."""

    shape: str
    media: tuple[str, ...] = (JSON,)


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    answer: str = ""
    """Name of the shape of what is answered; empty: bytes or text."""
    status: int = 200
    media: str = JSON
    takes: Body | None = None
    parameters: tuple[Parameter, ...] = ()
    headers: tuple[str, ...] = ()
    """Of the answer, beside those of every answer."""
    refusals: tuple[int, ...] = ()
    """Statuses beside those that every operation of its kind may answer."""
    open: bool = False
    """To anybody, without a credential."""
    also: Mapping[int, tuple[str, str]] | None = None
    """Further answers: status to media type and shape."""


_PAGE = (AFTER, LIMIT, NEXT)
_DATES = ("X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last")
_COLLECTION = "/taxii2/{community}/collections/{collection}/"


def _taxii(method: str, path: str, summary: str, answer: str, *parameters: Parameter, headers: tuple[str, ...] = (),
           refusals: tuple[int, ...] = (404,), status: int = 200, takes: Body | None = None) -> Operation:
    return Operation(method, path, summary, answer, status, TAXII, takes, parameters, headers, (406, *refusals))


TAXII_OPERATIONS: tuple[Operation, ...] = (
    _taxii("get", "/taxii2/", "API roots that the caller may know of (TAXII 2.1, 4.1)", "Discovery", refusals=()),
    _taxii("get", "/taxii2/{community}/", "One API root (4.2)", "ApiRoot"),
    _taxii("get", "/taxii2/{community}/status/{status_id}/", "What became of a push (4.3)", "Status"),
    _taxii("get", "/taxii2/{community}/collections/", "Collections that the caller may use (5.1)", "Collections"),
    _taxii("get", _COLLECTION, "One collection, by id or alias (5.2)", "Collection"),
    _taxii("get", _COLLECTION + "manifest/", "What there is, without the objects (5.3)", "Manifest",
           *_PAGE, MATCH_ID, MATCH_TYPE, MATCH_VERSION, MATCH_SPEC, headers=_DATES, refusals=(403, 404)),
    _taxii("get", _COLLECTION + "objects/", "Objects in the order of adding (5.4)", "Envelope",
           *_PAGE, MATCH_ID, MATCH_TYPE, MATCH_VERSION, MATCH_SPEC, headers=(*_DATES, "CIBX-Receipt"),
           refusals=(403, 404)),
    _taxii("post", _COLLECTION + "objects/", "Push an envelope (5.5)", "Status", status=202,
           takes=Body("Pushed", (TAXII,)), headers=("CIBX-Receipt",), refusals=(403, 404)),
    _taxii("get", _COLLECTION + "objects/{object_id}/", "Versions of one object (5.6)", "Envelope",
           *_PAGE, MATCH_VERSION, MATCH_SPEC, headers=(*_DATES, "CIBX-Receipt"), refusals=(403, 404)),
    _taxii("delete", _COLLECTION + "objects/{object_id}/", "Withdraw own versions of an object (5.7)", "Nothing",
           MATCH_VERSION, MATCH_SPEC, refusals=(403, 404, 507)),
    _taxii("get", _COLLECTION + "objects/{object_id}/versions/", "Which versions of an object there are (5.8)",
           "Versions", *_PAGE, MATCH_SPEC, headers=_DATES, refusals=(403, 404)),
)


def _get(path: str, summary: str, answer: str, *parameters: Parameter, refusals: tuple[int, ...] = ()) -> Operation:
    return Operation("get", "/api/v1" + path, summary, answer, parameters=parameters, refusals=refusals)


def _post(path: str, summary: str, takes: str, answer: str, *parameters: Parameter, status: int = 200,
          refusals: tuple[int, ...] = (403, 404)) -> Operation:
    return Operation("post", "/api/v1" + path, summary, answer, status, takes=Body(takes) if takes else None,
                     parameters=parameters, refusals=refusals)


OWN_OPERATIONS: tuple[Operation, ...] = (
    Operation("post", "/api/v1/ai-cluster-reports", "Take an AI lab's cluster report, whole or not at all",
              "ReportTaken", takes=Body("ClusterReport"), parameters=(query("collection", "Its id or alias.", TEXT),),
              headers=("CIBX-Receipt",), refusals=(403, 404, 409), also={422: (JSON, "ReportFaults")}),
    _get("/cases", "Contests that the caller is a party of", "Cases",
         query("stage", "Leave out those that have ended.", word("all", "unfinished"))),
    _post("/cases", "Contest objects", "CaseWanted", "Case", status=201),
    _get("/cases/{case}", "One contest", "Case", refusals=(404,)),
    _post("/cases/{case}/answer", "Answer it as the producer", "Statement", "Case"),
    _post("/cases/{case}/restriction", "Restrict its objects until the review", "Statement", "Case"),
    _post("/cases/{case}/review", "Review it", "Review", "Case"),
    Operation("get", "/api/v1/collections/{collection}/stream", "Objects as server-sent events, as they come",
              "Event", media=EVENTS, parameters=(AFTER, RESUME, *NARROWING), refusals=(403, 404)),
    _get("/collections/{collection}/tally", "Count and root of what the caller may have", "Tally",
         query("until", "A date of adding, that one included.", WHEN), refusals=(403, 404)),
    _get("/emergencies", "Emergencies and how they stand", "Emergencies", refusals=(403,)),
    _post("/emergencies", "Declare an emergency", "EmergencyWanted", "Emergency", status=201),
    _post("/emergencies/{emergency}/end", "End an emergency before its time", "Nothing", "Emergency"),
    _post("/emergencies/{emergency}/review", "Review an emergency that is over", "Findings", "Emergency"),
    _get("/explanations", "Why an organisation may or may not see an object", "Explanations",
         query("object", "A STIX id.", TEXT, needed=True),
         query("for", "An organisation's id; default: one's own.", TEXT),
         query("purpose", "A purpose.", TEXT), query("person", "A person at that organisation.", TEXT),
         query("at", "The moment asked about; default: now.", WHEN), query("collection", "A collection's id.", TEXT),
         refusals=(404,)),
    _post("/log/cosignatures", "Leave a member's signature under a checkpoint", "Cosignature", "Cosigned", status=201,
          refusals=(403, 409)),
    _get("/log/entries", "The caller's own leaves of the log, a thousand at a time", "LogEntries",
         query("after", "The last index that one has.", {"type": "integer", "minimum": -1, "maximum": 10**17})),
    _get("/log/keys", "Keys of the log and of members who cosign", "LogKeys", refusals=(403,)),
    _get("/log/receipts/{event_id}", "Receipt of an event", "Receipt", refusals=(404,)),
    _get("/notices", "Notices to the caller's organisation", "Notices",
         query("show", "Which.", word("awaited", "overdue", "all")),
         query("of", "Those of all organisations, for who oversees.", word("everyone")), refusals=(403,)),
    _get("/notices/{notice}", "One notice with its answers", "Notice", refusals=(404,)),
    _post("/notices/{notice}/acknowledgement", "Answer a notice", "Acknowledgement", "Notice", refusals=(404,)),
    _get("/objects/{stix_id}/standing", "How far an object may be relied on", "Standing", refusals=(403, 404)),
    _get("/objects/{stix_id}/state", "How an object stands, with its history", "ObjectStates", CONTRIBUTOR,
         refusals=(404,)),
    _post("/objects/{stix_id}/state", "Change how an object stands", "StateWanted", "StateChange"),
    Operation("post", "/api/v1/previews", "Who would get an envelope, and why; nothing is stored", "Preview",
              takes=Body("Pushed", (TAXII, JSON)), refusals=(403, 404),
              parameters=(query("collection", "Its id or alias.", TEXT, needed=True),)),
    _get("/records", "Contributors' records", "Records"),
    _get("/webhooks", "The caller's webhooks", "Webhooks", refusals=(403,)),
    _post("/webhooks", "Make a webhook; its secret is shown this once", "WebhookWanted", "NewWebhook", status=201),
    _get("/webhooks/{name}", "One webhook with its dead letters", "Webhook", refusals=(403, 404)),
    Operation("delete", "/api/v1/webhooks/{name}", "Forget a webhook", "Nothing", refusals=(403, 404, 507)),
    _post("/webhooks/{name}/dead-letters/{number}/replay", "Go back to where a dead letter begins", "", "Webhook"),
    _post("/webhooks/{name}/resume", "Go on, from where it stood or from a date of adding", "Resumed", "Webhook"),
    _post("/webhooks/{name}/secret", "Make a new secret; the one before it signs too for some hours", "Overlap",
          "NewWebhook"),
    _post("/webhooks/{name}/stop", "Send nothing more until it is resumed", "", "Webhook"),
)
OPEN_OPERATIONS: tuple[Operation, ...] = (
    Operation("get", "/api/v1/openapi.json", "This description", "JsonSchema", open=True),
    Operation("get", "/api/v1/schemas", "Forms that this exchange reads", "Forms", open=True),
    Operation("get", "/api/v1/schemas/{name}/{version}", "The JSON Schema of a form", "JsonSchema", media=SCHEMA,
              refusals=(404,), open=True),
    Operation("get", "/schemas/{name}.json", "The JSON Schema of a STIX extension", "JsonSchema", media=SCHEMA,
              refusals=(404,), open=True),
    Operation("get", "/healthz", "Whether the process lives", "Health", open=True),
    Operation("get", "/readyz", "Whether the store answers", "Health", open=True, also={503: (JSON, "Health")}),
)
LOG_OPERATIONS: tuple[Operation, ...] = (
    Operation("get", "/log/checkpoint", "The newest checkpoint (C2SP tlog-checkpoint)", media=PLAIN,
              refusals=(403, 404)),
    Operation("get", "/log/tile/{path}", "A tile of hashes; entries for auditors (C2SP tlog-tiles)", media=BYTES,
              refusals=(403, 404)),
)


def operations() -> Iterator[tuple[str, Operation]]:
    """Every operation with its tag."""
    for tag, rows in (("TAXII 2.1", TAXII_OPERATIONS), ("Exchange", OWN_OPERATIONS), ("Log", LOG_OPERATIONS),
                      ("Open to anybody", OPEN_OPERATIONS)):
        yield from ((tag, row) for row in rows)
