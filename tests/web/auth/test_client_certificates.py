"""Client certificates that a proxy passes on: which are believed, of whom, and when they end."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509

from tests.fakes.certificates import Made, authority, certificate, host
from tests.fakes.identity_provider import IdentityProvider, b64, private_key
from tests.fakes.web_peer import WebPeer
from tests.web.auth.entrance import START, Entrance, entrance

AT = datetime.fromtimestamp(START, UTC)
SECRET = "made up secret of the proxy 0123456789"
SPIFFE = "spiffe://alpha.example/collector"


def escaped(made: Made) -> str:
    """As nginx's $ssl_client_escaped_cert says it."""
    return quote(made.pem)


def sequence(made: Made) -> str:
    """As RFC 9440 says it."""
    return f":{base64.b64encode(made.der).decode()}:"


@pytest.fixture(scope="module")
def made() -> dict[str, Made]:
    by = authority("Authority", AT)
    return {
        "first": certificate("first", by, AT), "second": certificate("second", by, AT),
        "named": certificate("named", by, AT, host("Collector.Alpha.example"), x509.UniformResourceIdentifier(SPIFFE)),
        "named both": certificate("both", by, AT, host("both.alpha.example")), "ended": certificate("ended", by, AT, days=-1 + 1),
        "stranger": certificate("stranger", by, AT, host("alpha.example")), "revoked": certificate("revoked", by, AT),
        "x400": certificate("x400", by, AT, more=x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, bytes.fromhex("3004a3023000"))),
        "common name": certificate("collector.alpha.example", by, AT),
    }


def members(made: dict[str, Made]) -> str:
    def one(name: str, *names: str, more: str = "") -> str:
        return f'[[credential]]\nid = "{name}"\norg = "org-alpha"\nscopes = ["write"]\ncertificates = {list(names)!r}\n{more}\n'
    return "\n".join((
        one("rotating", made["first"].name, made["second"].name.upper().replace("SHA256:", "sha256:")), one("ended", made["ended"].name),
        one("host", "dns:collector.alpha.example"), one("both", "dns:both.alpha.example"), one("exact", made["named both"].name),
        one("revoked", made["revoked"].name, more="revoked = true"),
    ))


@pytest.fixture(scope="module")
def opened(made: dict[str, Made], tmp_path_factory: pytest.TempPathFactory) -> Entrance:
    return entrance(tmp_path_factory.mktemp("exchange"), members(made), proxies=1, proxy_secret=SECRET,
                    certificate_proxies="10.0.0.0/8, fd00::/8")


def shown(opened: Entrance, value: str, secret: str = SECRET, peer: str = "10.1.2.3", **headers: str) -> int:
    """The status for a request through a proxy at ``peer``, from a client of its own address each time."""
    opened._addresses += 1
    headers = {"X-Forwarded-For": f"203.0.113.{opened._addresses % 250}", "Client-Cert": value, "CIBX-Proxy-Secret": secret, **headers}
    return opened.ask(headers, address=peer).status_code


@pytest.mark.parametrize(("name", "form", "status"), [
    ("first", escaped, 200), ("second", escaped, 200), ("first", sequence, 200), ("named", escaped, 200), ("named both", escaped, 200),
    ("stranger", escaped, 401), ("common name", escaped, 401), ("revoked", escaped, 401),
])
def test_whom_a_certificate_stands_for(opened: Entrance, made: dict[str, Made], name: str, form: Callable[[Made], str], status: int) -> None:
    assert shown(opened, form(made[name])) == status


@pytest.mark.parametrize(("secret", "peer", "status"), [
    (SECRET, "10.1.2.3", 200), (SECRET, "::ffff:10.1.2.3", 200), (SECRET, "fd00::1", 200),
    ("", "10.1.2.3", 401), (SECRET + "x", "10.1.2.3", 401), (SECRET.upper(), "10.1.2.3", 401), ("\u00e9" * 40, "10.1.2.3", 401),
    (SECRET, "11.1.2.3", 401), (SECRET, "127.0.0.1", 401), (SECRET, "", 401),
])
def test_the_header_is_believed_of_the_operators_proxies_alone(opened: Entrance, made: dict[str, Made], secret: str, peer: str, status: int) -> None:
    assert shown(opened, escaped(made["first"]), secret, peer) == status


