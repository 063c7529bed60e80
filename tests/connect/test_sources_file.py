"""The file of sources: what it says, and the sentence for everything that is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.connect.sources_file import read_sources, seconds, secret_from, variable_of
from exchange.errors import InputError

GOOD = """
server = "https://exchange.example"
token = { env = "MADE_UP_TOKEN" }
collection = "indicators"
policy = "demo"
state = "kept"

[[source]]
name = "ministry"
connector = "misp"
place = "https://misp.example"
every = "15m"
stale_after = "2h"
per_second = 2.5
allow_networks = ["10.0.0.0/8"]
options = { audience = "x", size = 7 }
secrets = { key = { file = "key" } }

[[source]]
name = "folder"
connector = "stix-file"
place = "bundles"
policy = "government-published"
"""
SOURCE = '[[source]]\nname = "a"\nconnector = "c"\nplace = "p"\npolicy = "demo"\n'


def test_a_file_says_the_way_and_the_sources(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("lorem-ipsum\n")
    (tmp_path / "sources.toml").write_text(GOOD)
    found = read_sources(tmp_path / "sources.toml", {"MADE_UP_TOKEN": "dolor-sit"})
    assert (found.server, found.token, found.collection, found.state) == (
        "https://exchange.example", "dolor-sit", "indicators", tmp_path / "kept")
    ministry, folder = found.jobs
    assert (ministry.every, ministry.stale, ministry.per_second, ministry.policy) == (900, 7_200, 2.5, "demo")
    assert (ministry.options, ministry.secrets, ministry.allow) == (
        {"audience": "x", "size": "7"}, {"key": "lorem-ipsum"}, ("10.0.0.0/8",))
    assert (folder.place, folder.policy, folder.every) == (str(tmp_path / "bundles"), "government-published", None)


@pytest.mark.parametrize(("text", "words"), [
    ("", "names no sources"), ("a = ", "no TOML"), ("colour = 1\n" + SOURCE, "unknown entry 'colour'"),
    (SOURCE + SOURCE, "two sources are called 'a'"), ("[[source]]\nplace = 'p'", "has no name"),
    (SOURCE.replace('policy = "demo"\n', ""), "names no policy. Nothing enters"),
    (SOURCE.replace('place = "p"\n', ""), "names no place"), (SOURCE + 'evry = "1m"', "unknown entry 'evry'"),
    (SOURCE + 'every = "soon"', "s.toml: the source 'a': every: 'soon' is no duration. Write it"),
    (SOURCE + "allow_networks = 7", "s.toml: allow_networks must be a list"),
    (SOURCE + 'allow_networks = "10.0.0.0/8"', "allow_networks must be a list"), (SOURCE + "per_second = 0", "above 0"),
    (SOURCE + 'secrets = { key = "lorem-ipsum" }', "Secrets don't stand in this file"),
    (SOURCE + 'secrets = { key = { file = "missing" } }', "can't be read"),
    (SOURCE + 'secrets = { key = { env = "NOT_SET" } }', "is empty"), (SOURCE + "options = 7", "must be a table"),
    ("source = 7", "names no sources"), (SOURCE + "place_ = 1", "unknown entry"),
])
def test_what_is_wrong_is_told_and_no_secret_with_it(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InputError) as told:
        read_sources(tmp_path / "s.toml", {})
    assert words in str(told.value)
    assert "lorem-ipsum" not in str(told.value)


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("15m", 900), ("6 h", 21_600), ("1d", 86_400)])
def test_durations(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0s", "-1m", "1.5h", "m", "1w", "1" * 50 + "s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InputError, match="no duration"):
        seconds(text)


def test_a_secret_in_clear_is_refused_without_repeating_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=variable_of("api-key")) as told:
        secret_from("api-key", "lorem-ipsum", tmp_path)
    assert "lorem-ipsum" not in str(told.value)
    assert variable_of("api-key") == "CIBX_SECRET_OF_API_KEY"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_secret_file_without_a_secret_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(InputError, match="secret 'key'"):
        secret_from("key", "@key", tmp_path)
