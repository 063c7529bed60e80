"""Traces: which spans a request makes, in whose trace, and that nobody stands in them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from exchange import spans
from exchange.cli.main import run
from exchange.errors import SettingError
from exchange.settings import Settings, read_settings
from exchange.web.app import create_app
from exchange.web.traces import check_traces, register
from exchange.wiring import Exchange, prepare
from tests.fakes.one_member import MEMBERS

SECRET = "made-up secret 0123456789 0123456789"
OBJECTS = "/taxii2/cib/collections/indicators/objects/"
TAXII = "application/taxii+json;version=2.1"
KEY = """
[[organisation.credential]]
id = "alpha-key"
purpose = "cib-detection"
secret_env = "CIBX_SECRET_OF_ALPHA"
person = "ana@lorem.example"
"""
ACCOUNT = {"type": "user-account", "spec_version": "2.1", "id": "user-account--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c03",
           "account_type": "x", "account_login": "dolor_sit"}


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FlaskClient, InMemorySpanExporter]]:
    """A client of an exchange with one member, and where its spans go."""
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{tmp_path / 'cibx.db'}")
    monkeypatch.setenv("CIBX_SECRET_OF_ALPHA", SECRET)
    (tmp_path / "members.toml").write_text(MEMBERS + KEY)
    assert run(["apply", str(tmp_path / "members.toml")]) == 0
    settings = read_settings()
    prepare(settings)
    exchange, kept, provider = Exchange(settings), InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    app = create_app(exchange)
    register(app, exchange, provider)
    yield app.test_client(), kept
    spans.trace_with(None)
    exchange.engine.dispose()


def push(client: FlaskClient, **headers: str) -> int:
    return client.post(OBJECTS, auth=("alpha-key", SECRET), content_type=TAXII, headers=headers,
                       data=json.dumps({"objects": [ACCOUNT]})).status_code


def named(kept: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {one.name: one for one in kept.get_finished_spans()}


def test_a_push_is_a_span_with_those_of_policy_and_store_in_it(traced: tuple[FlaskClient, InMemorySpanExporter]) -> None:
    client, kept = traced
    assert push(client) == 202
    found = named(kept)
    request = found["POST /taxii2/<community>/collections/<collection>/objects/"]
    assert {"store", "policy of a reader", "policy of a push"} < set(found)
    assert {one.context.trace_id for one in kept.get_finished_spans()} == {request.context.trace_id}
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 202


def test_the_clients_trace_is_continued(traced: tuple[FlaskClient, InMemorySpanExporter]) -> None:
    client, kept = traced
    push(client, traceparent=f"00-{'4b' * 16}-{'a1' * 8}-01", baggage="person=ana")
    assert {f"{one.context.trace_id:032x}" for one in kept.get_finished_spans()} == {"4b" * 16}


@pytest.mark.parametrize("text", ["", "00-x", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "\N{SUPERSCRIPT TWO}", "a" * 5_000])
def test_a_traceparent_that_is_none_begins_a_trace(traced: tuple[FlaskClient, InMemorySpanExporter], text: str) -> None:
    client, kept = traced
    assert push(client, traceparent=text) == 202
    assert all(one.parent is None for one in kept.get_finished_spans() if one.name.startswith("POST"))


def test_nobody_and_nothing_that_was_sent_stands_in_a_span(traced: tuple[FlaskClient, InMemorySpanExporter]) -> None:
    client, kept = traced
    push(client)
    client.get(f"{OBJECTS}{ACCOUNT['id']}/?match[version]=all", auth=("alpha-key", SECRET))
    client.get("/taxii2/lorem-club/", auth=("alpha-key", "a wrong secret"))
    client.get("/no/dolor_sit", auth=("alpha-key", SECRET))
    written = "".join(one.to_json() for one in kept.get_finished_spans())
    assert "401" in written
    for word in ("alpha", "ana@", "dolor_sit", ACCOUNT["id"], "lorem-club", SECRET, "127.0.0.1", "wrong"):
        assert word not in written


def test_without_traces_a_span_is_nothing() -> None:
    with spans.span("lorem") as made:
        assert made is None


def test_without_the_extra_the_start_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingError, match="OpenTelemetry isn't installed"):
        check_traces(Settings(traces="http://127.0.0.1:4318/v1/traces"))


@pytest.mark.parametrize("text", ["yes", "127.0.0.1:4318", "ftp://lorem.example/", "http://lorem.example"])
def test_an_address_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(SettingError, match="CIBX_TRACES"):
        read_settings({"CIBX_TRACES": text})
