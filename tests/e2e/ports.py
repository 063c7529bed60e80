"""Loopback ports for servers under test, where no outgoing connection can take them in the meantime."""

from __future__ import annotations

import random
import socket

_RANGE = range(15_000, 30_000)
"""Below every usual ephemeral range (Linux 32768-60999, IANA 49152-65535): the kernel lends none of these to clients."""


def free_port() -> int:
    """A port that nobody listens on; chosen at random, because suites may run side by side."""
    for port in random.SystemRandom().sample(_RANGE, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("200 ports tried between 15,000 and 30,000, all in use")
