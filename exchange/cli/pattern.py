"""``cibx pattern match``: STIX patterns against observed data, on this machine.

Prints one JSON line per pattern. Exit codes: 0 done, whatever the answers; 2 the arguments, the bundle or the file
of patterns are wrong. A bad pattern or a bad line is told in its own answer and the rest goes on.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from exchange.errors import InputError

_SHOWN_PROBLEMS = 20
_BATCH = 100
"""Answers that are written at once."""
_FIX = "Write one JSON string per line."


@click.group(name="pattern")
def command() -> None:
    """Match STIX patterns against observed data."""


@command.command("match")
@click.option("--observed", type=click.Path(path_type=Path), required=True, metavar="BUNDLE.json",
              help="A STIX bundle with observed-data and the objects they refer to.")
@click.option("--pattern", metavar="P", help="One pattern.")
@click.option("--patterns", type=click.Path(path_type=Path), metavar="FILE",
              help="Many patterns: a JSON string per line.")
def match_command(observed: Path, pattern: str | None, patterns: Path | None) -> int:
    """Say of each pattern whether it matches: a JSON line with pattern, result, observed and reason.

    result is match, no-match, invalid or undecided; observed are the ids of the observed-data that match on their
    own; reason says why a pattern is invalid or undecided.
    """
    import msgspec

    from exchange.matcher.pattern.observed import read_bundle
    from exchange.matcher.pattern.verdict import INVALID, Judge, Verdict

    if (pattern is None) == (patterns is None):
        raise click.UsageError("Give either --pattern P or --patterns FILE.")
    lines = [_Line(pattern or "")] if patterns is None else list(_read(patterns))
    encoder = msgspec.json.Encoder()
    with _without_collector():
        bundle = read_bundle(observed)
        _tell(bundle.problems)
        judge = Judge(bundle.observed)
        for start in range(0, len(lines), _BATCH):
            answers = []
            for line in lines[start : start + _BATCH]:
                verdict = Verdict(line.text, INVALID, (), line.fault) if line.fault else judge.judge(line.text)
                shown = verdict._replace(pattern=_printable(verdict.pattern), reason=_printable(verdict.reason))
                answers.append(encoder.encode(shown._asdict()))
            click.echo(b"\n".join(answers))
    return 0


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing here makes garbage that only the collector could find, and to look through millions of objects that stay
    to the end takes longer than to read them."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


class _Line(NamedTuple):
    """A pattern of the file, or what is wrong with its line."""

    text: str
    fault: str = ""


def _read(path: Path) -> Iterator[_Line]:
    """The patterns of a file: JSON strings, one per line (or one JSON array of them)."""
    import msgspec

    from exchange.matcher.pattern.observed import BROKEN_JSON

    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InputError(f"The patterns in {path} can't be read.", why=f"{error.strerror}.", fix=_FIX) from error
    if data.lstrip()[:1] == b"[":
        try:
            items = msgspec.json.decode(data, type=list[msgspec.Raw])
        except BROKEN_JSON:
            items = None  # patterns without quotes also begin with a bracket; each line is told below
        if items is not None:
            for number, item in enumerate(items, 1):
                yield _line(bytes(item), f"Entry {number}")
            return
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            yield _line(line.strip(), f"Line {number}")


def _line(data: bytes, place: str) -> _Line:
    import msgspec

    from exchange.matcher.pattern.observed import BROKEN_JSON

    try:
        return _Line(msgspec.json.decode(data, type=str))
    except BROKEN_JSON as error:
        text = data[:1000].decode("utf-8", "replace")
        return _Line(text, f"{place} is no JSON string ({str(error).rstrip('.')}). {_FIX}")


def _tell(problems: list[str]) -> None:
    for sentence in problems[:_SHOWN_PROBLEMS]:
        click.echo(f"cibx: {sentence}", err=True)
    if len(problems) > _SHOWN_PROBLEMS:
        click.echo(f"cibx: and {len(problems) - _SHOWN_PROBLEMS} more such notes.", err=True)


def _printable(text: str) -> str:
    """Text that UTF-8 can hold: an argument of the command line may bring half characters."""
    return text.encode("utf-8", "replace").decode("utf-8")
