"""A command of cibx in the test's own process, told by the environment and the folder of another: no start, no end.

What hangs on a process of its own (a kill, another clock, an open pipe) is asked of a real one.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from exchange.cli.main import run


def cibx_here(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path
) -> subprocess.CompletedProcess[str]:
    """What it printed and its exit code, as of a process that has ended."""
    out, err = StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, chdir(folder), redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith("CIBX_")]:
            patch.delenv(name)
        for name, value in environment.items():
            if name.startswith("CIBX_"):
                patch.setenv(name, value)
        code = run(list(arguments))
    return subprocess.CompletedProcess(list(arguments), code, out.getvalue(), err.getvalue())
