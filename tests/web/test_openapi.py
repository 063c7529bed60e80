"""The published description against the routes, and against what the server answers to requests made of it.

More requests: ``CIBX_TEST_EXAMPLES=200``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks

from exchange.cli.main import run
from exchange.settings import Settings
from exchange.web.app import create_app
from exchange.web.openapi.document import document
from exchange.wiring import Exchange, prepare

_EXAMPLES = int(os.environ.get("CIBX_TEST_EXAMPLES", "3"))
_CHECKS = [not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
           checks.response_headers_conformance, checks.response_schema_conformance]
_TAXII = "application/taxii+json;version=2.1"
_SECRET = "made-up secret 0123456789 0123456789"
_INDICATOR = {
    "type": "indicator", "spec_version": "2.1", "id": "indicator--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c03",
    "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "pattern_type": "stix",
    "pattern": "[domain-name:value = 'lorem.example']", "valid_from": "2026-01-01T00:00:00Z",
}
_MEMBERS = """
group = [{ id = "all", title = "All" }]
[[community]]
id = "cib"
title = "CIB"
group = "all"
[[community.collection]]
alias = "indicators"
title = "Indicators"
readers = ["*"]
writers = ["*"]
[community.collection.default_terms]
tlp = "TLP:GREEN"
regime = "EU-GDPR"
legal_basis = ["A6-1-f"]
refs = { lia = "LIA-2026-3" }
purposes = ["cib-detection"]
notice = "public-notice"
retention_days = 180
personal = "unknown"
"""
_ORGANISATION = """
[[organisation]]
id = "org-{name}"
name = "{name}"
kind = "platform"
jurisdiction = "IE"
controller_arrangement = "art26"
groups = ["all"]
[[organisation.agreement]]
id = "base"
version = 2
since = 2026-01-01
purposes = ["cib-detection"]
[[organisation.credential]]
id = "{name}"
purpose = "cib-detection"
secret_env = "CIBX_SECRET_OF_MEMBER"
person = "{name}@lorem.example"
scopes = {scopes}
"""
_SCOPES = {"alpha": ["read", "write"], "beta": ["read", "write"],
           "operator": ["read", "write", "operate", "audit", "protect", "review", "emergency"]}


@dataclass
class Served:
    """An application and what is in it, by the names that paths have for it."""

    app: Flask
    known: Mapping[str, Any]

    def ask(self, method: str, path: str, key: str = "alpha", **more: Any) -> Any:
        return self.app.test_client().open(path, method=method, auth=(key, _SECRET), **more)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three members, an object, a webhook, a contest with its notice."""
    folder = tmp_path_factory.mktemp("described")
    (folder / "members.toml").write_text(_MEMBERS + "".join(
        _ORGANISATION.format(name=name, scopes=json.dumps(scopes)) for name, scopes in _SCOPES.items()))
    given_settings = Settings(database_url=f"sqlite:///{folder / 'cibx.db'}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIBX_DATABASE_URL", given_settings.database_url)
        patch.setenv("CIBX_SECRET_OF_MEMBER", _SECRET)
        assert run(["apply", str(folder / "members.toml")]) == 0
    prepare(given_settings)
    exchange = Exchange(given_settings)
    exchange.ending = True  # streams say what they have to say, and end
    made = Served(create_app(exchange), {})
    made.known = _filled(made)
    yield made
    exchange.engine.dispose()


def _filled(served: Served) -> Mapping[str, Any]:
    objects = "/taxii2/cib/collections/indicators/objects/"
    pushed = served.ask("POST", objects, data=json.dumps({"objects": [_INDICATOR]}), content_type=_TAXII).json
    assert pushed["success_count"] == 1, pushed
    collection = served.ask("GET", "/taxii2/cib/collections/indicators/").json["id"]
    assert served.ask("GET", objects, "beta").json["objects"]
    hook = served.ask("POST", "/api/v1/webhooks", json={"collection": collection, "url": "https://lorem.example/"}).json
    case = served.ask("POST", "/api/v1/cases", "beta", json={
        "collection": collection, "objects": [_INDICATOR["id"]], "grounds": "Lorem", "evidence": []})
    assert case.status_code == 201, case.text
    notice = served.ask("GET", "/api/v1/notices?show=all").json["notices"][0]["id"]
    return {"community": "cib", "collection": collection, "object_id": _INDICATOR["id"], "stix_id": _INDICATOR["id"],
            "status_id": pushed["id"], "event_id": pushed["id"], "name": hook["id"], "case": case.json["id"],
            "notice": notice, "number": 1, "path": "0/000.p/1"}


def test_the_document_is_valid_openapi_3_1_and_open_to_anybody(served: Served) -> None:
    shown = served.app.test_client().get("/api/v1/openapi.json")
    assert shown.json == json.loads(json.dumps(document()))
    assert not list(OpenAPIV31SpecValidator(shown.json).iter_errors())


def test_every_route_and_method_is_described_and_nothing_else(served: Served) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in served.app.url_map.iter_rules() for method in rule.methods or ()
    }
    assert routes == {(path, method) for path, methods in document()["paths"].items() for method in methods}


@pytest.mark.parametrize(("method", "path"), [
    (method, path) for path, methods in document()["paths"].items() for method, one in methods.items()
    if one.get("security") != []])
def test_what_is_described_as_closed_answers_nobody_without_a_credential(served: Served, method: str, path: str) -> None:
    answer = served.app.test_client().open(re.sub(r"\{\w+\}", "1", path), method=method)
    assert answer.status_code == 401
    assert "Basic" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("path", document()["paths"])
def test_answers_are_those_that_are_described(served: Served, path: str) -> None:
    config = SchemathesisConfig.from_dict({"generation": {"mode": "all"}})
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", served.app, config=config)
    for method in described[path]:
        _ask(served, described[path][method])


def _ask(served: Served, operation: Any) -> None:
    cases = st.one_of(operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode)

    @settings(max_examples=_EXAMPLES, derandomize=True, deadline=None, database=None,
              suppress_health_check=list(HealthCheck))
    @given(cases, st.booleans() | st.just(True), st.sampled_from(sorted(_SCOPES)))
    def ask(case: Any, of_what_is_there: bool, key: str) -> None:
        if of_what_is_there:
            for place in (case.path_parameters, case.query):
                place.update({name: value for name, value in served.known.items() if name in (place or ())})
        case.call_and_validate(checks=_CHECKS, auth=(key, _SECRET), headers={"Accept-Encoding": "identity"})

    ask()
