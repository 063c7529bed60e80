"""Proofs that two credentials share: told when they are described, not when both open nothing."""

from __future__ import annotations

import tomllib

import pytest

from exchange.model.description import DescriptionError, read_description
from exchange.model.party import Credential, Directory, Organisation

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
MEMBERS = {name: Organisation(id=name, name=name, kind="platform", jurisdiction="IE") for name in ("org-alpha", "org-beta")}
TOKENS = {"issuer": "https://login.example", "audience": "cib", "subject": "jobs", "keys": "https://login.example/keys"}
KNOWN = Directory(1, MEMBERS, {}, {}, {}, {one.id: one for one in (
    Credential("known", "org-beta", "", certificates=(A,)), Credential("jobs", "org-beta", "", oidc=TOKENS),
    Credential("gone", "org-beta", "", certificates=(B,), revoked=True),
    Credential("spring", "org-beta", "", certificates=("dns:spring.example",), until="2026-06-01T00:00:00Z"))})


def oidc(**changed: str) -> str:
    given = {name: value for name, value in {**TOKENS, **changed}.items() if value}
    return "oidc = { " + ", ".join(f'{name} = "{value}"' for name, value in given.items()) + " }"


def described(said: str, name: str = "new", org: str = "org-alpha") -> str:
    return f'[[credential]]\nid = "{name}"\norg = "{org}"\nscopes = ["write"]\n{said}\n'


@pytest.mark.parametrize("text", [
    pytest.param(described(f'certificates = ["{A.upper().replace("SHA256", "sha256")}"]'), id="a certificate of another member"),
    pytest.param(described(oidc()), id="an issuer and subject of another member"),
    pytest.param(described(oidc(keys="https://elsewhere.example/keys")), id="with keys elsewhere"),
    pytest.param(described(oidc(subject="")[:-2] + ', claims = { sub = "jobs" } }'), id="the subject as a claim"),
    pytest.param(described('certificates = ["dns:spring.example"]\nsince = 2026-05-31'), id="that ends a day later"),
    pytest.param(described('certificates = ["dns:x.example"]') + described('certificates = ["dns:X.example"]', "two"), id="both new"),
])
def test_what_would_prove_two_credentials_is_a_fault(text: str) -> None:
    with pytest.raises(DescriptionError, match="so neither would open anything") as told:
        read_description(tomllib.loads(text), KNOWN, {}, source="x")
    assert len(told.value.faults) == 1


@pytest.mark.parametrize("text", [
    pytest.param(described(f'certificates = ["{A}"]', "known", "org-beta"), id="the same one again"),
    pytest.param(described(f'certificates = ["{B}"]'), id="of a revoked one"),
    pytest.param(described('certificates = ["dns:spring.example"]\nsince = 2026-06-01'), id="that ends when it begins"),
    pytest.param(described(f'certificates = ["{A}"]') + described("revoked = true", "known", "org-beta"), id="of one that is revoked with it"),
    pytest.param(described(f'certificates = ["{A}"]') + described('certificates = ["dns:y.example"]', "known", "org-beta"), id="that moves"),
    pytest.param(described(oidc(subject="others")), id="another subject"),
    pytest.param(described(oidc(issuer="https://login.example/")), id="another issuer"),
    pytest.param(described(oidc(typ="JWT")), id="tokens of another type"),
    pytest.param(described(f'certificates = ["{A}"]\nrevoked = true'), id="revoked from the beginning"),
])
def test_what_proves_one_at_a_time_is_none(text: str) -> None:
    assert read_description(tomllib.loads(text), KNOWN, {}, source="x")["credential"]


def test_what_a_pruning_description_leaves_out_is_in_nobodys_way() -> None:
    text = '[[organisation]]\nid = "org-alpha"\nname = "A"\nkind = "platform"\njurisdiction = "IE"\n' + described(f'certificates = ["{A}"]')
    assert read_description(tomllib.loads(text), KNOWN, {}, source="x", alone=True)["credential"]
