"""One exchange for each test of cases, on either engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cases.circle import Circle, make_circle


@pytest.fixture
def circle(migrated_url: str) -> Iterator[Circle]:
    """An exchange whose members have pushed nothing yet."""
    made = make_circle(migrated_url)
    yield made
    made.exchange.engine.dispose()
