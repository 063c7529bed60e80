"""Several sources, each by its own clock, until somebody says stop: each ends its step and goes on from there later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from exchange.connect.job import Job
from exchange.errors import ExchangeError

_LOOK = 0.2
"""Seconds between two looks at the threads."""


def keep_bringing(
    jobs: Sequence[Job], bring: Callable[[Job], None], failed: Callable[[Job, ExchangeError], None],
    stop: threading.Event, *, grace: float = 60.0, clock: Callable[[], float] = time.monotonic,
) -> None:
    """Run each job when it is due, in a thread of its own; a job without a schedule runs once.

    ``bring`` runs one, and returns soon after ``stop`` is set; ``failed`` is told why one didn't finish, and it is
    tried again when it is due next. Ends when all are done, or ``grace`` seconds after ``stop``. An error that isn't an
    ExchangeError is a bug: it stops all the others and is raised.
    """
    bugs: list[BaseException] = []

    def hook(told: threading.ExceptHookArgs) -> None:
        """A fault of the program in a thread ends the run, which raises it."""
        if told.exc_value is not None:
            bugs.append(told.exc_value)
        stop.set()

    former, threading.excepthook = threading.excepthook, hook
    try:
        threads = [threading.Thread(target=_keep, args=(job, bring, failed, stop, clock), name=job.name, daemon=True)
                   for job in jobs]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and not stop.wait(_LOOK):
            pass
        end = clock() + grace
        for thread in threads:
            thread.join(max(0.0, end - clock()))
    finally:
        threading.excepthook = former
    if bugs:
        raise bugs[0]


def _keep(job: Job, bring: Callable[[Job], None], failed: Callable[[Job, ExchangeError], None],
          stop: threading.Event, clock: Callable[[], float]) -> None:
    while not stop.is_set():
        began = clock()
        try:
            bring(job)
        except ExchangeError as error:
            failed(job, error)
        if job.every is None:
            return
        stop.wait(max(0.0, began + job.every - clock()))
