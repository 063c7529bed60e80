"""Our extensions: the definitions are valid STIX that stock libraries parse, and misuse is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
import stix2

from exchange.stix import extensions
from exchange.stix.validate import check

Make = Callable[..., dict[str, Any]]


def _used(extension: str, **content: Any) -> dict[str, Any]:
    return {extension: {"extension_type": "property-extension", **content}}


USES: list[tuple[str, dict[str, Any]]] = [
    ("campaign", _used(
        extensions.CAMPAIGN, source_type="platform-takedown", campaign_class="influence-operation",
        behaviours=[{"framework": "DISARM", "framework_version": "1.7", "id": "T0049", "observation": "observed"}],
        platforms=["facebook"], dataset_boundary={"statement": "Facebook only", "start": "2026-01"},
        assets_actioned=[{"platform": "facebook", "asset_type": "page", "count": 63, "approximate": True,
                          "action": "removed"}],
        ad_spend=[{"amount": 1.2e6, "currency": "USD", "approximate": True}],
        audience=[{"metric": "followers", "platform": "facebook", "asset_type": "page", "value": 100}],
        breakout={"category": 2, "basis": "quoted by a paper"}, languages=["fr"], themes=["peace", {"name": "n"}],
        ai_use=[{"status": "suspected", "modality": "text", "basis": "style"}],
        sync_windows=[{"event": "post", "window_s": 30, "n_accounts": 12}],
    )),
    ("user-account", _used(
        extensions.ACCOUNT, account_kind="page", platform="facebook",
        hashed_identifiers=[{"of": "email", "alg": "hmac-sha256", "key_id": "k", "norm": "cib-norm-1",
                             "value": "0" * 64}],
    )),
    ("relationship", _used(
        extensions.RELATIONSHIP, claim_type="originated-in", basis=["technical-infrastructure"], role="relay",
        relation="operated", confidence_scale="admiralty", observation="observed",
    )),
    ("report", _used(
        extensions.EVIDENCE, records=[{"kind": "prompt-trail", "held": True, "until": "2027-01-01"}],
        fingerprints=[{"alg": "pdq", "value": "f8", "quality": 88}],
    )),
    ("marking-definition", _used(
        extensions.HANDLING, legal_basis=["A6-1-f"], purposes=["cib-detection"],
        retention_until="2026-12-01T00:00:00Z", notice="given",
    )),
    ("note", _used(
        extensions.NOTICE, kind="erasure", obligation="delete", deadline="2026-12-01T00:00:00Z", citation="GDPR Art. 17",
        reason="a demand of the person", reference="state-change:1",
        objects=[{"id": "indicator--7c3f1d1e-8a2b-4c5d-9e6f-0a1b2c3d4e5f", "versions": ["2026-01-01T00:00:00Z"]}],
    )),
    ("note", _used(
        extensions.RECORD, contributor="org-alpha", confirmed=3, overturned=1, public_authority=False,
        classes=[{"campaign_class": "spam", "confirmed": 3, "overturned": 1}],
    )),
]


@pytest.mark.parametrize(("type_name", "used"), USES)
def test_objects_that_use_an_extension_are_valid_here_and_for_stix2(
    make: Make, type_name: str, used: dict[str, Any]
) -> None:
    obj = make(type_name, extensions=used)
    if type_name == "marking-definition":
        obj = make(type_name, extensions=used, definition=..., definition_type=...)
    assert (check(obj), check(obj, strict=True)) == (None, None)
    parsed = stix2.parse(obj, allow_custom=False)
    assert obj["id"] == parsed.id


def test_the_definitions_are_valid_here_and_for_stix2() -> None:
    objects = [extensions.project_identity(), *extensions.definitions()]
    assert [check(obj, strict=True) for obj in objects] == [None] * (1 + len(extensions.NAMES))
    assert [obj["id"] for obj in objects] == [stix2.parse(obj, allow_custom=False).id for obj in objects]
    assert set(extensions.NAMES) == {obj["id"] for obj in objects[1:]}


@pytest.mark.parametrize("name", sorted(extensions.NAMES.values()))
def test_every_schema_is_a_json_schema_whose_demands_have_words(name: str) -> None:
    schema = extensions.schema(name)
    assert jsonschema_rs.meta.is_valid(schema)

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "type" in node or "enum" in node:
                assert "title" in node, node
            for key, child in node.items():
                if key != "not":
                    walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk({key: value for key, value in schema["properties"].items()})


@pytest.mark.parametrize(("type_name", "used", "place"), [
    ("campaign", _used(extensions.CAMPAIGN, campaign_class="war"), "campaign_class"),
    ("campaign", _used(extensions.CAMPAIGN, behaviours=[{"framework": "DISARM"}]), "behaviours[0].id"),
    ("campaign", _used(extensions.CAMPAIGN, behaviours=[]), "behaviours"),
    ("campaign", _used(extensions.CAMPAIGN, audience=[{"metric": "size", "value": 5}]), "audience[0].metric"),
    ("campaign", _used(extensions.CAMPAIGN, assets_actioned=[{"asset_type": "page", "count": -1}]),
     "assets_actioned[0].count"),
    ("campaign", {extensions.CAMPAIGN: {"campaign_class": "spam"}}, "extension_type"),
    ("user-account", _used(extensions.ACCOUNT), ""),
    ("user-account", _used(extensions.ACCOUNT, hashed_identifiers=[
        {"of": "phone", "alg": "sha-256", "key_id": "k", "value": "0" * 64}]), "hashed_identifiers[0].alg"),
    ("user-account", _used(extensions.ACCOUNT, hashed_identifiers=[
        {"of": "phone", "alg": "hmac-sha256", "key_id": "k", "value": "+3312345"}]), "hashed_identifiers[0].value"),
    ("relationship", _used(extensions.RELATIONSHIP, claim_type="attribution"), "claim_type"),
])
def test_misuse_names_the_property(make: Make, type_name: str, used: dict[str, Any], place: str) -> None:
    fault = check(make(type_name, extensions=used))
    assert fault is not None
    extension = next(iter(used))
    assert ("stix-invalid", f"extensions.{extension}" + (f".{place}" if place else "")) == (fault.code, fault.property)
