"""Identifiers over published files, where they are at hand: each value is placed whole, and known sites are known."""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.kinds import KINDS
from exchange.model.identifiers.shared_host import shared

DATA = Path(__file__).parents[2].parent / "shared" / "data"
KIND_OF = {
    "domain_name": "domain", "url": "url", "cib_url": "url", "telegram_url": "url", "phishing_url": "url",
    "sha256": "sha256", "md5": "md5", "ip": "ipv4",
}  # fmt: skip
"""Types of Meta's typed tables; names of apps aren't identifiers of an operation's accounts."""
BROKEN_AT_THE_SOURCE = {"amazing.lab", "fbc8213450838f7ae251d4"}
"""Values of the files that are what they say under no reading."""
OBSERVABLES = {"domain-name": "domain", "hostname": "domain", "ipv4-addr": "ipv4", "email-addr": "email"}


def folder(name: str) -> Path:
    path = DATA / name
    if not path.is_dir():
        warnings.warn(f"{path} is absent: identifiers aren't tested on published files.", stacklevel=1)
        pytest.skip(f"{path} is absent")
    return path


def typed_rows() -> Iterator[tuple[str, str]]:
    for path in sorted(folder("meta-threat-research").rglob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            records = list(csv.reader(file))
        if records[0][0].strip().startswith("indicator"):
            yield from ((row[0], row[1].strip()) for row in records[1:] if row and row[0] in KIND_OF)


def test_every_typed_value_of_meta_is_placed_whole() -> None:
    rows = list(typed_rows())
    assert len(rows) > 2_000
    for kind, value in rows:
        if value in BROKEN_AT_THE_SOURCE:
            continue
        found = KINDS[KIND_OF[kind]].normalise(value)
        if KIND_OF[kind] == "url":
            assert unquote(found).lower().partition("://")[2].removesuffix("/") == whole(value)
        elif value.isascii():
            assert found == whole(value)


def whole(value: str) -> str:
    """A value without defanging, scheme, fragment and escapes, read in another way than the program does."""
    plain = value.replace("[.]", ".").replace("[:]", ":").replace("hxxp", "http").lower()
    plain = plain.partition("://")[2] or plain
    return unquote(plain.partition("#")[0]).removesuffix("?").removesuffix("/")


def test_values_that_the_source_broke_are_refused() -> None:
    broken = [(kind, value) for kind, value in typed_rows() if value in BROKEN_AT_THE_SOURCE]
    assert len(broken) == len(BROKEN_AT_THE_SOURCE)
    assert not any(KINDS[KIND_OF[kind]].valid(value) for kind, value in broken)


def test_every_observable_of_viginum_is_placed() -> None:
    found: list[tuple[Kind, str]] = []
    for path in sorted(folder("viginum").rglob("*.json")):
        objects = json.loads(path.read_text("utf-8")).get("objects", [])
        found += [(KINDS[OBSERVABLES[one["type"]]], one["value"]) for one in objects if one["type"] in OBSERVABLES]
    assert len(found) > 300
    assert [(kind.name, value) for kind, value in found if not kind.valid(value)] == []
    assert {value for kind, value in found if kind.nobody(kind.normalise(value))} == {"change.org", "ukraina.ru"}


def test_most_of_the_most_asked_for_hosts_are_no_indicators() -> None:
    path = folder("misp/warninglists") / "cisco_top1000.json"
    hosts = [host.lower() for host in json.loads(path.read_text("utf-8"))["list"]]
    unknown = [host for host in hosts if shared(host) is None and KINDS["domain"].valid(host)]
    assert len(unknown) < len(hosts) * 0.1, unknown
