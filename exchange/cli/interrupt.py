"""Ctrl-C that isn't lost: one that falls into a callback of the import system is raised a moment later.

Python drops whatever a weak reference's callback raises ("Exception ignored in …"), and while a command loads its
parts such callbacks run all the time: the person would have to press Ctrl-C again.
"""

from __future__ import annotations

import signal
from types import FrameType

_LATER = 0.02
"""Seconds until a Ctrl-C that would be dropped is tried again."""


def heed_ctrl_c() -> None:
    """Have Ctrl-C raise KeyboardInterrupt where it isn't dropped; nothing changes where it is ignored or handled.

    To be called in the main thread of a program that doesn't use SIGALRM otherwise.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
        signal.signal(signal.SIGALRM, _stop)


def _stop(_number: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_name == "cb" and "importlib" in frame.f_code.co_filename:
        signal.setitimer(signal.ITIMER_REAL, _LATER)
        return
    raise KeyboardInterrupt
