"""README.md against the program: its table of commands, its examples and its claims about the project."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner

from exchange.cli.main import COMMANDS, group

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `cibx (?P<noun>[a-z]+)\b[^|]*` \| (?P<line>.+?) \|$", re.MULTILINE)
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def table() -> dict[str, str]:
    return {row["noun"]: row["line"] for row in ROW.finditer(README)}


def shown_help(*arguments: str) -> str:
    result = CliRunner().invoke(group, [*arguments, "--help"])
    assert result.exit_code == 0, result.output
    return result.output


def cibx_lines() -> list[list[str]]:
    """Each cibx command that a block of README shows, as words."""
    lines = "\n".join(BLOCK.findall(README)).replace("\\\n", " ").splitlines()
    commands = [part.strip() for line in lines for part in re.split(r"&&|\|", line)]
    words = [shlex.split(command, comments=True) for command in commands
             if re.match(r"(\.venv/bin/|CIBX_\w+=\S+ )*cibx ", command)]
    return [found[next(at for at, word in enumerate(found) if word.endswith("cibx")) + 1:] for found in words]


def test_table_has_exactly_the_commands_of_the_help() -> None:
    listed = re.findall(r"^  ([a-z]+)  +\S", shown_help().split("Commands:")[1], re.MULTILINE)
    assert list(table()) == listed


@pytest.mark.parametrize("noun", table())
def test_line_of_the_table_is_the_line_of_the_help(noun: str) -> None:
    assert table()[noun] == COMMANDS[noun]


def test_readme_shows_commands() -> None:
    assert len(cibx_lines()) >= 5


@pytest.mark.parametrize("words", cibx_lines(), ids=" ".join)
def test_command_shown_exists_with_its_options(words: list[str]) -> None:
    command, context = group.get_command(Context(group), words[0]), Context(group)
    assert command is not None
    rest = words[1:]
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= known


def test_first_screen_holds_the_two_commands() -> None:
    lines = README.splitlines()
    assert any(re.match(r"python3\.11 -m venv \.venv && .* && \.venv/bin/cibx demo$", line) for line in lines[:40])
    assert any(re.match(r"python3\.11 -m venv \.venv && .* && \.venv/bin/pytest$", line) for line in lines[:40])


def test_extras_that_readme_installs_exist() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = {extra for found in re.findall(r"'\.\[([a-z,]+)\]'", README) for extra in found.split(",")}
    assert named
    assert named <= set(project["optional-dependencies"])


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http|#)([^)]+)\)", README))))
def test_link_leads_to_a_file_of_the_project(target: str) -> None:
    assert (PROJECT / target).exists()
