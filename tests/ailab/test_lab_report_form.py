"""Faults of a form: each told at its place with how to mend it, all at once, and the schema says the same."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator

from exchange.ailab.check import checked, faults
from exchange.ailab.fault import FormRefusedError
from exchange.ailab.form import NAME, structure
from exchange.ailab.published import schema
from tests.fakes.lab_reports import FULL, SMALL, Form, form

DESIGN = Path(__file__).parents[2].parent / "shared" / "design" / "ai_cluster_report.example.json"
SCHEMA = schema(NAME, "1")
assert SCHEMA is not None
VALIDATOR = Draft202012Validator(SCHEMA, validate_formats=True)


def told(document: Any) -> dict[str, str]:
    return {fault.as_json()["path"]: fault.code for fault in faults(document)}


def test_reports_without_faults_have_none() -> None:
    assert told(SMALL) == told(FULL) == told(form(schema_version="0.1")) == {}
    assert VALIDATOR.is_valid(SMALL)
    assert VALIDATOR.is_valid(FULL)


@pytest.mark.skipif(not DESIGN.exists(), reason=f"the design's example isn't there: {DESIGN}")
def test_the_designs_example_is_right() -> None:
    example = json.loads(DESIGN.read_text())
    assert told(example) == {}
    assert VALIDATOR.is_valid(example)


WRONG: list[tuple[str, Form | Any, dict[str, str]]] = [
    ("no object", [], {"": "field-invalid"}),
    ("a version ahead", form(schema_version="2"), {"schema_version": "version-unsupported"}),
    ("a nested unknown field", form(cluster__extra=1), {"cluster.extra": "field-unknown"}),
    ("prompts", form(prompts=["x"]), {"prompts": "field-unknown"}),
    ("true as a number", form(version=True), {"version": "field-invalid"}),
    ("a text as a number", form(version="1"), {"version": "field-invalid"}),
    ("a fraction of a version", form(version=1.5), {"version": "field-invalid"}),
    ("a number as a text", form(report_id=7), {"report_id": "field-invalid"}),
    ("1 as true", form(handling__onward_sharing=1), {"handling.onward_sharing": "field-invalid"}),
    ("null", form(provider=None), {"provider": "field-invalid"}),
    ("an object as a list", form(references={}), {"references": "field-invalid"}),
    ("an empty text", form(cluster__boundary=" "), {"cluster.boundary": "field-invalid"}),
    ("no such day", form(cluster__first_activity="2026-02-30"), {"cluster.first_activity": "field-invalid"}),
    ("a time without its zone", form(published="2026-06-10T09:00:00"), {"published": "field-invalid"}),
    ("an unknown word", form(cluster__surfaces=["chat", "fax"]), {"cluster.surfaces[1]": "field-invalid"}),
    ("too few", form(cluster__surfaces=[]), {"cluster.surfaces": "field-invalid"}),
    ("too long", form(cluster__boundary="lorem " * 400), {"cluster.boundary": "field-invalid"}),
    ("far too long", form(cluster__boundary="a@b.org " * 90_000), {"cluster.boundary": "field-invalid"}),
    ("no basis", form(handling__legal_basis={"regime": "GDPR", "basis": "because"}),
     {"handling.legal_basis.basis": "field-invalid"}),
    ("an unknown regime", form(handling__legal_basis={"regime": "Lorem", "basis": "Art. 6(1)(f)"}),
     {"handling.legal_basis.regime": "field-invalid"}),
    ("special categories without a condition",
     form(handling__legal_basis={"regime": "GDPR", "basis": "Art. 6(1)(f)", "special_category": True}),
     {"handling.legal_basis.basis": "field-invalid"}),
    ("a purpose that nobody shares for", form(handling__purpose=["advertising"]), {"handling.purpose[0]": "field-invalid"}),
    ("an influence operation without a behaviour", form(cluster__behaviours=[]), {"cluster.behaviours": "field-invalid"}),
    ("no technique", form(cluster__behaviours=[{"framework": "DISARM", "id": "lying"}]),
     {"cluster.behaviours[0].id": "field-invalid"}),
    ("it continues itself", form(cluster__continues_cluster=["CL-77"]), {"cluster.continues_cluster": "field-conflict"}),
    ("it ends before it begins", form(cluster__last_activity="2026-01-01"), {"cluster.last_activity": "field-conflict"}),
    ("size as reach", form(impact={"breakout": 1, "measures": [{"metric": "Network size", "value": 9}]}),
     {"impact.measures[0].metric": "field-invalid"}),
    ("an account without its platform",
     form(external_assets=[{"type": "account", "value": "lorem", "seen_as": "named-in-output"}]),
     {"external_assets[0].value": "field-invalid"}),
    ("the provider's name where it must not be told",
     form(handling__name_provider="must-not", cluster__themes=["what Lorem-AI is for"], references=["https://lorem.example/x"]),
     {"cluster.themes[0]": "field-conflict", "references[0]": "field-conflict"}),
]  # fmt: skip


@pytest.mark.parametrize(("document", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_each_fault_is_told_at_its_place(document: Any, expected: dict[str, str]) -> None:
    assert told(document) == expected
    with pytest.raises(FormRefusedError):
        checked(document)


def assets(*told_as: tuple[str, str, str]) -> Form:
    return form(external_assets=[{"type": kind, "value": value, "seen_as": "named-in-output", "relation": relation}
                                 for kind, value, relation in told_as])  # fmt: skip


CONFLICTS = [
    (("domain", "real.example", "operated"), ("domain", "REAL[.]example", "impersonated"), True),
    (("domain", "real.example", "targeted"), ("url", "https://real.example/a", "operated"), True),
    (("domain", "real.example", "legitimate-mention"), ("domain", "news.real.example", "operated"), True),
    (("url", "https://real.example/a", "impersonated"), ("domain", "real.example", "operated"), True),
    (("account", "https://x.com/Lorem", "targeted"), ("url", "twitter.com/lorem", "operated"), True),
    (("url", "https://real.example/a", "impersonated"), ("url", "https://real.example/b", "operated"), False),
    (("domain", "real.example", "impersonated"), ("domain", "real-news.example", "operated"), False),
    (("domain", "real.example", "unknown"), ("url", "https://real.example/a", "operated"), False),
    (("account", "https://x.com/lorem", "targeted"), ("account", "https://t.me/lorem_9", "operated"), False),
]


@pytest.mark.parametrize(("first", "second", "conflict"), CONFLICTS)
def test_nothing_is_operated_and_somebody_elses(first: Any, second: Any, conflict: bool) -> None:
    for pair in ((first, second), (second, first)):
        codes = set(told(assets(*pair)).values())
        assert codes == ({"field-conflict"} if conflict else set())


def test_faults_say_how_to_mend_and_never_what_stood_there() -> None:
    bad = form(**{"jane.doe@mail.example": 1, "email": "x"}, cluster__names=["jane.doe@mail.example"])
    text = " ".join(map(str, faults(bad)))
    assert "jane" not in text
    assert "(a name that isn't shown)" in text
    assert "keyed hash in account_identifiers" in text


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        found += places(item, (*path, step))
    return found


ODD = st.sampled_from([None, True, 0, -1, 1.5, 10**16, "", " ", "lorem", "2026-01-01", [], {}, ["lorem"], [[]], {"lorem": 1}])


@given(st.sampled_from(places(FULL)), ODD)
@settings(max_examples=300)
def test_the_published_schema_and_the_checks_agree(path: tuple[str | int, ...], value: Any) -> None:
    document = copy.deepcopy(FULL)
    part: Any = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    right = not list(structure(document))
    if value not in ("", " "):  # a blank text is a text to the schema
        assert right == VALIDATOR.is_valid(document), (path, value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)))  # fmt: skip
def test_any_json_is_answered_with_faults(document: Any) -> None:
    assert faults(document)
