"""An exchange with five members for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.obligations.five_members import Members, opened


@pytest.fixture
def members(migrated_url: str) -> Iterator[Members]:
    found = opened(migrated_url)
    yield found
    found.exchange.engine.dispose()
