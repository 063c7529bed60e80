"""Spans of what is being done, for traces: a name and how long it took. Nothing, unless an operator asked for traces.

A name is one of a few words of ours; no id, value or text of anybody goes into a span.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Begin = Callable[[str], AbstractContextManager[object]]


class _Spans:
    begin: Begin | None = None


def span(name: str) -> AbstractContextManager[object]:
    """Around something that is to be seen in a trace."""
    return nullcontext() if _Spans.begin is None else _Spans.begin(name)


def trace_with(begin: Begin | None) -> None:
    """Let ``begin`` make the spans of this process from here on; None: nobody."""
    _Spans.begin = begin