def test_an_address_that_the_client_claims_for_the_proxy_is_not_the_proxys(opened: Entrance, made: dict[str, Made]) -> None:
    forwarded = {"X-Forwarded-For": "10.1.2.3"}
    assert shown(opened, escaped(made["first"]), peer="198.51.100.1", **forwarded) == 401


def test_without_settings_nobody_is_believed(tmp_path: Any, made: dict[str, Made]) -> None:
    assert shown(entrance(tmp_path, members(made)), escaped(made["first"])) == 401


@pytest.mark.parametrize("value", [
    "x", ":::", ":AAAA:", "%", quote("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "\u00ff", ":" + "A" * 6_000 + ":",
])
def test_what_is_no_certificate_is_refused(opened: Entrance, value: str) -> None:
    assert shown(opened, value) == 401


def test_a_certificate_ends_by_its_own_date_and_begins_by_it(opened: Entrance, made: dict[str, Made]) -> None:
    held = []
    for seconds in (-86_401, -86_400, 0, 30 * 86_400, 30 * 86_400 + 1):
        opened.seconds = START + seconds
        held.append(shown(opened, escaped(made["first"])))
    opened.seconds = START
    assert held == [401, 200, 200, 200, 401]


def test_a_credential_follows_another_with_the_same_certificate(tmp_path: Any, made: dict[str, Made]) -> None:
    text = '[[credential]]\nid = "{id}"\norg = "org-alpha"\nscopes = ["write"]\ncertificates = ["{name}"]\n{dates}\n'
    apart = entrance(tmp_path, "".join(text.format(id=key, name=made["first"].name, dates=dates) for key, dates in (
        ("until-noon", "until = 2026-06-15T12:00:00Z"), ("from-noon", "since = 2026-06-15T12:00:00Z"))), certificate_proxies="10.0.0.0/8")
    held = []
    for apart.seconds in (START - 1, START):
        held.append(shown(apart, escaped(made["first"])))
    assert held == [200, 200]


def test_a_certificate_with_names_of_kinds_that_nobody_reads_is_refused(opened: Entrance, made: dict[str, Made]) -> None:
    """X.400 names and the like: an authority may sign them, and cryptography doesn't parse them."""
    assert shown(opened, escaped(made["x400"])) == 401


def test_rotation_both_hold_until_the_old_one_is_taken_away(tmp_path: Any, made: dict[str, Made]) -> None:
    apart = entrance(tmp_path, members(made), certificate_proxies="10.0.0.0/8")
    text = '[[credential]]\nid = "rotating"\norg = "org-alpha"\nscopes = ["write"]\ncertificates = {names!r}\n'
    held = []
    for names in (["first"], ["first", "second"], ["second"]):
        apart.describe(text.format(names=[made[name].name for name in names]))
        held.append([name for name in ("first", "second") if shown(apart, escaped(made[name])) == 200])
    assert held == [["first"], ["first", "second"], ["second"]]
    apart.describe(text.format(names=[made["second"].name]) + "revoked = true")
    assert shown(apart, escaped(made["second"])) == 401


def test_a_token_that_is_bound_to_a_certificate_needs_it(tmp_path: Any, made: dict[str, Made]) -> None:
    with WebPeer() as peer:
        provider = IdentityProvider(peer, now=lambda: START, keys={"one": ("EdDSA", private_key("OKP"))})
        oidc = (f'oidc = {{ issuer = "{provider.issuer}", audience = "{provider.audience}", subject = "pipeline",'
                f' keys = "{provider.keys_url}" }}')
        apart = entrance(tmp_path, f'[[credential]]\nid = "jobs"\norg = "org-alpha"\nscopes = ["write"]\n{oidc}\n',
                         certificate_proxies="10.0.0.0/8", oidc_networks="127.0.0.1")
        bound = {"Authorization": f"Bearer {provider.token(cnf={'x5t#S256': b64(bytes.fromhex(made['first'].name[7:]))})}"}
        assert [shown(apart, escaped(made[name]), **bound) for name in ("first", "second")] == [200, 401]
        assert apart.ask(bound).status_code == 401


def test_a_wrong_authorization_is_not_made_good_by_a_certificate(opened: Entrance, made: dict[str, Made]) -> None:
    assert shown(opened, escaped(made["first"]), Authorization="Bearer cibx_nobody_secret") == 401
