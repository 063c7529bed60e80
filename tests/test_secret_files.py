"""Secrets come from files, and show nowhere: not in reprs, errors, logs or lists of processes."""

from __future__ import annotations

import logging
import os
import re
from dataclasses import fields
from pathlib import Path

import pytest
from click import Command, Context, Group
from click.testing import CliRunner

from exchange.cli.main import group
from exchange.errors import SettingError
from exchange.model.credential import issue
from exchange.model.party import Credential
from exchange.secret_files import WithFiles, read_secret, too_open
from exchange.settings import Settings, read_settings
from tests.fakes import one_member

SECRET = "made up secret 0123456789 0123456789"


def kept(folder: Path, content: bytes = SECRET.encode(), mode: int = 0o600) -> str:
    file = folder / "secret"
    file.write_bytes(content)
    file.chmod(mode)
    return str(file)


@pytest.mark.parametrize("name", ["title", *(field.name for field in fields(Settings) if not field.repr)])
def test_a_setting_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    assert getattr(read_settings({f"CIBX_{name.upper()}_FILE": kept(tmp_path, SECRET.encode() + b"\n")}), name) == SECRET


def test_a_number_may_stand_in_a_file_too(tmp_path: Path) -> None:
    assert read_settings({"CIBX_PAGE_SIZE_FILE": kept(tmp_path, b"10\n")}).page_size == 10


@pytest.mark.parametrize(("content", "found"), [
    (b"a", "a"), (b"a\n", "a"), (b"a\r\n", "a"), (b" a \n", " a "), (b"a\n\n", "a\n"), ("\u00e9".encode(), "\u00e9"),
    (b"\xef\xbb\xbfa\r\n", "a"),
])
def test_the_end_of_the_line_doesnt_belong_to_it(tmp_path: Path, content: bytes, found: str) -> None:
    assert read_secret(kept(tmp_path, content), "X_FILE") == found


@pytest.mark.parametrize(("content", "reason"), [(b"", "holds nothing"), (b"\n", "holds nothing"), (b"\xef\xbb\xbf", "holds nothing"), (b"x" * 65_537, "too large"), (b"\xff" + SECRET.encode(), "UTF-8")])
def test_a_file_that_holds_no_secret_is_told_without_its_content(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(SettingError, match=reason) as refused:
        read_secret(kept(tmp_path, content), "X_FILE")
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("given", [{"CIBX_SECRET_KEY_FILE": "/no/such/file"}, {"CIBX_SECRET_KEY_FILE": "/"}])
def test_a_file_that_isnt_there_stops_the_start(given: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="CIBX_SECRET_KEY_FILE"):
        read_settings(given)


def test_both_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="Both CIBX_SECRET_KEY and CIBX_SECRET_KEY_FILE"):
        read_settings({"CIBX_SECRET_KEY": "x", "CIBX_SECRET_KEY_FILE": kept(tmp_path)})


def test_a_misspelt_one_is_told_too() -> None:
    with pytest.raises(SettingError, match="Did you mean CIBX_SECRET_KEY"):
        read_settings({"CIBX_SECRETKEY_FILE": "x"})


def test_secrets_that_commands_name_come_from_files(tmp_path: Path) -> None:
    given = WithFiles({"CIBX_SECRET_OF_ALPHA_FILE": kept(tmp_path), "OTHER": "x"})
    assert (given.get("CIBX_SECRET_OF_ALPHA"), given.get("OTHER"), given.get("NONE")) == (SECRET, "x", None)


@pytest.mark.parametrize(("mode", "open_to_others", "mounted"), [
    (0o600, False, False), (0o400, False, False), (0o640, True, False), (0o604, True, False), (0o620, True, True),
    (0o444, True, False), (0o644, True, False), (0o602, True, True), (0o666, True, True),
])
def test_files_that_others_may_read_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, open_to_others: bool, mounted: bool
) -> None:
    with caplog.at_level(logging.WARNING, logger="exchange.settings"):
        read_secret(kept(tmp_path, mode=mode), "X_FILE")
    assert bool(caplog.records) == open_to_others
    assert SECRET not in caplog.text
    assert too_open(mode, "/run/secrets/x") == mounted


def test_no_repr_shows_a_secret() -> None:
    issued = issue("alpha-feed", bytes(range(32)))
    settings = Settings(secret_key=SECRET, proxy_secret=SECRET, database_url=f"postgresql://me:{SECRET}@host/db")
    shown = repr([issued, settings, Credential(id="a", org="b", digest=issued.digest)])
    assert not [secret for secret in (SECRET, issued.secret, issued.token, issued.digest) if secret in shown]


def test_a_setting_that_is_wrong_isnt_repeated_where_it_is_secret() -> None:
    with pytest.raises(SettingError) as refused:
        read_settings({"CIBX_PROXY_SECRET": "too short"})
    assert "too short" not in str(refused.value)


def commands(command: Command, path: str = "cibx") -> list[tuple[str, Command]]:
    """Every command below a group."""
    if not isinstance(command, Group):
        return [(path, command)]
    context = Context(command)
    return [found for name in command.list_commands(context) if (inner := command.get_command(context, name))
            for found in commands(inner, f"{path} {name}")]


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """What stands in arguments every user of the machine reads by ps: so they name files or variables."""
    taken = [
        f"{path} {option}" for path, command in commands(group) for parameter in command.get_params(Context(command))
        for option in parameter.opts if re.search(r"secret|password|token|private", option)
        and not re.search(r"(-env|-file)$", option) and "@FILE" not in str(parameter.make_metavar(Context(command)))
    ]
    assert taken == []


def test_a_secret_in_clear_on_the_command_line_is_refused_without_repeating_it() -> None:
    done = CliRunner().invoke(group, ["connector", "check", "taxii", "https://taxii.example/", "--secret", f"token={SECRET}"])
    assert SECRET not in done.output + str(done.exception)
    assert done.exit_code != 0


def test_applying_a_description_shows_no_secret_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_member.make(tmp_path, monkeypatch)
    monkeypatch.setenv("CIBX_SECRET_OF_ALPHA_FILE", kept(tmp_path))
    (tmp_path / "more.toml").write_text(
        '[[credential]]\nid = "alpha"\norg = "org-alpha"\nscopes = ["write"]\nsecret_env = "CIBX_SECRET_OF_ALPHA"\n')
    done = CliRunner().invoke(group, ["apply", str(tmp_path / "more.toml")])
    assert done.exit_code == 0, done.output
    listed = CliRunner().invoke(group, ["credential", "list", "--json"])
    assert '"alpha"' in listed.output
    assert SECRET not in done.output + listed.output
    assert not any(SECRET.encode() in file.read_bytes() for file in tmp_path.glob("cibx.db*"))
    assert os.environ["CIBX_SECRET_OF_ALPHA_FILE"]
