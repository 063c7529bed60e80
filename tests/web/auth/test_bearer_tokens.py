"""Tokens of a member's identity provider: which are taken, and that every refusal is the same."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from exchange.errors import UnavailableError
from exchange.outbound.patience import Patience
from exchange.outbound.web import Web
from exchange.web.auth.issuer_keys import FRESH, LASTS, PAUSE, IssuerKeys, read_key_set
from exchange.web.auth.tokens import KEY_TYPES, decoy
from tests.fakes.identity_provider import IdentityProvider, b64, jws, private_key, public_jwk, sign
from tests.fakes.web_peer import Answer, WebPeer
from tests.web.auth.entrance import START, Entrance, entrance

MEMBERS = """
[[credential]]
id = "jobs"
org = "org-alpha"
purpose = "cib-detection"
oidc = {{ issuer = "https://login.alpha.example", audience = "https://exchange.example", subject = "pipeline", keys = "{keys}" }}

[[credential]]
id = "old-issuer"
org = "org-alpha"
purpose = "cib-detection"
scopes = ["read"]
oidc = {{ issuer = "https://old.alpha.example", audience = "cib", claims = {{ groups = "cib", scope = "pull" }}, typ = "JWT", keys = "{keys}" }}

[[credential]]
id = "twin-one"
org = "org-alpha"
scopes = ["write"]
oidc = {{ issuer = "https://twins.example", audience = "cib", subject = "twin", keys = "{keys}" }}

[[credential]]
id = "twin-two"
org = "org-alpha"
scopes = ["write"]
oidc = {{ issuer = "https://twins.example", audience = "cib", claims = {{ client_id = "pipeline" }}, keys = "{keys}" }}

[[credential]]
id = "ended"
org = "org-alpha"
scopes = ["write"]
until = 2026-06-01
oidc = {{ issuer = "https://login.alpha.example", audience = "https://exchange.example", subject = "ended", keys = "{keys}" }}

