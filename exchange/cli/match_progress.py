"""How far a run of the matcher is, on the standard error: a bar on a terminal, a line per step elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

_SHARES = {
    "reading the feed": 3, "reading the tables": 27, "comparing": 12, "weighing": 45, "clustering": 3,
    "recommending": 1, "writing": 9,
}
"""Roughly what part of a long run each step takes, in per cent."""
_QUIET = 2.0
"""Seconds within which a run that writes to no terminal says nothing."""


@contextmanager
def shown() -> Iterator[Callable[[str], None]]:
    """Gives what is to be told each step as it begins."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    with Progress(SpinnerColumn(), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(),
                  TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("starting", total=100)
        yield lambda step: bar.update(task, description=step, completed=done_before(step, bar.tasks[0].completed))


def done_before(step: str, so_far: float) -> float:
    """Per cent of a run that are done when a step begins; within a step that has rounds, by round."""
    begun = 0.0
    for name, share in _SHARES.items():
        if step.startswith(name):
            found = re.search(r"round (\d+) of (\d+)", step)
            return begun + (share * (int(found[1]) - 1) / int(found[2]) if found else 0.0)
        begun += share
    return so_far


def _lines() -> Callable[[str], None]:
    start = time.monotonic()

    def say(step: str) -> None:
        """Name the step, with the seconds since the beginning, where they are many enough to wonder."""
        passed = time.monotonic() - start
        if passed >= _QUIET:
            click.echo(f"{passed:6.0f} s  {step}", err=True)
    return say
