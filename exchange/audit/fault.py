"""What can be wrong with a log: somebody altered it, or what was given can't be read as a part of one."""

from __future__ import annotations

from exchange.errors import ExchangeError, InputError


class LogAlteredError(ExchangeError):
    """A log, a proof or a signature is not what it should be (exit code 1 on the command line)."""

    status = 409
    code = "log-altered"


class UnreadableError(InputError):
    """A note, a receipt, a proof or a tile can't be read at all (exit code 2 on the command line)."""

    status = 422
    code = "proof-unreadable"
