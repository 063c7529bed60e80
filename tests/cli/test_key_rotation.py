"""Rotation: the new key holds at once, the old one for as long as it was said."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from exchange.cli.main import group
from exchange.errors import BadRequestError, ExchangeError, SettingError, UnauthorizedError
from exchange.feed.cursor import open_cursor, sign_cursor
from exchange.model.credential import verify
from exchange.obligations.seal import read_seal, rotate_seal, seal_path
from exchange.settings import read_settings
from exchange.store.directory import cursor_keys, load_directory, meta_value
from exchange.store.engine import read, write
from exchange.store.webhooks import webhooks_of
from exchange.webhooks.desk import WebhookDesk
from exchange.wiring import Exchange
from tests.fakes import one_member


def cibx(*words: str) -> str:
    """What a command printed."""
    done = CliRunner().invoke(group, list(words))
    if done.exception is not None:
        raise done.exception
    return done.output


def held(exchange: Exchange) -> str:
    with read(exchange.engine) as connection:
        return cursor_keys(connection)


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    one_member.make(tmp_path, monkeypatch)
    return Exchange(read_settings())


def test_a_members_new_key_holds_beside_the_old_one_which_ends_by_date(exchange: Exchange) -> None:
    first = cibx("credential", "issue", "org-alpha", "--purpose", "cib-detection", "--scope", "read", "--person", "Ana")
    with read(exchange.engine) as connection:
        collection = next(iter(load_directory(connection).collections.values()))
        credential = load_directory(connection).credentials["org-alpha-1"]
    made = WebhookDesk(exchange).make(credential, collection, "https://hooks.example/", {}, -1)
    second = cibx("credential", "rotate", "org-alpha-1", "--overlap", "3")
    tokens = [re.findall(r"Bearer token: (\S+)", shown)[0] for shown in (first, second)]
    with read(exchange.engine) as connection:
        directory = load_directory(connection)
        assert [row["credential"] for row in webhooks_of(connection, "org-alpha")] == ["org-alpha-2"]
    old, new = directory.credentials["org-alpha-1"], directory.credentials["org-alpha-2"]
    assert (new.purpose, new.person, new.scopes, new.until) == (old.purpose, old.person, old.scopes, None)
    now, end = datetime.now(UTC), datetime.fromisoformat(str(old.until))
    assert [verify(directory, None, token, now).id for token in tokens] == ["org-alpha-1", "org-alpha-2"]
    assert verify(directory, None, tokens[1], end).id == "org-alpha-2"
    with pytest.raises(UnauthorizedError):
        verify(directory, None, tokens[0], end)
    assert made["credential"] == "org-alpha-1"


def test_a_key_is_rotated_with_its_webhooks_or_not_at_all(exchange: Exchange) -> None:
    cibx("credential", "issue", "org-alpha", "--purpose", "cib-detection", "--scope", "read")
    with write(exchange.engine) as connection:
        connection.execute(text("ALTER TABLE webhook RENAME TO webhook_elsewhere"))
    with pytest.raises(ExchangeError):
        cibx("credential", "rotate", "org-alpha-1")
    with read(exchange.engine) as connection:
        keys = load_directory(connection).credentials
    assert "org-alpha-2" not in keys
    assert keys["org-alpha-1"].until is None


@pytest.mark.parametrize("words", [["org-alpha-1", "--id", "org-alpha-1"], ["no-such-key"], ["by-certificate"]])
def test_what_cant_be_rotated_is_said(exchange: Exchange, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "more.toml").write_text(
        f'[[credential]]\nid = "by-certificate"\norg = "org-alpha"\nscopes = ["write"]\ncertificates = ["sha256:{"a" * 64}"]\n')
    cibx("apply", str(tmp_path / "more.toml"))
    cibx("credential", "issue", "org-alpha", "--scope", "write")
    with pytest.raises(ExchangeError):
        cibx("credential", "rotate", *words)


def test_cursors_of_the_former_key_are_taken_until_the_next_rotation(exchange: Exchange) -> None:
    keys = [held(exchange)]
    for _ in range(2):
        version = exchange.directory().version
        cibx("key", "rotate", "cursors")
        keys.append(held(exchange))
        assert exchange.directory().version > version  # so running processes read it
    cursor = sign_cursor(keys[0], "context", 5)
    assert [open_cursor(key, "context", cursor) for key in keys[:2]] == [5, 5]
    with pytest.raises(BadRequestError):
        open_cursor(keys[2], "context", cursor)
    with pytest.raises(BadRequestError):
        open_cursor(keys[1], "another", cursor)
    assert "1 signs, 1 former" in cibx("key", "list")


@pytest.mark.parametrize("name", ["seal", "log"])
def test_a_key_isnt_rotated_into_a_file_that_the_server_couldnt_read(exchange: Exchange, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """An operator who is root rotates for a server that isn't."""
    exchange.notary.make_key("exchange.example/log")
    path = {"seal": seal_path(exchange.settings), "log": exchange.notary.key_file}[name]
    read_seal(seal_path(exchange.settings))
    before, owner = path.read_bytes(), path.stat().st_uid
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)
    with pytest.raises(SettingError, match="belongs to another user"):
        cibx("key", "rotate", name)
    assert path.read_bytes() == before


