"""Warning lists: what is on one is no indicator, and the list is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.misp.context import Settings
from connectors.misp.warninglists import read_lists
from exchange.errors import InputError
from tests.fakes.misp_events import attribute, event
from tests.fakes.misp_run import convert

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "misp" / "warninglists"


def write(folder: Path, **more: object) -> str:
    path = folder / "lorem.json"
    path.write_text(json.dumps({"name": "Lorem list", "type": "string", "list": []} | more))
    return str(path)


@pytest.mark.parametrize(("kind", "entries", "type_name", "value", "held"), [
    ("string", ["lorem.example"], "domain", "LOREM.example", True),
    ("string", ["lorem.example"], "domain", "a.lorem.example", False),
    ("hostname", ["lorem.example"], "domain", "a.lorem.example", True),
    ("hostname", [".lorem.example"], "url", "https://user@lorem.example:80/a", True),
    ("hostname", ["lorem.example"], "domain", "otherlorem.example", False),
    ("hostname", ["lorem.example"], "domain|ip", "lorem.example|9.9.8.7", True),
    ("substring", ["@lorem."], "email-src", "a@lorem.example", True),
    ("substring", ["."], "domain", "lorem-example", False),
    ("cidr", ["9.9.8.0/24"], "ip-dst", "9.9.8.7", True),
    ("cidr", ["9.9.8.0/24"], "ip-dst", "9.9.0.0/16", False),
    ("cidr", ["9.9.8.7"], "ip-dst|port", "9.9.8.7|80", True),
    ("cidr", ["2a00::/16"], "ip-src", "2a00:1450::1", True),
    ("cidr", ["9.9.8.0/24"], "domain", "lorem.example", False),
    ("regex", ["/^(abuse|noc)\\@.*$/i"], "email-dst", "NOC@lorem.example", True),
    ("regex", ["^lorem"], "domain", "a.lorem.example", False),
])  # fmt: skip
def test_a_hit_is_no_indicator_and_names_its_list(
    tmp_path: Path, kind: str, entries: list[str], type_name: str, value: str, held: bool
) -> None:
    settings = Settings(warnings=read_lists(write(tmp_path, type=kind, list=entries)))
    found = convert(event(attribute(type_name, value)), settings)
    row = next(row for row in found.rows if row.row == 2)
    assert ("Lorem list" in row.reason) is held
    assert held is (found.of("indicator") == []) or value == "lorem-example"


def test_a_list_is_only_about_its_types(tmp_path: Path) -> None:
    settings = Settings(warnings=read_lists(write(tmp_path, list=["lorem.example"], matching_attributes=["hostname"])))
    assert len(convert(event(attribute("domain", "lorem.example")), settings).of("indicator")) == 1
    assert convert(event(attribute("hostname", "lorem.example")), settings).of("indicator") == []


@pytest.mark.parametrize("more", [{"type": "lorem"}, {"list": "lorem"}, {"type": "cidr", "list": ["lorem"]},
                                  {"type": "regex", "list": ["("]}])
def test_a_list_that_cant_be_used_is_told(tmp_path: Path, more: dict) -> None:
    with pytest.raises(InputError, match=r"lorem\.json"):
        read_lists(write(tmp_path, **more))


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no warning list"):
        read_lists(str(tmp_path))


def test_an_evil_regex_takes_no_time(tmp_path: Path) -> None:
    lists = read_lists(write(tmp_path, type="regex", list=["/^(a+)+$/"]))
    assert not lists[0].test("a" * 5_000 + "b")


@pytest.mark.parametrize(("type_name", "value", "name"), [
    ("domain", "bit.ly", "Shorteners"), ("email-src", "a@0-mail.com", "disposable"), ("ip-dst", "103.224.182.9", "Parking"),
    ("email-dst", "abuse@lorem.example", "contact"), ("domain", "lorem-ipsum.example", ""),
])  # fmt: skip
def test_the_real_lists_are_read(type_name: str, value: str, name: str) -> None:
    if not REAL.is_dir():
        pytest.skip("shared/data/misp/warninglists is not here")
    found = convert(event(attribute(type_name, value)), Settings(warnings=read_lists(str(REAL))))
    reason = next(row.reason for row in found.rows if row.row == 2)
    assert ("warning list" in reason and name in reason) is bool(name)
