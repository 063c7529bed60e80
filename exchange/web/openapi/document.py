"""The OpenAPI 3.1 document, put together of operations and shapes once in a process."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from exchange.web.openapi.operations import TAXII, Operation, operations
from exchange.web.openapi.parameters import ENCODING, PURPOSE, REQUEST_ID
from exchange.web.openapi.shapes import COUNT, SHAPES, TEXT, WHEN, Shape, ref

_SAID = """TAXII 2.1 collections under a sharing policy, and what the exchange adds to them.

Every error is a TAXII error message, whatever was asked. What a caller may not know of is answered as what doesn't
exist. Requests that aren't HTTP/1.1 as this server takes it are answered 400, 414, 417, 431 or 501 before they reach a
path; a method that isn't described is answered 405."""
_TITLES = {
    400: "It can't be understood", 401: "No valid credential", 403: "Not permitted",
    404: "Not there, or not to be known", 406: "TAXII 2.1 isn't accepted", 408: "The body came too slowly",
    409: "It contradicts what is there",
    413: "The body is too large", 415: "The body is of another media type", 422: "The body isn't what is taken here",
    429: "Too many requests", 500: "The server failed", 503: "Not now", 507: "The storage is full",
}
_ALWAYS = (400, 500, 503)
_KNOWN = (401, 403, 429)
"""Of operations that need a credential; 403 also answers a header CIBX-Purpose that doesn't fit."""
_OF_BODIES = (408, 413, 415, 422, 507)
_LATER = frozenset({429, 503, 507})
_HEADERS: dict[str, Shape] = {
    "X-Request-ID": TEXT, "WWW-Authenticate": TEXT, "Retry-After": COUNT, "CIBX-Receipt": TEXT,
    "X-TAXII-Date-Added-First": WHEN, "X-TAXII-Date-Added-Last": WHEN,
}


@cache
def document() -> dict[str, Any]:
    """The whole description. Don't change the returned value."""
    paths: dict[str, dict[str, Any]] = {}
    for tag, operation in operations():
        described = _described(tag, operation)
        path = paths.setdefault(operation.path, {})
        path[operation.method] = described
        if operation.method == "get":  # HEAD answers as GET without a body
            path["head"] = _without_body(described)
    return {
        "openapi": "3.1.0", "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": "cib-exchange", "version": "1", "description": _SAID,
                 "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "security": [{"basic": []}, {"bearer": []}, {"provider": []}, {"certificate": []}],
        "paths": paths,
        "components": {
            "schemas": dict(SHAPES),
            "headers": {name: {"schema": shape} for name, shape in _HEADERS.items()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "Key id and its secret."},
                "bearer": {"type": "http", "scheme": "bearer", "description": "A key's token."},
                "provider": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": (
                    "An access token of the member's identity provider (RFC 9068); one that is bound to a client "
                    "certificate (RFC 8705) comes with it.")},
                "certificate": {"type": "mutualTLS", "description": "A client certificate that a credential names."},
            },
        },
    }


def _described(tag: str, operation: Operation) -> dict[str, Any]:
    words = re.sub(r"[^a-z0-9]+", "_", f"{operation.method}_{operation.path}").strip("_")
    found: dict[str, Any] = {
        "operationId": words, "summary": operation.summary, "tags": [tag],
        "parameters": [*_of_path(operation.path), *(one.described() for one in operation.parameters),
                       REQUEST_ID.described()],
        "responses": {str(status): answer for status, answer in sorted(_answers(operation).items())},
    }
    if operation.open:
        found["security"] = []
    else:
        found["parameters"].append(PURPOSE.described())
    if operation.takes is not None:
        found["parameters"].append(ENCODING.described())
        found["requestBody"] = {"required": True, "content": {
            media: {"schema": ref(operation.takes.shape)} for media in operation.takes.media}}
    return found


def _of_path(path: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True,
             "schema": COUNT if name == "number" else {"type": "string", "minLength": 1}}
            for name in re.findall(r"\{(\w+)\}", path)]


def _answers(operation: Operation) -> dict[int, dict[str, Any]]:
    media = {operation.media: {"schema": ref(operation.answer) if operation.answer else TEXT}}
    answers: dict[int, dict[str, Any]] = {operation.status: {"description": operation.summary, "content": media,
                                  "headers": _named("X-Request-ID", *operation.headers)}}
    statuses = {*_ALWAYS, *operation.refusals, *(() if operation.open else _KNOWN)}
    if operation.takes is not None:
        statuses |= {*_OF_BODIES}
    for status in statuses:
        further = ["WWW-Authenticate"] if status == 401 else ["Retry-After"] if status in _LATER else []
        answers[status] = {"description": _TITLES[status], "content": {TAXII: {"schema": ref("Error")}},
                           "headers": _named("X-Request-ID", *further)}
    for status, (kind, shape) in (operation.also or {}).items():
        content = answers.setdefault(status, {"description": _TITLES[status], "content": {}})["content"]
        content[kind] = {"schema": ref(shape)}
    return answers


def _named(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _without_body(described: dict[str, Any]) -> dict[str, Any]:
    return {**described, "operationId": described["operationId"].replace("get_", "head_", 1), "responses": {
        status: {key: value for key, value in answer.items() if key != "content"}
        for status, answer in described["responses"].items()}}
