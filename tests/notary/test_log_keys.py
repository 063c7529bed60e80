"""The log's key file: made for its owner only, never overwritten, never shown."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from exchange.errors import InputError, SettingError
from exchange.notary.keys import key_path, make_key, read_key, remember_head, remembered_head, write_new
from exchange.settings import Settings


def test_a_new_key_file_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        key = make_key(tmp_path / "key", "log.example/one")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "key") == key
    assert key.seed.hex() not in repr(key)
    with pytest.raises(InputError, match="already"):
        make_key(tmp_path / "key", "log.example/one")


def test_a_link_is_not_followed_to_make_a_key(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError):
        write_new(tmp_path / "key", "x")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    make_key(tmp_path / "key", "log.example/one")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(SettingError, match=r"may be read by others.*chmod 600"):
        read_key(tmp_path / "key")


def test_a_file_that_holds_no_key_is_refused_without_being_shown(tmp_path: Path) -> None:
    write_new(tmp_path / "key", "PRIVATE+KEY+name+00000000+c2VjcmV0")
    with pytest.raises(SettingError, match="no private key") as refused:
        read_key(tmp_path / "key")
    assert "c2VjcmV0" not in str(refused.value)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert read_key(tmp_path / "none") is None
    with pytest.raises(InputError, match="can't be made"):
        make_key(tmp_path / "no" / "folder", "log.example/one")


@pytest.mark.parametrize(("settings", "path"), [
    (Settings(database_url="sqlite:////var/lib/cibx/cibx.db"), "/var/lib/cibx/cibx.db.log-key"),
    (Settings(database_url="postgresql://cibx@database/cibx"), "cibx.log-key"),
    (Settings(log_key="/etc/cibx/key"), "/etc/cibx/key"),
])
def test_where_the_key_lies(settings: Settings, path: str) -> None:
    assert key_path(settings) == Path(path)


def test_the_last_checkpoint_is_remembered_beside_the_key(tmp_path: Path) -> None:
    assert remembered_head(tmp_path / "key") is None
    remember_head(tmp_path / "key", "one")
    remember_head(tmp_path / "key", "two")
    assert remembered_head(tmp_path / "key") == b"two"
    assert len(list(tmp_path.iterdir())) == 1
