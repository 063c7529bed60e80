"""The command ``cibx``: which commands there are, and how errors reach a person.

Help texts stand here, so that ``cibx --help`` imports none of the commands. Each command is the object
``command`` of the module ``exchange.cli.<noun>``; what it returns is the exit code (None: 0).
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec

import click

from exchange.cli.interrupt import heed_ctrl_c
from exchange.errors import ExchangeError, InputError, UnavailableError

COMMANDS = {
    "demo": "Show the whole exchange at work, from nothing, in half a minute.",
    "serve": "Run the TAXII 2.1 server.",
    "backup": "Copy a running exchange into one file.",
    "restore": "Bring a backup back, without what was erased since.",
    "apply": "Make members, agreements, collections and credentials as a file describes them.",
    "ingest": "Bring a source in through a connector, under a policy pack.",
    "connector": "Bring sources in, once or by the clock, here or to a server; see how they stand.",
    "push": "Send objects to an exchange, or see first who would get them.",
    "report": "Check reports in a form of their own before they are sent.",
    "snapshot": "Bring all that you may have of a collection into files, to follow from there.",
    "follow": "Keep up with a collection: files, a program or lines get what is new.",
    "match": "Match shared indicators against local accounts; local data stays here.",
    "policy": "Ask whether something may be shared, and why.",
    "notice": "Show what recipients were told after sharing, and who acknowledged it.",
    "state": "Restrict, dispute, erase or hold what was shared.",
    "case": "Contest an object, answer, review; declare and close an emergency.",
    "audit": "Verify the log, receipts and erasures, offline.",
    "pattern": "Match STIX patterns against observed data.",
    "identifier": "Normalise identifiers, and hash those that mustn't travel in the clear.",
    "org": "Show and change organisations.",
    "collection": "Show and change collections.",
    "credential": "Issue, show, rotate and revoke credentials.",
    "key": "Show and rotate the keys of this exchange itself.",
    "agreement": "Show and change agreements.",
    "clock": "Show whether content is wiped by the server's clock, and say that it is right.",
}
"""Noun to its line in the help, in the order of the help."""

EXIT_BUG = 1
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
EXIT_INTERRUPTED = 130
DEBUG_KEY = "debug"
_OPTIONAL = {"duckdb": "matcher", "numpy": "matcher",
             "pandas": "spark", "pyarrow": "spark", "pyspark": "spark", "sqlglot": "spark"}
"""Packages of the extras of pyproject.toml that bring commands with them."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands whose modules exist."""
        return [noun for noun in COMMANDS if find_spec(_module(noun)) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is no such command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = importlib.import_module(_module(cmd_name)).command
        _tell_whole(found)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(noun, COMMANDS[noun]) for noun in self.list_commands(ctx)])


_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=LazyGroup, context_settings=_CONTEXT)
@click.version_option(package_name="cib-exchange", prog_name="cibx")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def group(ctx: click.Context, debug: bool) -> None:
    """Share indicators of coordinated inauthentic behaviour lawfully, and match them inside your walls."""
    ctx.meta[DEBUG_KEY] = debug


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``cibx`` and exit with its code: 2 for a wrong argument or input, 130 when interrupted."""
    heed_ctrl_c()
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        sys.exit(run(given))
    finally:
        if "duckdb" not in sys.modules:  # it complains of what wasn't looked through
            gc.freeze()  # else Python looks through all that was loaded once more before it ends: 0.4 s of work


def run(arguments: list[str]) -> int:
    """The exit code of one call; everything that goes wrong is one sentence on the standard error."""
    debug = "--debug" in arguments[: _first_noun(arguments)]
    try:
        code = group.main(arguments, prog_name="cibx", standalone_mode=False)
        sys.stdout.flush()
    except ExchangeError as error:
        return _told(str(error), error.exit_code, debug)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _told("Stopped.", EXIT_INTERRUPTED, debug=False)
    except BrokenPipeError:
        _close_stdout()
        return EXIT_BUG
    except Exception as error:  # noqa: BLE001 - the last door: no traceback reaches a person
        return _unforeseen(error, debug)
    return code if isinstance(code, int) else 0


def _unforeseen(error: Exception, debug: bool) -> int:
    """What nobody gave words to: a full disk, an optional part that isn't installed, else a bug."""
    if isinstance(error, OSError) and error.errno in _FULL:
        _close_stdout()
        return _told(f"What this command writes can't be written: {error.strerror}. Make room and run it again.",
                     UnavailableError.exit_code, debug)
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if missing in _OPTIONAL:
        return _told(f"This command needs {missing}, which is not installed."
                     f" Install cib-exchange[{_OPTIONAL[missing]}].", InputError.exit_code, debug)
    cause = f"{type(error).__name__}: {error}".strip().rstrip(".").replace("\n", " ")
    remedy = "" if debug else " Please report it with the output of the same command after cibx --debug."
    return _told(f"This is a bug in cibx, not in what you did: {cause}.{remedy}", EXIT_BUG, debug)


def _module(noun: str) -> str:
    return f"exchange.cli.{noun}"


def _tell_whole(command: click.Command) -> None:
    """Let a group's table of commands say what each does: click would cut it at the width, and at "Art."."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            one.short_help = one.short_help or " ".join((one.help or "").partition("\n\n")[0].split())
            _tell_whole(one)


def _first_noun(arguments: list[str]) -> int:
    """Where the command's name stands: --debug is an option of cibx and belongs before it."""
    return next((at for at, word in enumerate(arguments) if not word.startswith("-")), len(arguments))


def _told(sentence: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    with suppress(OSError):  # the disk of the standard error is full too
        click.echo(f"cibx: {sentence}", err=True)
    return code


def _close_stdout() -> None:
    """The reader of our output went away: say nothing more, also not at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
