"""What a policy version in shadow would change is counted once a day, by one worker of all.

In a process of its own: the whole matrix of recipients and labels takes seconds, in which a worker would answer nobody.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable

from exchange.errors import ExchangeError
from exchange.settings import Settings
from exchange.store.engine import write
from exchange.store.versions import take_count_turn
from exchange.wiring import Exchange

_LOG = logging.getLogger("exchange.web")
EVERY_SECONDS = 60.0
_LONGEST_SECONDS = 600.0
_COUNT = (sys.executable, "-c", "from exchange.cli.main import main; main()", "policy", "count")


def follow(exchange: Exchange, settings: Settings, pause: Callable[[float], None]) -> None:
    """Have versions counted when they are due; ``pause`` takes seconds. Never returns."""
    while True:
        pause(EVERY_SECONDS)
        try:
            look(exchange, settings)
        except ExchangeError as fault:  # a full disk, a store that is away: the next minute tries again
            _LOG.warning("what the policy version in shadow would change was not counted: %s", fault)


def look(exchange: Exchange, settings: Settings) -> bool:
    """Have versions counted, where one is due and no other process is at it; whether this one did."""
    if not exchange.policy_changes().due():
        return False
    with write(exchange.engine) as connection:
        if not take_count_turn(connection, exchange.clock()):
            return False
    environment = {**os.environ, "CIBX_DATABASE_URL": settings.database_url}
    try:
        done = subprocess.run(_COUNT, env=environment, capture_output=True, check=False,  # noqa: S603
                              timeout=_LONGEST_SECONDS, text=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        _LOG.warning("what the policy version in shadow would change was not counted: %s. Run cibx policy count.",
                     error)
        return False
    said = done.stderr if done.returncode else done.stdout
    _LOG.log(logging.WARNING if done.returncode else logging.INFO, "cibx policy count: %s", said.strip()[-2_000:])
    return done.returncode == 0
