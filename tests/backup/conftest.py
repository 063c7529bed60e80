"""The exchange that tests of backups copy and set back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backup.restored_site import Site


@pytest.fixture
def site(migrated_url: str, tmp_path: Path) -> Site:
    """On either engine, with four members."""
    return Site(migrated_url, tmp_path)