[[credential]]
id = "revoked"
org = "org-alpha"
scopes = ["write"]
revoked = true
oidc = {{ issuer = "https://login.alpha.example", audience = "https://exchange.example", subject = "revoked", keys = "{keys}" }}
"""
OLD = {"iss": "https://old.alpha.example", "aud": ["other", "cib"], "sub": "x", "groups": ["a", "cib"], "scope": "push pull"}


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with WebPeer() as peer:
        made = IdentityProvider(peer, now=lambda: START)
        made.keys = {"one": ("RS256", private_key("RSA")), "ec": ("ES256", private_key("EC")),
                     "ed": ("EdDSA", private_key("OKP")), "ed-9864": ("Ed25519", private_key("OKP", 2))}
        yield made


@pytest.fixture(scope="module")
def opened(provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Entrance:
    return entrance(tmp_path_factory.mktemp("exchange"), MEMBERS.format(keys=provider.keys_url),
                    oidc_networks="127.0.0.1", secret_key="x" * 32)


@pytest.mark.parametrize(("kid", "header", "claims"), [
    pytest.param("one", {}, {}, id="RS256"),
    pytest.param("ec", {}, {}, id="ES256"),
    pytest.param("ed", {}, {}, id="EdDSA"),
    pytest.param("ed-9864", {}, {}, id="Ed25519"),
    pytest.param("ed", {"alg": "Ed25519"}, {}, id="one algorithm under its other name"),
    pytest.param("ec", {"kid": None}, {}, id="no kid, and one key of its type"),
    pytest.param("one", {"typ": "application/AT+JWT"}, {}, id="the long name of the type"),
    pytest.param("one", {}, {"aud": ["https://exchange.example", "other"]}, id="one audience of several"),
    pytest.param("one", {}, {"exp": START - 59}, id="ended within the leeway"),
    pytest.param("one", {}, {"nbf": START + 60, "iat": START + 60}, id="begins within the leeway"),
    pytest.param("one", {"jku": "https://evil.example/keys", "x5u": "https://evil.example/c", "x5t": "AAAA"}, {},
                 id="addresses of keys in the header are nobody's business"),
    pytest.param("one", {"x5c": ["A" * 2_000]}, {}, id="a chain in the header"),
    pytest.param("one", {"typ": "JWT"}, OLD, id="an issuer that writes JWT, by group and scope"),
    pytest.param("one", {"typ": None}, OLD, id="an issuer that writes no type"),
])
def test_a_token_is_taken(opened: Entrance, provider: IdentityProvider, kid: str, header: dict[str, Any], claims: dict[str, Any]) -> None:
    assert opened.bearer(provider.token(kid, header, **claims)).status_code == 200


def _hmac_with_public_key(provider: IdentityProvider) -> str:
    """Algorithm confusion: the public key, which everybody has, as the secret of an HMAC."""
    key = json.dumps(public_jwk(private_key("RSA"))).encode()
    return jws({"alg": "HS256", "kid": "one", "typ": "at+jwt"}, provider.claims(),
               lambda signed: hmac.digest(key, signed, "sha256"))


def _signed(header: dict[str, Any], kind: str = "RSA", number: int = 1) -> Callable[[IdentityProvider], str]:
    return lambda provider: jws({"alg": "RS256", "kid": "one", "typ": "at+jwt", **header}, provider.claims(),
                                lambda signed: sign(private_key(kind, number), signed))


def _raw(header: str, claims: str) -> Callable[[IdentityProvider], str]:
    return lambda provider: jws(header, claims, lambda signed: sign(private_key("RSA"), signed))


def _said(kid: str = "one", header: dict[str, Any] | None = None, **claims: Any) -> Callable[[IdentityProvider], str]:
    return lambda provider: provider.token(kid, header, **claims)


_STRANGER = {"jwk": public_jwk(private_key("EC", 2)), "alg": "ES256"}
REFUSED = {
    "no such issuer": (_said(iss="https://login.beta.example"), "unknown issuer"),
    "no issuer": (_said(iss=None), "unknown issuer"),
    "issuer in a list": (_said(iss=["https://login.alpha.example"]), "unknown issuer"),
    "issuer with a slash more": (_said(iss="https://login.alpha.example/"), "unknown issuer"),
    "another audience": (_said(aud="https://other.example"), "aud"),
    "no audience": (_said(aud=None), "aud"),
    "an audience that begins alike": (_said(aud="https://exchange.example.evil.example"), "aud"),
    "another subject": (_said(sub="somebody"), "subject"),
    "no subject": (_said(sub=None), "subject"),
    "subject in another case": (_said(sub="Pipeline"), "subject"),
    "ended": (_said(exp=START - 60), "exp"),
    "without an end": (_said(exp=None), "exp"),
    "an end that is a text": (_said(exp=str(START + 300)), "exp"),
    "an end that is true": (_said(exp=True), "exp"),
    "not yet": (_said(nbf=START + 61), "nbf"),
    "issued in the future": (_said(iat=START + 61), "iat"),
    "an ID token": (_said(header={"typ": "JWT"}), "type"),
    "a logout token": (_said(header={"typ": "logout+jwt"}), "type"),
    "a type that is a number": (_said(header={"typ": 1}), "type"),
    "another group": (_said(header={"typ": "JWT"}, **{**OLD, "groups": ["cibx"]}), "subject or claims"),
    "a word in another word of the scope": (_said(header={"typ": "JWT"}, **{**OLD, "scope": "pullx"}), "subject or claims"),
    "fits two credentials": (_said(iss="https://twins.example", aud="cib", sub="twin"), "several"),
    "its credential ended": (_said(sub="ended"), "out of its dates"),
    "its credential is revoked": (_said(sub="revoked"), "subject"),
    "alg none": (lambda p: jws({"alg": "none", "typ": "at+jwt"}, p.claims(), lambda _: b"x"), "algorithm"),
    "alg nOnE": (lambda p: jws({"alg": "nOnE", "typ": "at+jwt"}, p.claims(), lambda _: b"x"), "algorithm"),
    "an alg that is a list": (_signed({"alg": ["RS256"]}), "algorithm"),
    "an alg that is an object": (_signed({"alg": {}}), "algorithm"),
    "no alg": (lambda p: jws({"kid": "one", "typ": "at+jwt"}, p.claims(), lambda _: b"x"), "algorithm"),
    "HMAC with the public key": (_hmac_with_public_key, "algorithm"),
    "RS512": (_signed({"alg": "RS512"}), "algorithm"),
    "the algorithm of another key": (_signed({"alg": "ES256"}), "key unknown"),
    "another key under a kid": (_signed({}, "RSA", 2), "signature"),
    "a signature of zeros": (lambda p: jws({"alg": "ES256", "kid": "ec", "typ": "at+jwt"}, p.claims(), lambda _: bytes(64)), "signature"),
    "an empty signature": (lambda p: p.token().rpartition(".")[0] + ".", "malformed"),
    "claims changed after signing": (lambda p: ".".join([p.token().split(".")[0], p.token(sub="pipeline", x=1).split(".")[1], p.token().split(".")[2]]), "signature"),
    "its own key in the header": (lambda p: jws({"kid": "stranger", "typ": "at+jwt", **_STRANGER}, p.claims(), lambda s: sign(private_key("EC", 2), s)), "key unknown"),
    "a kid that is a path": (_signed({"kid": "../../../../dev/null"}), "key unknown"),
    "a kid that is SQL": (_signed({"kid": "' OR 1=1 --"}), "key unknown"),
    "a kid that is an address": (_signed({"kid": "https://evil.example/keys"}), "key unknown"),
    "a kid with control signs": (_signed({"kid": "one\x00\r\nX: y"}), "malformed"),
    "a kid that is a list": (_signed({"kid": ["one"]}), "kid"),
    "an endless kid": (_signed({"kid": "k" * 501}), "kid"),
    "two keys fit without a kid": (_said("ed", {"kid": None}), "key unknown"),
    "crit": (_signed({"crit": ["b64"], "b64": False}), "header"),
    "nested": (_signed({"cty": "JWT"}), "header"),
    "the key twice in the header": (_raw('{"alg":"RS256","alg":"none","typ":"at+jwt"}', "{}"), "malformed"),
    "header is a list": (_raw("[]", "{}"), "malformed"),
    "deep claims": (_raw('{"alg":"RS256","typ":"at+jwt"}', '{"a":' + "[" * 2_000 + "]" * 2_000 + "}"), "malformed"),
    "NaN": (_raw('{"alg":"RS256","typ":"at+jwt"}', '{"iss":"https://login.alpha.example","exp":NaN}'), "malformed"),
    "not Base64": (lambda _: "a!.b.c", "malformed"),
    "padding": (lambda p: p.token().replace(".", "=.", 1), "malformed"),
    "dots alone": (lambda _: "..", "malformed"),
    "too long": (_said(x="x" * 8_000), "too long"),
    "bound to a certificate": (_said(cnf={"x5t#S256": b64(bytes(32))}), "certificate"),
    "bound to a key of its own (DPoP)": (_said(cnf={"jkt": b64(bytes(32))}), "bound in a way"),
    "bound to nothing": (_said(cnf={}), "bound in a way"),
    "bound in two ways": (_said(cnf={"x5t#S256": b64(bytes(32)), "jkt": "x"}), "bound in a way"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_is_refused_in_the_same_bytes_and_the_log_says_why(
    opened: Entrance, provider: IdentityProvider, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    make, reason = REFUSED[name]
    with caplog.at_level(logging.INFO, logger="exchange.web.requests"):
        answer, unknown = opened.bearer(make(provider)), opened.bearer("cibx_nobody_secret")
    assert (answer.status_code, answer.data, list(answer.headers)) == (401, unknown.data, list(unknown.headers))
    assert reason in caplog.records[0].__dict__["reason"]


def test_an_encrypted_token_is_no_token_here(opened: Entrance, provider: IdentityProvider) -> None:
    five_parts = ".".join([b64(b'{"alg":"RSA-OAEP","enc":"A256GCM"}'), "a", "b", "c", "d"])
    assert opened.bearer(five_parts).status_code == 401


def test_the_rights_are_those_of_the_credential(opened: Entrance, provider: IdentityProvider) -> None:
    objects = "/taxii2/cib/collections/indicators/objects/"
    writer = opened.bearer(provider.token(), path=objects)
    reader = opened.bearer(provider.token(header={"typ": "JWT"}, **OLD), path="/taxii2/cib/collections/")
    assert writer.status_code == 200
    assert [(one["can_read"], one["can_write"]) for one in reader.json["collections"]] == [(True, False)]


def test_a_suspended_member_keeps_its_notices_alone(tmp_path: Any, provider: IdentityProvider) -> None:
    apart = entrance(tmp_path, MEMBERS.format(keys=provider.keys_url), oidc_networks="127.0.0.1")
    assert apart.bearer(provider.token()).status_code == 200
    apart.describe('[[organisation]]\nid = "org-alpha"\nname = "Alpha"\nkind = "platform"\njurisdiction = "IE"\nactive = false')
    paths = ["/taxii2/cib/collections/", "/taxii2/notices/"]
    assert [apart.bearer(provider.token(), path=path).status_code for path in paths] == [401, 200]


def test_wrong_tokens_are_counted_by_whom_they_name_and_by_address(tmp_path: Any, provider: IdentityProvider) -> None:
    apart = entrance(tmp_path, MEMBERS.format(keys=provider.keys_url), oidc_networks="127.0.0.1")
    forged = _signed({}, "RSA", 2)(provider)
    given = [apart.bearer(forged, address="198.51.100.1") for _ in range(9)]
    assert [one.status_code for one in given] == [401] * 8 + [429]
    assert int(given[-1].headers["Retry-After"]) > 0
    assert apart.bearer(provider.token(), address="198.51.100.2").status_code == 200


# -- keys, in their own time


class _Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def keys_and_clock() -> tuple[IssuerKeys, _Clock]:
    clock = _Clock()
    return IssuerKeys(lambda: Web(allow=["127.0.0.1"], patience=Patience(tries=1), redirects=0), clock), clock


@pytest.fixture
def own_provider() -> Iterator[IdentityProvider]:
    with WebPeer() as peer:
        yield IdentityProvider(peer, now=lambda: START, keys={"one": ("EdDSA", private_key("OKP"))})


def test_a_set_is_asked_for_once_while_it_is_fresh(keys_and_clock: tuple[IssuerKeys, _Clock], own_provider: IdentityProvider) -> None:
    keys, clock = keys_and_clock
    oidc = {"keys": own_provider.keys_url}
    for _ in range(5):
        assert keys.find(oidc, "one", "EdDSA") is not None
    clock.now += FRESH + 1
    assert keys.find(oidc, "one", "EdDSA") is not None
    assert own_provider.times_asked == 2


def test_unknown_kids_dont_hammer_the_issuer(keys_and_clock: tuple[IssuerKeys, _Clock], own_provider: IdentityProvider) -> None:
    keys, clock = keys_and_clock
    oidc = {"keys": own_provider.keys_url}
    for number in range(50):
        assert keys.find(oidc, f"made up {number}", "EdDSA") is None
    assert own_provider.times_asked == 1
    clock.now += PAUSE
    assert keys.find(oidc, "made up", "EdDSA") is None
    assert own_provider.times_asked == 2


def test_old_and_new_key_overlap_as_long_as_both_are_published(keys_and_clock: tuple[IssuerKeys, _Clock], own_provider: IdentityProvider) -> None:
    keys, clock = keys_and_clock
    oidc = {"keys": own_provider.keys_url}
    held = []
    for published in (["one"], ["one", "two"], ["two"]):
        own_provider.keys = {kid: ("EdDSA", private_key("OKP", 1 + (kid == "two"))) for kid in published}
        clock.now += FRESH + 1
        held.append([kid for kid in ("one", "two") if keys.find(oidc, kid, "EdDSA")])
    assert held == [["one"], ["one", "two"], ["two"]]


def test_a_key_that_is_new_is_found_after_the_pause(keys_and_clock: tuple[IssuerKeys, _Clock], own_provider: IdentityProvider) -> None:
    keys, clock = keys_and_clock
    oidc = {"keys": own_provider.keys_url}
    assert keys.find(oidc, "one", "EdDSA") is not None
    own_provider.keys["two"] = ("EdDSA", private_key("OKP", 2))
    clock.now += PAUSE
    assert keys.find(oidc, "two", "EdDSA") is not None


def test_while_the_issuer_is_away_known_keys_hold_and_unknown_ones_cant_be_told(
    keys_and_clock: tuple[IssuerKeys, _Clock], own_provider: IdentityProvider
) -> None:
    keys, clock = keys_and_clock
    oidc = {"keys": own_provider.keys_url}
    assert keys.find(oidc, "one", "EdDSA") is not None
    own_provider.peer.routes["/keys"] = lambda asked: Answer(503)
    clock.now += FRESH + 1
    assert keys.find(oidc, "one", "EdDSA") is not None
    with pytest.raises(UnavailableError, match="can't be asked for its keys"):
        keys.find(oidc, "two", "EdDSA")
    clock.now += LASTS
    with pytest.raises(UnavailableError):
        keys.find(oidc, "one", "EdDSA")
    assert own_provider.times_asked == 3


@pytest.mark.parametrize("answer", [
    Answer(404), Answer(302, headers={"Location": "/elsewhere"}), Answer(body=b"<html>"), Answer(body=b"[]"),
    Answer(body=b'{"keys": 5}'), Answer(body=b"[" * 5_000), Answer(body=b" " * 300_000), Answer(raw=b"rubbish\r\n"),
], ids=["404", "redirect", "a page", "a list", "no list of keys", "deep", "too large", "no HTTP"])
def test_an_issuer_that_answers_nonsense_is_away(
    keys_and_clock: tuple[IssuerKeys, _Clock], own_provider: IdentityProvider, answer: Answer
) -> None:
    own_provider.peer.routes["/keys"] = lambda asked: answer
    with pytest.raises(UnavailableError):
        keys_and_clock[0].find({"keys": own_provider.keys_url}, "one", "EdDSA")
    assert own_provider.times_asked == 1


def test_a_token_whose_issuer_is_away_isnt_refused_but_put_off(tmp_path: Any, own_provider: IdentityProvider) -> None:
    """503: 401 would have the member throw a good token away. Who doesn't know for whom tokens are learns nothing."""
    apart = entrance(tmp_path, MEMBERS.format(keys=own_provider.keys_url), oidc_networks="127.0.0.1")
    own_provider.peer.routes["/keys"] = lambda asked: Answer(500)
    given = apart.bearer(own_provider.token())
    assert (given.status_code, "Retry-After" in given.headers) == (503, True)
    assert apart.bearer(own_provider.token(sub="somebody")).status_code == 401
    assert own_provider.times_asked == 1


