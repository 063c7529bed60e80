"""Work of the engine that is done while Python does something else: DuckDB's threads don't need the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from exchange.matcher.engine import Engine

T = TypeVar("T")
_AGAIN = 0.05
"""Seconds after which what was told to stop is told again: what it was told between two statements is lost."""


@contextmanager
def meanwhile(engine: Engine, do: Callable[[], T], *, apart: bool) -> Iterator[Callable[[], T]]:
    """Gives a call that waits for what ``do`` gives and gives it (or raises what it raised).

    With ``apart`` it is begun now, by a thread of its own, to which the engine belongs until the call; without, it is
    done when called for. Whoever leaves without having called stops it.
    """
    if not apart:
        yield do
        return
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(do)
        try:
            yield begun.result
        finally:
            while not begun.done():
                engine.connection.interrupt()
                wait([begun], _AGAIN)
