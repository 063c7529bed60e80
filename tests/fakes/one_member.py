"""A real local database with one member, org-alpha, and one collection, ``indicators``."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.cli import main as cibx
from tests.fakes.empty_store import lay_empty

MEMBERS = """
[[group]]
id = "all"
title = "All"

[[community]]
id = "cib"
title = "CIB"
group = "all"

[[community.collection]]
alias = "indicators"
title = "Indicators"
readers = ["*"]
writers = ["org-alpha"]

[[organisation]]
id = "org-alpha"
name = "Alpha"
kind = "platform"
jurisdiction = "IE"
controller_arrangement = "art26"
groups = ["all"]
"""


def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the database below ``folder`` and let the settings name it."""
    monkeypatch.setenv("CIBX_DATABASE_URL", lay_empty(folder / "cibx.db"))
    (folder / "members.toml").write_text(MEMBERS)
    assert cibx.run(["apply", str(folder / "members.toml")]) == 0
