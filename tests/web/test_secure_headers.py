"""Every answer carries the headers by which a browser does no harm with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.web.secure_headers import ALWAYS
from tests.web.auth.entrance import Entrance, entrance


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Entrance:
    secret = 'oidc = { issuer = "https://login.example", audience = "x", subject = "y", keys = "https://login.example/k" }'
    return entrance(tmp_path_factory.mktemp("exchange"), f'[[credential]]\nid = "a"\norg = "org-alpha"\nscopes = ["write"]\n{secret}\n',
                    proxies=1)


@pytest.mark.parametrize(("path", "status"), [
    ("/healthz", 200), ("/readyz", 200), ("/taxii2/", 401), ("/nothing/here", 401), ("/api/v1/schemas/ai-cluster-report/1", 200),
    ("/log/checkpoint", 401), ("/healthz/", 401), ("/taxii2/cib/../../x", 401),
])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_headers_of_an_answer(opened: Entrance, path: str, status: int, scheme: str) -> None:
    answer = opened.ask({"X-Forwarded-Proto": scheme, "X-Forwarded-For": "192.0.2.1"}, path=path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in ALWAYS if name != "Cache-Control"} == {
        name: value for name, value in ALWAYS.items() if name != "Cache-Control"}
    assert "Cache-Control" in answer.headers
    assert ("Strict-Transport-Security" in answer.headers) == (scheme == "https")
    assert "Server" not in answer.headers


def test_nobody_keeps_an_answer_that_is_a_members_own(opened: Entrance) -> None:
    assert opened.ask({}).headers["Cache-Control"] == "no-store"


def test_an_errors_answer_has_them_too(tmp_path: Path) -> None:
    apart = entrance(tmp_path, "")
    apart.exchange.engine.dispose()
    for file in tmp_path.glob("cibx.db*"):
        file.write_bytes(b"rubbish" * 1_000)
    broken = apart.ask({}, path="/readyz")
    assert broken.status_code == 503
    assert set(ALWAYS) <= set(dict(broken.headers))
