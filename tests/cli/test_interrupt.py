"""Ctrl-C reaches the program also where Python would drop it."""

from __future__ import annotations

import subprocess
import sys

import pytest

STORY = """
import signal, time, weakref
from exchange.cli.interrupt import heed_ctrl_c
{before}
heed_ctrl_c()
class Thing: pass
made = {{"signal": signal}}
exec(compile("def cb(gone):\\n    signal.raise_signal(signal.SIGINT)", {place!r}, "exec"), made)
thing = Thing()
kept = weakref.ref(thing, made["cb"])
try:
    del thing  # calls cb
    for _ in range({patience}): time.sleep(0.05)
    print("went on")
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize(("place", "before", "said"), [
    ("<frozen importlib._bootstrap>", "", "stopped"),
    ("<frozen importlib._bootstrap>", "heed_ctrl_c = lambda: None", "went on"),  # what Python does by itself
    ("<frozen importlib._bootstrap>", "signal.signal(signal.SIGINT, signal.SIG_IGN)", "went on"),
])
def test_a_ctrl_c_in_a_callback_of_the_import_system_is_not_lost(place: str, before: str, said: str) -> None:
    story = STORY.format(place=place, before=before, patience=200 if said == "stopped" else 6)
    done = subprocess.run([sys.executable, "-c", story], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split("\n")[0] == said, done.stderr
