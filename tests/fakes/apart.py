"""Processes of their own for functions of tests: forked from one that has loaded what they need, once in a test process.

A process that begins anew loads the store and the test's module for some three seconds of work.
"""

from __future__ import annotations

import multiprocessing
from functools import cache
from multiprocessing.context import ForkServerContext

_LOADED = ["exchange.wiring", "exchange.backup", "exchange.store.migrations", "psycopg", "pytest", "hypothesis"]


@cache
def apart() -> ForkServerContext:
    """Its ``Process`` has nothing of the test's own but its arguments: no connection, thread, setting or patch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context