def test_keys_in_a_private_network_are_not_fetched_unless_the_operator_says_so(tmp_path: Any, own_provider: IdentityProvider) -> None:
    apart = entrance(tmp_path, MEMBERS.format(keys=own_provider.keys_url))
    assert apart.bearer(own_provider.token()).status_code == 503
    assert own_provider.times_asked == 0


def test_keys_from_a_file_are_read_anew(keys_and_clock: tuple[IssuerKeys, _Clock], own_provider: IdentityProvider, tmp_path: Any) -> None:
    keys, clock = keys_and_clock
    file = tmp_path / "alpha.jwks"
    oidc = {"keys_file": str(file)}
    with pytest.raises(UnavailableError):
        keys.find(oidc, "one", "EdDSA")
    file.write_text(json.dumps(own_provider.key_set()))
    clock.now += 1
    assert keys.find(oidc, "one", "EdDSA") is not None


UNUSABLE: dict[str, Callable[[dict[str, Any]], Any]] = {
    "a secret": lambda _: {"kty": "oct", "k": "c2VjcmV0", "kid": "a"},
    "for encryption": lambda rsa: {**rsa, "use": "enc"},
    "a kid that is a number": lambda rsa: {**rsa, "kid": 5},
    "a modulus that is a number": lambda rsa: {**rsa, "n": 5},
    "a tiny modulus": lambda rsa: {**rsa, "n": "AQAB"},
    "a huge modulus": lambda rsa: {**rsa, "n": "A" * 1_401},
    "a huge exponent": lambda rsa: {**rsa, "e": "AQABAQAB"},
    "no modulus": lambda _: {"kty": "RSA", "kid": "a"},
    "RSA with a curve": lambda rsa: {**rsa, "crv": "P-256"},
    "RSA of 1,024 bits": lambda _: public_jwk(private_key("RSA1024")),
    "another curve": lambda _: {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
    "a point off the curve": lambda _: {"kty": "EC", "crv": "P-256", "x": b64(bytes(32)), "y": b64(bytes(32))},
    "a key for agreement": lambda _: {"kty": "OKP", "crv": "X25519", "x": b64(bytes(32))},
    "a text": lambda _: "text", "nothing": lambda _: None, "a list": lambda _: [],
}


@pytest.mark.filterwarnings("ignore:Key size should be")
@pytest.mark.parametrize("name", UNUSABLE)
def test_a_key_that_cant_be_used_is_left_out_of_its_set(name: str) -> None:
    key, good = UNUSABLE[name](public_jwk(private_key("RSA"), kid="a")), public_jwk(private_key("OKP"), kid="good")
    assert [one.kid for one in read_key_set(json.dumps({"keys": [key, good]}).encode())] == ["good"]


@pytest.mark.parametrize("algorithm", KEY_TYPES)
def test_the_decoys_are_keys_of_their_algorithm(algorithm: str) -> None:
    """An unknown issuer's token costs what a known one's does: a signature is checked."""
    jwk = decoy(algorithm).as_dict()
    assert (jwk["kty"], jwk.get("crv", "")) == KEY_TYPES[algorithm]
