"""Derived objects: valid, parsed by stix2, without what is withheld, always the same, and telling nothing else."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from exchange.stix.extensions import REDACTION
from exchange.stix.redact import Original, derive
from exchange.stix.validate import check
from tests.e2e.stix_objects import TLP, campaign, domain, fixed_id, indicator

SECRET = "s" * 64
ACCOUNT: dict[str, Any] = {
    "type": "user-account", "spec_version": "2.1", "id": fixed_id("user-account", 1), "account_type": "facebook",
    "account_login": "made.up", "user_id": "id-77-made-up", "x_profile": "made.up", "is_disabled": True,
}
REPORT: dict[str, Any] = {
    "type": "report", "spec_version": "2.1", "id": fixed_id("report", 1), "created": "2026-01-15T08:00:00.000Z",
    "modified": "2026-01-15T08:00:00.000Z", "name": "R", "published": "2026-01-15T08:00:00.000Z",
    "created_by_ref": fixed_id("identity", 1), "report_types": ["campaign"],
    "external_references": [{"source_name": "a", "url": "https://a.example/x"}, {"source_name": "b", "url": "https://b.example/"}],
    "object_refs": [fixed_id("campaign", n) for n in range(3)],
    "granular_markings": [{"marking_ref": TLP["AMBER"], "selectors": ["external_references.[0].url", "name"]}],
}  # fmt: skip


def made(obj: dict[str, Any], *parts: str, hidden: tuple[str, ...] = (), claim: int = 1) -> dict[str, Any] | None:
    found = derive(Original(json.dumps(obj).encode(), 1, 1, claim), parts, hidden, SECRET)
    if found is None:
        return None
    derived: dict[str, Any] = json.loads(found.body)
    assert derived["id"] == found.id
    return derived


@pytest.mark.parametrize(("obj", "parts", "gone"), [
    (REPORT, ("external_references.[0].url",), "https://a.example/x"),
    (REPORT, ("external_references.[0]",), "https://a.example/x"),
    (REPORT, ("external_references", "report_types"), "source_name"),
    (REPORT, ("object_refs.[1]",), REPORT["object_refs"][1]),
    (REPORT, ("provider",), REPORT["created_by_ref"]),
    (ACCOUNT, ("Username",), "made.up"),
    (ACCOUNT, ("PlatformAccountId", "Username"), "id-77-made-up"),
    (campaign("x", description="secret words"), ("description",), "secret words"),
])  # fmt: skip
def test_what_is_withheld_is_gone_and_the_rest_is_valid(obj: dict[str, Any], parts: tuple[str, ...], gone: str) -> None:
    derived = made({**obj, "granular_markings": []} if "granular_markings" in obj else obj, *parts) or made(obj, *parts)
    assert derived is not None
    text = json.dumps(derived)
    assert gone not in text
    assert obj["id"] not in text
    assert check(derived) is None
    assert stix2.parse(derived, allow_custom=True)["id"] == derived["id"]
    assert (derived.get("created"), derived.get("modified")) == (obj.get("created"), obj.get("modified"))
    assert derived["extensions"][REDACTION]["withheld"] == sorted(parts)
    assert UUID(derived["id"].partition("--")[2]).version == 5


@pytest.mark.parametrize(("obj", "parts"), [
    (indicator("x"), ("pattern",)), (REPORT, ("name",)), (REPORT, ("object_refs",)), (REPORT, ("created",)),
    (REPORT, ("*content",)), (REPORT, ("id",)), (REPORT, ("Username",)), (domain("a.example"), ("value",)),
    (indicator("x", pattern="[user-account:account_login = 'made.up']"), ("Username",)),
    ({"type": "email-addr", "spec_version": "2.1", "id": fixed_id("email-addr", 1), "value": "a@b.example"}, ("EmailAddress",)),
    ({"type": "identity", "spec_version": "2.1", "id": fixed_id("identity", 2), "created": REPORT["created"],
      "modified": REPORT["created"], "name": "Somebody", "identity_class": "individual"}, ("Name",)),
    ({"type": "marking-definition", "spec_version": "2.1", "id": fixed_id("marking-definition", 2), "name": "n",
      "created": REPORT["created"], "definition_type": "statement", "definition": {"statement": "s"}}, ("name",)),
])  # fmt: skip
def test_where_a_required_part_would_go_the_answer_is_deny(obj: dict[str, Any], parts: tuple[str, ...]) -> None:
    assert made(obj, *parts) is None


def test_hidden_references_are_left_out_and_said_to_be() -> None:
    bare = {name: value for name, value in REPORT.items() if name != "granular_markings"}
    refs = REPORT["object_refs"]
    derived = made(bare, hidden=(refs[0], refs[2]))
    assert derived is not None
    assert derived["object_refs"] == [refs[1]]
    assert derived["extensions"][REDACTION]["withheld"] == ["references"]
    assert refs[0] not in json.dumps(derived)
    assert made(bare, hidden=tuple(refs)) is None


def test_markings_of_what_stays_stay() -> None:
    derived = made(REPORT, "report_types")
    assert derived is not None
    assert derived["granular_markings"] == REPORT["granular_markings"]
    assert made(REPORT, "external_references.[1]") is None  # the marked place within the list would move


def test_versions_of_an_object_share_the_id_and_other_parts_or_secrets_have_others() -> None:
    newer = {**REPORT, "modified": "2026-02-15T08:00:00.000Z", "description": "more"}
    one, two = made(REPORT, "report_types"), made(newer, "report_types")
    assert one is not None
    assert two is not None
    assert one["id"] == two["id"]
    other, later = made(REPORT, "created_by_ref"), made(REPORT, "report_types", claim=2)
    assert other is not None
    assert later is not None
    assert len({one["id"], other["id"], later["id"]}) == 3
    guessed = derive(Original(json.dumps(REPORT).encode(), 1, 1, 1), ("report_types",), (), "another secret")
    assert guessed is not None
    assert guessed.id != one["id"]
    assert json.loads(guessed.body)["extensions"] != one["extensions"]


SELECTORS = st.sets(st.sampled_from([
    "external_references.[0].url", "external_references.[1]", "external_references", "report_types", "created_by_ref",
    "object_refs.[0]", "object_refs.[2]", "name", "provider", "granular_markings",
]), min_size=1, max_size=4)  # fmt: skip
BODIES = st.fixed_dictionaries({"modified": st.sampled_from(["2026-01-15T08:00:00.000Z", "2026-01-16T08:00:00.000Z"]),
                                "granular_markings": st.sampled_from([[], REPORT["granular_markings"]])})
HIDDEN = st.sets(st.sampled_from(REPORT["object_refs"]), max_size=2)


@given(st.lists(st.tuples(BODIES, SELECTORS, HIDDEN), min_size=2, max_size=6))
def test_the_same_id_and_version_never_has_two_bodies(asked: list[tuple[dict[str, Any], set[str], set[str]]]) -> None:
    bodies: dict[tuple[str, str], set[str]] = {}
    first: dict[str, dict[str, Any]] = {}
    for change, parts, hidden in asked:
        obj = {**REPORT, **change}
        if not obj["granular_markings"]:
            del obj["granular_markings"]
        obj = first.setdefault(obj["modified"], obj)  # one contributor's version has one body
        derived = made(obj, *parts, hidden=tuple(hidden))
        if derived is not None:
            assert check(derived) is None
            bodies.setdefault((derived["id"], derived["modified"]), set()).add(json.dumps(derived))
    assert all(len(found) == 1 for found in bodies.values())