def test_ids_of_records_dont_hang_on_the_rotated_keys(exchange: Exchange) -> None:
    with read(exchange.engine) as connection:
        before = meta_value(connection, "cursor.secret")
    cibx("key", "rotate", "cursors")
    with read(exchange.engine) as connection:
        assert meta_value(connection, "cursor.secret") == before


def test_cursor_keys_of_the_environment_are_rotated_there(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (f"0123456789abcdef-{name}-lorem-ipsum-dolor" for name in ("old", "new"))
    cursor = sign_cursor(old, "context", 5)
    assert open_cursor(f"{new},{old}", "context", cursor) == 5
    assert sign_cursor(f"{new},{old}", "context", 5) == sign_cursor(new, "context", 5) != cursor
    monkeypatch.setenv("CIBX_SECRET_KEY", f"{new},{old}")
    with pytest.raises(ExchangeError, match="CIBX_SECRET_KEY"):
        cibx("key", "rotate", "cursors")


def test_what_was_sealed_under_former_keys_is_opened(exchange: Exchange) -> None:
    path = seal_path(exchange.settings)
    sealed = [read_seal(path).close(b"first", "it"), rotate_seal(path).close(b"second", "it")]
    printed = cibx("key", "rotate", "seal")
    seal = read_seal(path)
    assert [seal.open(one, "it") for one in sealed] == [b"first", b"second"]
    assert seal.fingerprint in printed
    assert not any(key.hex() in printed + cibx("key", "list") + repr(seal) for key in (seal.key, *seal.former))
    assert (path.stat().st_mode & 0o777, len(path.read_text().split())) == (0o600, 3)
    path.write_text(path.read_text() + "short\n")
    with pytest.raises(SettingError, match="is no key"):
        read_seal(path)


def test_seals_that_are_rotated_at_once_lose_no_key(tmp_path: Path) -> None:
    path = tmp_path / "seal"
    read_seal(path)
    with ThreadPoolExecutor(4) as pool:
        made = [one.key for one in pool.map(lambda _: rotate_seal(path), range(20))]
    seal = read_seal(path)
    assert len({seal.key, *seal.former}) == 21
    assert {seal.key, *seal.former} >= set(made)
    assert list(tmp_path.iterdir()) == [path]


def test_the_logs_key_is_rotated_and_both_are_listed(exchange: Exchange) -> None:
    exchange.notary.make_key("exchange.example/log")
    first = str(exchange.notary.keys().own[0])
    new = cibx("key", "rotate", "log").split()[1]
    assert [line.split()[1] for line in cibx("key", "list").splitlines() if line.startswith("log")] == [new, first]
