"""Which connectors are found, and how an unknown or broken one is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from exchange.connect import registry
from exchange.errors import InputError


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third party's package with entry points, as a wheel would leave it on the path."""
    info = tmp_path / "third_party-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[cib_exchange.connectors]\n"
        "good-one = third_party_mod:GOOD\nmisnamed = third_party_mod:GOOD\n"
        "broken = third_party_mod:MISSING\nstix-file = third_party_mod:GOOD\n"
    )
    (tmp_path / "third_party_mod.py").write_text(
        "class Good:\n    name = 'good-one'\n    title = 'Good'\n"
        "    def fetch(self, source, checkpoint):\n        yield from ()\nGOOD = Good()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "third_party_mod", raising=False)


def test_every_module_of_connectors_keeps_its_name() -> None:
    assert "stix-file" in registry.names()
    for name in registry.names():
        assert registry.connector(name).name == name


def test_every_module_of_ways_out_keeps_its_name() -> None:
    assert {"taxii", "opencti"} <= set(registry.publisher_names())
    for name in registry.publisher_names():
        assert registry.publisher(name).name == name


def test_names_are_known_without_importing_a_connector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "connectors.stix_file", raising=False)
    registry.names()
    assert "connectors.stix_file" not in sys.modules


def test_an_unknown_connector_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no connector 'stix'\. Known connectors: .*stix-file"):
        registry.connector("stix")


@pytest.mark.usefixtures("installed")
def test_an_installed_connector_is_found() -> None:
    assert {"good-one", "stix-file"} <= set(registry.names())
    assert registry.connector("good-one").title == "Good"


@pytest.mark.usefixtures("installed")
def test_ours_wins_over_an_installed_one_of_the_same_name() -> None:
    assert type(registry.connector("stix-file")).__module__ == "connectors.stix_file"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("name", "words"), [
    ("misnamed", "doesn't keep the contract"),
    ("broken", "can't be loaded. AttributeError"),
])
def test_a_broken_installed_connector_is_told(name: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        registry.connector(name)
