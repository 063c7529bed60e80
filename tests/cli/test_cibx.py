"""The command cibx: laziness, and how each kind of error reaches a person."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import click
import pytest

from exchange.cli import main as cibx
from exchange.errors import InputError, NotFoundError, UnavailableError


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = "from exchange.cli.main import main; main()"
    line = [sys.executable, "-c", program, *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_help_lists_every_command_that_exists_and_imports_none() -> None:
    heavy = ["flask", "sqlalchemy", "sqlmodel", "stix2", "duckdb", "rich", "msgspec", "exchange.settings"]
    program = (
        "import sys\nfrom exchange.cli.main import run\ncode = run(['--help'])\n"
        f"print([name for name in {heavy} if name in sys.modules] or 'light', code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "light 0"
    for noun in cibx.COMMANDS:
        listed = f"\n  {noun} " in done.stdout
        assert listed == (find_spec(f"exchange.cli.{noun}") is not None), noun


@pytest.mark.parametrize("noun", [n for n in cibx.COMMANDS if find_spec(f"exchange.cli.{n}")])
def test_every_command_has_help_of_its_own(noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cibx.run([noun, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Usage: cibx" in said
    assert not [line for line in said.partition("Commands:")[2].splitlines() if line.endswith(("...", "(GDPR Art."))]


def stand_in(monkeypatch: pytest.MonkeyPatch, callback: object) -> None:
    """Put a command of the test into the group."""
    monkeypatch.setitem(cibx.group.commands, "stand-in", click.Command("stand-in", callback=callback))  # type: ignore[arg-type]
    monkeypatch.setattr(cibx.LazyGroup, "get_command", click.Group.get_command)


def raising(error: BaseException) -> object:
    def callback() -> None:
        raise error

    return callback


@pytest.mark.parametrize(("error", "code", "words"), [
    (InputError("No.", why="Because.", fix="Do so."), 2, "cibx: No. Because. Do so.\n"),
    (NotFoundError("There is no such object."), 2, "cibx: There is no such object.\n"),
    (UnavailableError("The store sleeps."), 1, "cibx: The store sleeps.\n"),
    (click.UsageError("Wrong."), 2, "Error: Wrong.\n"),
    (KeyboardInterrupt(), 130, "cibx: Stopped.\n"),
    (KeyError("x"), 1, "cibx: This is a bug in cibx, not in what you did: KeyError: 'x'. Please report it "
                       "with the output of the same command after cibx --debug.\n"),
    (ModuleNotFoundError("No module named 'numpy.random'", name="numpy.random"), 2,
     "cibx: This command needs numpy, which is not installed. Install cib-exchange[matcher].\n"),
    (ModuleNotFoundError("No module named 'exchange.lorem'", name="exchange.lorem"), 1, "This is a bug in cibx"),
    (RecursionError(), 1, "not in what you did: RecursionError:"),
])
def test_an_error_is_one_sentence_and_a_code(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stand_in(monkeypatch, raising(error))
    assert code == cibx.run(["stand-in"])
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


@pytest.mark.parametrize("error", [KeyError("x"), InputError("No.")])
def test_debug_shows_the_traceback(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in(monkeypatch, raising(error))
    cibx.run(["--debug", "stand-in"])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (3, 3), ("text", 0)])
def test_a_command_returns_its_exit_code(value: object, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, lambda: value)
    assert code == cibx.run(["stand-in"])


def test_an_unknown_command_is_told() -> None:
    done = call("nonsense")
    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    program = "from exchange.cli.main import main; main(['--help'])"
    done = subprocess.run(["bash", "-c", f'"{sys.executable}" -c "{program}" | true'], capture_output=True,
                          text=True, check=False)
    assert done.stderr == ""


def test_the_version_is_shown() -> None:
    assert call("--version").stdout.startswith("cibx, version ")


def test_a_port_in_use_is_told_by_the_name_of_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{tmp_path / 'cibx.db'}")
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        port, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        assert cibx.run(["serve", "--bind", f"127.0.0.1:{port}"]) == 2
        assert f"--bind 127.0.0.1:{port} can't be listened on" in capsys.readouterr().err
        monkeypatch.setenv("CIBX_METRICS", f"127.0.0.1:{port}")
        assert cibx.run(["serve", "--bind", f"127.0.0.1:{free}"]) == 2
        assert f"CIBX_METRICS 127.0.0.1:{port} can't be listened on" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert cibx.run(["demo", "--once", "--folder", str(tmp_path / "file" / "demo")]) == 2
    assert "can't be made: Not a directory. Name another with --folder" in capsys.readouterr().err


def test_each_package_that_an_extra_brings_is_told_with_its_extra() -> None:
    stated = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    extras = stated["project"]["optional-dependencies"]
    assert {package: extra for extra in ("matcher", "spark") for package in
            (re.split(r"[<>=]", one)[0] for one in extras[extra])} == cibx._OPTIONAL
