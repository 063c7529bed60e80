"""Processes of their own for functions of tests and commands of cibx: forked from one that has loaded the project.

That one is begun once in a test process. A process that begins anew loads the store, and a test's module, for one to
three seconds of work; what hangs on a beginning of its own (other code before it, a server's start) begins anew.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

_LOADED = ["exchange.cli.main", "exchange.wiring", "exchange.backup", "exchange.store.migrations", "psycopg"]


@cache
def apart() -> ForkServerContext:
    """Its ``Process`` has nothing of the test's own but its arguments: no connection, thread, setting or patch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_LOADED, *(name for name in ("pytest", "hypothesis") if name in sys.modules)])
    return context


def run_cibx(arguments: Sequence[str], environment: Mapping[str, str], folder: Path,
             seconds: float) -> subprocess.CompletedProcess[str]:
    """A command of cibx to its end, in such a process; raises TimeoutExpired."""
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "out", Path(place) / "err"
        process = apart().Process(target=_cibx, args=(list(arguments), dict(environment), folder, out, err), daemon=True)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(list(arguments), seconds)
        return subprocess.CompletedProcess(
            list(arguments), process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _cibx(arguments: list[str], environment: dict[str, str], folder: Path, out: Path, err: Path) -> None:
    """In the process itself; ends it with the command's exit code."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, out), (2, err)):
        with open(path, "wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["cibx", *arguments]
    from exchange.cli.main import main

    main()
