"""One serving exchange per test module, and callers of its members.

A module may set ``SETTINGS`` (CIBX_* variables) and ``WORKERS``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.exchange_process import ExchangeProcess, serving
from tests.e2e.http_caller import HttpCaller


@pytest.fixture(scope="module")
def exchange(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """A server on SQLite."""
    with serving(
        tmp_path_factory.mktemp("exchange"),
        workers=getattr(request.module, "WORKERS", 1),
        settings=getattr(request.module, "SETTINGS", {}),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def alpha(exchange: ExchangeProcess) -> HttpCaller:
    """A member who reads and writes."""
    return exchange.caller("alpha")


@pytest.fixture(scope="module")
def beta(exchange: ExchangeProcess) -> HttpCaller:
    """Another such member."""
    return exchange.caller("beta")


@pytest.fixture(scope="module")
def gamma(exchange: ExchangeProcess) -> HttpCaller:
    """A member of the community who is in no other group."""
    return exchange.caller("gamma")


@pytest.fixture(scope="module")
def nobody(exchange: ExchangeProcess) -> HttpCaller:
    """A caller without a credential."""
    return exchange.caller()


@pytest.fixture
def lane(exchange: ExchangeProcess) -> str:
    """The path of an empty collection that every member of the community reads and writes."""
    return exchange.next_lane()
